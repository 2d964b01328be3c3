//! A cursor in a dump. Every count is checked against the bytes left before it is used.

use bstr::BString;
use byteorder::{ByteOrder, LE};

use crate::error::{ReadError, ReadErrorKind};
use crate::model::{Function, FunctionPath, MAX_NESTING, MOST_COPIED, PackedLines};

pub(crate) type Result<T> = std::result::Result<T, ReadError>;

/// A place in a dump, and whether what is read is kept.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
    function: Option<FunctionPath>,
    keep: bool,
    pool: Option<&'a [BString]>,
    copied: usize,
    packed: Option<PackedLines>,
}

impl<'a> Cursor<'a> {
    /// A cursor that keeps what it reads. Only for dumps that [`Cursor::checking`] has gone through.
    pub fn keeping(bytes: &'a [u8]) -> Self {
        Cursor {
            bytes,
            offset: 0,
            function: None,
            keep: true,
            pool: None,
            copied: 0,
            packed: None,
        }
    }

    /// A cursor that reads the same, but returns lists and strings empty and so allocates nothing.
    pub fn checking(bytes: &'a [u8]) -> Self {
        Cursor {
            keep: false,
            ..Cursor::keeping(bytes)
        }
    }

    /// From here on packed line info is kept as it stands, too.
    pub fn keep_line_info(&mut self) {
        self.packed = Some(PackedLines::new());
    }

    /// The line info of the function that is read: all from `start` on.
    pub(crate) fn note_line_info(&mut self, start: usize) {
        if let Some(packed) = &mut self.packed {
            let function = self.function.clone().unwrap_or_default();
            packed.insert(function, self.bytes[start..self.offset].to_vec());
        }
    }

    /// The packed line info that was kept.
    pub fn into_line_info(self) -> PackedLines {
        self.packed.unwrap_or_default()
    }

    /// From here on strings are numbers, from 1 on, of these.
    pub fn use_pool(&mut self, pool: &'a [BString]) {
        self.pool = Some(pool);
    }

