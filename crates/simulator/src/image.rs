//! The module `fast`: the firmware's own `fast.c`, with chunks that are set at run time.

#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::{Function, Lua};

/// A chunk of the simulated image.
#[derive(Debug, Clone)]
pub struct ImageChunk {
    /// Its name, at most 63 bytes.
    pub name: String,
    /// A dump of stock Lua for this machine, or source.
    pub bytes: Vec<u8>,
    /// Whether it is source.
    pub is_source: bool,
    /// XXH32 of the bytes.
    pub xxh32: u32,
}

/// `fast_chunk` of `fast_load.h`.
#[repr(C)]
struct Entry {
    name: *const u32,
    words: *const u32,
    size: u32,
    hash: u32,
    kind: u32,
    heap: u32,
    strings: u32,
}

/// `fast_bundle` of `fast_load.h`.
#[repr(C)]
struct Table {
    chunks: *const Entry,
    count: u32,
    checked: *mut u32,
}

unsafe extern "C" {
    static mut fastlua_image: Table;
    static mut fastlua_about: [*const c_char; 3];
}

unsafe extern "C-unwind" {
    fn luaopen_fast(state: *mut mlua::lua_State) -> c_int;
}

/// Whether the image is set.
static IS_SET: AtomicBool = AtomicBool::new(false);

/// Sets what `fast` holds in this process, once and for good; false if it is set already.
pub(crate) fn set(mut chunks: Vec<ImageChunk>, about: [&str; 3]) -> bool {
    if IS_SET.swap(true, Ordering::SeqCst) {
        return false;
    }
    chunks.sort_by(|a, b| a.name.cmp(&b.name));
    let entries: Vec<Entry> = chunks
        .iter()
        .map(|chunk| Entry {
            name: words(&[chunk.name.as_bytes(), b"\0"].concat()),
            words: words(&chunk.bytes),
            size: chunk.bytes.len() as u32,
            hash: chunk.xxh32,
            kind: chunk.is_source.into(),
            heap: 0,
            strings: 0,
        })
        .collect();
    let checked = vec![0u32; entries.len().div_ceil(32)].leak();
    let count = entries.len() as u32;
    let about = about.map(|text| {
        CString::new(text)
            .unwrap_or_default()
            .into_raw()
            .cast_const()
    });
    // SAFETY: they are written here only, which happens once, and read by `fast.c` only, which
    // no Lua state has before; what they point to is never freed.
    unsafe {
        ptr::addr_of_mut!(fastlua_image).write(Table {
            chunks: entries.leak().as_ptr(),
            count,
            checked: checked.as_mut_ptr(),
        });
        ptr::addr_of_mut!(fastlua_about).write(about);
    }
    true
}

/// Makes `fast` a global of a Lua state.
pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: `luaopen_fast` is a Lua C function, compiled with this Lua's headers.
    let open: Function = unsafe { lua.create_c_function(luaopen_fast)? };
    let fast: mlua::Value = open.call(())?;
    lua.globals().raw_set("fast", fast)
}

/// The bytes as words that are never freed.
fn words(bytes: &[u8]) -> *const u32 {
    let words: Vec<u32> = bytes
        .chunks(4)
        .map(|part| {
            let mut four = [0; 4];
            four[..part.len()].copy_from_slice(part);
            u32::from_ne_bytes(four)
        })
        .collect();
    words.leak().as_ptr()
}
