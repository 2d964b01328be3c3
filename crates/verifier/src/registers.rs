//! Sets of registers.

/// A set of registers, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Registers([u64; 4]);

impl Registers {
    /// The registers below `end`.
    pub fn below(end: usize) -> Registers {
        let word = |i: usize| match end.saturating_sub(64 * i) {
            n @ 0..64 => (1 << n) - 1,
            _ => u64::MAX,
        };
        Registers([word(0), word(1), word(2), word(3)])
    }

    pub fn contains(&self, register: usize) -> bool {
        self.0[register / 64] >> (register % 64) & 1 != 0
    }

    /// The first of them from `start` on.
    pub fn first_from(&self, start: usize) -> Option<usize> {
        let below = Registers::below(start);
        (0..4).find_map(|i| {
            let word = self.0[i] & !below.0[i];
            (word != 0).then(|| 64 * i + word.trailing_zeros() as usize)
        })
    }

    pub fn insert(&mut self, register: usize) {
        self.0[register / 64] |= 1 << (register % 64);
    }

    pub fn remove(&mut self, register: usize) {
        self.0[register / 64] &= !(1 << (register % 64));
    }

    /// Drops `start` and all above it.
    pub fn cut(&mut self, start: usize) {
        *self = self.and(&Registers::below(start));
    }

    pub fn and(&self, other: &Registers) -> Registers {
        Registers(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    pub fn or(&self, other: &Registers) -> Registers {
        Registers(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        for end in [0, 1, 63, 64, 65, 128, 200, 255, 256] {
            let set = Registers::below(end);
            assert!((0..256).all(|r| set.contains(r) == (r < end)), "{end}");
        }
        let mut set = Registers::below(100);
        set.cut(70);
        set.remove(3);
        set.insert(200);
        assert!((0..256).all(|r| set.contains(r) == (r < 70 && r != 3 || r == 200)));
        let from = [0, 3, 69, 70, 200, 201].map(|start| set.first_from(start));
        assert_eq!(
            from,
            [Some(0), Some(4), Some(69), Some(200), Some(200), None]
        );
    }
}
