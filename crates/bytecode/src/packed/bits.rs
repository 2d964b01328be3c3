//! Reading and writing of a stream of bits.

use super::context::{Context, ESCAPE, lowest, range};
use super::pool::Pool;
use super::tables::Tables;
use crate::error::{ReadError, ReadErrorKind};
use crate::layout::Layout;
use crate::model::{FunctionPath, MAX_NESTING};

type Result<T> = std::result::Result<T, ReadError>;

/// A place in the stream, and what it is read by.
pub(crate) struct Bits<'a> {
    words: Vec<u32>,
    at: usize,
    pub tables: &'a Tables,
    pub layout: &'a Layout,
    pub pool: &'a Pool,
    pub path: FunctionPath,
}

impl<'a> Bits<'a> {
    pub fn new(
        bytes: &[u8],
        tables: &'a Tables,
        layout: &'a Layout,
        pool: &'a Pool,
    ) -> Result<Self> {
        let (words, rest) = bytes.as_chunks();
        let bits = Bits {
            words: words.iter().map(|word| u32::from_le_bytes(*word)).collect(),
            at: 0,
            tables,
            layout,
            pool,
            path: FunctionPath::default(),
        };
        match rest.len() {
            0 => Ok(bits),
            left => Err(ReadError {
                offset: bytes.len() - left,
                function: None,
                kind: ReadErrorKind::Trailing(left),
            }),
        }
    }

    /// Bits that are left.
    pub fn left(&self) -> usize {
        self.words.len() * 32 - self.at
    }

    /// The error `kind` here, as an outcome.
    pub fn fail<T>(&self, kind: ReadErrorKind) -> Result<T> {
        Err(ReadError {
            offset: self.at / 8,
            function: Some(self.path.clone()),
            kind,
        })
    }

    fn next(&self) -> u32 {
        let word = |index| u64::from(self.words.get(index).copied().unwrap_or(0));
        let pair = word(self.at / 32) << 32 | word(self.at / 32 + 1);
        (pair << (self.at % 32) >> 32) as u32
    }

    fn skip(&mut self, what: &'static str, count: u32) -> Result<()> {
        if count as usize > self.left() {
            let (needed, left) = (u64::from(count).div_ceil(8), self.left() / 8);
            return self.fail(ReadErrorKind::Cut { what, needed, left });
        }
        self.at += count as usize;
        Ok(())
    }

    /// The next bits, at most 32.
    pub fn raw(&mut self, what: &'static str, count: u32) -> Result<u32> {
        let next = self.next();
        self.skip(what, count)?;
        Ok(match count {
            0 => 0,
            _ => next >> (32 - count),
        })
    }

    /// A symbol, behind the escape any byte.
    pub fn symbol(&mut self, what: &'static str, context: Context) -> Result<u8> {
        let table = self.tables.table(context);
        let (symbol, length) = self.tables.symbol(table, self.next() >> 16);
        self.skip(what, length)?;
        match symbol {
            ESCAPE => Ok(self.raw(what, 8)? as u8),
            symbol => Ok(symbol),
        }
    }

    /// A number.
    pub fn number(&mut self, what: &'static str, context: Context) -> Result<u32> {
        let symbol = self.symbol(what, context)?;
        match lowest(symbol) {
            Some((low, bits)) => Ok(low + self.raw(what, bits)?),
            None => self.fail(ReadErrorKind::Range { what }),
        }
    }

    /// A number that a byte holds.
    pub fn byte(&mut self, what: &'static str, context: Context) -> Result<u8> {
        match u8::try_from(self.number(what, context)?) {
            Ok(byte) => Ok(byte),
            Err(_) => self.fail(ReadErrorKind::Range { what }),
        }
    }

    /// The `index`th function of the function, one level down.
    pub fn inner<T>(&mut self, index: u32, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.path.0.len() == MAX_NESTING {
            return self.fail(ReadErrorKind::Nesting);
        }
        self.path.0.push(index);
        let inner = read(self)?;
        self.path.0.pop();
        Ok(inner)
    }
}

/// The target of symbols: a stream, or a count.
pub trait Out {
    /// A symbol.
    fn symbol(&mut self, context: Context, symbol: u8);
    /// Bits, at most 32.
    fn raw(&mut self, value: u32, count: u32);

    /// A number.
    fn number(&mut self, context: Context, value: u32) {
        let (symbol, bits) = range(value);
        self.symbol(context, symbol);
        self.raw(value, bits);
    }
}

/// The stream that is written.
pub(crate) struct Sink<'a> {
    words: Vec<u32>,
    /// Bits of the last word that are free.
    free: u32,
    tables: &'a Tables,
}

impl<'a> Sink<'a> {
    pub fn new(tables: &'a Tables) -> Self {
        Sink {
            words: Vec::new(),
            free: 0,
            tables,
        }
    }

    /// All that was written.
    pub fn into_bytes(self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|word| word.to_le_bytes());
        bytes.collect()
    }
}

impl Out for Sink<'_> {
    fn symbol(&mut self, context: Context, symbol: u8) {
        let codes = self.tables.codes(self.tables.table(context));
        let known = codes[usize::from(symbol)].filter(|_| symbol != ESCAPE);
        let (code, length) = known
            .or(codes[usize::from(ESCAPE)])
            .expect("each table has an escape");
        self.raw(code, length);
        if known.is_none() {
            self.raw(symbol.into(), 8);
        }
    }

    fn raw(&mut self, value: u32, count: u32) {
        let value = u64::from(value) & ((1 << count) - 1);
        if count > self.free {
            let rest = count - self.free;
            if let Some(last) = self.words.last_mut() {
                *last |= (value >> rest) as u32;
            }
            self.words.push(0);
            self.free += 32;
        }
        self.free -= count;
        if let Some(last) = self.words.last_mut() {
            *last |= (value << self.free) as u32;
        }
    }
}
