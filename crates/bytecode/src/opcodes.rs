//! The instruction sets of Lua 5.1 and 5.3, as tables. They follow `lopcodes.h` and `lopcodes.c` of Lua
//! 5.1.5 and 5.3.6, whose numbers NodeMCU keeps.

use crate::numbers::Dialect;

/// What an instruction is called and what its operands mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode {
    /// Name, as `luac -l` prints it.
    pub name: &'static str,
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

/// What an operand means.
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

const fn opcode(name: &'static str, mode: Mode, a: Operand, b: Operand, c: Operand) -> Opcode {
    Opcode {
        name,
        mode,
        a,
        b,
        c,
    }
}

use Mode::{ABC, ABx, AsBx, Ax};
use Operand::{Constant, Count, Flag, Function, Jump, Register, Rk, Unused, Upvalue};

/// Lua 5.1.
#[rustfmt::skip]
static LUA51: [Opcode; 38] = [
    opcode("MOVE", ABC, Register, Register, Unused),
    opcode("LOADK", ABx, Register, Constant, Unused),
    opcode("LOADBOOL", ABC, Register, Flag, Flag),
    opcode("LOADNIL", ABC, Register, Register, Unused),
    opcode("GETUPVAL", ABC, Register, Upvalue, Unused),
    opcode("GETGLOBAL", ABx, Register, Constant, Unused),
    opcode("GETTABLE", ABC, Register, Register, Rk),
    opcode("SETGLOBAL", ABx, Register, Constant, Unused),
    opcode("SETUPVAL", ABC, Register, Upvalue, Unused),
    opcode("SETTABLE", ABC, Register, Rk, Rk),
    opcode("NEWTABLE", ABC, Register, Count, Count),
    opcode("SELF", ABC, Register, Register, Rk),
    opcode("ADD", ABC, Register, Rk, Rk),
    opcode("SUB", ABC, Register, Rk, Rk),
    opcode("MUL", ABC, Register, Rk, Rk),
    opcode("DIV", ABC, Register, Rk, Rk),
    opcode("MOD", ABC, Register, Rk, Rk),
    opcode("POW", ABC, Register, Rk, Rk),
    opcode("UNM", ABC, Register, Register, Unused),
    opcode("NOT", ABC, Register, Register, Unused),
    opcode("LEN", ABC, Register, Register, Unused),
    opcode("CONCAT", ABC, Register, Register, Register),
    opcode("JMP", AsBx, Unused, Jump, Unused),
    opcode("EQ", ABC, Flag, Rk, Rk),
    opcode("LT", ABC, Flag, Rk, Rk),
    opcode("LE", ABC, Flag, Rk, Rk),
    opcode("TEST", ABC, Register, Unused, Flag),
    opcode("TESTSET", ABC, Register, Register, Flag),
    opcode("CALL", ABC, Register, Count, Count),
    opcode("TAILCALL", ABC, Register, Count, Count),
    opcode("RETURN", ABC, Register, Count, Unused),
    opcode("FORLOOP", AsBx, Register, Jump, Unused),
    opcode("FORPREP", AsBx, Register, Jump, Unused),
    opcode("TFORLOOP", ABC, Register, Unused, Count),
    opcode("SETLIST", ABC, Register, Count, Count),
    opcode("CLOSE", ABC, Register, Unused, Unused),
    opcode("CLOSURE", ABx, Register, Function, Unused),
    opcode("VARARG", ABC, Register, Count, Unused),
];

/// Lua 5.3.
#[rustfmt::skip]
static LUA53: [Opcode; 47] = [
    opcode("MOVE", ABC, Register, Register, Unused),
    opcode("LOADK", ABx, Register, Constant, Unused),
    opcode("LOADKX", ABx, Register, Unused, Unused),
    opcode("LOADBOOL", ABC, Register, Flag, Flag),
    opcode("LOADNIL", ABC, Register, Count, Unused),
    opcode("GETUPVAL", ABC, Register, Upvalue, Unused),
    opcode("GETTABUP", ABC, Register, Upvalue, Rk),
    opcode("GETTABLE", ABC, Register, Register, Rk),
    opcode("SETTABUP", ABC, Upvalue, Rk, Rk),
    opcode("SETUPVAL", ABC, Register, Upvalue, Unused),
    opcode("SETTABLE", ABC, Register, Rk, Rk),
    opcode("NEWTABLE", ABC, Register, Count, Count),
    opcode("SELF", ABC, Register, Register, Rk),
    opcode("ADD", ABC, Register, Rk, Rk),
    opcode("SUB", ABC, Register, Rk, Rk),
    opcode("MUL", ABC, Register, Rk, Rk),
    opcode("MOD", ABC, Register, Rk, Rk),
    opcode("POW", ABC, Register, Rk, Rk),
    opcode("DIV", ABC, Register, Rk, Rk),
    opcode("IDIV", ABC, Register, Rk, Rk),
    opcode("BAND", ABC, Register, Rk, Rk),
    opcode("BOR", ABC, Register, Rk, Rk),
    opcode("BXOR", ABC, Register, Rk, Rk),
    opcode("SHL", ABC, Register, Rk, Rk),
    opcode("SHR", ABC, Register, Rk, Rk),
    opcode("UNM", ABC, Register, Register, Unused),
    opcode("BNOT", ABC, Register, Register, Unused),
    opcode("NOT", ABC, Register, Register, Unused),
    opcode("LEN", ABC, Register, Register, Unused),
    opcode("CONCAT", ABC, Register, Register, Register),
    opcode("JMP", AsBx, Count, Jump, Unused),
    opcode("EQ", ABC, Flag, Rk, Rk),
    opcode("LT", ABC, Flag, Rk, Rk),
    opcode("LE", ABC, Flag, Rk, Rk),
    opcode("TEST", ABC, Register, Unused, Flag),
    opcode("TESTSET", ABC, Register, Register, Flag),
    opcode("CALL", ABC, Register, Count, Count),
    opcode("TAILCALL", ABC, Register, Count, Count),
    opcode("RETURN", ABC, Register, Count, Unused),
    opcode("FORLOOP", AsBx, Register, Jump, Unused),
    opcode("FORPREP", AsBx, Register, Jump, Unused),
    opcode("TFORCALL", ABC, Register, Unused, Count),
    opcode("TFORLOOP", AsBx, Register, Jump, Unused),
    opcode("SETLIST", ABC, Register, Count, Count),
    opcode("CLOSURE", ABx, Register, Function, Unused),
    opcode("VARARG", ABC, Register, Count, Unused),
    opcode("EXTRAARG", Ax, Count, Unused, Unused),
];
