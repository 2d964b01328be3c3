//! `node.egc` of NodeMCU's Lua 5.1: how it collects, and how long a string may become that is joined of others. Lua 5.3 has
//! neither.
//!
//! The limit is the chip's, and so are the results of its modules that `luaL_Buffer` or `lua_concat` make. What differs:
//! `ALWAYS` does not collect before each allocation, which takes a PC several hundred times as long as the allocation and is
//! seen by nobody. `ON_MEM_LIMIT` with a limit above 0 counts as [`Device::used_heap`] does, from the start of the device.

#![cfg_attr(feature = "lua51", allow(unsafe_code))]

use std::cell::Cell;

use mlua::{BString, Lua};

use crate::error::Raise;

/// The first length that is too long, kept with a Lua state.
#[derive(Default)]
struct Limit(Cell<usize>);

/// A string that the chip joins of pieces, by `luaL_Buffer` or `lua_concat`.
pub(crate) fn joined(lua: &Lua, bytes: Vec<u8>) -> Result<BString, Raise> {
    check(lua, bytes.len())?;
    Ok(bytes.into())
}

/// Whether the chip joins pieces to a string of this length.
pub(crate) fn check(lua: &Lua, length: usize) -> Result<(), Raise> {
    let limit = lua.app_data_ref::<Limit>();
    let limit = limit.map_or(0, |limit| limit.0.get());
    match limit > 0 && length >= limit {
        true => Err(Raise::Core("string length overflow")),
        false => Ok(()),
    }
}

#[cfg(feature = "lua51")]
pub(crate) use modes::{ALL, MODES, ON_MEM_LIMIT, boot, set};

#[cfg(feature = "lua51")]
mod modes {
    use std::cell::Cell;
    use std::ffi::c_int;

    use mlua::{Function, Lua};

    use super::Limit;
    use crate::device::Device;

    const NOT_ACTIVE: i32 = 0;
    const ON_ALLOC_FAILURE: i32 = 1;
    pub(crate) const ON_MEM_LIMIT: i32 = 2;
    const ALWAYS: i32 = 4;
    pub(crate) const ALL: i32 = ON_ALLOC_FAILURE | ON_MEM_LIMIT | ALWAYS;

    /// The modes as NodeMCU names them. They can be added.
    pub(crate) const MODES: [(&str, i32); 4] = [
        ("NOT_ACTIVE", NOT_ACTIVE),
        ("ON_ALLOC_FAILURE", ON_ALLOC_FAILURE),
        ("ON_MEM_LIMIT", ON_MEM_LIMIT),
        ("ALWAYS", ALWAYS),
    ];

    unsafe extern "C-unwind" {
        fn fastlua_setegcmode(state: *mut mlua::lua_State) -> c_int;
    }

    /// Sets what a chip has that has just started.
    pub(crate) fn boot(lua: &Lua, device: &Device) -> mlua::Result<()> {
        set(lua, device, ALWAYS, 4096)
    }

    /// Sets mode and limit.
    pub(crate) fn set(lua: &Lua, device: &Device, mode: i32, limit: i32) -> mlua::Result<()> {
        let positive = usize::try_from(limit).unwrap_or(0);
        lua.set_app_data(Limit(Cell::new(positive)));
        // no limit where it is 0
        let memory = match mode & ON_MEM_LIMIT {
            0 => 0,
            _ => device.memory_for(positive),
        };
        lua.set_memory_limit(memory)?;
        let mode = match mode {
            NOT_ACTIVE => NOT_ACTIVE,
            _ => ON_ALLOC_FAILURE,
        };
        // SAFETY: it is a Lua C function, compiled with this Lua's headers.
        let set: Function = unsafe { lua.create_c_function(fastlua_setegcmode)? };
        set.call((mode, limit))
    }
}
