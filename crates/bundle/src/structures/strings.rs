//! The strings of frozen chunks: one pool of them for a bundle, and one table of chains for it.

use std::collections::BTreeSet;

use fastlua_bytecode::{Chunk, Constant, Dialect, Function};

use super::CoreLayout;

/// Bytes of the longest string that 5.3 interns.
pub(crate) const SHORT_STRING: usize = 40;

/// In the order of the cores' tokens; 5.1 has no `goto`.
const RESERVED: &str = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while";

/// Whether the core interns a string of these bytes: all strings in 5.1, short ones in 5.3.
pub(crate) fn is_interned(dialect: Dialect, string: &[u8]) -> bool {
    dialect == Dialect::Lua51 || string.len() <= SHORT_STRING
}

/// The core's name for a function without a source name.
pub(crate) fn no_source(dialect: Dialect) -> Option<&'static [u8]> {
    match dialect {
        Dialect::Lua51 => Some(b"=?"),
        Dialect::Lua53 => None,
    }
}

/// The source name of a function, which may be its parent's.
pub(crate) fn source<'a>(function: &'a Function, parent: Option<&'a [u8]>) -> Option<&'a [u8]> {
    function.source.as_ref().map(|s| &s[..]).or(parent)
}

/// The strings of frozen chunks, each once, and the table in which the core finds them.
#[derive(Debug)]
pub struct Strings<'a> {
    /// The seed of their hash; 0 in 5.1.
    pub seed: u32,
    /// The strings, sorted by their bytes: a string's number is its place.
    pub texts: Vec<Text<'a>>,
    /// For each hash, modulo the length, the string with which its chain begins.
    pub table: Vec<Option<usize>>,
}

/// A string as an object.
#[derive(Debug)]
pub struct Text<'a> {
    /// Its bytes, without the final zero.
    pub bytes: &'a [u8],
    /// Their hash.
    pub hash: u32,
    /// Whether the core interns it.
    pub interned: bool,
    /// Its place among the reserved words, from 1 on; 0 for any other string.
    pub reserved: usize,
    /// The next string of its chain.
    pub next: Option<usize>,
    /// Whether it is only the name of a chunk.
    pub is_name: bool,
}

impl<'a> Strings<'a> {
    /// The different strings that these chunks name: constants, sources, locals, upvalues; and `data`, others that are to
    /// be there. `seed` is what the hash of 5.3 begins with.
    pub fn of(
        dialect: Dialect,
        chunks: impl IntoIterator<Item = &'a Chunk>,
        data: impl IntoIterator<Item = &'a [u8]>,
        seed: u32,
    ) -> Strings<'a> {
        Strings::with_names(dialect, chunks, data, [], seed)
    }

    /// The same with the names of chunks.
    pub(crate) fn with_names(
        dialect: Dialect,
        chunks: impl IntoIterator<Item = &'a Chunk>,
        data: impl IntoIterator<Item = &'a [u8]>,
        names: impl IntoIterator<Item = &'a [u8]>,
        seed: u32,
    ) -> Strings<'a> {
        let needed = distinct(dialect, chunks, data);
        let mut found = needed.clone();
        found.extend(names);
        let seed = match dialect {
            Dialect::Lua51 => 0,
            Dialect::Lua53 => seed,
        };
        let text = |bytes: &'a [u8]| Text {
            bytes,
            hash: hash(bytes, seed),
            interned: is_interned(dialect, bytes),
            reserved: reserved(dialect, bytes),
            next: None,
            is_name: !needed.contains(bytes),
        };
        let mut strings = Strings {
            seed,
            texts: found.into_iter().map(text).collect(),
            table: Vec::new(),
        };
        strings.link();
        strings
    }

    /// Makes the table, which names do not enlarge. A chain begins with the string that came last, as each names the one
    /// before it.
    fn link(&mut self) {
        self.table = vec![None; places(self.needed().filter(|text| text.interned).count())];
        let mask = self.table.len() - 1;
        for (number, text) in self.texts.iter_mut().enumerate() {
            if text.interned {
                text.next = self.table[text.hash as usize & mask].replace(number);
            }
        }
    }

    /// The number of an existing string.
    pub(crate) fn number(&self, string: &[u8]) -> usize {
        let found = self.texts.binary_search_by(|text| text.bytes.cmp(string));
        found.expect("the strings of every chunk were collected")
    }

    /// The number of strings in the table.
    pub fn interned(&self) -> usize {
        self.texts.iter().filter(|text| text.interned).count()
    }

    /// The strings without those that are names only.
    fn needed(&self) -> impl Iterator<Item = &Text<'a>> {
        self.texts.iter().filter(|text| !text.is_name)
    }

    /// Bytes of flash of the strings and of their table, without names, which no figure counts.
    pub fn flash(&self, core: &CoreLayout) -> usize {
        let bytes = |text: &Text| core.string_bytes(text.bytes.len());
        match self.texts.is_empty() {
            true => 0,
            false => self.needed().map(bytes).sum::<usize>() + 4 * self.table.len(),
        }
    }
}

