//! Whether a chunk is memory-safe: a core that loads and runs it touches no memory but its own,
//! although Lua's loaders and its virtual machine check next to nothing. It may still do any harm
//! that a Lua program can do.
//!
//! A chunk passes if it obeys these rules. They are about the model of a chunk; the rules of a dump's
//! bytes (header, counts, tags, padding) are the readers' of `fastlua-bytecode`. "5.1" and "5.3" stand
//! where a rule is of one Lua only. R(x) is a register, K(x) a constant, RK(x) a constant where bit 8
//! is set and else a register, U(x) an upvalue.
//!
//! # A function (`function.rs`)
//!
//! - Functions are nested at most 199 levels below the main function.
//! - It has 2 to 250 registers (5.3: 255). One is enough for a function of CLOSURE, CALL and RETURN only: `luac` puts
//!   such a function around several files. Its parameters are registers, and so is `arg` in 5.1.
//! - `vararg` is 0, 2, 3 or 7 (5.3: 0 or 1).
//! - There is a last instruction, and it is RETURN.
//! - 5.3: an upvalue of an inner function is a register or an upvalue of the function around it. (In 5.1 the words
//!   behind CLOSURE say what it is.) A main function may have upvalues, since `string.dump` makes such chunks. The
//!   loader makes new ones for it: they are nil, but the first is the table of globals in 5.3.
//! - There is a line for each instruction or for none. Each local variable has a name, and no more of
//!   them are active at once than there are registers, since `debug.getlocal` takes each for one. In 5.1
//!   either all upvalues have a name or none has.
//!
//! # An instruction (`code.rs`)
//!
//! - Its opcode exists, what it does not use is 0, and each operand is what the table of opcodes says:
//!   a register below the number of registers, a constant that is there, and so on. The registers that
//!   it uses beside these exist too, such as R(A + 1) of SELF.
//! - A jump leads to an instruction of the function, never to a word that is data. Code does not run
//!   past its end.
//! - What belongs together stands together: a comparison, TEST or TESTSET and the JMP behind it;
//!   5.1's TFORLOOP and its JMP; TFORCALL and TFORLOOP; FORPREP and the FORLOOP that it leads to;
//!   TAILCALL and RETURN; LOADKX or a SETLIST and their EXTRAARG; in 5.1 a SETLIST and its count,
//!   CLOSURE and a MOVE or GETUPVAL for each upvalue.
//! - Sizes that are computed from operands stay small: a table of at most 2^26 parts.
//!
//! # What flows (`flow.rs`)
//!
//! Every way through the code is followed; where ways meet, only what holds on all of them is kept.
//!
//! 1. *Open top.* CALL and VARARG with an open number of results, and TAILCALL, leave the top of the
//!    stack open. The next instruction takes all up to the top: CALL, TAILCALL, RETURN or SETLIST
//!    with B = 0. Nothing else may follow, nothing else may come before such an instruction, and what
//!    is open begins behind the first register that is taken.
//! 2. *Set before read.* In 5.1 all registers are nil at first, in 5.3 only parameters are set. A call
//!    leaves garbage in the registers from its first one on, results aside. So do the other
//!    instructions that call; VARARG and SETLIST with an open number leave it behind themselves. In
//!    5.3 also NEWTABLE, CLOSURE and CONCAT do, since the collector clears what lies above them.
//! 3. *Types* that the virtual machine assumes. FORLOOP has numbers, made by FORPREP, in R(A)
//!    to R(A + 2). In 5.3 SETLIST has a table in R(A), and the key of SELF is a string. What a
//!    closure has captured as an upvalue may change at any time, so nothing is known of its type until
//!    it is closed: by CLOSE, or in 5.3 by JMP with A > 0.
//! 4. *Shared registers.* A call puts its function into R(A), and its registers lie behind that. None of these may be an
//!    open upvalue: through it the called function could change what the core takes for a function, or its own registers
//!    behind the verifier's back. CALL and TAILCALL call at R(A), TFORLOOP of 5.1 and TFORCALL at R(A + 3). In 5.3 CONCAT
//!    calls metamethods behind R(B), and NEWTABLE, CLOSURE and CONCAT have the collector call finalizers where it clears.
//!
//! Each step looks at one instruction. A place where ways meet is looked at again while less is known of
//! it than before; that ends, since there are 255 registers. So time is linear in the length of the code,
//! and memory is that of one state for each place where a jump leads.

mod code;
mod flow;
mod function;
mod refusal;
mod registers;

use fastlua_bytecode::{Chunk, Dialect, Function};

pub use refusal::{Refusal, Rule};

/// Checks every function of a chunk, outer ones first.
///
/// # Errors
/// The first rule that a function breaks, and where.
pub fn verify(chunk: &Chunk) -> Result<(), Box<Refusal>> {
    function::verify(chunk)
}

/// What is to be said of a function that [`has_stack_hole`].
pub const STACK_HOLE: &str = "a vararg function with more than 3 fixed parameters; 5.1 may write past \
    its stack when it is called with fewer (CVE-2014-5461)";

/// Whether 5.1's core makes too little room for a call of the function (CVE-2014-5461). Compilers make such
/// functions, so they are not refused.
///
/// A vararg function's fixed parameters are copied behind the arguments, and those that are not given are
/// not counted. Behind the stack are 5 places more, of which a metamethod's call takes 2 beyond what is
/// checked.
pub fn has_stack_hole(dialect: Dialect, function: &Function) -> bool {
    dialect == Dialect::Lua51 && function.vararg != 0 && function.params > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_of_the_stack() {
        for (dialect, vararg, params, is_one) in [
            (Dialect::Lua51, 2, 4, true),
            (Dialect::Lua51, 7, 4, true),
            (Dialect::Lua51, 2, 3, false),
            (Dialect::Lua51, 0, 9, false),
            (Dialect::Lua53, 1, 9, false),
        ] {
            let function = Function {
                vararg,
                params,
                ..Function::default()
            };
            assert_eq!(has_stack_hole(dialect, &function), is_one, "{function:?}");
        }
    }
}
