//! Makes the tables of a dialect from chunks. Contexts that behave alike share a table, as each costs flash.

use std::collections::{BTreeMap, HashMap};

use bstr::BString;

use fastlua_bytecode::Dialect;
use fastlua_bytecode::WriteError;
use fastlua_bytecode::packed::Pool;
use fastlua_bytecode::packed::Tables;
use fastlua_bytecode::packed::training::{
    self as coder, Context, ESCAPE, Out, Slot, fixed, no_opcode, tokens,
};
use fastlua_bytecode::packed::training::{HEAD, describe, list};
use fastlua_bytecode::{Chunk, Constant};
use fastlua_bytecode::{Instruction, opcodes};

/// How often each symbol is written.
type Counts = BTreeMap<u8, u64>;

/// Longest code of a table.
const LONGEST: u32 = 14;

/// Most classes of opcodes by their A, and most rows of last opcodes.
const CLASSES: usize = 8;
const ROWS: usize = 6;

/// What a byte of a table weighs against one of the chunks that it is trained on, of which a firmware has
/// fewer.
const WEIGHT: f64 = 2.0;

#[derive(Default)]
struct Tally(HashMap<Context, Counts>);

impl Out for Tally {
    fn symbol(&mut self, context: Context, symbol: u8) {
        let symbol = if symbol == ESCAPE { ESCAPE } else { symbol };
        *self
            .0
            .entry(context)
            .or_default()
            .entry(symbol)
            .or_default() += 1;
    }

    fn raw(&mut self, _: u32, _: u32) {}
}

/// The tables for chunks like these, with these names.
///
/// # Errors
/// A chunk that can't be packed.
pub fn tables(dialect: Dialect, chunks: &[Chunk], names: &[BString]) -> Result<Tables, WriteError> {
    let naming = Tables::naming(dialect, in_order(dialect, chunks, names));
    let pool = Pool::with(&naming, chunks);
    let mut tally = Tally::default();
    for chunk in chunks {
        coder::write(&mut tally, chunk, &naming, &pool)?;
    }
    Ok(Tables::new(
        dialect,
        words(dialect, &tally.0, naming.names()),
    ))
}

/// The names with those that are used alike side by side, as their numbers are coded by eights: by the kind
/// that uses them most, then the commonest first.
fn in_order(dialect: Dialect, chunks: &[Chunk], names: &[BString]) -> Vec<BString> {
    let mut uses: HashMap<&BString, [u64; 5]> = HashMap::new();
    let mut count = |function: &fastlua_bytecode::Function| {
        for &word in &function.code {
            let word = Instruction(word);
            let Some(first) = tokens(dialect)
                .iter()
                .position(|token| token.opcode == word.number())
            else {
                continue;
            };
            let of_opcode = tokens(dialect)[first..].iter();
            for token in of_opcode.take_while(|token| token.opcode == word.number()) {
                for (slot, way) in token.slots.into_iter().enumerate() {
                    let Slot::Constant(kind) = way else { continue };
                    let value = [word.b(), word.c()][slot];
                    let index = if token.wide { word.bx() } else { value ^ 0x100 };
                    if let Some(Constant::String(string)) = function.constants.get(index as usize)
                        && let Some(name) = names.iter().find(|name| **name == *string)
                    {
                        uses.entry(name).or_default()[kind as usize] += 1;
                    }
                }
            }
        }
    };
    for chunk in chunks {
        chunk.main.for_each(&mut |_, function| count(function));
    }
    let mut ordered: Vec<(usize, u64, &BString)> = names
        .iter()
        .map(|name| {
            let uses = uses.get(name).copied().unwrap_or_default();
            let most = (0..5)
                .max_by_key(|kind| (uses[*kind], 5 - kind))
                .unwrap_or(0);
            (most, u64::MAX - uses.iter().sum::<u64>(), name)
        })
        .collect();
    ordered.sort();
    ordered
        .into_iter()
        .map(|(_, _, name)| name.clone())
        .collect()
}

/// Contexts that share a table, and their counts.
#[derive(Clone, Default)]
struct Group<T> {
    members: Vec<T>,
    counts: Counts,
}

/// Bits that the symbols of a table take, with those of the table.
fn cost(counts: &Counts) -> f64 {
    let total: u64 = counts.values().sum::<u64>() + 1;
    let bits = |count: u64| count as f64 * (total as f64 / count as f64).log2();
    let symbols: f64 = counts.values().map(|count| bits(*count)).sum();
    let lengths = (counts.len() as f64 + 1.0).log2() + 2.0;
    symbols + bits(1) + WEIGHT * (8.0 * (counts.len() as f64 + 1.0) + 32.0 * lengths)
}

fn sum(a: &Counts, b: &Counts) -> Counts {
    let mut sum = a.clone();
    b.iter()
        .for_each(|(symbol, count)| *sum.entry(*symbol).or_default() += count);
    sum
}