/// The different strings that these chunks name, and `data`.
pub(crate) fn distinct<'a>(
    dialect: Dialect,
    chunks: impl IntoIterator<Item = &'a Chunk>,
    data: impl IntoIterator<Item = &'a [u8]>,
) -> BTreeSet<&'a [u8]> {
    let mut found: BTreeSet<&[u8]> = data.into_iter().collect();
    for chunk in chunks {
        collect(&chunk.main, no_source(dialect), &mut found);
    }
    found
}

/// Places of the table of so many strings.
fn places(interned: usize) -> usize {
    interned.next_power_of_two()
}

/// Bytes of flash of the table of so many strings.
pub(crate) fn table_bytes(interned: usize) -> usize {
    4 * places(interned)
}

/// Place of a reserved word among them, from 1 on; 0 for any other string.
fn reserved(dialect: Dialect, string: &[u8]) -> usize {
    let exists = |word: &&str| dialect == Dialect::Lua53 || *word != "goto";
    let mut words = RESERVED.split(' ').filter(exists);
    let place = words.position(|word| word.as_bytes() == string);
    place.map_or(0, |i| i + 1)
}

fn collect<'a>(
    function: &'a Function,
    parent_source: Option<&'a [u8]>,
    pool: &mut BTreeSet<&'a [u8]>,
) {
    let source = source(function, parent_source);
    let constants = function.constants.iter().filter_map(|k| match k {
        Constant::String(s) => Some(&s[..]),
        _ => None,
    });
    let locals = function.locals.iter().filter_map(|l| l.name.as_deref());
    let upvalues = function.upvalues.iter().filter_map(|u| u.name.as_deref());
    let names = locals.chain(upvalues).map(|name| &name[..]);
    pool.extend(constants.chain(names).chain(source));
    for child in &function.functions {
        collect(child, source, pool);
    }
}

/// `luaS_hash` of 5.3, and with seed 0 the hash of 5.1.
fn hash(string: &[u8], seed: u32) -> u32 {
    let step = (string.len() >> 5) + 1;
    let mut h = seed ^ string.len() as u32;
    let mut l = string.len();
    while l >= step {
        let byte = u32::from(string[l - 1]);
        h ^= (h << 5).wrapping_add(h >> 2).wrapping_add(byte);
        l -= step;
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_looks_at_some_bytes_of_a_long_string() {
        assert_eq!(hash(b"", 5), 5);
        assert_eq!(hash(b"a", 0), 1 ^ (32 + 97));
        let (mut one, other) = ([b'x'; 64], [b'x'; 64]);
        one[62] = b'y';
        assert_eq!(hash(&one, 0), hash(&other, 0));
        one[63] = b'y';
        assert_ne!(hash(&one, 0), hash(&other, 0));
    }
}
