//! Whether the image that covers a slot is known. If it were not, a patch would leave its checksums wrong, and the chip would not start.

use std::ops::Range;

use fastlua_bundle::slot::Slot;
use fastlua_image::{Image, Kind as ImageKind, Part};

/// Where an ESP8266 sees a megabyte of its flash, and where in it the raw file of an image of version 1 is linked (`nodemcu.ld`).
const ESP8266: Range<u32> = 0x4020_0000..0x4030_0000;
const IROM: u32 = 0x4021_0000;
/// The longest header that may stand in front of a raw file.
const HEADER: usize = 0x1000;
/// Bytes in front of a raw file that are padding or erased flash.
const PADDING: usize = 16;
/// The largest number of names in a message.
const NAMED: usize = 4;

/// A slot that an image must cover, while no image is found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "offset {offset:#x}: the slot is linked at {address:#010x}, {place}: {why}. Searched each offset for images of the ESP8266 (versions 1 and 2) and of the ESP32 family, by header, lengths and checksums; found {found}. Give the whole image, from its first byte on"
)]
pub struct Uncovered {
    /// The slot's offset in the file.
    pub offset: usize,
    /// Its address, by its header.
    pub address: u32,
    /// The kind of memory at this address.
    place: &'static str,
    /// Why an image must be there.
    why: &'static str,
    /// The findings in the file.
    found: String,
}

/// Checks that the image that covers a slot was found, or that no image covers it.
pub(crate) fn check(image: &Image, bytes: &[u8], slot: &Slot) -> Result<(), Uncovered> {
    let address = slot.head.address;
    let covering = image.covering(&slot.range());
    let why = match covering.first() {
        Some(part) if part.protection.is_some() => return Ok(()), // changing it says why not
        Some(part) if part.kind == ImageKind::Esp8266V2 => match ESP8266.contains(&address) {
            true => return Ok(()),
            false => "the image around it is for the ESP8266",
        },
        // the address is compared where the slot is found
        Some(part) if part.kind != ImageKind::Raw => return Ok(()),
        _ if ESP8266.contains(&address) => match raw(image, bytes, slot) {
            Ok(()) => return Ok(()),
            Err(why) => why,
        },
        _ => "it must lie in an image with a checksum, but this file has none around it",
    };
    let place = match address {
        0x4020_0000..0x4030_0000 => "in the flash of an ESP8266",
        0x3c00_0000..0x3f80_0000 | 0x4000_0000..0x5000_0000 => {
            "in the flash of a chip of the ESP32 family"
        }
        _ => "outside of any known flash",
    };
    Err(Uncovered {
        offset: slot.offset,
        address,
        place,
        why,
        found: found(image),
    })
}

/// Whether the slot is in the raw file of an ESP8266's version 1, which has no checksum. It has no header either: the
/// address gives its start, and no code may precede it, as in an image of version 2.
fn raw(image: &Image, bytes: &[u8], slot: &Slot) -> Result<(), &'static str> {
    let behind = slot.head.address.checked_sub(IROM);
    let start = behind.and_then(|behind| slot.offset.checked_sub(behind as usize));
    let Some(start) = start else {
        return Err(
            "the file begins within the flash segment, so it may be cut out of an image of version 2",
        );
    };
    let is_cut = |part: &fastlua_image::Broken| {
        part.start < slot.offset && bytes.get(part.start) == Some(&0xea)
    };
    if image.broken().iter().any(is_cut) || looks_like_v2(bytes, start) {
        return Err("the image around it seems to be a damaged one of version 2");
    }
    let before = &bytes[start.saturating_sub(PADDING)..start];
    let is_padding = before.windows(2).all(|two| two[0] == two[1])
        && matches!(before.first(), None | Some(0 | 0xff));
    match start < HEADER || is_padding {
        true => Ok(()),
        false => Err(
            "the bytes in front of it are not padding, so it must lie in an image of version 2, but none is found",
        ),
    }
}

/// Whether the flash segment that begins here has the header of version 2 in front of it, of which one field may be damaged.
fn looks_like_v2(bytes: &[u8], start: usize) -> bool {
    let Some(header) = start.checked_sub(16).and_then(|at| bytes.get(at..start)) else {
        return false;
    };
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i]));
    let second = start.checked_add(word(12) as usize);
    let has_second = second.and_then(|at| bytes.get(at)) == Some(&0xe9);
    header.starts_with(&[0xea, 4]) || (word(8) == 0 && has_second)
}

/// The contents of a file, for a message.
fn found(image: &Image) -> String {
    let part = |part: &Part| {
        let Range { start, end } = part.range;
        format!("{} from {start:#x} to {end:#x}", part.kind)
    };
    let broken = |broken: &fastlua_image::Broken| {
        format!(
            "an unreadable image at {:#x} ({})",
            broken.start, broken.error
        )
    };
    let parts = image.parts().iter();
    let parts = parts.filter(|part| part.kind != ImageKind::Raw).map(part);
    let all: Vec<String> = parts.chain(image.broken().iter().map(broken)).collect();
    let more = all.len().saturating_sub(NAMED);
    let named = all
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match (all.is_empty(), more) {
        (true, _) => "none".into(),
        (_, 0) => named,
        _ => format!("{named} and {more} more"),
    }
}
