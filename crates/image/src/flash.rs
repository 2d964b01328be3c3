//! Several parts at their offsets in a flash.
//!
//! ESP8266: the image of version 1 at 0 and the raw `.irom0.text` at 0x10000, as NodeMCU has them; or a boot loader of version 1 at 0
//! (Espressif's, rBoot) and images of version 2 behind it.
//!
//! ESP32 family: a table of partitions, at 0x8000 unless it was moved (`CONFIG_PARTITION_TABLE_OFFSET`), has entries of 32 bytes:
//! magic aa 50, type (0 is an application), subtype, offset, size, label (16 bytes), flags (bit 0: encrypted). After the last entry
//! come eb eb and an MD5, or ff (ESP-IDF, `gen_esp32part.py`). The table says where an application should begin. Images are detected by
//! their own headers, so a table that is wrong, elsewhere or absent does no harm.

use std::ops::Range;

use crate::checksum::overlap;
use crate::fields::word;
use crate::protection::all_same;
use crate::scan::{Found, scan};
use crate::{Error, Image, Kind, Part, Protection, Segment, esp8266};

/// A sector: the table, and its signature for secure boot, version 1.
const TABLE: Range<usize> = 0x8000..0x9000;
const ENTRY: usize = 32;
const APPLICATION: u8 = 0;
const ENCRYPTED: u32 = 1;
const IROM: usize = 0x1_0000;
/// The flash that an ESP8266 sees at once.
const IROM_END: usize = 0x10_0000;

/// All that is in a file which is no ELF file.
pub(crate) fn read(bytes: &[u8]) -> Result<Image, Error> {
    let sector = TABLE.start..bytes.len().min(TABLE.end);
    let entries = entries(bytes.get(sector.clone()).unwrap_or_default());
    let places = entries.iter().map(|entry| entry.range.start);
    let places: Vec<usize> = [0].into_iter().chain(places).collect();
    let mut scan = scan(bytes, &places)?;
    if let (true, true, [first, ..]) = (scan.parts.is_empty(), entries.is_empty(), &scan.broken[..])
        && first.start == 0
    {
        return Err(first.error.clone());
    }
    for range in iroms(bytes, &scan.parts) {
        let segment = Segment {
            range: range.clone(),
            address: esp8266::mapped(IROM),
            checksummed: false,
        };
        scan.parts.push(Found::raw(range, Some(segment), None));
    }
    place(&mut scan.parts);
    let is_table = |parts: &[Found]| {
        !entries.is_empty() && !parts.iter().any(|f| overlap(&f.part.range, &sector))
    };
    let table = is_table(&scan.parts).then_some(sector);
    if table.is_some() {
        for entry in &entries {
            let unreadable = unreadable(bytes, entry);
            let is_free =
                |range: &Range<usize>| !scan.parts.iter().any(|f| overlap(&f.part.range, range));
            if let Some((range, protection)) = unreadable.filter(|(range, _)| is_free(range)) {
                scan.parts.push(Found::raw(range, None, Some(protection)));
            }
        }
    }
    scan.parts.sort_by_key(|found| found.part.range.start);
    let kind = kind(&scan.parts, table.is_some());
    if scan.parts.is_empty() && table.is_none() {
        let all = Segment {
            range: 0..bytes.len(),
            address: None,
            checksummed: false,
        };
        scan.parts.push(Found::raw(0..bytes.len(), Some(all), None));
    }
    let wrong = scan.parts.iter().flat_map(|found| found.wrong.clone());
    Ok(Image {
        kind,
        wrong: wrong.collect(),
        parts: scan.parts.into_iter().map(|found| found.part).collect(),
        broken: scan.broken,
        table,
        len: bytes.len(),
    })
}

impl Found {
    fn raw(range: Range<usize>, segment: Option<Segment>, protection: Option<Protection>) -> Found {
        let mut part = Part::raw(range, segment);
        part.protection = protection;
        let wrong = Vec::new();
        Found { part, wrong }
    }
}

fn kind(parts: &[Found], has_table: bool) -> Kind {
    let is_8266 = |f: &&Found| matches!(f.part.kind, Kind::Esp8266V1 | Kind::Esp8266V2);
    let is_within = |inner: &Found| {
        let range = &inner.part.range;
        parts
            .iter()
            .any(|f| f.part.range != *range && f.part.holds(range))
    };
    let outer: Vec<&Found> = parts.iter().filter(|found| !is_within(found)).collect();
    match &outer[..] {
        _ if has_table => Kind::Esp32Flash,
        [] => Kind::Raw,
        [one] if one.part.range.start == 0 => one.part.kind,
        several if several.iter().any(is_8266) => Kind::Esp8266Flash,
        _ => Kind::Esp32Flash,
    }
}

/// The raw parts behind images of version 1. There are none where images of version 2 are.
fn iroms(bytes: &[u8], parts: &[Found]) -> Vec<Range<usize>> {
    if parts.iter().any(|f| f.part.kind == Kind::Esp8266V2) {
        return Vec::new();
    }
    let first = parts.iter().filter(|f| f.part.kind == Kind::Esp8266V1);
    let irom = |found: &Found| {
        let Range { start, end } = found.part.range;
        let next = parts.iter().map(|f| f.part.range.start);
        let next = next.filter(|next| *next > start).min();
        let last = bytes.len().min(start.saturating_add(IROM_END));
        let range = start.saturating_add(IROM)..last.min(next.unwrap_or(last));
        let irom = bytes.get(range.clone()).filter(|irom| !irom.is_empty())?;
        (end <= range.start && !all_same(irom)).then_some(range)
    };
    first.filter_map(irom).collect()
}

/// Says where the flash segments of version 2 are on the chip, as far as a boot loader at the start of the flash tells it.
fn place(parts: &mut [Found]) {
    let Some(start) = parts
        .first()
        .filter(|first| first.part.kind == Kind::Esp8266V1)
        .map(|first| first.part.range.start)
    else {
        return;
    };
    for found in parts.iter_mut() {
        if let (Kind::Esp8266V2, Some(flash)) = (found.part.kind, found.part.segments.first_mut()) {
            flash.address = esp8266::mapped(flash.range.start - start);
        }
    }
}

/// A partition for an application.
struct Entry {
    range: Range<usize>,
    marked: bool,
}

/// The app partitions of a table. The first invalid entry ends it.
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

/// The contents of a partition without an image; none if it is outside the file or was never written.
fn unreadable(bytes: &[u8], entry: &Entry) -> Option<(Range<usize>, Protection)> {
    let range = entry.range.start..entry.range.end.min(bytes.len());
    let partition = bytes.get(range.clone())?;
    let marked = entry.marked;
    let offset = range.start;
    let is_empty = all_same(&partition[..partition.len().min(ENTRY)]);
    let protection = Protection::Unreadable { offset, marked };
    (!is_empty && partition[0] != 0xe9).then_some((range, protection))
}
