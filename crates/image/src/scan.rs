//! Images at any offset: after other headers, in a part of a flash, with a wrong partition table or without one.
//!
//! Each byte that is a magic is tried. An image's header must follow, with segments inside the file. It is an
//! image if its addresses are those of a chip, if its hash is right, or if the file says that an image begins there. Of two
//! that overlap, the one with right checksums wins; an image may be within a segment of another one.

use std::collections::HashSet;
use std::ops::Range;

use crate::checksum::{inside, overlap};
use crate::fields::{is_image, take, word};
use crate::{Algorithm, Broken, Checksum, Chip, Error, Kind, Part, esp32, esp8266};

/// The limit of passes over the bytes of a file: more are not from firmware, but an attempt to take long.
const MOST_SUMS: usize = 64;

/// Flash modes of `esptool`: QIO is 0, and octal ones came last.
const MOST_MODES: u8 = 5;

/// The findings of a scan.
#[derive(Default)]
pub(crate) struct Scan {
    /// In the order of the file.
    pub parts: Vec<Found>,
    /// Bytes that begin like an image, but are not a valid one.
    pub broken: Vec<Broken>,
}

/// An image, and its checksums that are wrong.
pub(crate) struct Found {
    pub part: Part,
    pub wrong: Vec<Checksum>,
}

/// Scans a file. `places` are where the file says that an image begins.
pub(crate) fn scan(bytes: &[u8], places: &[usize]) -> Result<Scan, Error> {
    let mut scan = Scan::default();
    let mut sums = bytes.len().saturating_mul(MOST_SUMS).max(1 << 20);
    let mut seconds = HashSet::new();
    for start in memchr::memchr2_iter(0xe9, 0xea, bytes) {
        if seconds.contains(&start) {
            continue;
        }
        seconds.extend(esp8266::second(bytes, start));
        let is_place = places.contains(&start);
        if !is_place && !may_begin(bytes, start) {
            continue;
        }
        let part = match read(bytes, start) {
            None => continue,
            Some(Ok(part)) => part,
            Some(Err(error)) => {
                if is_place || has_entry(bytes, start) {
                    scan.broken.push(Broken { start, error });
                }
                continue;
            }
        };
        let memory = Memory::of(bytes, &part);
        let has_hash = part
            .checksums
            .iter()
            .any(|g| g.algorithm == Algorithm::Sha256);
        if !is_place && memory.known == 0 && !has_hash {
            continue;
        }
        sums = sums.checked_sub(part.range.len()).ok_or(Error::Many)?;
        let wrong = part.wrong(bytes);
        let is_image = match wrong.is_empty() {
            true => has_hash || memory.other == 0,
            false => memory.is_damaged_image(has_entry(bytes, start)),
        };
        if is_place || is_image {
            scan.add(Found { part, wrong });
        } else if has_entry(bytes, start) {
            let error = Error::Header {
                offset: start,
                what: "an image begins here, but no chip has memory at the addresses of its segments",
            };
            scan.broken.push(Broken { start, error });
        }
    }
    let right = |found: &&Found| found.wrong.is_empty();
    let parts = &scan.parts;
    scan.broken.retain(|broken| {
        let mut right = parts.iter().filter(right);
        !right.any(|found| found.part.range.contains(&broken.start))
    });
    Ok(scan)
}

impl Scan {
    /// Adds what begins behind the start of all that was found.
    fn add(&mut self, found: Found) {
        let range = found.part.range.clone();
        let is_right = found.wrong.is_empty();
        let over = |other: &Found| overlap(&other.part.range, &range);
        let blocks = |other: &Found| {
            over(other) && other.wrong.is_empty() && !(is_right && other.part.holds(&range))
        };
        if self.parts.iter().any(blocks) {
            return;
        }
        let gives_way = |other: &Found| over(other) && is_right && !other.part.holds(&range);
        for other in self.parts.extract_if(.., |other| gives_way(other)) {
            let start = other.part.range.start;
            let error = Error::Header {
                offset: start,
                what: "an image begins here, but it extends into another one",
            };
            self.broken.push(Broken { start, error });
        }
        self.parts.push(found);
    }
}

/// The image at `start`; nothing where none begins.
fn read(bytes: &[u8], start: usize) -> Option<Result<Part, Error>> {
    if esp8266::is_v2(bytes, start) {
        return Some(esp8266::v2(bytes, start));
    }
    if !is_image(bytes, start) {
        return None;
    }
    Some(match esp8266::is_v1(bytes, start) {
        Ok(true) => esp8266::v1(bytes, start),
        Ok(false) => esp32::read(bytes, start),
        Err(error) => Err(error),
    })
}

