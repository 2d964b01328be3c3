//! The tables of a dialect, as they lie in flash: words that the decoder looks up.
//!
//! Behind [`HEAD`] words that say where each part begins come, for each opcode as the last one, the table of
//! tokens in the low half of a word and the row of A's tables in the high half; for each token a word that
//! says what it is; then the tables of the fixed places, of A by class and row, and of operands; the names; and
//! the tables themselves. What names a table is the word at which it begins, times 16, and 16 less the length of
//! its shortest code. A table has a word for each length: in the high half
//! the highest code of that length, followed by ones to 16 bits; in the low half what is added to a code to
//! have the place of its symbol, in bytes from the first word.

use std::collections::HashMap;
use std::sync::OnceLock;

use bstr::{BStr, BString};

use super::context::{Context, tokens};
#[cfg(feature = "training")]
use super::context::{First, Slot, Token};
use super::{words51, words53};
use crate::number_model::Dialect;

/// Words that say where parts begin.
pub const HEAD: usize = 6;

/// Names of a list between two whose places are known.
pub(crate) const GROUP: usize = 4;

/// The codes of a table, by symbol: code and length.
pub type Codes = [Option<(u32, u32)>; 256];

/// The tables of one dialect.
#[derive(Debug)]
pub struct Tables {
    dialect: Dialect,
    words: Vec<u32>,
    names: Vec<BString>,
    numbers: HashMap<BString, u32>,
    parts: Parts,
    /// By the word at which the table begins.
    codes: Vec<Option<Box<Codes>>>,
    /// The references to each table.
    coded: Vec<u32>,
}

/// The offsets of parts, in words.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub tokens: usize,
    pub fixed: usize,
    pub firsts: usize,
    pub operands: usize,
    pub names: usize,
    pub tables: usize,
}

impl Parts {
    fn of(words: &[u32]) -> Parts {
        let [tokens, fixed, firsts, operands, names, tables] =
            [0, 1, 2, 3, 4, 5].map(|index| words[index] as usize);
        Parts {
            tokens,
            fixed,
            firsts,
            operands,
            names,
            tables,
        }
    }
}

impl Tables {
    /// The tables that chunks of the dialect are packed by.
    pub fn built_in(dialect: Dialect) -> &'static Tables {
        static TABLES: [OnceLock<Tables>; 2] = [OnceLock::new(), OnceLock::new()];
        TABLES[dialect as usize].get_or_init(|| {
            let words: &[u32] = match dialect {
                Dialect::Lua51 => &words51::WORDS,
                Dialect::Lua53 => &words53::WORDS,
            };
            Tables::new(dialect, words.to_vec())
        })
    }

    /// The tables that these words are, which were made by `train`.
    pub fn new(dialect: Dialect, words: Vec<u32>) -> Tables {
        let parts = Parts::of(&words);
        let names = unlist(&words[parts.names..parts.tables]).unwrap_or_default();
        let numbers = names.iter().cloned().zip(0..).collect();
        let mut tables = Tables {
            dialect,
            words,
            names,
            numbers,
            parts,
            codes: Vec::new(),
            coded: Vec::new(),
        };
        tables.codes.resize(tables.words.len(), None);
        let mut all: Vec<u32> = (0..parts.tokens - HEAD)
            .map(|last| tables.words[HEAD + last] & 0xffff)
            .collect();
        all.extend(&tables.words[parts.fixed..parts.names]);
        for table in all.into_iter().filter(|table| *table != 0) {
            let word = (table >> 4) as usize;
            if tables.codes[word].is_none() {
                tables.codes[word] = Some(Box::new(tables.read_codes(table)));
                tables.coded.push(table);
            }
        }
        tables
    }

    /// Tables that only know names, to count what is written with them.
    #[cfg(feature = "training")]
    pub fn naming(dialect: Dialect, names: Vec<BString>) -> Tables {
        let numbers = names.iter().cloned().zip(0..).collect();
        Tables {
            dialect,
            words: Vec::new(),
            names,
            numbers,
            parts: Parts::default(),
            codes: Vec::new(),
            coded: Vec::new(),
        }
    }

    /// Where the parts that the chip looks up begin, in words.
    pub fn parts(&self) -> [(&'static str, usize); 6] {
        let parts = self.parts;
        [
            ("AFTER", HEAD),
            ("TOKENS", parts.tokens),
            ("FIXED", parts.fixed),
            ("FIRSTS", parts.firsts),
            ("OPERANDS", parts.operands),
            ("NAMES", parts.names),
        ]
    }

    /// The words as they lie in flash.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The names that need not be spelled, by number.
    pub fn names(&self) -> &[BString] {
        &self.names
    }

    pub(crate) fn name(&self, string: &BStr) -> Option<u32> {
        self.numbers.get(string).copied()
    }

    /// What names the table of a context.
    pub fn table(&self, context: Context) -> u32 {
        let parts = self.parts;
        let after = |last: u8| self.words[HEAD + usize::from(last)];
        match context {
            Context::Token { last } => after(last) & 0xffff,
            Context::A { opcode, last } => {
                let tokens = tokens(self.dialect);
                let token = tokens.partition_point(|token| token.opcode < opcode);
                let class = self.words[parts.tokens + token] >> 6 & 15;
                self.words[parts.firsts + (class + (after(last) >> 16)) as usize]
            }
            Context::Operand { token, slot } => {
                let word = self.words[parts.tokens + usize::from(token)];
                let place = word >> (15 + 9 * u32::from(slot)) & 63;
                self.words[parts.operands + place as usize]
            }
            Context::Fixed(place) => self.words[parts.fixed + usize::from(place)],
        }
    }

    /// The symbol whose code the 16 bits of `next` begin with, and its length: what the chip does.
    pub(crate) fn symbol(&self, table: u32, next: u32) -> (u8, u32) {
        let mut word = (table >> 4) as usize;
        let mut length = 16 - (table & 15);
        while next > self.words[word] >> 16 {
            word += 1;
            length += 1;
        }
        (self.byte(self.words[word], next >> (16 - length)), length)
    }

    fn byte(&self, word: u32, code: u32) -> u8 {
        let place = (word + code) as u16 as usize;
        (self.words[place / 4] >> (place % 4 * 8)) as u8
    }

    /// The references to each table.
    #[cfg(feature = "training")]
    pub fn coded(&self) -> impl Iterator<Item = u32> {
        self.coded.iter().copied()
    }

    /// Words before the tables themselves.
    #[cfg(feature = "training")]
    pub fn beside_codes(&self) -> usize {
        self.parts.tables
    }

    /// The codes of a table.
    ///
    /// # Panics
    /// There is no such table.
    pub fn codes(&self, table: u32) -> &Codes {
        let codes = self.codes[(table >> 4) as usize].as_deref();
        codes.expect("a context has a table")
    }

    fn read_codes(&self, table: u32) -> Codes {
        let mut codes = [None; 256];
        let mut next = 0;
        while next < 1 << 16 {
            let (symbol, length) = self.symbol(table, next);
            codes[usize::from(symbol)] = Some((next >> (16 - length), length));
            next += 1 << (16 - length);
        }
        codes
    }
}

