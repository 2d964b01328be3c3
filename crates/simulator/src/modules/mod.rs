//! NodeMCU's modules, one file each.

use std::rc::Rc;

use mlua::Lua;

use crate::device::Device;
use crate::input::Input;

mod absent;
pub(crate) mod base;
mod bit;
mod crypto;
mod encoder;
mod file;
mod http;
mod mqtt;
mod net;
mod node;
mod pipe;
mod rtctime;
mod simulator;
mod sjson;
mod structure;
mod tmr;
mod uart;
mod wifi;

/// Those that are simulated, as `node.info` tells them.
pub(crate) const NAMES: &[&str] = &[
    "bit", "crypto", "encoder", "file", "http", "mqtt", "net", "node", "pipe", "rtctime", "sjson",
    "struct", "tmr", "uart", "wifi",
];

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
    crypto::open(lua, device)?;
    encoder::open(lua)?;
    sjson::open(lua)?;
    structure::open(lua)?;
    file::open(lua, device)?;
    node::open(lua, device, &input)?;
    pipe::open(lua, device)?;
    rtctime::open(lua, device)?;
    uart::open(lua, device, &input)?;
    simulator::open(lua, device)?;
    let wifi = wifi::open(lua, device)?;
    let net = net::open(lua, device, &wifi)?;
    http::open(lua, &net)?;
    mqtt::open(lua, &net)?;
    Ok(Modules {
        net,
        timers: tmr::open(lua, device)?,
        input,
    })
}
