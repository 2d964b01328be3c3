//! What chunks would take in tANS, another coding of the same symbols in the same contexts, to compare it.
//!
//! J. Duda, "Asymmetric numeral systems" (2013): a state of `log` bits above 1 goes through a table of 2^`log`
//! entries, each a symbol and how many times it came before, which is what the next state is made of.

use std::collections::BTreeMap;

use fastlua_bytecode::Chunk;
use fastlua_bytecode::WriteError;
use fastlua_bytecode::packed::Pool;
use fastlua_bytecode::packed::Tables;
use fastlua_bytecode::packed::training::{self as coder, Context, ESCAPE, Out};

/// Bytes of an entry: a symbol and a count.
const ENTRY: usize = 2;

/// What is written, in order: a symbol with its table, or bits as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Symbol(u32, u8),
    Raw(u32),
}

struct Recorder<'a> {
    tables: &'a Tables,
    items: Vec<Item>,
}

impl Out for Recorder<'_> {
    fn symbol(&mut self, context: Context, symbol: u8) {
        let table = self.tables.table(context);
        let known = symbol != ESCAPE && self.tables.codes(table)[usize::from(symbol)].is_some();
        let coded = if known { symbol } else { ESCAPE };
        self.items.push(Item::Symbol(table, coded));
        if !known {
            self.items.push(Item::Raw(8));
        }
    }

    fn raw(&mut self, _: u32, count: u32) {
        self.items.push(Item::Raw(count));
    }
}

fn items(tables: &Tables, chunk: &Chunk, pool: &Pool) -> Result<Vec<Item>, WriteError> {
    let mut recorder = Recorder {
        tables,
        items: Vec::new(),
    };
    coder::write(&mut recorder, chunk, tables, pool)?;
    Ok(recorder.items)
}

/// The states of a table by symbol: entry `i` of a symbol is the state that its `i`th occurrence has.
type States = BTreeMap<u8, Vec<u32>>;

/// Spreads symbols over the states in the proportion of their counts, each at least once; none if there are too many of
/// them.
fn spread(counts: &BTreeMap<u8, u64>, log: u32) -> Option<States> {
    let size = 1usize << log;
    if counts.len() > size {
        return None;
    }
    let total: u64 = counts.values().sum();
    let share = |count: u64| (count * size as u64 / total).max(1);
    let mut shares: Vec<(u8, u64, u64)> = counts.iter().map(|(s, n)| (*s, share(*n), *n)).collect();
    let sum = |shares: &[(u8, u64, u64)]| shares.iter().map(|(_, share, _)| share).sum::<u64>();
    // each step goes to the symbol whose code changes least by it
    while sum(&shares) != size as u64 {
        let more = sum(&shares) < size as u64;
        let bits = |share: u64, count: u64| -(count as f64) * (share as f64).log2();
        let change = |&(_, share, count): &(u8, u64, u64)| match more {
            true => bits(share + 1, count) - bits(share, count),
            false if share == 1 => f64::INFINITY,
            false => bits(share - 1, count) - bits(share, count),
        };
        let best = shares
            .iter_mut()
            .min_by(|a, b| change(a).total_cmp(&change(b)))?;
        best.1 = if more { best.1 + 1 } else { best.1 - 1 };
    }
    let step = ((size >> 1) + (size >> 3) + 3) | 1;
    let mut at = 0;
    let mut states = States::new();
    for (symbol, share, _) in shares {
        for _ in 0..share {
            states.entry(symbol).or_default().push((size + at) as u32);
            at = (at + step) % size;
        }
    }
    states
        .values_mut()
        .for_each(|states| states.sort_unstable());
    Some(states)
}

/// Bits that the items take: written from the last one to the first, as tANS does.
fn bits(items: &[Item], tables: &BTreeMap<u32, States>, log: u32) -> usize {
    let mut state = 1u32 << log;
    let mut bits = log as usize;
    for item in items.iter().rev() {
        match item {
            Item::Raw(count) => bits += *count as usize,
            Item::Symbol(table, symbol) => {
                let states = &tables[table][symbol];
                let count = states.len() as u32;
                while state >= 2 * count {
                    state >>= 1;
                    bits += 1;
                }
                state = states[(state - count) as usize];
            }
        }
    }
    bits
}

/// Bytes that chunks take with a table of 2^`log` entries for each that Huffman's code has, made of how often `trained`
/// have each symbol: those of the chunks in whole words, and those of the tables with all that Huffman's have
/// beside their codes. None where a table has more symbols than entries.
///
/// # Errors
/// A chunk that can't be packed.
pub fn tans(
    tables: &Tables,
    trained: &[Chunk],
    chunks: &[Chunk],
    log: u32,
) -> Result<Option<(usize, usize)>, WriteError> {
    let mut counts: BTreeMap<u32, BTreeMap<u8, u64>> = BTreeMap::new();
    for table in tables.coded() {
        let codes = (0..=u8::MAX).zip(tables.codes(table));
        let symbols = codes.filter(|(_, code)| code.is_some());
        counts.insert(table, symbols.map(|(symbol, _)| (symbol, 1)).collect());
    }
    let pool = Pool::with(tables, trained);
    for chunk in trained {
        for item in items(tables, chunk, &pool)? {
            if let Item::Symbol(table, symbol) = item
                && let Some(count) = counts.get_mut(&table).and_then(|c| c.get_mut(&symbol))
            {
                *count += 4; // what never came weighs a fourth of what came once
            }
        }
    }
    let spread = counts
        .iter()
        .map(|(table, counts)| Some((*table, spread(counts, log)?)));
    let Some(states) = spread.collect::<Option<BTreeMap<u32, States>>>() else {
        return Ok(None);
    };
    let pool = Pool::with(tables, chunks);
    let mut bytes = 0;
    for chunk in chunks {
        bytes += bits(&items(tables, chunk, &pool)?, &states, log).div_ceil(32) * 4;
    }
    let beside = tables.beside_codes() * 4;
    Ok(Some((bytes, beside + states.len() * (ENTRY << log))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what [`bits`] counts, with the bits themselves.
    #[test]
    fn what_is_counted_can_be_read() {
        let counts = BTreeMap::from([(1, 60), (2, 20), (3, 5), (4, 1), (9, 1)]);
        for log in [3, 5, 7] {
            let tables = BTreeMap::from([(0, spread(&counts, log).unwrap())]);
            let symbols: Vec<u8> = (0..500)
                .map(|i| [1, 1, 2, 1, 3, 1, 1, 9, 2, 4][i * i % 10])
                .collect();
            let items: Vec<Item> = symbols.iter().map(|s| Item::Symbol(0, *s)).collect();
            let mut stream = Vec::new();
            let mut state = 1u32 << log;
            for symbol in symbols.iter().rev() {
                let states = &tables[&0][symbol];
                let count = states.len() as u32;
                while state >= 2 * count {
                    stream.push(state & 1);
                    state >>= 1;
                }
                state = states[(state - count) as usize];
            }
            assert_eq!(bits(&items, &tables, log), stream.len() + log as usize);
            let mut read = Vec::new();
            for _ in &symbols {
                let entry = tables[&0].iter().find_map(|(symbol, states)| {
                    let place = states.iter().position(|s| *s == state)?;
                    Some((*symbol, (states.len() + place) as u32))
                });
                let (symbol, mut next) = entry.unwrap();
                while next < 1 << log {
                    next = next << 1 | stream.pop().unwrap();
                }
                state = next;
                read.push(symbol);
            }
            assert_eq!(read, symbols);
        }
        assert_eq!(spread(&counts, 2), None);
    }
}
