//! Images of the ESP8266, versions 1 and 2.
//!
//! Version 1 is header, segments and checksum (`fields.rs`). The ROM copies them to RAM; `.irom0.text` is a raw file of its own.
//!
//! Version 2 is for a boot loader: a header with magic ea and the constant 4 in place of the number of segments, one segment with
//! address 0, which is `.irom0.text` and does not count for the checksum, then an image of version 1, and at last the CRC32 of all
//! before. The CRC is the usual one, inverted if its highest bit is set, else one more. Images that end at the checksum are read
//! too. Sources: esptool's `bin_image.py` (`ESP8266ROMFirmwareImage`, `ESP8266V2FirmwareImage`, `esp8266_crc32`).
//!
//! The CRC32 that Espressif's `gen_appbin.py` puts behind a joined image of version 1 is not known here; NodeMCU's has none.

use crate::fields::{checksum, is_image, segment, segments, take, word};
use crate::{Algorithm, Checksum, Error, Kind, Part};

/// Where flash is seen, a megabyte at a time.
const MAPPED: u32 = 0x4020_0000;
const WINDOW: u32 = 0x10_0000;
/// Addresses of RAM and flash. An ESP32's header has flash pins and their strengths in this place, which never look like that.
const ADDRESSES: std::ops::Range<u32> = 0x3ffe_0000..0x4030_0000;

/// RAM for data, RAM for code, and mapped flash.
pub(crate) fn is_address(address: u32) -> bool {
    let ranges = [
        0x3ffe_0000..0x4000_0000,
        0x4010_0000..0x4011_0000,
        MAPPED..MAPPED + WINDOW,
    ];
    ranges.iter().any(|range| range.contains(&address))
}

/// Whether an entry point can be here.
pub(crate) fn is_entry(address: u32) -> bool {
    (0x4010_0000..0x4011_0000).contains(&address) || (MAPPED..MAPPED + WINDOW).contains(&address)
}

/// Where a byte of the flash is seen.
pub(crate) fn mapped(offset: usize) -> Option<u32> {
    let offset = u32::try_from(offset).ok()?;
    Some(MAPPED + offset % WINDOW)
}

/// Whether the image at `start` is one of version 1 and not an ESP32's.
pub(crate) fn is_v1(bytes: &[u8], start: usize) -> Result<bool, Error> {
    let address = word(bytes, start + 8, "the address of a segment")?;
    Ok(is_image(bytes, start) && ADDRESSES.contains(&address))
}

pub(crate) fn is_v2(bytes: &[u8], start: usize) -> bool {
    matches!(bytes.get(start..), Some([0xea, 4, ..]))
}

/// Where the second header of an image of version 2 is, which looks like an image of its own; none where there is no such image.
pub(crate) fn second(bytes: &[u8], start: usize) -> Option<usize> {
    let flash = is_v2(bytes, start)
        .then(|| segment(bytes, start + 8))?
        .ok()?;
    let second = flash.range.end;
    is_image(bytes, second).then_some(second)
}

pub(crate) fn v1(bytes: &[u8], start: usize) -> Result<Part, Error> {
    let segments = segments(bytes, start, start + 8)?;
    let checksum = checksum(bytes, start, &segments)?;
    Ok(Part {
        kind: Kind::Esp8266V1,
        range: start..checksum.range().end,
        segments,
        checksums: vec![checksum],
        protection: None,
    })
}

/// The address of its flash segment is unknown here.
pub(crate) fn v2(bytes: &[u8], start: usize) -> Result<Part, Error> {
    take(bytes, start, 8, "the first header")?;
    let mut flash = segment(bytes, start + 8)?;
    flash.checksummed = false;
    flash.address = None;
    let second = flash.range.end;
    take(bytes, second, 8, "the second header")?;
    if !is_image(bytes, second) {
        return Err(Error::Header {
            offset: second,
            what: "no second header after the flash segment",
        });
    }
    let mut all = vec![flash];
    all.extend(segments(bytes, second, second + 8)?);
    let checksum = checksum(bytes, start, &all)?;
    let end = checksum.range().end;
    let mut checksums = vec![checksum];
    checksums.extend(crc32(bytes, end)?);
    Ok(Part {
        kind: Kind::Esp8266V2,
        range: start..checksums.last().map_or(end, |last| last.range().end),
        segments: all,
        checksums,
        protection: None,
    })
}

/// The CRC32, unless the image ends before it: at the end of the file, where flash was left erased or a file padded, or where
/// another image follows.
fn crc32(bytes: &[u8], offset: usize) -> Result<Option<Checksum>, Error> {
    let behind = bytes.get(offset..).unwrap_or_default();
    if behind.is_empty() {
        return Ok(None);
    }
    let stored = take(bytes, offset, 4, "the CRC32")?;
    if behind.len() > 4 && (stored == [0xff; 4] || stored == [0; 4]) {
        return Ok(None);
    }
    let algorithm = Algorithm::Crc32;
    Ok(Some(Checksum { algorithm, offset }))
}
