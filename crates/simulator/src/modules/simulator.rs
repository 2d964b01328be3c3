//! `simulator`: what a test may ask of the device that no chip offers. It is there only where
//! [`Options::can_skip`](crate::Options::can_skip) is set.

use std::rc::Rc;
use std::time::Duration;

use mlua::Lua;

use crate::api::Library;
use crate::device::Device;

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    if !device.options.can_skip {
        return Ok(());
    }
    let library = Library::new(lua, "simulator.")?;
    library.with(device, "skip", move |_, device, args| {
        let Ok(most) = u64::try_from(args.integer(1)?) else {
            return args.bad(1, "wrong arg range");
        };
        device.clock.ask_to_skip(Duration::from_millis(most));
        Ok(())
    })?;
    library.global("simulator")
}
