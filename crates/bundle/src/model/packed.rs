//! The tables and strings that packed chunks of a bundle share in flash, and the dump of a packed chunk.

use fastlua_bytecode::packed::{Pool, Tables, read};
use fastlua_bytecode::{Dialect, Layout, ReadError, WriteError};
use memchr::memmem;
use xxhash_rust::xxh32::xxh32;

/// Why a packed chunk of firmware can't be converted to a dump.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnpackError {
    /// The shared tables are not those of this fastlua.
    #[error(
        "the shared data of packed chunks is damaged, or from another fastlua: use the one that packed them"
    )]
    Shared,
    /// The chunk is not packed with these tables.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It can't be written as a dump.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The dump of a packed chunk. `common` begins with what [`Bundle::shared`](super::Bundle::shared) gave where it was packed.
///
/// # Errors
/// [`UnpackError`].
pub fn unpacked(common: &[u8], bytes: &[u8], layout: &Layout) -> Result<Vec<u8>, UnpackError> {
    let pool = pool_of(common, layout.dialect()).ok_or(UnpackError::Shared)?;
    Ok(fastlua_bytecode::write(&read(bytes, layout, &pool)?)?)
}

/// The strings that packed chunks share.
fn pool_of(common: &[u8], dialect: Dialect) -> Option<Pool> {
    let (words, _) = common.as_chunks();
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let words = words.get(..3 + *words.first()? as usize / 4)?;
    let pool = words.get(4 + Tables::built_in(dialect).words().len()..)?;
    let pool = Pool::from_words(pool)?;
    (shared(dialect, &pool) == words).then_some(pool)
}

/// The offset in a file of the data that packed chunks of a dialect share.
pub fn shared_places(file: &[u8], dialect: Dialect) -> Vec<usize> {
    let tables = Tables::built_in(dialect).words().iter();
    let tables: Vec<u8> = tables.flat_map(|word| word.to_le_bytes()).collect();
    let found = memmem::find_iter(file, &tables);
    let places = found.filter_map(|place| place.checked_sub(16));
    places
        .filter(|place| pool_of(&file[*place..], dialect).is_some())
        .collect()
}

/// The shared data of packed chunks of a dialect with this pool, as words in flash.
pub fn shared(dialect: Dialect, pool: &Pool) -> Vec<u32> {
    let tables = Tables::built_in(dialect).words();
    let pool = pool.words();
    let place = if pool.is_empty() { 0 } else { tables.len() };
    let guarded = [&[place as u32], tables, &pool].concat();
    let bytes: Vec<u8> = guarded.iter().flat_map(|word| word.to_le_bytes()).collect();
    let (size, hash) = (bytes.len() as u32, xxh32(&bytes, 0));
    let check = 0x6661_7374_u32
        .wrapping_add(size.wrapping_mul(3))
        .wrapping_add(hash.wrapping_mul(5));
    [&[size, hash, check][..], &guarded].concat()
}
