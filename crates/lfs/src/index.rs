//! The main function of a 5.1 image: given a name it returns the module of that name, else the time stamp and
//! a table of all names.
//!
//! `luac.cross` refuses more than [`BATCH`] modules, as it fills the table at one go. Nothing else limits
//! their number: the table can be filled in batches, as the compiler does with long lists, and a name that is no
//! operand of a comparison any more is loaded before it.

use bstr::BString;
use fastlua_bytecode::{Constant, Function};

use crate::WriteError;

/// `LFIELDS_PER_FLUSH`: what one SETLIST stands for.
const BATCH: usize = 50;
/// SETLIST counts so many batches without a word of its own.
const MOST: usize = 511 * BATCH;
/// Constants that a comparison can name.
const OPERANDS: usize = 256;

const SOURCE: &str = "=(luac)";

/// Instructions of Lua 5.1, `lopcodes.h`.
const LOADK: u32 = 1;
const NEWTABLE: u32 = 10;
const JMP: u32 = 22;
const EQ: u32 = 23;
const RETURN: u32 = 30;
const SETLIST: u32 = 34;
const CLOSURE: u32 = 36;
/// Bit of an operand that is a constant.
const CONSTANT: u32 = 256;
/// A jump over two instructions.
const OVER_TWO: u32 = 131_071 + 2;

fn abc(op: u32, a: u32, b: u32, c: u32) -> u32 {
    op | a << 6 | c << 14 | b << 23
}

fn abx(op: u32, a: u32, bx: u32) -> u32 {
    op | a << 6 | bx << 14
}

/// The function for modules of these names, without their functions.
pub(crate) fn function(names: &[BString], timestamp: Constant) -> Result<Function, WriteError> {
    let count = names.len();
    if count > MOST {
        return Err(WriteError::Modules(count, MOST));
    }
    let mut code = Vec::new();
    for i in 0..count {
        let n = i as u32;
        if i < OPERANDS {
            code.push(abc(EQ, 0, 0, n | CONSTANT));
        } else {
            code.extend([abx(LOADK, 1, n), abc(EQ, 0, 0, 1)]);
        }
        code.extend([
            abx(JMP, 0, OVER_TWO),
            abx(CLOSURE, 1, n),
            abc(RETURN, 1, 2, 0),
        ]);
    }
    code.push(abx(LOADK, 1, count as u32));
    code.push(abc(NEWTABLE, 2, floating_byte(count as u32), 0));
    let numbers: Vec<u32> = (0..count as u32).collect();
    for (batch, numbers) in numbers.chunks(BATCH).enumerate() {
        for (register, &n) in (3..).zip(numbers) {
            code.push(abx(LOADK, register, n));
        }
        code.push(abc(SETLIST, 2, numbers.len() as u32, batch as u32 + 1));
    }
    code.extend([abc(RETURN, 1, 3, 0), abc(RETURN, 0, 1, 0)]);
    let names = names.iter().cloned().map(Constant::String);
    Ok(Function {
        source: Some(SOURCE.into()),
        params: 1,
        max_stack: count.min(BATCH) as u8 + 3,
        code,
        constants: names.chain([timestamp]).collect(),
        ..Function::default()
    })
}

/// A size as NEWTABLE has it, `luaO_int2fb`: three bits, and how often they are doubled.
fn floating_byte(mut size: u32) -> u32 {
    let mut doubled = 0;
    while size >= 16 {
        size = size.div_ceil(2);
        doubled += 1;
    }
    match size {
        0..8 => size,
        _ => (doubled + 1) << 3 | (size - 8),
    }
}
