//! Several parts at their places in a flash.
//!
//! ESP8266: the image of version 1 at 0 and the raw `.irom0.text` at 0x10000, as NodeMCU has them; or Espressif's boot loader at 0
//! and images of version 2 at 0x1000 and, for updates over the air, at 0x81000 or 0x101000 (SDK guide, "FOTA").
//!
//! ESP32 family: the boot loader at 0, 0x1000 or 0x2000 (esptool's `BOOTLOADER_FLASH_OFFSET`) and a table of partitions at 0x8000,
//! entries of 32 bytes: magic aa 50, type (0 is an application), subtype, offset, size, label (16 bytes), flags (bit 0: encrypted).
//! Behind the last entry stand eb eb and an MD5, or ff (ESP-IDF, `gen_esp32part.py`). A table that was moved by
//! `CONFIG_PARTITION_TABLE_OFFSET` is not looked for.

use std::ops::Range;

use crate::fields::{is_image, word};
use crate::seal::all_same;
use crate::{Error, Image, Kind, Part, Seal, Segment, esp32, esp8266};

/// A sector: the table, and its signature for secure boot, version 1.
const TABLE: Range<usize> = 0x8000..0x9000;
const ENTRY: usize = 32;
const APPLICATION: u8 = 0;
const ENCRYPTED: u32 = 1;
const BOOT_LOADERS: [usize; 3] = [0, 0x1000, 0x2000];
const IROM: usize = 0x1_0000;
/// The flash that an ESP8266 sees at once.
const IROM_END: usize = 0x10_0000;
const V2: [usize; 3] = [0x1000, 0x8_1000, 0x10_1000];

/// The image at `start`, an ESP8266's or an ESP32's.
pub(crate) fn image(bytes: &[u8], start: usize) -> Result<Part, Error> {
    if esp8266::is_v1(bytes, start)? {
        esp8266::v1(bytes, start)
    } else {
        esp32::read(bytes, start)
    }
}

/// What stands behind the image of version 1 at 0.
pub(crate) fn esp8266(bytes: &[u8], first: Part) -> Result<Image, Error> {
    let end = first.range.end;
    let mut parts = vec![first];
    if end <= V2[0] && esp8266::is_v2(bytes, V2[0]) {
        for place in V2 {
            let overlaps = parts.iter().any(|part| part.range.contains(&place));
            if !overlaps && esp8266::is_v2(bytes, place) {
                parts.push(esp8266::v2(bytes, place, Some(place))?);
            }
        }
    } else if let Some(irom) = bytes.get(IROM..bytes.len().min(IROM_END))
        && end <= IROM
        && !all_same(irom)
    {
        let range = IROM..IROM + irom.len();
        let segment = Segment {
            range: range.clone(),
            address: esp8266::mapped(IROM),
            checksummed: false,
        };
        parts.push(Part::raw(range, Some(segment)));
    }
    if parts.len() == 1 {
        return Ok(Image::of(parts.remove(0), bytes));
    }
    Ok(Image {
        kind: Kind::Esp8266Flash,
        parts,
        table: None,
        len: bytes.len(),
    })
}

/// The flash of an ESP32, if there is a table of partitions that no image at 0 lies over.
pub(crate) fn esp32(bytes: &[u8]) -> Result<Option<Image>, Error> {
    let table = bytes.get(TABLE.start..bytes.len().min(TABLE.end));
    let entries = entries(table.unwrap_or_default());
    if entries.is_empty() {
        return Ok(None);
    }
    if is_image(bytes, 0) && image(bytes, 0).is_ok_and(|part| part.range.end > TABLE.start) {
        return Ok(None);
    }
    let mut parts: Vec<Part> = boot_loader(&bytes[..TABLE.start])?.into_iter().collect();
    for entry in entries {
        parts.extend(application(bytes, &entry)?);
    }
    parts.sort_by_key(|part| part.range.start);
    if let Some(two) = parts
        .windows(2)
        .find(|two| two[0].range.end > two[1].range.start)
    {
        return Err(Error::Header {
            offset: two[1].range.start,
            what: "partitions overlap",
        });
    }
    Ok(Some(Image {
        kind: Kind::Esp32Flash,
        parts,
        table: Some(TABLE.start..bytes.len().min(TABLE.end)),
        len: bytes.len(),
    }))
}

/// A partition for an application.
struct Entry {
    range: Range<usize>,
    marked: bool,
}

/// The applications' partitions of a table. What is no entry, or can't be, ends it.
fn entries(table: &[u8]) -> Vec<Entry> {
    let entry = |entry: &[u8]| -> Option<Option<Entry>> {
        let [0xaa, 0x50, kind, ..] = entry else {
            return None;
        };
        if *kind != APPLICATION {
            return Some(None);
        }
        let field = |at| word(entry, at, "").ok();
        let start = field(4)? as usize;
        let possible = start >= TABLE.end && start.is_multiple_of(0x1000);
        possible.then_some(Some(Entry {
            range: start..start.saturating_add(field(8)? as usize),
            marked: field(28)? & ENCRYPTED != 0,
        }))
    };
    let all = table.chunks_exact(ENTRY).map_while(entry);
    all.flatten().collect()
}

/// What is in a partition; nothing if it is outside the file or was never written.
fn application(bytes: &[u8], entry: &Entry) -> Result<Option<Part>, Error> {
    let end = entry.range.end.min(bytes.len());
    let start = entry.range.start;
    let Some(partition) = bytes.get(start..end) else {
        return Ok(None);
    };
    if all_same(&partition[..partition.len().min(ENTRY)]) {
        return Ok(None);
    }
    if is_image(bytes, start) {
        return esp32::read(&bytes[..end], start).map(Some);
    }
    let mut part = Part::raw(start..end, None);
    let marked = entry.marked;
    part.seal = Some(Seal::Unreadable {
        offset: start,
        marked,
    });
    Ok(Some(part))
}

/// The first place that holds an image, or what is wrong with the only one that seems to.
fn boot_loader(bytes: &[u8]) -> Result<Option<Part>, Error> {
    let places = BOOT_LOADERS.into_iter();
    let mut wrong = Ok(None);
    for place in places.filter(|place| is_image(bytes, *place)) {
        match esp32::read(bytes, place) {
            Ok(part) => return Ok(Some(part)),
            Err(error) => wrong = wrong.and(Err(error)),
        }
    }
    wrong
}
