//! A bundle: chunks with their bytes for each variant.

use std::borrow::Cow;

use fastlua_bytecode::packed::Pool;
use fastlua_bytecode::{Chunk, Strip, WriteError, write};
use fastlua_variants::Variant;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh32::xxh32;

use super::{Costs, Fault, Form, Need, Severity, Warning, inflated, shared};
use crate::structures::{CoreLayout, Strings};

/// Every chunk for every variant, proved to load back.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The variants, in the order of the blocks.
    pub variants: Vec<Variant>,
    /// The chunks, sorted by name.
    pub chunks: Vec<BundledChunk>,
    /// For each variant the strings that its packed chunks share. [`pack`](crate::pack) sets them.
    pub common: Vec<Pool>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Warning>,
}

/// A chunk of a bundle.
#[derive(Debug, Clone)]
pub struct BundledChunk {
    /// Its name.
    pub name: String,
    /// Its part of C names: letters, digits and `_`, unique in the bundle.
    pub identifier: String,
    /// The module that it is a part of.
    pub module: String,
    /// Its file as the user gave it; the first one where variants have their own.
    pub file: String,
    /// The file's name without folders; the output has nothing else of the file.
    pub file_name: String,
    /// Bytes of its source, or of all files where variants have their own.
    pub source_len: usize,
    /// SHA-256 of its source; of those of all files where variants have their own.
    pub sha256: [u8; 32],
    /// Its form. It alone decides how the output stores the chunk.
    pub form: Form,
    /// The debug data that were dropped from its bytecode.
    pub strip: Strip,
    /// Its bytes for each of the bundle's variants; none if the variant does not have it.
    pub dumps: Vec<Option<Dump>>,
}

/// A chunk's bytes for one variant: its dump, packed or not, or its source, deflated or not.
#[derive(Debug, Clone)]
pub struct Dump {
    /// The bytes in flash.
    pub bytes: Vec<u8>,
    /// Their XXH32 with seed 0.
    pub xxh32: u32,
    /// Facts about the compiled chunk; none for source and data.
    pub compiled: Option<Compiled>,
}

/// Facts about a compiled chunk.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The allocations of loading its dump.
    pub need: Need,
    /// Its costs as bytecode and frozen.
    pub costs: Costs,
    /// The chunk itself, kept if it is frozen or packed, or may become so.
    pub chunk: Option<Chunk>,
}

impl Dump {
    /// For anything but a dump: source, deflated or not, or data.
    pub fn source(text: Vec<u8>) -> Dump {
        Dump {
            xxh32: xxh32(&text, 0),
            bytes: text,
            compiled: None,
        }
    }

    /// The same without the compiled chunk.
    pub(crate) fn without_chunk(&self) -> Dump {
        Dump {
            bytes: self.bytes.clone(),
            xxh32: self.xxh32,
            compiled: self.compiled.as_ref().map(|compiled| Compiled {
                need: compiled.need.clone(),
                costs: compiled.costs,
                chunk: None,
            }),
        }
    }

    /// Their size in flash, in whole words.
    pub(crate) fn words(&self) -> usize {
        self.bytes.len().next_multiple_of(4)
    }

    /// The compiled chunk, where it is kept.
    pub(crate) fn chunk(&self) -> Option<&Chunk> {
        self.compiled.as_ref()?.chunk.as_ref()
    }

    /// Its costs as bytecode and frozen; unknown for source.
    pub fn costs(&self) -> Option<&Costs> {
        self.compiled.as_ref().map(|compiled| &compiled.costs)
    }
}

impl BundledChunk {
    /// The dump of a packed chunk; else its bytes.
    ///
    /// # Errors
    /// A packed chunk can't be written as a dump, which [`pack`](crate::pack) would have reported.
    pub fn unpacked<'a>(&self, dump: &'a Dump) -> Result<Cow<'a, [u8]>, WriteError> {
        match dump.chunk().filter(|_| self.form == Form::Packed) {
            Some(chunk) => Ok(write(chunk)?.into()),
            None => Ok(Cow::Borrowed(&dump.bytes)),
        }
    }

    /// The text that the chip compiles; none if it is not source.
    pub fn text<'a>(&self, dump: &'a Dump) -> Option<Cow<'a, [u8]>> {
        match self.form {
            Form::Deflated => Some(inflated(&dump.bytes).ok()?.into()),
            form => form.is_source().then_some(Cow::Borrowed(&dump.bytes)),
        }
    }

    /// The frozen chunk of a variant; none if it is not frozen.
    pub fn frozen(&self, v: usize) -> Option<(&Chunk, &Compiled)> {
        let compiled = self.dumps[v].as_ref()?.compiled.as_ref()?;
        let chunk = compiled.chunk.as_ref()?;
        self.form.is_frozen().then_some((chunk, compiled))
    }
}

