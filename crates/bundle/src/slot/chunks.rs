//! The chunks that were put in: their index, and what is known of their sources.

use std::ops::Range;

use fastlua_firmware::ChunkKind;
use xxhash_rust::xxh32::xxh32;

use super::word;

/// Bytes of a chunk's record in the index: `fast_chunk` of a chip.
pub const RECORD: usize = 36;

/// Longest name with its zero.
const NAME: usize = 64;

/// A chunk of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The offset of its dump or source in the slot; none if it is only frozen.
    pub words: Option<Range<usize>>,
    /// XXH32 of these bytes.
    pub hash: u32,
    /// Their kind.
    pub kind: ChunkKind,
    /// Bytes of heap that loading them takes.
    pub heap: u32,
    /// Short strings that may be new to the core.
    pub strings: u32,
    /// Levels of functions.
    pub depth: u32,
    /// The address of its frozen form; none where it has none.
    pub frozen: Option<u32>,
    /// Facts about its source; none in a compiled-in bundle.
    pub about: Option<About>,
}

/// Facts about a chunk's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The module that the chunk is a part of.
    pub module: String,
    /// SHA-256 of its source, or of the dump that it was given as.
    pub sha256: [u8; 32],
    /// Bytes of that.
    pub source_len: u32,
    /// A number for its form.
    pub form: u8,
    /// The debug data that were dropped from its bytecode.
    pub strip: u8,
}

impl About {
    /// Bytes of a record.
    pub const BYTES: usize = 44;

    /// Where in it the place of the module's name is.
    pub const MODULE: usize = 40;

    /// The record; `module` is where the module's name is.
    pub fn to_bytes(&self, module: u32) -> [u8; About::BYTES] {
        let mut record = [0; About::BYTES];
        record[..32].copy_from_slice(&self.sha256);
        record[32..36].copy_from_slice(&self.source_len.to_le_bytes());
        record[36..38].copy_from_slice(&[self.form, self.strip]);
        record[About::MODULE..].copy_from_slice(&module.to_le_bytes());
        record
    }
}

/// An invalid index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of chunk {number} is damaged")]
pub struct ChunkError {
    /// The chunk's place in the index, from 1 on.
    pub number: usize,
}

/// The index of a bundle, and the base of its offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The offset of the first record.
    pub records: usize,
    /// Their number.
    pub count: usize,
    /// The offset of the table of frozen pointers; none if no chunk is frozen.
    pub frozen: Option<usize>,
    /// The offset of the table of facts about sources; none if there is none.
    pub about: Option<usize>,
    /// The difference between stored values and offsets of names and chunks: the address of the first byte, or 0.
    pub base: u32,
}

impl Index {
    /// The chunks, in the order of their names. `bytes` are a slot, or a file with a bundle.
    ///
    /// # Errors
    /// A record that leads out of the bytes, or whose sum does not fit.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Entry>, ChunkError> {
        let records = (bytes.len() / RECORD).min(self.count);
        let mut found: Vec<Entry> = Vec::with_capacity(records);
        for i in 0..self.count {
            let damaged = ChunkError { number: i + 1 };
            let entry = self.entry(bytes, i).ok_or(damaged)?;
            if found.last().is_some_and(|last| last.name >= entry.name) {
                return Err(damaged);
            }
            found.push(entry);
        }
        Ok(found)
    }

    fn entry(&self, bytes: &[u8], i: usize) -> Option<Entry> {
        let record = element(bytes, self.records, i, RECORD)?;
        let [name, words, fields @ ..]: [u32; 9] = std::array::from_fn(|i| word(record, 4 * i));
        let [size, hash, kind, heap, strings, depth, check] = fields;
        if check != self::check([size, hash, kind, heap, strings, depth]) {
            return None;
        }
        let place = |pointer: u32| pointer.wrapping_sub(self.base) as usize;
        let words = match words {
            0 => None,
            words => {
                part(bytes, place(words), size as usize)?;
                Some(place(words)..place(words) + size as usize)
            }
        };
        let frozen = match self.frozen {
            None => 0,
            Some(table) => word(element(bytes, table, i, 4)?, 0),
        };
        let about = match self.about {
            None => None,
            Some(table) => Some(self.about(bytes, element(bytes, table, i, About::BYTES)?)?),
        };
        Some(Entry {
            name: text(bytes, place(name))?,
            words,
            hash,
            kind: ChunkKind::of_number(kind)?,
            heap,
            strings,
            depth,
            frozen: (frozen != 0).then_some(frozen),
            about,
        })
    }

    fn about(&self, bytes: &[u8], record: &[u8]) -> Option<About> {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(&record[..32]);
        let module = word(record, About::MODULE).wrapping_sub(self.base);
        Some(About {
            module: text(bytes, module as usize)?,
            sha256,
            source_len: word(record, 32),
            form: record[36],
            strip: record[37],
        })
    }
}

impl Entry {
    /// Whether its dump or source, if it has one, is as it was built.
    pub fn is_sound(&self, bytes: &[u8]) -> bool {
        let words = self.words.clone();
        words.is_none_or(|words| bytes.get(words).is_some_and(|w| xxh32(w, 0) == self.hash))
    }
}

/// `FAST_ENTRY_CHECKSUM` of a record: size, hash, kind, heap, strings, depth.
pub fn check(fields: [u32; 6]) -> u32 {
    let factors = [3, 5, 7, 11, 13, 17];
    let products = fields.iter().zip(factors);
    products.fold(0x6661_7374, |sum: u32, (field, factor)| {
        sum.wrapping_add(field.wrapping_mul(factor))
    })
}

fn part(bytes: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    bytes.get(start..)?.get(..length)
}

fn element(bytes: &[u8], table: usize, i: usize, size: usize) -> Option<&[u8]> {
    part(bytes, table.checked_add(i.checked_mul(size)?)?, size)
}

/// The text at a place, up to its zero.
fn text(used: &[u8], start: usize) -> Option<String> {
    let longest = used.get(start..)?.iter().take(NAME);
    let length = longest.clone().position(|b| *b == 0)?;
    let bytes = used[start..start + length].to_vec();
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}