/// The description of a token for the chip: opcode, class and way of A, ways and tables of B and C. `class`
/// is that of A, `tables` are the places of the tables of operands.
#[cfg(feature = "training")]
pub fn describe(token: &Token, class: u32, tables: [u32; 2]) -> u32 {
    let mut word = u32::from(token.opcode) | class << 6;
    word |= match token.a {
        First::None => 0,
        First::Direct => 1,
        First::Near => 2,
    } << 10;
    for (slot, way) in token.slots.into_iter().enumerate() {
        let (way, table) = match way {
            Slot::None => (0, 0),
            Slot::Direct => (1, tables[slot]),
            Slot::Near => (2, tables[slot]),
            Slot::Constant(kind) => (if token.wide { 4 } else { 3 }, kind as u32),
            Slot::Function => (5, tables[slot]),
            Slot::Jump => (6, tables[slot]),
        };
        word |= (way | table << 3) << (12 + 9 * slot);
    }
    word
}

/// Strings as words: how many; the place of each fourth in bytes from the first word; each behind its length.
pub fn list(strings: &[BString]) -> Vec<u32> {
    let groups = strings.len().div_ceil(GROUP);
    let start = 4 + groups.div_ceil(2) * 4;
    let mut bytes = Vec::new();
    let mut places = Vec::new();
    for (index, string) in strings.iter().enumerate() {
        if index % GROUP == 0 {
            places.push((start + bytes.len()) as u16);
        }
        bytes.push(string.len() as u8);
        bytes.extend_from_slice(string);
    }
    let mut all = (strings.len() as u32).to_le_bytes().to_vec();
    all.extend(places.iter().flat_map(|place| place.to_le_bytes()));
    all.resize(start, 0);
    all.extend(bytes);
    all.resize(all.len().next_multiple_of(4), 0);
    let (words, _) = all.as_chunks();
    words.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// The strings that [`list`] made words of; none where the words end before.
pub(crate) fn unlist(words: &[u32]) -> Option<Vec<BString>> {
    let count = *words.first()? as usize;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut at = 4 + count.div_ceil(GROUP).div_ceil(2) * 4;
    let strings = (0..count).map(|_| {
        let end = at + 1 + usize::from(*bytes.get(at)?);
        let string = bytes.get(at + 1..end)?.into();
        at = end;
        Some(string)
    });
    strings.collect()
}
