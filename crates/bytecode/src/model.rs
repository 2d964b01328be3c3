//! One model of a compiled chunk, whatever the variant. What a variant's dump can't hold
//! (a float in integer 5.1, say) is refused by its writer.

use std::collections::HashMap;

use std::fmt;

use bstr::BString;

use crate::layout::Layout;

/// Most levels of functions below the main function. Lua's compilers and its 5.1 loader stop at 200
/// levels in all (`LUAI_MAXCCALLS`).
pub const MAX_NESTING: usize = 199;

/// A compiled chunk: its main function and the layout it was read from or is meant for.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Format and widths.
    pub layout: Layout,
    /// The function that runs when the chunk is called.
    pub main: Function,
}

/// A function prototype, `Proto` in Lua's sources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Function {
    /// Source name (`@file.lua`); none where it is stripped or equals the parent's.
    pub source: Option<BString>,
    /// Line of the `function` keyword, 0 for a main function.
    pub line_defined: u32,
    /// Line of the closing `end`, 0 for a main function.
    pub last_line_defined: u32,
    /// Number of fixed parameters.
    pub params: u8,
    /// 5.1: `VARARG_HASARG` 1, `VARARG_ISVARARG` 2, `VARARG_NEEDSARG` 4; 5.3: 0 or 1.
    pub vararg: u8,
    /// Registers the function needs.
    pub max_stack: u8,
    /// Instructions, encoded as the dialect's `lopcodes.h` says.
    pub code: Vec<u32>,
    /// Constants, in the order the instructions number them.
    pub constants: Vec<Constant>,
    /// Functions defined inside this one.
    pub functions: Vec<Function>,
    /// Upvalues. In 5.1 only their number and names are dumped.
    pub upvalues: Vec<Upvalue>,
    /// Line of each instruction; empty where stripped. NodeMCU's own compilers write wrong ones now and
    /// then, among them lines below zero.
    pub lines: Vec<i32>,
    /// Local variables; empty where stripped.
    pub locals: Vec<Local>,
}

/// A constant of a function.
#[derive(Debug, Clone)]
pub enum Constant {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A number of integer 5.1, or an integer of 5.3.
    Integer(i64),
    /// A number of float 5.1, or a float of 5.3; 32-bit floats are held exactly.
    Float(f64),
    /// A string, any bytes.
    String(BString),
}

/// Floats are compared by their bits: `0.0` and `-0.0` are different constants, a NaN equals itself.
impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Constant::Nil, Constant::Nil) => true,
            (Constant::Boolean(a), Constant::Boolean(b)) => a == b,
            (Constant::Integer(a), Constant::Integer(b)) => a == b,
            (Constant::Float(a), Constant::Float(b)) => a.to_bits() == b.to_bits(),
            (Constant::String(a), Constant::String(b)) => a == b,
            _ => false,
        }
    }
}

/// An upvalue of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upvalue {
    /// Name; none where stripped.
    pub name: Option<BString>,
    /// 5.3: whether it is a register of the enclosing function (else an upvalue of it). 5.1: false.
    pub in_stack: bool,
    /// 5.3: number of that register or upvalue. 5.1: 0.
    pub index: u8,
}

/// A local variable and the instructions in which it is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Name.
    pub name: Option<BString>,
    /// First instruction at which it is active.
    pub start_pc: u32,
    /// First instruction at which it no longer is.
    pub end_pc: u32,
}

/// Which function of a chunk: `main`, or `main.2.0` for the first function of main's third.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FunctionPath(pub Vec<u32>);

impl fmt::Display for FunctionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("main")?;
        self.0.iter().try_for_each(|index| write!(f, ".{index}"))
    }
}

/// Bytes that the strings of an image may become once each reference to them is a copy.
pub(crate) const MOST_COPIED: usize = 16 << 20;

/// The packed line info of each function that has some.
pub type PackedLines = HashMap<FunctionPath, Vec<u8>>;
