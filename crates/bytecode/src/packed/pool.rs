//! The strings that the chunks of a bundle share.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::tables::{Tables, list, unlist};
use crate::model::{Chunk, Constant};
use crate::number_model::Dialect;

/// Longest string of a pool: its length is a byte.
const LONGEST: usize = 255;

/// Most bytes of a pool, whose places are half words.
const MOST: usize = 60_000;

/// The strings that several functions of a bundle have, the commonest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    strings: Vec<BString>,
    numbers: HashMap<BString, u32>,
}

impl Pool {
    /// The pool of these strings, in this order.
    pub fn new(strings: Vec<BString>) -> Pool {
        let numbers = strings.iter().cloned().zip(0..).collect();
        Pool { strings, numbers }
    }

    /// The strings that functions of these chunks of one dialect share, without those of every firmware.
    pub fn of<'a>(dialect: Dialect, chunks: impl IntoIterator<Item = &'a Chunk>) -> Pool {
        Pool::with(Tables::built_in(dialect), chunks)
    }

    /// [`Pool::of`] with other tables.
    pub fn with<'a>(tables: &Tables, chunks: impl IntoIterator<Item = &'a Chunk>) -> Pool {
        let mut counts: HashMap<BString, u32> = HashMap::new();
        for chunk in chunks {
            chunk.main.for_each(&mut |_, function| {
                for constant in &function.constants {
                    if let Constant::String(string) = constant {
                        *counts.entry(string.clone()).or_default() += 1;
                    }
                }
            });
        }
        let named = |string: &BString| tables.name(string.as_bstr()).is_some();
        let mut common: Vec<(BString, u32)> = counts
            .into_iter()
            .filter(|(string, count)| *count > 1 && string.len() <= LONGEST && !named(string))
            .collect();
        common.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let mut bytes = 0;
        let fitting = common
            .into_iter()
            .map(|(string, _)| string)
            .take_while(|string| {
                bytes += string.len() + 2;
                bytes < MOST
            });
        Pool::new(fitting.collect())
    }

    /// The pool that [`Pool::words`] made these words of; none if they are not a pool.
    pub fn from_words(words: &[u32]) -> Option<Pool> {
        match words.is_empty() {
            true => Some(Pool::default()),
            false => {
                let pool = Pool::new(unlist(words)?);
                (pool.words() == words).then_some(pool)
            }
        }
    }

    /// The strings, by number from 0 on.
    pub fn strings(&self) -> &[BString] {
        &self.strings
    }

    pub(crate) fn number(&self, string: &BStr) -> Option<u32> {
        self.numbers.get(string).copied()
    }

    /// The pool as it lies in flash: how many strings; the place of each fourth in bytes from the first word,
    /// two places in a word; then the strings, each behind a byte with its length. Empty where there are none.
    pub fn words(&self) -> Vec<u32> {
        match self.strings.is_empty() {
            true => Vec::new(),
            false => list(&self.strings),
        }
    }
}