/// Whether the header and the first segment look like those of a known chip's image. Few other bytes do.
fn may_begin(bytes: &[u8], start: usize) -> bool {
    let header = || -> Result<bool, Error> {
        if esp8266::is_v2(bytes, start) {
            let size = word(bytes, start + 12, "")?;
            let has_second = esp8266::second(bytes, start).is_some();
            return Ok((word(bytes, start + 8, "")? == 0 && size > 0) || has_second);
        }
        if !is_image(bytes, start) {
            return Ok(false);
        }
        if esp8266::is_v1(bytes, start)? {
            return Ok(true);
        }
        let header = take(bytes, start, esp32::HEADER, "")?;
        let first = start + esp32::HEADER;
        let (address, size) = (word(bytes, first, "")?, word(bytes, first + 4, "")?);
        let is_known =
            esp32::chip(header).is_known() && (address == 0 || esp32::is_address(address));
        // a chip that came later is known by its hash
        let fits = (size as usize) < bytes.len() - start;
        Ok(header[23] <= 1 && (is_known || (fits && header[23] == 1)))
    };
    header() == Ok(true)
}

/// Whether the flash mode is one, and code can begin at the entry point. Tables of pointers, which may look like a header, have no flash mode.
fn has_entry(bytes: &[u8], start: usize) -> bool {
    let entry = word(bytes, start + 4, "").unwrap_or(0);
    let has_mode = bytes.get(start + 2).is_some_and(|mode| *mode <= MOST_MODES);
    has_mode
        && match esp8266::is_v2(bytes, start) || esp8266::is_v1(bytes, start) == Ok(true) {
            true => esp8266::is_entry(entry),
            false => {
                esp32::is_entry(entry) && may_begin(bytes, start) && has_reserved(bytes, start)
            }
        }
}

/// Whether an ESP32's header has no pin for write protection, no strengths of pins, and zeros in the bytes that are for later, as `elf2image`
/// makes it. One bit may be damaged.
fn has_reserved(bytes: &[u8], start: usize) -> bool {
    let header = bytes
        .get(start..start + esp32::HEADER)
        .unwrap_or(&[0xff; esp32::HEADER]);
    let usual = [8, 9, 10, 11, 19, 20, 21, 22].map(|at| match at {
        8 => header[at] ^ 0xee,
        _ => header[at],
    });
    usual.iter().map(|byte| byte.count_ones()).sum::<u32>() <= 1
}

/// The addresses of segments.
struct Memory {
    /// The number with an address in the chip's memory.
    known: usize,
    /// The number with another address.
    other: usize,
}

impl Memory {
    fn of(bytes: &[u8], part: &Part) -> Memory {
        let filled = part
            .segments
            .iter()
            .filter(|s| s.checksummed && !s.range.is_empty());
        let addresses: Vec<u32> = filled.filter_map(|segment| segment.address).collect();
        let is_address = match part.kind {
            Kind::Esp8266V1 | Kind::Esp8266V2 => esp8266::is_address,
            _ => esp32::is_address,
        };
        let header = bytes.get(part.range.start..).unwrap_or_default();
        let is_known = !matches!(part.kind, Kind::Esp32(_)) || esp32::chip(header).is_known();
        let known = addresses
            .iter()
            .filter(|address| is_address(**address))
            .count();
        let is_8266 = !matches!(part.kind, Kind::Esp32(_));
        let has_reserved = is_8266 || has_reserved(bytes, part.range.start);
        let other =
            addresses.len() - known + usize::from(!is_known) + 2 * usize::from(!has_reserved);
        Memory { known, other }
    }

    /// Whether an image whose checksums are wrong is one all the same. One field may be damaged.
    fn is_damaged_image(&self, has_entry: bool) -> bool {
        match self.known {
            0 => false,
            1 => self.other == 0 && has_entry,
            _ => self.other <= 1,
        }
    }
}

impl Chip {
    fn is_known(self) -> bool {
        self.name().is_some()
    }
}

impl Part {
    /// The wrong checksums.
    pub(crate) fn wrong(&self, bytes: &[u8]) -> Vec<Checksum> {
        let is_right = |checksum: &Checksum| {
            let due = self.due(checksum, bytes);
            due.is_some() && due.as_deref() == bytes.get(checksum.range())
        };
        let checksums = self.checksums.iter().copied();
        checksums.filter(|checksum| !is_right(checksum)).collect()
    }

    /// Whether a range lies within one of its segments.
    pub(crate) fn holds(&self, range: &Range<usize>) -> bool {
        self.segments.iter().any(|s| inside(range, &s.range))
    }
}
