//! The hash table by which `fast_find` finds a chunk of a bundle that is compiled in (`fast_load.h`).

/// `FAST_NAME_FACTOR` of `fast_load.h`.
const FACTOR: u32 = 0x9e37_79b1;

/// The table for these names, in the order of the index, as bytes of little-endian words: first by how many bits a hash is
/// moved to the right, then an entry of 16 bits for each place, which is the number of a chunk, counted from 1, or 0. A name
/// is at the place of its hash or at one of the next ones, before the first 0. There is a 0 at the end.
///
/// None where there are more chunks than 16 bits can number.
pub(super) fn lookup<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Option<Vec<u8>> {
    u16::try_from(names.len()).ok()?;
    // more than half of the places are free
    let bits = (names.len() * 2 + 1).next_power_of_two().ilog2().max(1);
    let shift = u32::BITS - bits;
    let mut places = vec![0u16; 1 << bits];
    for (number, name) in (1..).zip(names) {
        let hash = (hash(name.as_bytes()) >> shift) as usize;
        let free = (hash..).find(|place| places.get(*place).is_none_or(|n| *n == 0))?;
        if free == places.len() {
            places.push(0);
        }
        places[free] = number;
    }
    places.push(0);
    let entries = places.iter().flat_map(|number| number.to_le_bytes());
    Some(shift.to_le_bytes().into_iter().chain(entries).collect())
}

/// As `fast_find_by_hash` computes it: over the name's words with zeros behind it, one zero at least.
fn hash(name: &[u8]) -> u32 {
    let mut words = name.chunks_exact(4);
    let word = |bytes: &[u8]| {
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        u32::from_le_bytes(word)
    };
    let full = words.by_ref().map(word).collect::<Vec<_>>();
    let all = full.into_iter().chain([word(words.remainder())]);
    all.fold(name.len() as u32, |h, word| (h ^ word).wrapping_mul(FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 7, 44, 1000] {
            let names: Vec<String> = (0..count).map(|i| format!("name-{}", i * i)).collect();
            let table = lookup(names.iter().map(String::as_str)).unwrap();
            let shift = u32::from_le_bytes(table[..4].try_into().unwrap());
            let entries: Vec<u16> = table[4..]
                .chunks(2)
                .map(|bytes| u16::from_le_bytes(bytes.try_into().unwrap()))
                .collect();
            let find = |name: &str| {
                let from = &entries[(hash(name.as_bytes()) >> shift) as usize..];
                let numbers = from.iter().take_while(|n| **n != 0);
                numbers
                    .map(|n| usize::from(*n) - 1)
                    .find(|i| names[*i] == name)
            };
            for (i, name) in names.iter().enumerate() {
                assert_eq!(find(name), Some(i), "{name}");
            }
            assert_eq!(find("name"), None);
        }
    }
}
