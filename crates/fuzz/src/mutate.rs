//! Mutants of an input, without an engine: one seed gives one mutant.

use fastlua_testing::random::Random;

/// A number below `end`; 0 where that is 0.
fn below(random: &mut Random, end: usize) -> usize {
    random.below(end.max(1) as u64) as usize
}

/// Changes some bytes of one of the inputs: bits, bytes that mean something in most formats, pieces that are
/// left out, doubled, or come from another input.
pub fn mutant(inputs: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = inputs[below(random, inputs.len())].clone();
    for _ in 0..=below(random, 4) {
        let at = below(random, bytes.len());
        let length = below(random, 16).min(bytes.len() - at);
        match below(random, 8) {
            _ if bytes.is_empty() => bytes.push(random.next() as u8),
            0 | 1 => bytes[at] ^= 1 << below(random, 8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'['][below(random, 8)],
            3 => bytes[at] = random.next() as u8,
            4 => drop(bytes.drain(at..at + length)),
            5 => {
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let other = &inputs[below(random, inputs.len())];
                let from = below(random, other.len());
                let end = (from + length).min(other.len());
                bytes.splice(at..at + length, other[from..end].iter().copied());
            }
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}