/// Joins groups as long as that saves anything, and until there are at most so many.
fn join<T: Clone>(mut groups: Vec<Group<T>>, most: usize) -> Vec<Group<T>> {
    let gain = |a: &Group<T>, b: &Group<T>| {
        cost(&sum(&a.counts, &b.counts)) - cost(&a.counts) - cost(&b.counts)
    };
    let mut gains: Vec<Vec<f64>> = (0..groups.len())
        .map(|i| (0..i).map(|j| gain(&groups[i], &groups[j])).collect())
        .collect();
    loop {
        let pairs = (0..groups.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let Some((i, j)) = pairs.min_by(|a, b| gains[a.0][a.1].total_cmp(&gains[b.0][b.1])) else {
            return groups;
        };
        if gains[i][j] >= 0.0 && groups.len() <= most {
            return groups;
        }
        let gone = groups.remove(i);
        gains.remove(i);
        gains.iter_mut().skip(i).for_each(|row| _ = row.remove(i));
        groups[j].counts = sum(&groups[j].counts, &gone.counts);
        groups[j].members.extend(gone.members);
        for other in 0..groups.len() {
            let (high, low) = (other.max(j), other.min(j));
            if high != low {
                gains[high][low] = gain(&groups[high], &groups[low]);
            }
        }
    }
}

/// The class of each opcode, or the row of each last opcode, by the tables of A that they have.
fn classes(
    dialect: Dialect,
    tally: &HashMap<Context, Counts>,
    most: usize,
    rows: bool,
) -> Vec<u32> {
    let count = usize::from(no_opcode(dialect)) + 1;
    let mut groups = vec![Group::default(); count];
    for (context, counts) in tally {
        if let Context::A { opcode, last } = *context {
            let group: &mut Group<usize> =
                &mut groups[usize::from(if rows { last } else { opcode })];
            group.counts = sum(&group.counts, counts);
        }
    }
    for (member, group) in groups.iter_mut().enumerate() {
        group.members.push(member);
    }
    let mut numbers = vec![0; count];
    for (number, group) in (0..).zip(join(groups, most)) {
        group
            .members
            .iter()
            .for_each(|member| numbers[*member] = number);
    }
    numbers
}

/// What a table serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Use {
    Token(u8),
    A(u32, u32),
    Operand(u8, u8),
    Fixed(u8),
}

/// Which uses that were never met get the table of which that were.
fn family(used: Use) -> u8 {
    match used {
        Use::Token(_) => 0,
        Use::A(..) => 1,
        Use::Operand(..) => 2,
        Use::Fixed(fixed::TYPE..fixed::NAME) => 3,
        Use::Fixed(fixed::NAME..fixed::CHARACTER) => 4,
        Use::Fixed(fixed::CHARACTER..) => 5,
        Use::Fixed(_) => 2,
    }
}

fn words(dialect: Dialect, tally: &HashMap<Context, Counts>, names: &[BString]) -> Vec<u32> {
    let class = classes(dialect, tally, CLASSES, false);
    let row = classes(dialect, tally, ROWS, true);
    let mut counts: BTreeMap<Use, Counts> = BTreeMap::new();
    for (context, seen) in tally {
        let used = match *context {
            Context::Token { last } => Use::Token(last),
            Context::A { opcode, last } => {
                Use::A(class[usize::from(opcode)], row[usize::from(last)])
            }
            Context::Operand { token, slot } => Use::Operand(token, slot),
            Context::Fixed(place) => Use::Fixed(place),
        };
        let counts = counts.entry(used).or_default();
        *counts = sum(counts, seen);
    }
    let groups = counts.into_iter().map(|(used, counts)| Group {
        members: vec![used],
        counts,
    });
    let groups = join(groups.collect(), usize::MAX);

    // Each part but the tables; a table is named by its number until its place is known.
    let mut number: HashMap<Use, usize> = HashMap::new();
    let mut common: HashMap<u8, (u64, usize)> = HashMap::new();
    for (index, group) in groups.iter().enumerate() {
        let total = group.counts.values().sum();
        for used in &group.members {
            number.insert(*used, index);
            let common = common.entry(family(*used)).or_default();
            *common = (*common).max((total, index));
        }
    }
    let of = |used: Use| {
        let fallback = || common.get(&family(used)).map_or(0, |(_, index)| *index);
        number.get(&used).copied().unwrap_or_else(fallback)
    };
    let mut operands = Vec::new();
    let mut described = Vec::new();
    for (token, number) in tokens(dialect).iter().zip(0..) {
        let tables = [0, 1].map(|slot| {
            if matches!(
                token.slots[usize::from(slot)],
                Slot::None | Slot::Constant(_)
            ) {
                return 0;
            }
            let table = of(Use::Operand(number, slot));
            let place = operands.iter().position(|other| *other == table);
            place.unwrap_or_else(|| {
                operands.push(table);
                operands.len() - 1
            }) as u32
        });
        described.push(describe(token, class[usize::from(token.opcode)], tables));
    }
    assert!(
        operands.len() <= 64,
        "{} tables of operands",
        operands.len()
    );
    let fixed: Vec<usize> = (0..fixed::COUNT)
        .map(|place| of(Use::Fixed(place)))
        .collect();
    let stride = 1 + class.iter().max().copied().unwrap_or(0);
    let rows = 1 + row.iter().max().copied().unwrap_or(0);
    let firsts = (0..rows).flat_map(|row| (0..stride).map(move |class| Use::A(class, row)));
    let firsts: Vec<usize> = firsts.map(of).collect();

    let last_count = opcodes(dialect).len() + 1;
    let names_list = list(names);
    let mut starts = vec![HEAD + last_count];
    let parts = [described.len(), fixed.len(), firsts.len()];
    let parts = parts.into_iter().chain([operands.len(), names_list.len()]);
    parts.for_each(|length| starts.push(starts[starts.len() - 1] + length));
    let mut tables = Vec::new();
    let called: Vec<u32> = groups
        .iter()
        .map(|group| table(&group.counts, starts[5], &mut tables))
        .collect();
    let named = |list: &[usize]| {
        list.iter()
            .map(|index| called[*index])
            .collect::<Vec<u32>>()
    };
    let mut words: Vec<u32> = starts.iter().map(|start| *start as u32).collect();
    for last in 0..last_count as u8 {
        let row = row[usize::from(last)] * stride;
        words.push(called[of(Use::Token(last))] | row << 16);
    }
    words.extend(described);
    words.extend(named(&fixed));
    words.extend(named(&firsts));
    words.extend(named(&operands));
    words.extend(names_list);
    words.extend(tables);
    words
}

