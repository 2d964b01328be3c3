//! Mutants of an input, without an engine: one seed gives one mutant.

/// A source of numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins with a number.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        match end {
            0 => 0,
            end => (self.number() >> 16) as usize % end,
        }
    }
}

/// Changes some bytes of one of the inputs: bits, bytes that mean something in most formats, pieces that are
/// left out, doubled, or come from another input.
pub fn mutant(inputs: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = inputs[random.below(inputs.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let length = random.below(16).min(bytes.len() - at);
        match random.below(8) {
            _ if bytes.is_empty() => bytes.push(random.number() as u8),
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'['][random.below(8)],
            3 => bytes[at] = random.number() as u8,
            4 => drop(bytes.drain(at..at + length)),
            5 => {
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let other = &inputs[random.below(inputs.len())];
                let from = random.below(other.len());
                let end = (from + length).min(other.len());
                bytes.splice(at..at + length, other[from..end].iter().copied());
            }
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}
