//! Images of the ESP32 family: applications and boot loaders.
//!
//! Behind the common header (`fields.rs`) stand 16 bytes more: flash pins and their strengths at 8, the chip's number at 12 (two
//! bytes), revisions at 14 to 18, four bytes unused, and at 23 whether a hash is appended (0 or 1). Then come segments, checksum,
//! and the SHA-256 of all before. Segments with address 0 are padding. Sources: `esp_image_header_t` in ESP-IDF's
//! `esp_app_format.h`, `esp_image_format.c`, and esptool's `ESP32FirmwareImage`.
//!
//! The ESP8266's RTOS SDK makes the same image, with chip 0. It is guarded alike.
//!
//! `elf2image --ram-only-header` (not ESP-IDF's way) counts only the segments in RAM and appends no hash: nothing checksums the flash
//! segments behind the checksum, and they are not read.

use crate::fields::{checksum, segments, take};
use crate::{Algorithm, Checksum, Chip, Error, Kind, Part, protection};

pub(crate) const HEADER: usize = 24;
const SHA256: usize = 32;

/// Where memory is on the chips of the family: RAM, mapped flash, and what stays on in deep sleep.
const ADDRESSES: std::ops::Range<u32> = 0x3000_0000..0x6010_0000;

pub(crate) fn is_address(address: u32) -> bool {
    ADDRESSES.contains(&address)
}

/// Whether an entry point can be here.
pub(crate) fn is_entry(address: u32) -> bool {
    (0x4000_0000..0x5000_0000).contains(&address)
}

/// The chip of a header; none that is known where the header ends early.
pub(crate) fn chip(header: &[u8]) -> Chip {
    let two = header.get(12..14).and_then(|two| two.try_into().ok());
    Chip(two.map_or(u16::MAX, u16::from_le_bytes))
}

pub(crate) fn read(bytes: &[u8], start: usize) -> Result<Part, Error> {
    let header = take(bytes, start, HEADER, "the header")?;
    if header[23] > 1 {
        return Err(Error::Header {
            offset: start + 23,
            what: "not an ESP8266 or ESP32 image: the flag for an appended hash is neither 0 nor 1",
        });
    }
    let chip = chip(header);
    let segments = segments(bytes, start, start + HEADER)?;
    let checksum = checksum(bytes, start, &segments)?;
    let mut end = checksum.range().end;
    let mut checksums = vec![checksum];
    if header[23] == 1 {
        take(bytes, end, SHA256, "the SHA-256")?;
        checksums.push(Checksum {
            algorithm: Algorithm::Sha256,
            offset: end,
        });
        end += SHA256;
    }
    let signature = protection::signature(bytes, start, end, header[23] == 1);
    Ok(Part {
        kind: Kind::Esp32(chip),
        range: start..signature.as_ref().map_or(end, |(_, behind)| *behind),
        segments,
        checksums,
        protection: signature.map(|(protection, _)| protection),
    })
}
