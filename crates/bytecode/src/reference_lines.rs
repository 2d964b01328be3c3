//! Line info as NodeMCU's own compilers pack it, faults included: `app/lua/lcode.c` and `app/lua53/lcode.c`
//! of nodemcu-firmware 3.0.0.
//!
//! They pack while they compile. Where the compiler replaces its last instruction, or gives it another
//! line, they take back what they packed for it and add the new line. Taking back a delta of more than one
//! byte they sum it up wrongly: 5.1 weighs the higher bits twice, 5.3 drops them. The lines are wrong from
//! there on. And in 5.1 a line that comes back after that is not counted with the run before it.

use crate::lineinfo::{BACK, DELTA, FULL_51, FULL_53, pack_delta};
use crate::number_model::Dialect;

/// A line that the compiler gave an instruction, maybe to change it or take the instruction back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineNote {
    /// Number of the instruction.
    pub pc: u32,
    /// The line.
    pub line: i32,
}

/// Packs the line info of a function that was put together as `notes` say, in their order. None where the
/// reference gives none: it counts in front of its line info, outside of the memory that it asked for, and
/// that ends it.
pub fn reference_line_info(dialect: Dialect, notes: &[LineNote]) -> Option<Vec<u8>> {
    let mut packer = Packer {
        dialect,
        packed: Vec::new(),
        line: 0,
    };
    let mut last = None;
    for note in notes {
        match last == Some(note.pc) {
            true => packer.replace(note.line)?,
            false => packer.add(note.line)?,
        }
        last = Some(note.pc);
    }
    packer.packed.push(0);
    Some(packer.packed)
}

struct Packer {
    dialect: Dialect,
    /// Ends in a count.
    packed: Vec<u8>,
    /// Line of the last instruction, as the compiler believes.
    line: i64,
}

impl Packer {
    fn add(&mut self, line: i32) -> Option<()> {
        let full = match self.dialect {
            Dialect::Lua51 => FULL_51,
            Dialect::Lua53 => FULL_53,
        };
        match self.packed.last_mut() {
            Some(count) if self.line == line.into() && *count < full => *count += 1,
            // all was taken back, and the line that is thought to be left is this one
            None if self.line == line.into() => return None,
            _ => self.begin_run(line),
        }
        Some(())
    }

    fn replace(&mut self, line: i32) -> Option<()> {
        if self.line == line.into() {
            return Some(());
        }
        match self.packed.last_mut() {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.packed.pop();
                self.line -= self.take_delta();
            }
        }
        match self.dialect {
            // 5.1 begins a run even where the one before it has the same line.
            Dialect::Lua51 => {
                self.begin_run(line);
                Some(())
            }
            Dialect::Lua53 => self.add(line),
        }
    }

    fn begin_run(&mut self, line: i32) {
        pack_delta(&mut self.packed, i64::from(line) - self.line);
        self.packed.push(1);
        self.line = line.into();
    }

    /// Drops the delta at the end, and returns what the compiler takes it for.
    fn take_delta(&mut self) -> i64 {
        let start = self.packed.iter().rposition(|byte| byte & DELTA == 0);
        let delta = self.packed.split_off(start.map_or(0, |count| count + 1));
        let [first, more @ ..] = &delta[..] else {
            return 1;
        };
        let mut n = i64::from(first & !(DELTA | BACK));
        if self.dialect == Dialect::Lua51 {
            n += more
                .iter()
                .map(|byte| i64::from(byte & !DELTA) << 7)
                .sum::<i64>();
        }
        match first & BACK {
            0 => n + 2,
            _ => -n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dialect::{Lua51, Lua53};

    fn notes(notes: &[(u32, i32)]) -> Vec<LineNote> {
        notes
            .iter()
            .map(|&(pc, line)| LineNote { pc, line })
            .collect()
    }

    fn pack(dialect: Dialect, lines: &[(u32, i32)]) -> Vec<u8> {
        reference_line_info(dialect, &notes(lines)).unwrap()
    }

    #[test]
    fn what_is_not_taken_back_is_packed_shortest() {
        for (dialect, full) in [(Lua51, FULL_51), (Lua53, FULL_53)] {
            let notes: Vec<(u32, i32)> = (0..130).map(|pc| (pc, 5)).collect();
            let expected = [0x83, full, 0xc0, 130 - full, 0];
            assert_eq!(pack(dialect, &notes), expected);
        }
        let notes = [(0, 1), (1, 2), (2, 300), (3, 4)];
        for dialect in [Lua51, Lua53] {
            let expected = [1, 1, 0x80 | 40, 0x84, 1, 0xc0 | 40, 0x84, 1, 0];
            assert_eq!(pack(dialect, &notes), expected);
        }
    }

    #[test]
    fn a_run_is_split_where_its_line_comes_back() {
        let notes = [(0, 1), (1, 3), (1, 1)];
        assert_eq!(pack(Lua51, &notes), [1, 0xc0, 1, 0]);
        assert_eq!(pack(Lua53, &notes), [2, 0]);
        let same = [(0, 1), (0, 1), (1, 1), (1, 1)];
        for dialect in [Lua51, Lua53] {
            assert_eq!(pack(dialect, &same), [2, 0]);
        }
    }

    /// Line 202 is 3 * 64 + 7 + 2 beyond line 1: 5.1 takes the 3 for 6 * 64, 5.3 for none.
    #[test]
    fn far_deltas_are_taken_back_wrongly() {
        let notes = [(0, 1), (1, 202), (1, 1)];
        assert_eq!(pack(Lua51, &notes), [1, 0x80 | 62, 0x82, 1, 0]);
        assert_eq!(pack(Lua53, &notes), [1, 0xc0, 0x83, 1, 0]);
        // line 8745 is 38 + 8 * 64 + 1 * 8192 + 2 beyond: 5.1 takes 38 + (8 + 1) * 128 for it
        let notes = [(0, 1), (1, 8745), (1, 1)];
        assert_eq!(pack(Lua51, &notes), [1, 0xc0, 0x80 | 118, 1, 0]);
        assert_eq!(pack(Lua53, &notes), [1, 0xc0, 0x88, 0x81, 1, 0]);
    }

    #[test]
    fn the_first_instruction_is_replaced() {
        for dialect in [Lua51, Lua53] {
            assert_eq!(pack(dialect, &[(0, 4), (0, 2)]), [0x80, 1, 0]);
            assert_eq!(pack(dialect, &[(0, 1), (0, 2)]), [0x80, 1, 0]);
        }
    }
    /// Of the delta to a line from 66 to 129, 5.3 takes all back but 64.
    #[test]
    fn nothing_comes_of_a_count_in_front_of_all() {
        let again =
            |dialect, first, line| reference_line_info(dialect, &notes(&[(0, first), (0, line)]));
        for first in 65..131 {
            let fails = (66..130).contains(&first);
            assert_eq!(again(Lua53, first, 64).is_none(), fails, "{first}");
            assert!(again(Lua53, first, 63).is_some());
            assert!(again(Lua51, first, 64).is_some());
        }
    }
}
