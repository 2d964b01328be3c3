//! The instruction sets of Lua 5.1 and 5.3, as tables. They follow `lopcodes.h` and `lopcodes.c` of Lua
//! 5.1.5 and 5.3.6, whose numbers NodeMCU keeps.

use crate::number_model::Dialect;

/// The name of an instruction and the meaning of its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode {
    /// Its effect.
    pub op: Op,
    /// How the operands are packed.
    pub mode: Mode,
    /// Operand A, of 8 bits; of 26 bits in mode `Ax`.
    pub a: Operand,
    /// Operand B, of 9 bits; Bx or sBx, of 18 bits, in modes `ABx` and `AsBx`.
    pub b: Operand,
    /// Operand C, of 9 bits; in mode `ABC` only.
    pub c: Operand,
}

impl Opcode {
    /// Name, as `luac -l` prints it.
    pub fn name(&self) -> &'static str {
        self.op.name()
    }

    /// The operands A, B and C of an instruction with this opcode, each with its kind. Bx, sBx and Ax stand
    /// in the place of B, B and A.
    pub fn operands(&self, word: Instruction) -> [(Operand, i64); 3] {
        let (a, b, c) = match self.mode {
            Mode::ABC => (word.a(), word.b().into(), word.c()),
            Mode::ABx => (word.a(), word.bx().into(), 0),
            Mode::AsBx => (word.a(), word.sbx().into(), 0),
            Mode::Ax => (word.ax(), 0, 0),
        };
        [(self.a, a.into()), (self.b, b), (self.c, c.into())]
    }
}

macro_rules! ops {
    ($($op:ident,)*) => {
        /// What an instruction does, whatever its number. TFORLOOP is another one in each Lua.
        #[allow(missing_docs, non_camel_case_types)] // the names that Lua gives them
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Op {
            $($op,)*
        }

        impl Op {
            /// Name, as `luac -l` prints it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Op::$op => stringify!($op),)*
                }
            }
        }
    };
}

#[rustfmt::skip]
ops! {
    MOVE, LOADK, LOADBOOL, LOADNIL, GETUPVAL, GETGLOBAL, GETTABLE, SETGLOBAL, SETUPVAL, SETTABLE,
    NEWTABLE, SELF, ADD, SUB, MUL, DIV, MOD, POW, UNM, NOT, LEN, CONCAT, JMP, EQ, LT, LE, TEST,
    TESTSET, CALL, TAILCALL, RETURN, FORLOOP, FORPREP, TFORLOOP, SETLIST, CLOSE, CLOSURE, VARARG,
    LOADKX, GETTABUP, SETTABUP, IDIV, BAND, BOR, BXOR, SHL, SHR, BNOT, TFORCALL, EXTRAARG,
}

/// How operands are packed into the 26 bits above the opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A (8 bits), C (9 bits), B (9 bits), from low to high.
    ABC,
    /// A (8 bits), Bx (18 bits).
    ABx,
    /// A (8 bits), sBx (18 bits, 131071 for 0).
    AsBx,
    /// Ax (26 bits).
    Ax,
}

/// The meaning of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Nothing; it is 0.
    Unused,
    /// A register.
    Register,
    /// A constant's index.
    Constant,
    /// With bit 8 set a constant's index in the low 8 bits, else a register.
    Rk,
    /// An upvalue's index.
    Upvalue,
    /// The index of a function defined inside.
    Function,
    /// A distance from the next instruction.
    Jump,
    /// 0 or 1.
    Flag,
    /// A number that the instruction itself gives a meaning.
    Count,
}

/// The opcodes of `dialect`, in the order of their numbers.
pub fn opcodes(dialect: Dialect) -> &'static [Opcode] {
    match dialect {
        Dialect::Lua51 => &LUA51,
        Dialect::Lua53 => &LUA53,
    }
}

/// An instruction word, taken apart. Every opcode finds its operands among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction(pub u32);

impl Instruction {
    /// The opcode's number, 0 to 63.
    pub fn number(self) -> u8 {
        (self.0 & 0x3f) as u8
    }

