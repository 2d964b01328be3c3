//! `adc`: what the inputs say.

use std::rc::Rc;

use mlua::Lua;

use crate::api::Library;
use crate::device::Device;
use crate::error::raise;

/// What a converter gives that is set to the other source.
const OTHER: i64 = 65535;
/// A supply of 3.3 V, in millivolts.
const SUPPLY: i64 = 3300;

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "adc.")?;
    library.constant("INIT_ADC", 0)?;
    library.constant("INIT_VDD33", 255)?;
    library.with(device, "read", |_, device, args| {
        let channel = args.integer(1)?;
        if channel != 0 {
            return raise(format!("adc {} does not exist", channel as u32));
        }
        if device.measures_supply.get() {
            return Ok(OTHER);
        }
        let value = device.pins.outside.borrow().analog;
        device.trace(&format!("adc.read 0 {value}"));
        Ok(value)
    })?;
    library.with(device, "readvdd33", |_, device, _| {
        Ok(match device.measures_supply.get() {
            true => SUPPLY,
            false => OTHER,
        })
    })?;
    library.with(device, "force_init_mode", |_, device, args| {
        let wanted = match args.integer(1)? & 255 {
            0 => false,
            255 => true,
            _ => return args.bad(1, "Invalid mode"),
        };
        // The converter follows with the next start.
        Ok(device.will_measure_supply.replace(wanted) != wanted)
    })?;
    library.global("adc")
}
