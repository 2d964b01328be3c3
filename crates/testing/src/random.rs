//! Numbers to choose by: random ones, the same for the same seed, or those that a fuzzer puts into its input.

use arbitrary::Unstructured;
use bstr::BString;

/// Where the numbers come from.
#[derive(Debug)]
pub struct Random<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    /// Sebastiano Vigna's splitmix64.
    Seed(u64),
    /// Each choice takes as few bytes as it can, so that a changed byte changes one choice. Behind the last byte all are 0.
    Input(Unstructured<'a>),
}

impl Random<'static> {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Random(Source::Seed(seed))
    }
}

impl<'a> Random<'a> {
    /// The numbers in the input of a fuzzer.
    pub fn of_input(input: Unstructured<'a>) -> Self {
        Random(Source::Input(input))
    }

    /// The next number, any of 64 bits.
    #[allow(clippy::should_implement_trait)] // it never ends
    pub fn next(&mut self) -> u64 {
        match &mut self.0 {
            Source::Seed(seed) => {
                *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *seed;
                z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ z >> 31
            }
            Source::Input(input) => input.arbitrary().unwrap_or(0),
        }
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        match &mut self.0 {
            Source::Seed(_) => self.next() as u8,
            Source::Input(input) => input.arbitrary().unwrap_or(0),
        }
    }

    /// Any number of 32 bits.
    pub fn word(&mut self) -> u32 {
        match &mut self.0 {
            Source::Seed(_) => self.next() as u32,
            Source::Input(input) => input.arbitrary().unwrap_or(0),
        }
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        match &mut self.0 {
            Source::Seed(_) => self.next() % limit,
            Source::Input(input) => input.int_in_range(0..=limit - 1).unwrap_or(0),
        }
    }

    /// True once in `times`.
    pub fn chance(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A number of any size, small ones as likely as big ones; its complement now and then.
    pub fn bits(&mut self) -> u64 {
        let shift = self.below(64);
        let value = self.next() >> shift;
        if self.chance(2) { !value } else { value }
    }

    /// A C `int` that is not negative.
    pub fn int(&mut self) -> u32 {
        self.bits() as u32 >> self.below(31).max(1)
    }

    /// Any float, including NaN.
    pub fn float(&mut self) -> f64 {
        match self.below(4) {
            0 => self.bits() as i32 as f64 / 4.0,
            1 => [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY][self.below(4) as usize],
            2 => f64::from_bits(0x7ff8 << 48 | self.next()),
            _ => f64::from_bits(self.next()),
        }
    }

    /// A float of 32 bits.
    pub fn narrow_float(&mut self) -> f64 {
        match self.below(3) {
            0 => f64::from_bits((0x7ff0 << 48) | self.next() << 29),
            1 => (self.float() as f32).into(),
            _ => (self.bits() as i16 as f64) / 16.0,
        }
    }

    /// A short string of any bytes.
    pub fn string(&mut self) -> BString {
        let limit = [8, 44, 300][self.below(3) as usize];
        self.list(limit, |random| random.byte()).into()
    }

    /// Fewer than `limit` items.
    pub fn list<T>(&mut self, limit: u64, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(limit)).map(|_| item(self)).collect()
    }
}
