//! NodeMCU's modules, one file each.

use std::rc::Rc;

use mlua::Lua;

use crate::device::Device;
use crate::input::Input;

mod absent;
pub(crate) mod base;
mod bit;
mod file;
mod net;
mod node;
mod pipe;
mod rtctime;
mod simulator;
mod tmr;
mod uart;
mod wifi;

/// The modules that the event loop serves.
pub(crate) struct Modules {
    pub input: Rc<Input>,
    pub net: net::Net,
    pub timers: Rc<tmr::Timers>,
}

impl Modules {
    /// Drops the sockets and timers that Lua has collected.
    pub fn reap(&self) {
        self.net.reap();
        self.timers.reap();
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Modules> {
    let input = Rc::new(Input::new(device));
    base::open(lua, device)?;
    absent::open(lua)?;
    bit::open(lua)?;
    file::open(lua, device)?;
    node::open(lua, device, &input)?;
    pipe::open(lua, device)?;
    rtctime::open(lua, device)?;
    uart::open(lua, device, &input)?;
    simulator::open(lua, device)?;
    let wifi = wifi::open(lua, device)?;
    Ok(Modules {
        net: net::open(lua, device, &wifi)?,
        timers: tmr::open(lua, device)?,
        input,
    })
}
