//! Images for LFS, the Lua Flash Store: a region of flash from which NodeMCU runs Lua functions in place.
//!
//! [`write()`] makes what the firmware's own `luac.cross -f` makes of the same chunks, byte for byte but for the
//! time stamp, the seed of 5.3 and the compression. There are two formats, each a file: `v51.rs` is the memory
//! itself, with the addresses in it marked, compressed or for one address; `v53.rs` is a stream of which the
//! chip makes its memory. [`read()`] takes both strictly: what `luac.cross` would not write is damage.
//!
//! [`prove`] reads an image back, relocates it as the chip's loader does, and compares every function.

mod builder;
mod error;
mod fixed;
mod gzip;
mod index;
mod names;
mod proof;
mod region;
mod size;
mod sources;
mod strings;
mod table;
mod v51;
mod v53;

use std::collections::HashSet;

use bstr::BString;
use fastlua_bytecode::{Chunk, Dialect, Function, Layout, PackedLines};

pub use error::{Damage, ReadError, WriteError};
pub use names::core_name;
pub use proof::{Unproved, prove};
pub use region::{Region, Word, region};
pub use size::{Part, Sizes};

/// Where flash is mapped on the ESP8266, as far as `luac.cross` takes an address for an image.
pub const MAPPED: std::ops::RangeInclusive<u32> = 0x4021_0000..=0x4031_0000;

/// Bytes of the longest region that is read or written: what the ESP8266 maps of its flash.
pub const LONGEST: usize = 1 << 20;

/// What the chip calls a function whose source name is stripped. In an image each function has one.
const NO_SOURCE: &str = "=?";

/// Modules for the Lua Flash Store.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// What its chunks have: NodeMCU's 5.1 or 5.3.
    pub layout: Layout,
    /// Where it may lie.
    pub place: Place,
    /// 5.1 with floats: whether a value takes 16 bytes in place of 12 (`LUA_DWORD_ALIGNED_TVALUES`).
    pub aligned: bool,
    /// Seconds since 1970, as `node.LFS.time` tells it.
    pub timestamp: u32,
    /// 5.3: what the hashes of its strings begin with; none for one made of the contents.
    pub seed: Option<u32>,
    /// The modules, in their order.
    pub modules: Vec<Module>,
}

/// Where an image may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever the loader on the chip puts it.
    Anywhere,
    /// At this address only: it is flashed as it is. 5.1 only.
    At(u32),
}

/// A module of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The name by which the chip finds it.
    pub name: BString,
    /// Its functions.
    pub chunk: Chunk,
}

impl Module {
    /// What modules have to be sorted by: the chip finds those of 5.3 whose names begin with `__` only in front.
    pub fn rank(&self) -> bool {
        self.chunk.layout.dialect() == Dialect::Lua53 && !names::is_special(&self.name)
    }
}

/// An image that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What is in it.
    pub image: Image,
    /// Bytes that it takes in the region, with what each part of it takes.
    pub sizes: Sizes,
    /// Whether a checksum covers it, which is right then. Of the others a changed number or instruction may go unseen.
    pub has_checksum: bool,
    /// How many strings it brings.
    pub strings: usize,
    /// 5.1: the main function of the image, which finds the modules, without the modules.
    pub index: Option<Function>,
}

/// Whether bytes begin as an image does, of either format.
pub fn is_image(bytes: &[u8]) -> bool {
    gzip::is_compressed(bytes) || v51::is_absolute(bytes) || v53::is_image(bytes)
}

/// Reads an image. Each offset and address is checked, each string's hash and chain, and that nothing lies
/// between the parts.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<Found, ReadError> {
    if gzip::is_compressed(bytes) {
        let found = v51::read(&contents(bytes)?).map_err(ReadError::in_contents)?;
        return Ok(Found {
            has_checksum: true,
            ..found
        });
    }
    if v51::is_absolute(bytes) {
        return v51::read(bytes);
    }
    if v53::is_image(bytes) {
        return v53::read(bytes);
    }
    Err(ReadError::at(0, "unknown header: not an LFS image"))
}

/// What is compressed in an image of 5.1, which may lie anywhere.
pub(crate) fn contents(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let contents = gzip::read(bytes)?;
    match v51::is_absolute(&contents) {
        true => Err(ReadError::at(
            0,
            "a compressed image for a fixed address, which the chip does not accept: it must be flashed uncompressed",
        )
        .in_contents()),
        false => Ok(contents),
    }
}

/// Writes an image, and returns the size of each part in the region.
///
/// # Errors
/// What no image can hold, or no chip could find in it.
pub fn write(image: &Image) -> Result<(Vec<u8>, Sizes), WriteError> {
    write_with_line_info(image, &PackedLines::new())
}

/// As [`write()`], with line info that is packed already. A function is found by the number of its module, then as
/// in its chunk; one that has lines and is not there has them packed in the shortest way.
///
/// # Errors
/// Those of [`write()`].
pub fn write_with_line_info(
    image: &Image,
    packed: &PackedLines,
) -> Result<(Vec<u8>, Sizes), WriteError> {
    check(image)?;
    match image.layout.dialect() {
        Dialect::Lua51 => {
            let (contents, sizes) = v51::write(image, packed)?;
            Ok(match image.place {
                Place::Anywhere => (gzip::write(&contents), sizes),
                Place::At(_) => (contents, sizes),
            })
        }
        Dialect::Lua53 => v53::write(image, packed),
    }
}

/// Bytes of the strings that a module names, as if no other module did: what it adds at the most to those that all
/// share.
pub fn string_bytes(module: &Module) -> usize {
    let mut texts: HashSet<Vec<u8>> = HashSet::new();
    let mut add = |text: &[u8]| {
        texts.insert(text.to_vec());
    };
    match module.chunk.layout.dialect() {
        Dialect::Lua51 => v51::strings(&module.chunk.main, &mut add),
        Dialect::Lua53 => v53::strings(&module.chunk.main, &mut add),
    }
    texts.iter().map(|text| strings::bytes(text)).sum()
}

/// Whether an image can be for this address.
fn is_place(address: u32) -> bool {
    MAPPED.contains(&address) && address.is_multiple_of(4)
}

fn check(image: &Image) -> Result<(), WriteError> {
    if !image.layout.format.is_nodemcu() {
        return Err(WriteError::Layout(image.layout));
    }
    if let Place::At(address) = image.place {
        if image.layout.dialect() == Dialect::Lua53 {
            return Err(WriteError::Stream);
        }
        if !is_place(address) {
            return Err(WriteError::Address(address));
        }
    }
    if image.modules.is_empty() {
        return Err(WriteError::Empty);
    }
    if let Some(other) = image
        .modules
        .iter()
        .find(|m| m.chunk.layout != image.layout)
    {
        return Err(WriteError::Mixed(other.name.clone()));
    }
    let has_upvalues = |m: &&Module| !m.chunk.main.upvalues.is_empty();
    match image.modules.iter().find(has_upvalues) {
        Some(module) if image.layout.dialect() == Dialect::Lua51 => {
            return Err(WriteError::Upvalues(module.name.clone()));
        }
        _ => {}
    }
    names::check(image.modules.iter().map(|module| &module.name))
}