impl Bundle {
    /// The [identifier](BundledChunk::identifier) of the chunk of this name, which the bundle has.
    pub(crate) fn identifier(&self, name: &str) -> &str {
        let place = self
            .chunks
            .binary_search_by(|chunk| chunk.name.as_str().cmp(name));
        place.map_or("", |place| &self.chunks[place].identifier)
    }

    /// The chunks of a variant, with their bytes.
    pub fn of_variant(&self, v: usize) -> impl Iterator<Item = (&BundledChunk, &Dump)> {
        self.chunks
            .iter()
            .filter_map(move |chunk| Some((chunk, chunk.dumps[v].as_ref()?)))
    }

    /// Whether any chunk is frozen.
    pub fn has_frozen(&self) -> bool {
        self.chunks.iter().any(|c| c.form.is_frozen())
    }

    /// Whether any chunk is packed.
    pub(crate) fn has_packed(&self) -> bool {
        self.chunks.iter().any(|c| c.form == Form::Packed)
    }

    /// Whether any chunk is deflated.
    pub(crate) fn has_deflated(&self) -> bool {
        self.chunks.iter().any(|c| c.form == Form::Deflated)
    }

    /// The frozen data of a variant, with their names.
    pub(crate) fn frozen_data(&self, v: usize) -> impl Iterator<Item = (&str, &[u8])> {
        let frozen = self.of_variant(v);
        let frozen = frozen.filter(|(chunk, _)| chunk.form == Form::Data { frozen: true });
        frozen.map(|(chunk, dump)| (&*chunk.name, &dump.bytes[..]))
    }

    /// The number of strings in the pool of a variant's frozen chunks, and its size in flash.
    pub fn pool(&self, v: usize) -> (usize, usize) {
        let frozen = self.chunks.iter().filter_map(|c| Some(c.frozen(v)?.0));
        let numbers = self.variants[v].layout.numbers();
        let data = self.frozen_data(v).map(|(_, bytes)| bytes);
        let strings = Strings::of(numbers.dialect, frozen, data, 0);
        let core = CoreLayout::of(numbers);
        (strings.texts.len(), strings.flash(&core))
    }

    /// Source that the chip's own compiler would refuse.
    pub fn refused(&self) -> Vec<Fault> {
        let refused = |warning: &&Warning| warning.severity == Severity::Refused;
        let refused = self.warnings.iter().filter(refused);
        refused.map(|warning| warning.fault.clone()).collect()
    }

    /// The seed of 5.3's string hash, which depends on the sources.
    pub(crate) fn seed(&self) -> u32 {
        let mut hash = Sha256::new();
        self.chunks.iter().for_each(|c| hash.update(c.sha256));
        let bytes = hash.finalize();
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Bytes of flash that a variant's chunks take, each in its form: dumps and texts in whole words,
    /// frozen functions, the strings of all frozen chunks once, and the data that packed chunks share. The index and the
    /// loaders are not counted.
    pub fn flash(&self, v: usize) -> usize {
        let chunks = (0..self.chunks.len()).map(|i| self.chunk_flash(v, i, self.chunks[i].form));
        chunks.sum::<usize>() + self.pool(v).1 + self.shared_flash(v)
    }

    /// Bytes of flash of the tables and strings that a variant's packed chunks share.
    pub fn shared_flash(&self, v: usize) -> usize {
        self.shared(v).map_or(0, |words| 4 * words.len())
    }

    /// The same of one chunk in this form, without strings of frozen chunks.
    pub(crate) fn chunk_flash(&self, v: usize, i: usize, form: Form) -> usize {
        let Some(dump) = &self.chunks[i].dumps[v] else {
            return 0;
        };
        let is_string = form == Form::Data { frozen: true };
        let bytes = match form.carries_bytes() && !is_string {
            true => dump.words(),
            false => 0,
        };
        let functions = dump.costs().filter(|_| form.is_frozen());
        bytes + functions.map_or(0, |costs| costs.frozen_flash)
    }

    /// The data that a variant's packed chunks share, as words in flash; none if no chunk is packed.
    pub fn shared(&self, v: usize) -> Option<Vec<u32>> {
        let dialect = self.variants[v].layout.dialect();
        let is_packed = self.of_variant(v).any(|(c, _)| c.form == Form::Packed);
        is_packed.then(|| shared(dialect, self.common.get(v).unwrap_or(&Pool::default())))
    }
}
