//! The strings of frozen chunks: one pool of them for a bundle, and one table of chains for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fastlua_bytecode::{Chunk, Constant, Dialect, Function};

/// In the order of the cores' tokens; 5.1 has no `goto`.
const RESERVED: &str = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while";

/// Bytes of the longest string that is a short one in 5.3.
pub(crate) const LONGEST_SHORT: usize = 40;

/// Whether the core keeps a string of these bytes once only, in its table: all in 5.1, short ones in 5.3.
pub(crate) fn is_interned(dialect: Dialect, string: &[u8]) -> bool {
    dialect == Dialect::Lua51 || string.len() <= LONGEST_SHORT
}

/// What the core calls a function whose source name is stripped.
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

/// Strings by their bytes, each with its number: `fast_s<number>` in C.
pub(crate) struct Pool<'a> {
    dialect: Dialect,
    seed: u32,
    numbers: BTreeMap<&'a [u8], usize>,
}

/// How many strings these chunks, all of one layout, have as one pool, and its bytes of flash.
pub(crate) fn pool_size<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> (usize, usize) {
    let chunks: Vec<&Chunk> = chunks.into_iter().collect();
    Pool::new(&chunks, 0).map_or((0, 0), |pool| (pool.numbers.len(), pool.bytes()))
}

impl<'a> Pool<'a> {
    /// The different strings that these chunks, all of one layout, name: constants, sources,
    /// locals, upvalues; none where there is no chunk. `seed` is what the hash of 5.3 begins with.
    pub(crate) fn new(chunks: &[&'a Chunk], seed: u32) -> Option<Pool<'a>> {
        let dialect = chunks.first()?.layout.dialect();
        let mut strings = BTreeSet::new();
        for chunk in chunks {
            collect(&chunk.main, no_source(dialect), &mut strings);
        }
        let seed = match dialect {
            Dialect::Lua51 => 0,
            Dialect::Lua53 => seed,
        };
        Some(Pool {
            dialect,
            seed,
            numbers: strings.into_iter().zip(0..).collect(),
        })
    }

    /// Number of a string that is there.
    pub(crate) fn number(&self, string: &[u8]) -> usize {
        self.numbers[string]
    }

    /// Bytes of flash of the strings, with a header of 16 bytes and a zero each, and of their table.
    /// On the chip strings are aligned as a double in 5.1, as a word in 5.3.
    fn bytes(&self) -> usize {
        let step = match self.dialect {
            Dialect::Lua51 => 8,
            Dialect::Lua53 => 4,
        };
        let bytes = |string: &&[u8]| (16 + string.len() + 1).next_multiple_of(step);
        self.numbers.keys().map(bytes).sum::<usize>() + 4 * self.interned().next_power_of_two()
    }

    /// How many strings are in the table.
    fn interned(&self) -> usize {
        let strings = self.numbers.keys();
        strings.filter(|s| is_interned(self.dialect, s)).count()
    }

    /// Each string, then the table. A chain begins with the string that was written last, as each
    /// names the one before it.
    pub(crate) fn text(&self) -> String {
        let count = self.interned();
        let size = count.next_power_of_two();
        let mut heads: Vec<Option<usize>> = vec![None; size];
        let mut text = String::from("/* the pool of strings */\n");
        let mut bytes = Vec::new();
        for (&string, &id) in &self.numbers {
            let hash = hash(string, self.seed);
            let (n, quoted) = (string.len(), quote(string));
            bytes.push(format!("sizeof(fast_s{id})"));
            let _ = if is_interned(self.dialect, string) {
                let head = &mut heads[hash as usize & (size - 1)];
                let next = head.map_or("NULL".into(), |s| format!("&fast_s{s}"));
                *head = Some(id);
                let word = self.reserved(string);
                writeln!(
                    text,
                    "FAST_TEXT({id}, {next}, 0x{hash:08x}, {word}, {n}, {quoted})"
                )
            } else {
                writeln!(text, "FAST_LONG_TEXT({id}, 0x{hash:08x}, {n}, {quoted})")
            };
        }
        let _ = write!(
            text,
            "\n#define FAST_SEED\t0x{:08x}\n#define FAST_POOL_USED\t{count}\n#define FAST_POOL_SIZE\t{size}\n\
             static const fast_link fast_pool[{size}] = {{",
            self.seed
        );
        for (i, head) in heads.iter().enumerate() {
            let space = if i % 4 == 0 { "\n  " } else { " " };
            let _ = match head {
                Some(id) => write!(text, "{space}(fast_link)&fast_s{id},"),
                None => write!(text, "{space}NULL,"),
            };
        }
        text += "\n};\n#define FAST_POOL_BYTES\t(sizeof(fast_pool)";
        for (i, size) in bytes.iter().enumerate() {
            let space = if i % 4 == 0 { " \\\n  + " } else { " + " };
            let _ = write!(text, "{space}{size}");
        }
        text += ")\n\n";
        text
    }

    /// Place of a reserved word among them, from 1 on; 0 for any other string.
    fn reserved(&self, string: &[u8]) -> usize {
        let exists = |word: &&str| self.dialect == Dialect::Lua53 || *word != "goto";
        let mut words = RESERVED.split(' ').filter(exists);
        let place = words.position(|word| word.as_bytes() == string);
        place.map_or(0, |i| i + 1)
    }
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

/// A C string literal; every byte that is more than a letter in some place is octal.
fn quote(string: &[u8]) -> String {
    let mut text = String::from("\"");
    for &b in string {
        match b {
            b'"' | b'\\' | b'?' | 0..0x20 | 0x7f.. => {
                let _ = write!(text, "\\{b:03o}");
            }
            _ => text.push(b.into()),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_c() {
        assert_eq!(quote(b"a\"b\0\n7?\xff"), r#""a\042b\000\0127\077\377""#);
    }

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
