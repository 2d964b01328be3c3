//! New names: the shortest ones that keep what each name means.

use bstr::BString;
use fastlua_bytecode::Dialect;

use super::scope::Scope;
use crate::token::Kind;

const FIRST: &[u8; 53] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
const REST: &[u8; 63] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

/// A name for each variable. The most used ones choose first.
pub(super) fn assign(scope: &Scope) -> Vec<BString> {
    let neighbours = Neighbours::of(scope);
    let mut order: Vec<usize> = (0..scope.variables.len()).collect();
    order.sort_by_key(|&id| std::cmp::Reverse(scope.variables[id].uses));

    let mut numbers: Vec<Option<usize>> = vec![None; order.len()];
    // Which variable a name was last refused to.
    let mut refused: Vec<usize> = Vec::new();
    let refuse = |refused: &mut Vec<usize>, number: usize, id: usize| {
        if refused.len() <= number {
            refused.resize(number + 1, usize::MAX);
        }
        refused[number] = id;
    };
    for &id in order.iter().filter(|&&id| !scope.variables[id].pinned) {
        for &other in neighbours.variables(id) {
            let other = other as usize;
            let number = match scope.variables[other].pinned {
                true => number(scope.spellings[scope.variables[other].symbol as usize]),
                false => numbers[other],
            };
            if let Some(number) = number {
                refuse(&mut refused, number, id);
            }
        }
        for &symbol in neighbours.globals(id) {
            if let Some(number) = number(scope.spellings[symbol as usize]) {
                refuse(&mut refused, number, id);
            }
        }
        numbers[id] = (0..).find(|&n| {
            refused.get(n) != Some(&id) && Kind::keyword(&name(n), Dialect::Lua53).is_none()
        });
    }
    let spelling = |id: usize| scope.spellings[scope.variables[id].symbol as usize];
    (0..order.len())
        .map(|id| numbers[id].map_or_else(|| spelling(id).into(), name))
        .collect()
}

/// The name numbered `number`; shorter ones first.
fn name(mut number: usize) -> BString {
    let mut length = 1;
    let mut count = FIRST.len();
    while number >= count {
        number -= count;
        count *= REST.len();
        length += 1;
    }
    let mut name = vec![0; length];
    for byte in name[1..].iter_mut().rev() {
        *byte = REST[number % REST.len()];
        number /= REST.len();
    }
    name[0] = FIRST[number];
    name.into()
}

/// The name of the label numbered `number` in its function.
pub(super) fn label(number: u32) -> BString {
    match number as usize {
        // No keyword has one letter.
        number if number < FIRST.len() => name(number),
        number => format!("_{number}").into(),
    }
}

/// The number of `name` if it is short enough to be given.
fn number(name: &[u8]) -> Option<usize> {
    if name.len() > super::scope::LONGEST_GIVEN {
        return None;
    }
    let digit = |set: &[u8], byte: u8| set.iter().position(|&b| b == byte);
    let mut number = digit(FIRST, *name.first()?)?;
    let mut shorter = 0;
    let mut count = FIRST.len();
    for &byte in &name[1..] {
        number = number * REST.len() + digit(REST, byte)?;
        shorter += count;
        count *= REST.len();
    }
    Some(shorter + number)
}

/// The conflicts of each variable, one list behind the other.
struct Neighbours {
    starts: Vec<u32>,
    list: Vec<u32>,
    global_starts: Vec<u32>,
    global_list: Vec<u32>,
}

impl Neighbours {
    fn of(scope: &Scope) -> Self {
        let count = scope.variables.len();
        let both = scope.conflicts.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
        let (starts, list) = grouped(count, both);
        let (global_starts, global_list) = grouped(count, scope.global_conflicts.iter().copied());
        Neighbours {
            starts,
            list,
            global_starts,
            global_list,
        }
    }

    fn variables(&self, id: usize) -> &[u32] {
        &self.list[self.starts[id] as usize..self.starts[id + 1] as usize]
    }

    fn globals(&self, id: usize) -> &[u32] {
        &self.global_list[self.global_starts[id] as usize..self.global_starts[id + 1] as usize]
    }
}

/// Sorts pairs by their first number: where each one's list starts, and the lists.
fn grouped(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0; count + 1];
    for (key, _) in pairs.clone() {
        starts[key as usize + 1] += 1;
    }
    for index in 0..count {
        starts[index + 1] += starts[index];
    }
    let mut next = starts.clone();
    let mut list = vec![0; starts[count] as usize];
    for (key, value) in pairs {
        let place = &mut next[key as usize];
        list[*place as usize] = value;
        *place += 1;
    }
    (starts, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for n in (0..4000).chain([211_000]) {
            assert_eq!(number(&name(n)), Some(n));
        }
        assert_eq!(name(52), "_");
        assert_eq!(name(53), "aa");
        assert_eq!(number(b"self"), None);
        assert_eq!(number(b"\xc3\xa4"), None);
    }
}
