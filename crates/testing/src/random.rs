//! Random numbers, the same for the same seed.

use bstr::BString;

/// Sebastiano Vigna's splitmix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number, any of 64 bits.
    #[allow(clippy::should_implement_trait)] // it never ends
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
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

    /// Any float, also those that are no number.
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
        self.list(limit, |random| random.next() as u8).into()
    }

    /// Fewer than `limit` items.
    pub fn list<T>(&mut self, limit: u64, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(limit)).map(|_| item(self)).collect()
    }
}
