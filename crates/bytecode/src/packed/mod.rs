//! Chunks of strip level 2 by their fields, each with a static prefix code, in a third of a dump's bytes or
//! so. `fast_packed.h` of `fastlua-firmware` makes functions of them on the chip.
//!
//! The stream is one of bits, from the top of each little-endian word down. Symbols are bytes in canonical
//! Huffman codes, whose tables lie in flash beside the decoder ([`Tables`]); a symbol that a table has not
//! follows its escape in 8 bits. An instruction that is none of the tokens follows 8 ones in 32. Each function has its head, its instructions with each constant where it is
//! first used, the constants that are left, and its functions. Numbers are a symbol for the values below 16
//! and for two ranges in each power of two from there on, with the rest in bits.
//!
//! Strings are names that every firmware has ([`Tables::names`]), or strings of the bundle's pool ([`Pool`]),
//! or spelled.

mod bits;
mod constant;
mod context;
mod function;
mod instruction;
mod pool;
mod tables;
mod words51;
mod words53;

use bits::{Bits, Sink};

use crate::error::{ReadError, ReadErrorKind, WriteError};
use crate::layout::Layout;
use crate::model::Chunk;

/// The parts of the coder for training tables; not a part of the public interface.
#[cfg(feature = "training")]
#[doc(hidden)]
pub mod training {
    pub use super::bits::Out;
    pub use super::context::{Context, ESCAPE, First, Kind, Slot, Token, fixed, no_opcode, tokens};
    pub use super::function::write;
    pub use super::tables::{HEAD, describe, list};
}

pub use pool::Pool;
pub use tables::Tables;

/// Reads what [`write()`] wrote with the same pool, strictly: other bytes for the same chunk are an error.
/// The layout says what the numbers are, and which dump the chunk is meant for; the bytes depend on the
/// numbers only.
///
/// # Errors
/// The first thing that is wrong, with its offset and function.
pub fn read(bytes: &[u8], layout: &Layout, pool: &Pool) -> Result<Chunk, ReadError> {
    read_with(Tables::built_in(layout.dialect()), bytes, layout, pool)
}

/// [`read`] with other tables.
///
/// # Errors
/// Those of [`read`].
pub fn read_with(
    tables: &Tables,
    bytes: &[u8],
    layout: &Layout,
    pool: &Pool,
) -> Result<Chunk, ReadError> {
    let mut bits = Bits::new(bytes, tables, layout, pool)?;
    let main = function::read(&mut bits)?;
    let chunk = Chunk {
        layout: *layout,
        main,
    };
    let fail = |offset| ReadError {
        offset,
        function: None,
        kind: ReadErrorKind::Unpacked,
    };
    // What is written in another way than ours is found by writing it again.
    let again = write_with(tables, &chunk, pool).map_err(|_| fail(0))?;
    let differs = again.iter().zip(bytes).position(|(a, b)| a != b);
    match differs {
        Some(offset) => Err(fail(offset)),
        None if again.len() != bytes.len() => Err(fail(again.len().min(bytes.len()))),
        None => Ok(chunk),
    }
}

/// Writes a chunk of strip level 2; a multiple of four bytes.
///
/// # Errors
/// Debug data, which the form does not hold, and what a dump of the layout cannot hold either.
pub fn write(chunk: &Chunk, pool: &Pool) -> Result<Vec<u8>, WriteError> {
    write_with(Tables::built_in(chunk.layout.dialect()), chunk, pool)
}

/// [`write()`] with other tables.
///
/// # Errors
/// Those of [`write()`].
pub fn write_with(tables: &Tables, chunk: &Chunk, pool: &Pool) -> Result<Vec<u8>, WriteError> {
    let mut sink = Sink::new(tables);
    function::write(&mut sink, chunk, tables, pool)?;
    Ok(sink.into_bytes())
}
