//! The checksums of a part, and how each is calculated.

use std::fmt;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::Part;

/// A way to checksum bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// One byte: ef, xor every byte of the segments that count for it.
    Xor,
    /// 32 bytes: the hash of all before it.
    Sha256,
    /// Four bytes: the CRC of all before it, as the ESP8266's boot loader has it.
    Crc32,
}

/// A checksum at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// Its kind.
    pub algorithm: Algorithm,
    /// Its first byte in the file.
    pub offset: usize,
}

impl Checksum {
    /// The bytes that it takes.
    pub fn range(&self) -> Range<usize> {
        let len = match self.algorithm {
            Algorithm::Xor => 1,
            Algorithm::Crc32 => 4,
            Algorithm::Sha256 => 32,
        };
        self.offset..self.offset + len
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = match self.algorithm {
            Algorithm::Xor => "checksum",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Crc32 => "CRC32",
        };
        write!(f, "{name} at offset {:#x}", self.offset)
    }
}

impl Part {
    /// Whether a checksum depends on any of the bytes; its own are among them.
    pub(crate) fn covers(&self, checksum: &Checksum, changed: &Range<usize>) -> bool {
        overlap(&checksum.range(), changed)
            || match checksum.algorithm {
                Algorithm::Xor => self.checksummed().any(|range| overlap(range, changed)),
                _ => overlap(&(self.range.start..checksum.offset), changed),
            }
    }

    /// The right bytes of a checksum. None if the file is too short.
    pub(crate) fn due(&self, checksum: &Checksum, bytes: &[u8]) -> Option<Vec<u8>> {
        if checksum.algorithm == Algorithm::Xor {
            let mut sum = 0xef;
            for range in self.checksummed() {
                sum = bytes.get(range.clone())?.iter().fold(sum, |s, b| s ^ b);
            }
            return Some(vec![sum]);
        }
        let before = bytes.get(self.range.start..checksum.offset)?;
        Some(match checksum.algorithm {
            Algorithm::Sha256 => Sha256::digest(before).to_vec(),
            _ => esp8266_crc32(before).to_le_bytes().to_vec(),
        })
    }

    fn checksummed(&self) -> impl Iterator<Item = &Range<usize>> {
        let segments = self.segments.iter().filter(|segment| segment.checksummed);
        segments.map(|segment| &segment.range)
    }
}

/// Whether two ranges have a byte in common.
pub(crate) fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start.max(other.start) < one.end.min(other.end)
}

/// Whether all of a range lies within another one.
pub(crate) fn inside(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The absolute value of the CRC as a signed number, plus one if it was not negative, else less one.
fn esp8266_crc32(bytes: &[u8]) -> u32 {
    let crc = crc32fast::hash(bytes);
    if crc >> 31 == 1 { !crc } else { crc + 1 }
}