    /// The strings that numbers stand for, if they do.
    pub(crate) fn pool(&self) -> Option<&'a [BString]> {
        self.pool
    }

    /// A copy of a string of the pool, named at `start`.
    pub(crate) fn copy(&mut self, start: usize, string: &BString) -> Result<BString> {
        self.copied += string.len();
        if self.copied > MOST_COPIED {
            return self.fail(start, ReadErrorKind::Copied);
        }
        Ok(match self.keep {
            true => string.clone(),
            false => BString::default(),
        })
    }

    /// Bytes that were read.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// All of the dump, whatever has been read.
    pub fn dump(&self) -> &'a [u8] {
        self.bytes
    }

    /// The error `kind` of the field that begins at `offset`.
    #[cold]
    pub fn error(&self, offset: usize, kind: ReadErrorKind) -> ReadError {
        ReadError {
            offset,
            function: self.function.clone(),
            kind,
        }
    }

    /// The error `kind` of the field that begins at `offset`, as an outcome.
    pub fn fail<T>(&self, offset: usize, kind: ReadErrorKind) -> Result<T> {
        Err(self.error(offset, kind))
    }

    /// `needed` as a length that the bytes left hold.
    #[inline]
    pub fn room(&self, what: &'static str, needed: u64) -> Result<usize> {
        let left = self.left();
        if needed > left as u64 {
            return self.fail(self.offset, ReadErrorKind::Cut { what, needed, left });
        }
        Ok(needed as usize)
    }

    /// The next `length` bytes.
    #[inline]
    pub fn take(&mut self, what: &'static str, length: usize) -> Result<&'a [u8]> {
        let length = self.room(what, length as u64)?;
        let bytes = &self.bytes[self.offset..self.offset + length];
        self.offset += length;
        Ok(bytes)
    }

    /// The next byte, which is still to be read.
    pub fn peek(&self, what: &'static str) -> Result<u8> {
        self.room(what, 1)?;
        Ok(self.bytes[self.offset])
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self, what: &'static str) -> Result<u8> {
        Ok(self.take(what, 1)?[0])
    }

    /// A byte that is 0 or 1.
    pub fn boolean(&mut self, what: &'static str) -> Result<bool> {
        let start = self.offset;
        match self.byte(what)? {
            0 => Ok(false),
            1 => Ok(true),
            value => self.fail(start, ReadErrorKind::Boolean { what, value }),
        }
    }

    /// An unsigned number of 4 or 8 bytes.
    pub fn uint(&mut self, what: &'static str, width: u8) -> Result<u64> {
        Ok(LE::read_uint(self.take(what, width.into())?, width.into()))
    }

    /// A C `int` that is never negative.
    pub fn int(&mut self, what: &'static str) -> Result<u32> {
        let start = self.offset;
        match LE::read_u32(self.take(what, 4)?) {
            value if value <= i32::MAX as u32 => Ok(value),
            _ => self.fail(start, ReadErrorKind::Range { what }),
        }
    }

    /// A C `int` that counts things of `least` bytes or more each.
    pub fn int_count(&mut self, what: &'static str, least: usize) -> Result<usize> {
        let start = self.offset;
        let count = LE::read_u32(self.take(what, 4)?);
        self.check_count(start, what, count, least)
    }

    /// Whether `count` things of `least` bytes or more each can follow.
    pub fn check_count(
        &self,
        start: usize,
        what: &'static str,
        count: u32,
        least: usize,
    ) -> Result<usize> {
        let (count, least, left) = (u64::from(count), least as u64, self.left());
        if count * least > left as u64 {
            return self.fail(
                start,
                ReadErrorKind::Count {
                    what,
                    count,
                    least,
                    left,
                },
            );
        }
        Ok(count as usize)
    }

    /// `count` things, numbered from 0.
    pub fn list<T>(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Self, usize) -> Result<T>,
    ) -> Result<Vec<T>> {
        // The count was checked against the bytes left, and after a first pass all of them are known to be there.
        let mut list = Vec::with_capacity(if self.keep { count } else { 0 });
        for index in 0..count {
            let item = read(self, index)?;
            if self.keep {
                list.push(item);
            }
        }
        Ok(list)
    }

    /// The words of 32 bits that `bytes` are.
    pub fn words(&self, bytes: &[u8]) -> Vec<u32> {
        if !self.keep {
            return Vec::new();
        }
        let mut words = vec![0; bytes.len() / 4];
        LE::read_u32_into(bytes, &mut words);
        words
    }

    /// The same as signed ones.
    pub(crate) fn signed_words(&self, bytes: &[u8]) -> Vec<i32> {
        if !self.keep {
            return Vec::new();
        }
        let mut words = vec![0; bytes.len() / 4];
        LE::read_i32_into(bytes, &mut words);
        words
    }

    /// The next `length` bytes as a string.
    pub fn string(&mut self, what: &'static str, length: usize) -> Result<BString> {
        let bytes = self.take(what, length)?;
        Ok(if self.keep {
            bytes.into()
        } else {
            BString::default()
        })
    }

    /// Zero bytes up to a multiple of 4 from the start of the dump.
    pub fn padding(&mut self) -> Result<()> {
        while !self.offset.is_multiple_of(4) {
            let start = self.offset;
            match self.byte("padding")? {
                0 => {}
                byte => return self.fail(start, ReadErrorKind::Padding(byte)),
            }
        }
        Ok(())
    }

    /// The main function, which nothing may follow.
    pub fn main(&mut self, read: impl FnOnce(&mut Self) -> Result<Function>) -> Result<Function> {
        self.function = Some(FunctionPath::default());
        let main = read(self)?;
        self.function = None;
        match self.left() {
            0 => Ok(main),
            left => self.fail(self.offset, ReadErrorKind::Trailing(left)),
        }
    }

    /// The `count` functions of a function.
    pub fn functions(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Self) -> Result<Function>,
    ) -> Result<Vec<Function>> {
        if count > 0 && self.path().len() == MAX_NESTING {
            return self.fail(self.offset, ReadErrorKind::Nesting);
        }
        self.list(count, |cursor, index| {
            cursor.path().push(index as u32);
            let function = read(cursor)?;
            cursor.path().pop();
            Ok(function)
        })
    }

    fn path(&mut self) -> &mut Vec<u32> {
        &mut self.function.get_or_insert_default().0
    }
}
