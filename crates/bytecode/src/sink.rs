//! A sink for a dump: the bytes so far, and their function.

use std::collections::HashMap;

use bstr::BStr;
use byteorder::{ByteOrder, LE};

use crate::error::{WriteError, WriteErrorKind};
use crate::model::{Function, FunctionPath, MAX_NESTING, PackedLines};

pub(crate) type Result<T> = std::result::Result<T, WriteError>;

/// The bytes so far, and the function that is written.
#[derive(Default)]
pub struct Sink<'a> {
    bytes: Vec<u8>,
    function: FunctionPath,
    packed: Option<&'a PackedLines>,
    pool: Option<&'a HashMap<&'a BStr, u32>>,
    counts_missing_names: bool,
}

impl<'a> Sink<'a> {
    /// A sink for a chunk whose line info is packed already, each function's.
    pub fn with_line_info(packed: &'a PackedLines) -> Self {
        Sink {
            packed: Some(packed),
            ..Sink::default()
        }
    }

    /// A sink for a chunk as stock 5.3 writes it once it has loaded it: upvalue names are counted even if there are none.
    pub(crate) fn counting_missing_names() -> Self {
        Sink {
            counts_missing_names: true,
            ..Sink::default()
        }
    }

    pub(crate) fn counts_missing_names(&self) -> bool {
        self.counts_missing_names
    }

    /// From here on strings are numbers: those that `pool` gives them.
    pub fn use_pool(&mut self, pool: &'a HashMap<&'a BStr, u32>) {
        self.pool = Some(pool);
    }

    /// The numbers that stand for strings, if they do.
    pub(crate) fn pool(&self) -> Option<&'a HashMap<&'a BStr, u32>> {
        self.pool
    }

    /// The packed line info of the function, if it is given.
    pub(crate) fn line_info(&self) -> Option<&'a Vec<u8>> {
        self.packed?.get(&self.function)
    }

    /// All that was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The error `kind` of the function that is written, as an outcome.
    pub fn fail<T>(&self, kind: WriteErrorKind) -> Result<T> {
        Err(WriteError {
            function: self.function.clone(),
            kind,
        })
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// `value` in 4 or 8 bytes, which must be enough.
    pub fn uint(&mut self, value: u64, width: u8) {
        let mut bytes = [0; 8];
        LE::write_u64(&mut bytes, value);
        self.bytes(&bytes[..width.into()]);
    }

    /// `value` if a C `int` holds it.
    pub fn fit_int(&self, what: &'static str, value: u64) -> Result<u32> {
        match i32::try_from(value) {
            Ok(value) => Ok(value as u32),
            Err(_) => self.fail(WriteErrorKind::Int { what, value }),
        }
    }

    /// A C `int` that is never negative.
    pub fn int(&mut self, what: &'static str, value: u32) -> Result<()> {
        let value = self.fit_int(what, value.into())?;
        self.uint(value.into(), 4);
        Ok(())
    }

    /// A C `int` that counts things.
    pub fn count(&mut self, what: &'static str, count: usize) -> Result<()> {
        let count = self.fit_int(what, count as u64)?;
        self.uint(count.into(), 4);
        Ok(())
    }

    /// Words of 32 bits.
    pub fn words(&mut self, words: &[u32]) {
        words.iter().for_each(|&word| self.uint(word.into(), 4));
    }

    /// Zero bytes up to a multiple of 4 from the start of the dump.
    pub fn padding(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The functions of a function.
    pub fn functions(
        &mut self,
        functions: &[Function],
        mut write: impl FnMut(&mut Self, &Function) -> Result<()>,
    ) -> Result<()> {
        if !functions.is_empty() && self.function.0.len() == MAX_NESTING {
            return self.fail(WriteErrorKind::Nesting);
        }
        for (index, function) in functions.iter().enumerate() {
            self.function.0.push(index as u32);
            write(self, function)?;
            self.function.0.pop();
        }
        Ok(())
    }
}
