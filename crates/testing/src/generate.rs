//! Made-up chunks for round trips and fuzzing: valid as dumps, not as programs. One seed gives one chunk, and so does one input
//! of a fuzzer.

use arbitrary::{Arbitrary, Unstructured};

use crate::random::Random;
use fastlua_bytecode::Dialect;
use fastlua_bytecode::Layout;
use fastlua_bytecode::{Chunk, Constant, Function, Local, Upvalue};

/// A chunk of layout `layout` that every strict reader takes and every writer can write.
pub fn chunk(layout: Layout, seed: u64) -> Chunk {
    chunk_by(layout, &mut Random::new(seed))
}

/// A chunk that a fuzzer chooses.
#[derive(Debug)]
pub struct Chosen(pub Chunk);

impl<'a> Arbitrary<'a> for Chosen {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let rest = input.bytes(input.len())?;
        Chosen::arbitrary_take_rest(Unstructured::new(rest))
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut random = Random::of_input(input);
        let layouts: Vec<Layout> = Layout::all().collect();
        let layout = layouts[random.below(layouts.len() as u64) as usize];
        Ok(Chosen(chunk_by(layout, &mut random)))
    }
}

/// A chunk of layout `layout` by the numbers that come next.
pub fn chunk_by(layout: Layout, random: &mut Random) -> Chunk {
    // Names are given throughout or nowhere, as compilers do.
    let debug = Debug {
        names: random.chance(2),
        lines: !random.chance(3),
    };
    let main = function(random, &layout, &debug, 3);
    Chunk { layout, main }
}

/// Every upvalue of 5.1 is used by some instruction.
const GETUPVAL_51: u32 = 4;

struct Debug {
    names: bool,
    lines: bool,
}

fn function(random: &mut Random, layout: &Layout, debug: &Debug, depth: u64) -> Function {
    let mut code: Vec<u32> = random.list(40, |random| random.word());
    let upvalues = random.below(12);
    if layout.dialect() == Dialect::Lua51 {
        code.extend((0..upvalues).map(|index| GETUPVAL_51 | (index as u32) << 23));
    }
    let inner = random.below(depth + 1);
    Function {
        source: random.chance(2).then(|| random.string()),
        line_defined: random.int(),
        last_line_defined: random.int(),
        params: random.byte(),
        vararg: random.byte(),
        max_stack: random.byte(),
        constants: random.list(12, |random| constant(random, layout)),
        functions: (0..inner)
            .map(|_| function(random, layout, debug, depth - 1))
            .collect(),
        upvalues: (0..upvalues)
            .map(|_| upvalue(random, layout, debug))
            .collect(),
        lines: lines(random, if debug.lines { code.len() } else { 0 }),
        locals: if debug.names {
            random.list(6, local)
        } else {
            Vec::new()
        },
        code,
    }
}

fn constant(random: &mut Random, layout: &Layout) -> Constant {
    loop {
        return match random.below(6) {
            0 => Constant::Nil,
            1 => Constant::Boolean(random.chance(2)),
            2 if layout.integer == 4 => Constant::Integer((random.bits() as i32).into()),
            2 if layout.integer == 8 => Constant::Integer(random.bits() as i64),
            3 if layout.float == 4 => Constant::Float(random.narrow_float()),
            3 if layout.float == 8 => Constant::Float(random.float()),
            4 | 5 => Constant::String(random.string()),
            _ => continue,
        };
    }
}

fn upvalue(random: &mut Random, layout: &Layout, debug: &Debug) -> Upvalue {
    let name = (debug.names && !random.chance(8)).then(|| random.string());
    match layout.dialect() {
        Dialect::Lua51 => Upvalue {
            name,
            ..Upvalue::default()
        },
        Dialect::Lua53 => Upvalue {
            name,
            in_stack: random.chance(2),
            index: random.byte(),
        },
    }
}

fn local(random: &mut Random) -> Local {
    let name = (!random.chance(4)).then(|| random.string());
    Local {
        name,
        start_pc: random.int(),
        end_pc: random.int(),
    }
}

/// Runs of lines as code has them, some long, some far apart, some below zero.
fn lines(random: &mut Random, count: usize) -> Vec<i32> {
    let mut lines = Vec::with_capacity(count);
    let mut line = random.bits() as i32;
    while lines.len() < count {
        let run = if random.chance(8) {
            300
        } else {
            1 + random.below(3) as usize
        };
        lines.resize(count.min(lines.len() + run), line);
        line = match random.below(4) {
            0 => random.bits() as i32,
            1 => line.saturating_sub(random.below(200) as i32),
            _ => line.saturating_add(random.below(3) as i32),
        };
    }
    lines
}
