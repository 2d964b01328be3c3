//! The context of a symbol: the previous instruction, its own instruction, or its position.
// Public for the training only, which is not published.
#![allow(missing_docs)]

use std::sync::OnceLock;

use crate::number_model::Dialect;
use crate::opcodes::{Mode, Op, Opcode, Operand, opcodes};

/// The escape: it stands for symbols that the table lacks, and is not a symbol itself.
pub const ESCAPE: u8 = 255;

/// The context of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// A token behind an instruction with this opcode.
    Token { last: u8 },
    /// Operand A of an opcode behind another.
    A { opcode: u8, last: u8 },
    /// Operand B (0) or C (1) of a token.
    Operand { token: u8, slot: u8 },
    /// One of a fixed number of places.
    Fixed(u8),
}

/// The fixed places, by number. Where there are several, the first.
#[rustfmt::skip]
pub mod fixed {
    pub const PARAMS: u8 = 0;
    pub const VARARG: u8 = 1;
    pub const STACK: u8 = 2;
    pub const UPVALUES: u8 = 3;
    pub const LINE: u8 = 4;
    pub const LINES: u8 = 5;
    pub const CODE: u8 = 6;
    pub const CONSTANTS: u8 = 7;
    pub const FUNCTIONS: u8 = 8;
    pub const IN_STACK: u8 = 9;
    /// By whether it is in the stack.
    pub const INDEX: u8 = 10;
    pub const INTEGER: u8 = 12;
    pub const POOL: u8 = 13;
    pub const LENGTH: u8 = 14;
    /// By kind, as the next two.
    pub const REFERENCE: u8 = 15;
    pub const TYPE: u8 = 20;
    pub const NAME: u8 = 25;
    /// By the top four bits of the character before.
    pub const CHARACTER: u8 = 30;
    #[cfg(feature = "training")]
    pub const COUNT: u8 = 46;
}

/// The use of a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Global,
    Method,
    Field,
    Load,
    Other,
}

/// How B or C is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is 0.
    None,
    /// As a number.
    Direct,
    /// As its distance from A.
    Near,
    /// As a constant, in C or B with bit 8 set, in Bx without.
    Constant(Kind),
    /// Bx as its distance from the next function.
    Function,
    /// Bx as its distance from no jump.
    Jump,
}

/// How A is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// It is 0.
    None,
    /// As a number.
    Direct,
    /// As its distance from the A before.
    Near,
}

/// An opcode, with which of its operands are constants.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    pub opcode: u8,
    pub a: First,
    pub slots: [Slot; 2],
    /// Whether B takes the place of C too.
    pub wide: bool,
}

/// sBx of a jump to the next instruction.
pub(crate) const NO_JUMP: u32 = 131_071;

/// The tokens of a dialect, in the order of their numbers.
pub fn tokens(dialect: Dialect) -> &'static [Token] {
    static LISTS: [OnceLock<Vec<Token>>; 2] = [OnceLock::new(), OnceLock::new()];
    LISTS[dialect as usize].get_or_init(|| {
        let mut list = Vec::new();
        for (number, opcode) in opcodes(dialect).iter().enumerate() {
            for b in ways(opcode, 0) {
                for c in ways(opcode, 1) {
                    list.push(Token {
                        opcode: number as u8,
                        a: match opcode.a {
                            Operand::Unused => First::None,
                            Operand::Register => First::Near,
                            _ => First::Direct,
                        },
                        slots: [b, c],
                        wide: opcode.mode != Mode::ABC,
                    });
                }
            }
        }
        list
    })
}

/// The ways in which B (0) or C (1) of an opcode may be written.
fn ways(opcode: &Opcode, slot: usize) -> Vec<Slot> {
    match [opcode.b, opcode.c][slot] {
        Operand::Unused => vec![Slot::None],
        Operand::Register if opcode.op == Op::MOVE => vec![Slot::Direct],
        Operand::Register => vec![Slot::Near],
        Operand::Constant => vec![Slot::Constant(kind(opcode.op, slot))],
        Operand::Rk => vec![Slot::Near, Slot::Constant(kind(opcode.op, slot))],
        Operand::Function => vec![Slot::Function],
        Operand::Jump => vec![Slot::Jump],
        Operand::Upvalue | Operand::Flag | Operand::Count => vec![Slot::Direct],
    }
}

fn kind(op: Op, slot: usize) -> Kind {
    match (op, slot) {
        (Op::GETGLOBAL | Op::SETGLOBAL | Op::GETTABUP, _) | (Op::SETTABUP, 0) => Kind::Global,
        (Op::SELF, _) => Kind::Method,
        (Op::GETTABLE, _) | (Op::SETTABLE, 0) => Kind::Field,
        (Op::LOADK, _) => Kind::Load,
        _ => Kind::Other,
    }
}

/// The last opcode where there is none: at the head of a function, behind a word as it is.
pub fn no_opcode(dialect: Dialect) -> u8 {
    opcodes(dialect).len() as u8
}

/// `value` with its sign in the lowest bit.
pub(crate) fn fold(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

/// The value that [`fold`] folded.
pub(crate) fn unfold(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// The symbol of a number, and how many bits follow.
pub(crate) fn range(value: u32) -> (u8, u32) {
    if value < 16 {
        return (value as u8, 0);
    }
    let rest = 30 - value.leading_zeros();
    let half = value >> rest & 1;
    ((16 + (rest - 3) * 2 + half) as u8, rest)
}

/// The lowest value of a symbol, and how many bits follow; none if it does not begin a number.
pub(crate) fn lowest(symbol: u8) -> Option<(u32, u32)> {
    match symbol {
        0..16 => Some((symbol.into(), 0)),
        16..72 => {
            let rest = u32::from(symbol - 16) / 2 + 3;
            Some(((2 | u32::from(symbol & 1)) << rest, rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_each_other() {
        let mut next = 0u64;
        for symbol in 0..72 {
            let (low, bits) = lowest(symbol).unwrap();
            assert_eq!(u64::from(low), next, "{symbol}");
            next += 1 << bits;
            assert_eq!(range(low), (symbol, bits));
            assert_eq!(range((next - 1) as u32), (symbol, bits));
        }
        assert_eq!((next, lowest(72)), (1 << 32, None));
    }

    #[test]
    fn signs_fold() {
        for value in [0, -1, 1, 300, i32::MAX, i32::MIN] {
            assert_eq!(unfold(fold(value)), value);
        }
        assert_eq!((fold(-1), fold(1)), (1, 2));
    }
}
