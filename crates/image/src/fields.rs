//! Header and segments, as all images of Espressif's chips have them.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 1 | magic e9 |
//! | 1 | 1 | number of segments, at most 16 |
//! | 2 | 2 | flash mode, size and frequency |
//! | 4 | 4 | entry point |
//!
//! Each segment is an address, a size (4 bytes each, little-endian) and the data. Behind the last one comes padding, so that the
//! last byte of a multiple of 16 is the checksum: ef, xor every byte of the data. The source is esptool's `bin_image.py`
//! (`BaseFirmwareImage`) and its page "Firmware image format".

use crate::{Algorithm, Checksum, Error, Segment};

const MAGIC: u8 = 0xe9;
/// `verify` in `bin_image.py`, `ESP_IMAGE_MAX_SEGMENTS` in ESP-IDF.
const MOST_SEGMENTS: u8 = 16;

/// Whether an image begins here: its magic, and a number of segments that can be.
pub(crate) fn is_image(bytes: &[u8], start: usize) -> bool {
    matches!(bytes.get(start..), Some([MAGIC, 1..=MOST_SEGMENTS, ..]))
}

/// The bytes of a field, or where the file is cut.
pub(crate) fn take<'a>(
    bytes: &'a [u8],
    at: usize,
    len: usize,
    what: &'static str,
) -> Result<&'a [u8], Error> {
    let needed = at.saturating_add(len);
    bytes.get(at..needed).ok_or(Error::Cut {
        end: bytes.len(),
        what,
        needed,
    })
}

pub(crate) fn word(bytes: &[u8], at: usize, what: &'static str) -> Result<u32, Error> {
    let field = take(bytes, at, 4, what)?;
    Ok(field.iter().rev().fold(0, |w, b| w << 8 | u32::from(*b)))
}

/// One segment, from its address on. Address 0 is padding.
pub(crate) fn segment(bytes: &[u8], at: usize) -> Result<Segment, Error> {
    let address = word(bytes, at, "the address of a segment")?;
    let size = word(bytes, at + 4, "the size of a segment")?;
    let data = take(bytes, at + 8, size as usize, "the data of a segment")?;
    Ok(Segment {
        range: at + 8..at + 8 + data.len(),
        address: (address != 0).then_some(address),
        checksummed: true,
    })
}

/// The segments of the header at `header`, whose first stands at `first`.
pub(crate) fn segments(bytes: &[u8], header: usize, first: usize) -> Result<Vec<Segment>, Error> {
    let count = take(bytes, header, 2, "the header")?[1];
    let mut at = first;
    let mut segments = Vec::new();
    for _ in 0..count.min(MOST_SEGMENTS) {
        let segment = segment(bytes, at)?;
        at = segment.range.end;
        segments.push(segment);
    }
    Ok(segments)
}

/// The checksum behind the segments of the image that begins at `start`.
pub(crate) fn checksum(
    bytes: &[u8],
    start: usize,
    segments: &[Segment],
) -> Result<Checksum, Error> {
    let end = segments.last().map_or(start, |last| last.range.end);
    let offset = start + ((end - start) | 15);
    take(bytes, offset, 1, "the checksum")?;
    Ok(Checksum {
        algorithm: Algorithm::Xor,
        offset,
    })
}