    /// The opcode in `dialect`; none for a number that has no meaning there.
    pub fn opcode(self, dialect: Dialect) -> Option<&'static Opcode> {
        opcodes(dialect).get(usize::from(self.number()))
    }

    /// Operand A.
    pub fn a(self) -> u32 {
        self.0 >> 6 & 0xff
    }

    /// Operand B.
    pub fn b(self) -> u32 {
        self.0 >> 23
    }

    /// Operand C.
    pub fn c(self) -> u32 {
        self.0 >> 14 & 0x1ff
    }

    /// Operand Bx.
    pub fn bx(self) -> u32 {
        self.0 >> 14
    }

    /// Operand sBx.
    pub fn sbx(self) -> i32 {
        self.bx() as i32 - 131_071
    }

    /// Operand Ax.
    pub fn ax(self) -> u32 {
        self.0 >> 6
    }
}

/// The constant's index if the operand `rk` of kind [`Operand::Rk`] is one.
pub fn rk_constant(rk: u32) -> Option<u32> {
    (rk & 0x100 != 0).then_some(rk & 0xff)
}

const fn opcode(op: Op, mode: Mode, a: Operand, b: Operand, c: Operand) -> Opcode {
    Opcode { op, mode, a, b, c }
}

use Mode::{ABC, ABx, AsBx, Ax};
use Operand::{Constant, Count, Flag, Function, Jump, Register, Rk, Unused, Upvalue};

/// Lua 5.1.
#[rustfmt::skip]
static LUA51: [Opcode; 38] = [
    opcode(Op::MOVE, ABC, Register, Register, Unused),
    opcode(Op::LOADK, ABx, Register, Constant, Unused),
    opcode(Op::LOADBOOL, ABC, Register, Flag, Flag),
    opcode(Op::LOADNIL, ABC, Register, Register, Unused),
    opcode(Op::GETUPVAL, ABC, Register, Upvalue, Unused),
    opcode(Op::GETGLOBAL, ABx, Register, Constant, Unused),
    opcode(Op::GETTABLE, ABC, Register, Register, Rk),
    opcode(Op::SETGLOBAL, ABx, Register, Constant, Unused),
    opcode(Op::SETUPVAL, ABC, Register, Upvalue, Unused),
    opcode(Op::SETTABLE, ABC, Register, Rk, Rk),
    opcode(Op::NEWTABLE, ABC, Register, Count, Count),
    opcode(Op::SELF, ABC, Register, Register, Rk),
    opcode(Op::ADD, ABC, Register, Rk, Rk),
    opcode(Op::SUB, ABC, Register, Rk, Rk),
    opcode(Op::MUL, ABC, Register, Rk, Rk),
    opcode(Op::DIV, ABC, Register, Rk, Rk),
    opcode(Op::MOD, ABC, Register, Rk, Rk),
    opcode(Op::POW, ABC, Register, Rk, Rk),
    opcode(Op::UNM, ABC, Register, Register, Unused),
    opcode(Op::NOT, ABC, Register, Register, Unused),
    opcode(Op::LEN, ABC, Register, Register, Unused),
    opcode(Op::CONCAT, ABC, Register, Register, Register),
    opcode(Op::JMP, AsBx, Unused, Jump, Unused),
    opcode(Op::EQ, ABC, Flag, Rk, Rk),
    opcode(Op::LT, ABC, Flag, Rk, Rk),
    opcode(Op::LE, ABC, Flag, Rk, Rk),
    opcode(Op::TEST, ABC, Register, Unused, Flag),
    opcode(Op::TESTSET, ABC, Register, Register, Flag),
    opcode(Op::CALL, ABC, Register, Count, Count),
    opcode(Op::TAILCALL, ABC, Register, Count, Count),
    opcode(Op::RETURN, ABC, Register, Count, Unused),
    opcode(Op::FORLOOP, AsBx, Register, Jump, Unused),
    opcode(Op::FORPREP, AsBx, Register, Jump, Unused),
    opcode(Op::TFORLOOP, ABC, Register, Unused, Count),
    opcode(Op::SETLIST, ABC, Register, Count, Count),
    opcode(Op::CLOSE, ABC, Register, Unused, Unused),
    opcode(Op::CLOSURE, ABx, Register, Function, Unused),
    opcode(Op::VARARG, ABC, Register, Count, Unused),
];