/// Adds a table to those that begin at word `start`, and returns what names it.
fn table(counts: &Counts, start: usize, tables: &mut Vec<u32>) -> u32 {
    let mut counts = counts.clone();
    *counts.entry(ESCAPE).or_default() += 1;
    if counts.len() == 1 {
        counts.insert(0, 1);
    }
    let lengths = best_lengths(&counts);
    let mut by_length: Vec<(u32, u8)> = lengths
        .iter()
        .map(|(symbol, length)| (*length, *symbol))
        .collect();
    by_length.sort();
    let (shortest, longest) = (by_length[0].0, by_length[by_length.len() - 1].0);
    let at = start + tables.len();
    let symbols = (at + (longest - shortest + 1) as usize) * 4;
    let (mut code, mut index) = (0u32, 0u32);
    for length in shortest..=longest {
        let first = code;
        let added = (symbols as u32 + index).wrapping_sub(first) & 0xffff;
        let here = by_length
            .iter()
            .filter(|(other, _)| *other == length)
            .count() as u32;
        code += here;
        index += here;
        let highest = ((code << (16 - length)).wrapping_sub(1)) & 0xffff;
        tables.push(highest << 16 | added);
        code <<= 1;
    }
    let mut bytes: Vec<u8> = by_length.iter().map(|(_, symbol)| *symbol).collect();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let (words, _) = bytes.as_chunks();
    tables.extend(words.iter().map(|word| u32::from_le_bytes(*word)));
    (at as u32) << 4 | (16 - shortest)
}

/// The lengths of codes that take the fewest bits, with a word of the table for each length.
fn best_lengths(counts: &Counts) -> BTreeMap<u8, u32> {
    let least = usize::BITS - (counts.len() - 1).leading_zeros();
    let cost = |lengths: &BTreeMap<u8, u32>| {
        let bits: u64 = counts
            .iter()
            .map(|(symbol, count)| count * u64::from(lengths[symbol]))
            .sum();
        let spread = lengths.values().max().unwrap_or(&0) - lengths.values().min().unwrap_or(&0);
        bits as f64 + WEIGHT * 32.0 * f64::from(spread)
    };
    let limited = (least.max(1)..=LONGEST.max(least)).map(|limit| lengths_to(counts, limit));
    limited
        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        .unwrap_or_default()
}

/// Package-merge: the lengths of codes of at most `limit` bits.
fn lengths_to(counts: &Counts, limit: u32) -> BTreeMap<u8, u32> {
    let mut leaves: Vec<(u64, Vec<u8>)> = counts
        .iter()
        .map(|(symbol, count)| (*count, vec![*symbol]))
        .collect();
    leaves.sort();
    let mut packages: Vec<(u64, Vec<u8>)> = Vec::new();
    for _ in 0..limit {
        let pairs = packages.chunks_exact(2).map(|two| {
            let symbols = [two[0].1.clone(), two[1].1.clone()].concat();
            (two[0].0 + two[1].0, symbols)
        });
        let mut next: Vec<(u64, Vec<u8>)> = leaves.iter().cloned().chain(pairs).collect();
        next.sort();
        packages = next;
    }
    let mut lengths: BTreeMap<u8, u32> = counts.keys().map(|symbol| (*symbol, 0)).collect();
    for (_, symbols) in packages.iter().take(2 * counts.len() - 2) {
        for symbol in symbols {
            *lengths.entry(*symbol).or_default() += 1;
        }
    }
    lengths
}
