//! The module `fast`: the firmware's own `fast.c`, with chunks that are set at run time or, with the
//! feature `frozen`, were linked in.

#![allow(unsafe_code)]

use std::ffi::c_int;

use fastlua_firmware::ChunkKind;
use mlua::{Function, Lua};

use crate::error::Error;

/// What `fast` holds, in place of what is compiled into firmware.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// Its chunks.
    pub chunks: Vec<ImageChunk>,
    /// What the packed ones have in common, as words in flash; empty where none is packed.
    pub shared: Vec<u32>,
    /// What `fast.info()` tells: fastlua's version, the variant, the name of the bundle.
    pub about: [String; 3],
}

/// A chunk of the simulated image.
#[derive(Debug, Clone)]
pub struct ImageChunk {
    /// Its name, at most 63 bytes.
    pub name: String,
    /// A dump of stock Lua for this machine, packed or not, source, deflated or not, or data.
    pub bytes: Vec<u8>,
    /// Which of them.
    pub kind: ChunkKind,
    /// XXH32 of the bytes.
    pub xxh32: u32,
}

unsafe extern "C-unwind" {
    fn luaopen_fast(state: *mut mlua::lua_State) -> c_int;
}

/// Sets what `fast` holds in this process, where no device has.
pub(crate) fn set(image: Image) -> Result<(), Error> {
    #[cfg(not(feature = "frozen"))]
    return table::set(image);
    #[cfg(feature = "frozen")]
    match image.chunks.is_empty() {
        true => Ok(()),
        false => Err(Error::Frozen),
    }
}

/// Sets it once more, by the device that set it before.
pub(crate) fn replace(image: Image) -> Result<(), Error> {
    #[cfg(not(feature = "frozen"))]
    return {
        table::replace(image);
        Ok(())
    };
    #[cfg(feature = "frozen")]
    match image.chunks.is_empty() {
        true => Ok(()),
        false => Err(Error::Frozen),
    }
}

/// Makes `fast` a global of a Lua state.
pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: `luaopen_fast` is a Lua C function, compiled with this Lua's headers.
    let open: Function = unsafe { lua.create_c_function(luaopen_fast)? };
    let fast: mlua::Value = open.call(())?;
    lua.globals().raw_set("fast", fast)
}

/// The variables that stand in place of a generated table.
#[cfg(not(feature = "frozen"))]
mod table {
    use std::ffi::{CString, c_char, c_void};
    use std::ptr;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Image, ImageChunk};
    use crate::error::Error;

    /// `fast_chunk` of `fast_index.h`.
    #[repr(C)]
    struct Entry {
        name: *const u32,
        words: *const u32,
        size: u32,
        hash: u32,
        kind: u32,
        heap: u32,
        strings: u32,
        depth: u32,
        check: u32,
    }

    impl Entry {
        /// `FAST_CHUNK` of `fast_index.h`; what a PC has enough of is not counted.
        fn new(chunk: &ImageChunk) -> Entry {
            let (size, kind) = (chunk.bytes.len() as u32, chunk.kind.number());
            let check = 0x6661_7374_u32
                .wrapping_add(size.wrapping_mul(3))
                .wrapping_add(chunk.xxh32.wrapping_mul(5))
                .wrapping_add(kind.wrapping_mul(7));
            Entry {
                name: words(&[chunk.name.as_bytes(), b"\0"].concat()),
                words: words(&chunk.bytes),
                size,
                hash: chunk.xxh32,
                kind,
                heap: 0,
                strings: 0,
                depth: 0,
                check,
            }
        }
    }

    /// `fast_bundle` of `fast_index.h`.
    #[repr(C)]
    struct Table {
        chunks: *const Entry,
        count: u32,
        checked: *mut u32,
        frozen: *const *const c_void,
        base: usize,
        deflated: *const c_void,
        packed: *const c_void,
        shared: *const u32,
    }

    unsafe extern "C" {
        static mut fastlua_image: Table;
        static mut fastlua_about: [*const c_char; 3];
    }

    /// Whether the image is set.
    static IS_SET: AtomicBool = AtomicBool::new(false);

    pub(super) fn set(image: Image) -> Result<(), Error> {
        if IS_SET.swap(true, Ordering::SeqCst) {
            return Err(Error::Image);
        }
        replace(image);
        Ok(())
    }

    pub(super) fn replace(image: Image) {
        let Image {
            mut chunks,
            shared,
            about,
        } = image;
        chunks.sort_by(|a, b| a.name.cmp(&b.name));
        let entries: Vec<Entry> = chunks.iter().map(Entry::new).collect();
        let checked = vec![0u32; entries.len() / 32 + 1].leak();
        let count = entries.len() as u32;
        let about = about.map(|text| {
            CString::new(text)
                .unwrap_or_default()
                .into_raw()
                .cast_const()
        });
        let shared = match shared.is_empty() {
            true => ptr::null(),
            false => shared.leak().as_ptr(),
        };
        // SAFETY: they are written here only, by the one device that set them and in its thread, and read by
        // `fast.c` only, which no other device's Lua has; what they ever pointed to is never freed.
        unsafe {
            ptr::addr_of_mut!(fastlua_image).write(Table {
                chunks: entries.leak().as_ptr(),
                count,
                checked: checked.as_mut_ptr(),
                frozen: ptr::null(),
                base: 0,
                // what C has there stays
                deflated: ptr::addr_of!(fastlua_image.deflated).read(),
                packed: ptr::addr_of!(fastlua_image.packed).read(),
                shared,
            });
            ptr::addr_of_mut!(fastlua_about).write(about);
        }
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
}
