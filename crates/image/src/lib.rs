//! The containers of NodeMCU firmware files: which bytes are linked at which address, and what checksums them.
//!
//! An [`Image`] is made of [`Part`]s. A file that was built is one part; a dump of a flash has one for each image in it. Parts
//! have [`Segment`]s, the bytes with an address, and [`Checksum`]s, the sums that the chip compares before it runs the part. After
//! bytes were changed, [`Image::fix_up`] makes the checksums right again. The formats stand at the head of each file, with their
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

/// What a firmware file holds. It keeps places, not the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    kind: Kind,
    parts: Vec<Part>,
    broken: Vec<Broken>,
    /// What was wrong when the file was read.
    wrong: Vec<Checksum>,
    /// Where a dump has its table of partitions.
    table: Option<Range<usize>>,
    len: usize,
}

/// Something that begins as an image does, and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it begins.
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
    /// In the order in which they are fixed_up: each one covers those before it.
    pub checksums: Vec<Checksum>,
    /// Why nothing of it may be changed, if so.
    pub protection: Option<Protection>,
}

/// Bytes that are loaded or mapped as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where the bytes are in the file.
    pub range: Range<usize>,
    /// Where the first of them is on the chip. None where the file does not say it: raw files, padding, and the flash segment of
    /// an ESP8266's version 2 outside a dump.
    pub address: Option<u32>,
    /// Whether they count for [`Algorithm::Xor`].
    pub checksummed: bool,
}

impl Image {
    /// Tells what the file is, and finds the images in it wherever they begin. What has none is [`Kind::Raw`], which is also all that
    /// can be said of an encrypted file.
    ///
    /// # Errors
    /// An ELF file that can't be; or what is cut or has a header that can't be, and nothing else is there.
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

    /// What the file is as a whole.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The images in it, in the order of the file. One may lie within a segment of another one, which then stands before it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What begins as an image does, and is cut or goes on to where it can't be.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The segments of all parts.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.parts.iter().flat_map(|part| &part.segments)
    }

    /// Where the byte at an offset of the file is on the chip. None if it is in no segment, or the file does not say it. Of an image
    /// within another one the inner one counts.
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
