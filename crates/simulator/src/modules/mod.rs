//! NodeMCU's modules, one file each.

use std::rc::Rc;

use mlua::Lua;

use crate::device::Device;
use crate::input::Input;

mod absent;
mod adc;
pub(crate) mod base;
mod bit;
mod crypto;
mod encoder;
mod file;
mod gpio;
mod http;
mod i2c;
mod mqtt;
mod net;
mod node;
mod ow;
mod pipe;
mod pwm;
mod rtctime;
mod simulator;
mod sjson;
mod sntp;
mod structure;
mod tmr;
mod uart;
mod wifi;

/// Those that are simulated, as `node.info` tells them.
pub(crate) const NAMES: &[&str] = &[
    "adc", "bit", "crypto", "encoder", "file", "gpio", "http", "i2c", "mqtt", "net", "node", "ow",
    "pipe", "pwm", "rtctime", "sjson", "sntp", "struct", "tmr", "uart", "wifi",
];

/// The modules that the event loop serves.
pub(crate) struct Modules {
    pub input: Rc<Input>,
    pub net: net::Net,
    pub sntp: Rc<sntp::Sntp>,
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
    adc::open(lua, device)?;
    bit::open(lua)?;
    crypto::open(lua, device)?;
    encoder::open(lua)?;
    gpio::open(lua, device)?;
    i2c::open(lua, device)?;
    ow::open(lua, device)?;
    pwm::open(lua, device)?;
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
        sntp: sntp::open(lua, device, net.names())?,
        net,
        timers: tmr::open(lua, device)?,
        input,
    })
}
