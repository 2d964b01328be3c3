//! NodeMCU's modules, one file each.

use std::rc::Rc;

use mlua::Lua;

use crate::device::Device;

pub(crate) mod bit;
pub(crate) mod file;
pub(crate) mod net;
pub(crate) mod node;
pub(crate) mod pipe;
pub(crate) mod rtctime;
pub(crate) mod tmr;
pub(crate) mod uart;
pub(crate) mod wifi;

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    bit::open(lua)?;
    file::open(lua, device)?;
    net::open(lua, device)?;
    node::open(lua, device)?;
    pipe::open(lua, device)?;
    rtctime::open(lua, device)?;
    tmr::open(lua, device)?;
    uart::open(lua, device)?;
    wifi::open(lua, device)
}
