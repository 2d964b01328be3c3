//! Packed chunks: a dump of strip level 2, and the strings that those of a bundle have in common.

use fastlua_bytecode::packed::{Pool, Tables, read, write};
use fastlua_bytecode::{Chunk, Dialect, Layout, ReadError, WriteError};
use memchr::memmem;
use xxhash_rust::xxh32::xxh32;

use crate::bundle::Bundle;
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
        self.pack_with(|dialect, chunks| Pool::of(dialect, chunks))
    }

    /// The same, where chunks share no strings: for chunks that are in C modules, each with its own ([`Bundle::module_headers`]).
    ///
    /// # Errors
    /// As of [`Bundle::pack`].
    pub fn pack_without_pool(&mut self) -> Result<(), Fault> {
        self.pack_with(|_, _| Pool::default())
    }

    fn pack_with(
        &mut self,
        pool: impl Fn(Dialect, &mut dyn Iterator<Item = &Chunk>) -> Pool,
    ) -> Result<(), Fault> {
        self.common = Vec::with_capacity(self.variants.len());
        for (v, variant) in self.variants.iter().enumerate() {
            let is_packed = |form: Form| form == Form::Packed;
            let of_variant = self.chunks.iter().filter(|c| is_packed(c.form));
            let mut chunks = of_variant.filter_map(|c| c.dumps[v].as_ref()?.chunk());
            let pool = pool(variant.layout.dialect(), &mut chunks);
            for chunk in self.chunks.iter_mut().filter(|c| is_packed(c.form)) {
                let fault = |reason: String| Fault {
                    message: format!("{}: a fault of fastlua: {reason}", chunk.file),
                    chunk: chunk.name.clone(),
                    file: chunk.file.clone(),
                    line: None,
                    variants: vec![variant.name.clone()],
                };
                let Some(dump) = &mut chunk.dumps[v] else {
                    continue;
                };
                let Some(compiled) = dump.chunk() else {
                    return Err(fault("it is to be packed, and was not kept".into()));
                };
                let bytes = write(compiled, &pool).map_err(|error| fault(error.to_string()))?;
                match read(&bytes, &compiled.layout, &pool) {
                    Ok(back) if back == *compiled => {}
                    Ok(_) => return Err(fault("packed, it reads back as another chunk".into())),
                    Err(error) => return Err(fault(format!("packed: {error}"))),
                }
                dump.xxh32 = xxh32(&bytes, 0);
                dump.bytes = bytes;
            }
            self.common.push(pool);
        }
        Ok(())
    }
}
