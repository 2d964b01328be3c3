//! The chunks that were put in: their index, and what is known of their sources.

use std::ops::Range;

use xxhash_rust::xxh32::xxh32;

use crate::{Contents, word};

/// Bytes of a chunk's record in the index: `fast_chunk` of a chip.
pub const RECORD: usize = 36;

/// Longest name with its zero.
const NAME: usize = 64;

/// A chunk of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where in the slot its dump or source is; none where it is frozen only.
    pub words: Option<Range<usize>>,
    /// XXH32 of these bytes.
    pub hash: u32,
    /// What they are.
    pub kind: Kind,
    /// Bytes of heap that loading them takes.
    pub heap: u32,
    /// Short strings that may be new to the core.
    pub strings: u32,
    /// Levels of functions.
    pub depth: u32,
    /// The address of its frozen form; none where it has none.
    pub frozen: Option<u32>,
    /// What is known of its source.
    pub about: About,
}

/// What a chunk's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A dump.
    Bytecode,
    /// Source.
    Source,
}

/// What is known of a chunk's source.
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
    /// What was dropped from its bytecode.
    pub strip: u8,
}

impl About {
    /// Bytes of a record.
    pub const BYTES: usize = 44;

    /// The record; `module` is where the module's name is.
    pub fn to_bytes(&self, module: u32) -> [u8; About::BYTES] {
        let mut record = [0; About::BYTES];
        record[..32].copy_from_slice(&self.sha256);
        record[32..36].copy_from_slice(&self.source_len.to_le_bytes());
        record[36..38].copy_from_slice(&[self.form, self.strip]);
        record[40..].copy_from_slice(&module.to_le_bytes());
        record
    }
}

/// An index that no fastlua wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of chunk {number} is damaged")]
pub struct ChunkError {
    /// The chunk's place in the index, from 1 on.
    pub number: usize,
}

/// The chunks of a slot, in the order of their names. `slot` is all of its bytes.
///
/// # Errors
/// A record that leads out of the slot, or whose sum does not fit.
pub fn entries(slot: &[u8], contents: &Contents) -> Result<Vec<Entry>, ChunkError> {
    let used = &slot[..slot.len().min(contents.used as usize)];
    let count = contents.count as usize;
    let records = (used.len() / RECORD).min(count);
    let mut found: Vec<Entry> = Vec::with_capacity(records);
    for i in 0..count {
        let damaged = ChunkError { number: i + 1 };
        let entry = entry(used, contents, i).ok_or(damaged)?;
        if found.last().is_some_and(|last| last.name >= entry.name) {
            return Err(damaged);
        }
        found.push(entry);
    }
    Ok(found)
}

fn entry(used: &[u8], contents: &Contents, i: usize) -> Option<Entry> {
    let record = part(used, contents.index as usize + i * RECORD, RECORD)?;
    let [name, words, fields @ ..]: [u32; 9] = std::array::from_fn(|i| word(record, 4 * i));
    let [size, hash, kind, heap, strings, depth, check] = fields;
    if check != self::check([size, hash, kind, heap, strings, depth]) {
        return None;
    }
    let start = words as usize;
    let words = match start {
        0 => None,
        _ => {
            part(used, start, size as usize)?;
            Some(start..start + size as usize)
        }
    };
    let frozen = match contents.frozen as usize {
        0 => 0,
        table => word(part(used, table + 4 * i, 4)?, 0),
    };
    let about = part(
        used,
        contents.about as usize + i * About::BYTES,
        About::BYTES,
    )?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(&about[..32]);
    Some(Entry {
        name: text(used, name as usize)?,
        words,
        hash,
        kind: match kind {
            0 => Kind::Bytecode,
            1 => Kind::Source,
            _ => return None,
        },
        heap,
        strings,
        depth,
        frozen: (frozen != 0).then_some(frozen),
        about: About {
            module: text(used, word(about, 40) as usize)?,
            sha256,
            source_len: word(about, 32),
            form: about[36],
            strip: about[37],
        },
    })
}

impl Entry {
    /// Whether its dump or source, if it has one, is as it was built.
    pub fn is_sound(&self, slot: &[u8]) -> bool {
        let words = self.words.clone();
        words.is_none_or(|words| slot.get(words).is_some_and(|w| xxh32(w, 0) == self.hash))
    }
}

/// `FAST_CHECK` of a record: size, hash, kind, heap, strings, depth.
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

/// The text at a place, up to its zero.
fn text(used: &[u8], start: usize) -> Option<String> {
    let longest = used.get(start..)?.iter().take(NAME);
    let length = longest.clone().position(|b| *b == 0)?;
    let bytes = used[start..start + length].to_vec();
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}