/// Lua 5.3.
#[rustfmt::skip]
static LUA53: [Opcode; 47] = [
    opcode(Op::MOVE, ABC, Register, Register, Unused),
    opcode(Op::LOADK, ABx, Register, Constant, Unused),
    opcode(Op::LOADKX, ABx, Register, Unused, Unused),
    opcode(Op::LOADBOOL, ABC, Register, Flag, Flag),
    opcode(Op::LOADNIL, ABC, Register, Count, Unused),
    opcode(Op::GETUPVAL, ABC, Register, Upvalue, Unused),
    opcode(Op::GETTABUP, ABC, Register, Upvalue, Rk),
    opcode(Op::GETTABLE, ABC, Register, Register, Rk),
    opcode(Op::SETTABUP, ABC, Upvalue, Rk, Rk),
    opcode(Op::SETUPVAL, ABC, Register, Upvalue, Unused),
    opcode(Op::SETTABLE, ABC, Register, Rk, Rk),
    opcode(Op::NEWTABLE, ABC, Register, Count, Count),
    opcode(Op::SELF, ABC, Register, Register, Rk),
    opcode(Op::ADD, ABC, Register, Rk, Rk),
    opcode(Op::SUB, ABC, Register, Rk, Rk),
    opcode(Op::MUL, ABC, Register, Rk, Rk),
    opcode(Op::MOD, ABC, Register, Rk, Rk),
    opcode(Op::POW, ABC, Register, Rk, Rk),
    opcode(Op::DIV, ABC, Register, Rk, Rk),
    opcode(Op::IDIV, ABC, Register, Rk, Rk),
    opcode(Op::BAND, ABC, Register, Rk, Rk),
    opcode(Op::BOR, ABC, Register, Rk, Rk),
    opcode(Op::BXOR, ABC, Register, Rk, Rk),
    opcode(Op::SHL, ABC, Register, Rk, Rk),
    opcode(Op::SHR, ABC, Register, Rk, Rk),
    opcode(Op::UNM, ABC, Register, Register, Unused),
    opcode(Op::BNOT, ABC, Register, Register, Unused),
    opcode(Op::NOT, ABC, Register, Register, Unused),
    opcode(Op::LEN, ABC, Register, Register, Unused),
    opcode(Op::CONCAT, ABC, Register, Register, Register),
    opcode(Op::JMP, AsBx, Count, Jump, Unused),
    opcode(Op::EQ, ABC, Flag, Rk, Rk),
    opcode(Op::LT, ABC, Flag, Rk, Rk),
    opcode(Op::LE, ABC, Flag, Rk, Rk),
    opcode(Op::TEST, ABC, Register, Unused, Flag),
    opcode(Op::TESTSET, ABC, Register, Register, Flag),
    opcode(Op::CALL, ABC, Register, Count, Count),
    opcode(Op::TAILCALL, ABC, Register, Count, Count),
    opcode(Op::RETURN, ABC, Register, Count, Unused),
    opcode(Op::FORLOOP, AsBx, Register, Jump, Unused),
    opcode(Op::FORPREP, AsBx, Register, Jump, Unused),
    opcode(Op::TFORCALL, ABC, Register, Unused, Count),
    opcode(Op::TFORLOOP, AsBx, Register, Jump, Unused),
    opcode(Op::SETLIST, ABC, Register, Count, Count),
    opcode(Op::CLOSURE, ABx, Register, Function, Unused),
    opcode(Op::VARARG, ABC, Register, Count, Unused),
    opcode(Op::EXTRAARG, Ax, Count, Unused, Unused),
];
