//! The containers of NodeMCU firmware files: which bytes are linked at which address, and what checksums them.
//!
//! An [`Image`] is made of [`Part`]s. A file that was built is one part; a dump of a flash has one for each image in it. Parts
//! have [`Segment`]s, the bytes with an address, and [`Checksum`]s, the sums that the chip compares before it runs the part. After
//! a change of bytes, [`Image::fix_up`] recomputes the checksums. Each source file describes its format at its head, with the
//! sources.

mod checksum;
mod elf;
mod error;
mod esp32;
mod esp8266;
mod fields;
mod fix_up;
mod flash;
mod kind;
mod object_file;
mod protection;
mod scan;
mod uf2;

use std::ops::Range;

pub use checksum::{Algorithm, Checksum};
pub use error::Error;
pub use fix_up::{FixedUp, Wrong};
pub use kind::{Chip, Kind};
pub use object_file::objects;
pub use protection::Protection;
pub use uf2::Uf2;

/// The contents of a firmware file: offsets, not the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    kind: Kind,
    parts: Vec<Part>,
    broken: Vec<Broken>,
    /// What was wrong when the file was read.
    wrong: Vec<Checksum>,
    /// The offset of a dump's partition table.
    table: Option<Range<usize>>,
    len: usize,
}

/// Bytes that begin like an image, but are not a valid one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its offset.
    pub start: usize,
    /// What is wrong with it.
    pub error: Error,
}

/// One image of a file, or bytes that stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Never a kind of dump.
    pub kind: Kind,
    /// From the first byte of the header to behind the last checksum or signature.
    pub range: Range<usize>,
    /// In the order of the file.
    pub segments: Vec<Segment>,
    /// In the order in which they are recomputed: each one covers those before it.
    pub checksums: Vec<Checksum>,
    /// Why nothing of it may be changed, if so.
    pub protection: Option<Protection>,
}

/// Bytes that are loaded or mapped unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The range of the bytes in the file.
    pub range: Range<usize>,
    /// The address of the first byte on the chip. None if the file does not have it: raw files, padding, and the flash segment of
    /// an ESP8266's version 2 outside a dump.
    pub address: Option<u32>,
    /// Whether they count for [`Algorithm::Xor`].
    pub checksummed: bool,
}

impl Image {
    /// Detects the kind of the file, and finds images at any offset. A file without images is [`Kind::Raw`], and so is an
    /// encrypted file.
    ///
    /// # Errors
    /// An invalid ELF file; or an image that is cut or has an invalid header, and no other image.
    pub fn read(bytes: &[u8]) -> Result<Image, Error> {
        if bytes.starts_with(elf::MAGIC) {
            return Ok(Image::of(elf::read(bytes)?, bytes));
        }
        flash::read(bytes)
    }

    fn of(part: Part, bytes: &[u8]) -> Image {
        Image {
            kind: part.kind,
            parts: vec![part],
            broken: Vec::new(),
            wrong: Vec::new(),
            table: None,
            len: bytes.len(),
        }
    }

    /// The kind of the whole file.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The images in it, in the order of the file. One may lie within a segment of another one, which then stands before it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Starts of images that are cut or have invalid segments.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The segments of all parts.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.parts.iter().flat_map(|part| &part.segments)
    }

    /// The address on the chip of the byte at an offset of the file. None if it is in no segment, or the file has no address. If an
    /// image is within another one, the inner one counts.
    pub fn address(&self, offset: usize) -> Option<u32> {
        let byte = offset..offset.checked_add(1)?;
        let inner = *self.covering(&byte).first()?;
        let segment = inner.segments.iter().find(|s| s.range.contains(&offset))?;
        let behind = u32::try_from(offset - segment.range.start).ok()?;
        segment.address?.checked_add(behind)
    }
}

impl Part {
    fn raw(range: Range<usize>, segment: Option<Segment>) -> Part {
        Part {
            kind: Kind::Raw,
            range,
            segments: segment.into_iter().collect(),
            checksums: Vec::new(),
            protection: None,
        }
    }
}
