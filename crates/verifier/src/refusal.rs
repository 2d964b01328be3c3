//! Why a chunk is refused.

use std::fmt;

use fastlua_bytecode::FunctionPath;

/// A rule that a chunk broke. Displays with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The function.
    pub function: FunctionPath,
    /// The instruction, from 0 on; none where the rule is about the function.
    pub pc: Option<usize>,
    /// The instruction as the listing shows it; empty where there is none.
    pub instruction: String,
    /// What is wrong.
    pub reason: String,
}

/// The listing counts instructions from 1, and so does this.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not safe to run: function {}", self.function)?;
        if let Some(pc) = self.pc {
            write!(f, ", instruction {} ({})", pc + 1, self.instruction)?;
        }
        write!(f, ": {} [{}]", self.reason, self.rule)
    }
}

impl std::error::Error for Refusal {}

macro_rules! rules {
    ($($rule:ident $name:literal $doc:literal,)*) => {
        /// The rules, by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $doc] $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Rule] = &[$(Rule::$rule),*];

            /// Its name, as messages have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Rule::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    Nesting "nesting" "Functions are nested at most 199 levels deep.",
    Registers "registers" "A function has 2 to 250 registers, 5.3: 255; 1 is enough for CLOSURE, CALL and RETURN.",
    Parameters "parameters" "Parameters, and `arg` in 5.1, are registers.",
    Vararg "vararg" "The flags of a vararg function are those that a compiler gives.",
    End "end" "The last instruction is RETURN.",
    Upvalues "upvalues" "The register or upvalue that an upvalue refers to exists.",
    Debug "debug" "Debug data is complete.",
    Opcode "opcode" "The opcode exists.",
    Unused "unused" "An unused operand is 0.",
    Flag "flag" "A flag is 0 or 1.",
    Register "register" "A register exists in the function.",
    Constant "constant" "A constant exists, and is a string where one is needed.",
    Upvalue "upvalue" "An upvalue exists.",
    Function "function" "A referenced function exists.",
    Target "target" "A jump leads to an instruction.",
    Companion "companion" "Instructions that belong together are adjacent.",
    Size "size" "A computed size stays small.",
    Variadic "variadic" "VARARG is only in a vararg function.",
    Open "open" "An open top is used by the next instruction, and only an open top is used.",
    Unset "unset" "A register is set before it is read.",
    Loop "loop" "FORLOOP has numbers that FORPREP made.",
    Table "table" "5.3: SETLIST has a table.",
    Method "method" "5.3: the key of SELF is a string.",
    Shared "shared" "No open upvalue is where a call puts its function and its registers.",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
