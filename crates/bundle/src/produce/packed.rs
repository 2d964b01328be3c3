//! Packed chunks: a dump of strip level 2, and the strings that those of a bundle have in common.

use fastlua_bytecode::packed::{Pool, Tables, read, write};
use fastlua_bytecode::{Dialect, Layout, ReadError, WriteError};
use memchr::memmem;
use xxhash_rust::xxh32::xxh32;

use crate::bundle::{Bundle, Dump};
use crate::form::Form;
use crate::output::shared;
use crate::produce::Fault;

/// Why a packed chunk of firmware can't be had as a dump.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnpackError {
    /// What the packed chunks have in common is not what this fastlua would write.
    #[error(
        "what packed chunks share is damaged, or of another fastlua: take the one that packed them"
    )]
    Shared,
    /// The chunk is not one that is packed with it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It can't be written as a dump.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The dump of a packed chunk. `common` begins with what [`Bundle::shared`] gave where it was packed.
///
/// # Errors
/// [`UnpackError`].
pub fn unpacked(common: &[u8], bytes: &[u8], layout: &Layout) -> Result<Vec<u8>, UnpackError> {
    let pool = pool_of(common, layout.dialect()).ok_or(UnpackError::Shared)?;
    Ok(fastlua_bytecode::write(&read(bytes, layout, &pool)?)?)
}

/// The strings in what packed chunks have in common.
fn pool_of(common: &[u8], dialect: Dialect) -> Option<Pool> {
    let (words, _) = common.as_chunks();
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let words = words.get(..3 + *words.first()? as usize / 4)?;
    let pool = words.get(4 + Tables::built_in(dialect).words().len()..)?;
    let pool = Pool::from_words(pool)?;
    (shared(dialect, &pool) == words).then_some(pool)
}

/// Where in a file it is what packed chunks of a dialect have in common.
pub fn shared_places(file: &[u8], dialect: Dialect) -> Vec<usize> {
    let tables = Tables::built_in(dialect).words().iter();
    let tables: Vec<u8> = tables.flat_map(|word| word.to_le_bytes()).collect();
    let found = memmem::find_iter(file, &tables);
    let places = found.filter_map(|place| place.checked_sub(16));
    places
        .filter(|place| pool_of(&file[*place..], dialect).is_some())
        .collect()
}

impl Bundle {
    /// Packs the chunks that are to be packed, which have their dumps or were packed before, with the strings that
    /// the packed chunks of their variant have in common, and proves each: it is read back and compared. What is done once the
    /// forms of all chunks are known, and again where there are others.
    ///
    /// # Errors
    /// A chunk does not come back: a fault of fastlua.
    pub fn pack(&mut self) -> Result<(), Fault> {
        self.pack_with(|bundle, v| {
            bundle.pool_of_packed(v, |i| bundle.chunks[i].form == Form::Packed)
        })
    }

    /// The same, where chunks share no strings: for chunks that are in C modules, each with its own ([`Bundle::module_headers`]).
    ///
    /// # Errors
    /// As of [`Bundle::pack`].
    pub fn pack_without_pool(&mut self) -> Result<(), Fault> {
        self.pack_with(|_, _| Pool::default())
    }

    /// The strings that the packed chunks of a variant have in common, where those of these places are packed.
    pub(crate) fn pool_of_packed(&self, v: usize, is_packed: impl Fn(usize) -> bool) -> Pool {
        let chunks = self.chunks.iter().enumerate();
        let packed = chunks.filter(|(i, _)| is_packed(*i));
        let packed = packed.filter_map(|(_, chunk)| chunk.dumps[v].as_ref()?.chunk());
        Pool::of(self.variants[v].layout.dialect(), packed)
    }

    /// A chunk's bytes as a packed one; none where the variant does not carry it.
    ///
    /// # Errors
    /// A fault of fastlua.
    pub(crate) fn packed(&self, v: usize, i: usize, pool: &Pool) -> Result<Option<Vec<u8>>, Fault> {
        let Some(dump) = &self.chunks[i].dumps[v] else {
            return Ok(None);
        };
        let fault = |reason: String| self.fault_of_packing(v, i, &reason);
        let Some(compiled) = dump.chunk() else {
            return Err(fault("it is to be packed, and was not kept".into()));
        };
        match write(compiled, pool) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(fault(error.to_string())),
        }
    }

    fn fault_of_packing(&self, v: usize, i: usize, reason: &str) -> Fault {
        let chunk = &self.chunks[i];
        Fault {
            message: format!("{}: a fault of fastlua: {reason}", chunk.file),
            chunk: chunk.name.clone(),
            file: chunk.file.clone(),
            line: None,
            column: None,
            variants: vec![self.variants[v].name.clone()],
            because: None,
        }
    }

    fn pack_with(&mut self, pool: impl Fn(&Bundle, usize) -> Pool) -> Result<(), Fault> {
        self.common = Vec::with_capacity(self.variants.len());
        for v in 0..self.variants.len() {
            let pool = pool(self, v);
            for i in 0..self.chunks.len() {
                if self.chunks[i].form != Form::Packed {
                    continue;
                }
                let Some(bytes) = self.packed(v, i, &pool)? else {
                    continue;
                };
                let compiled = self.chunks[i].dumps[v].as_ref().and_then(Dump::chunk);
                let reason = match compiled.map(|c| (c, read(&bytes, &c.layout, &pool))) {
                    Some((compiled, Ok(back))) if back == *compiled => None,
                    Some((_, Err(error))) => Some(format!("packed: {error}")),
                    _ => Some("packed, it reads back as another chunk".into()),
                };
                if let Some(reason) = reason {
                    return Err(self.fault_of_packing(v, i, &reason));
                }
                if let Some(dump) = &mut self.chunks[i].dumps[v] {
                    dump.xxh32 = xxh32(&bytes, 0);
                    dump.bytes = bytes;
                }
            }
            self.common.push(pool);
        }
        Ok(())
    }
}
