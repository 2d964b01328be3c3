//! Chunks that Lua's own tools make of compiled ones, for tests and fuzzing: `luac` of several files, and
//! `string.dump` of a function.

use fastlua_bytecode::Dialect;
use fastlua_bytecode::{Chunk, Function, Upvalue};
use fastlua_bytecode::{Format, Layout};
use fastlua_bytecode::{Op, opcodes};

/// What `luac -o` makes of several chunks, and NodeMCU's `luac.cross`: `combine` in `luac.c`. The main function calls
/// theirs in turn; in NodeMCU's 5.3 it only has them.
pub fn join(layout: Layout, chunks: &[Chunk]) -> Chunk {
    let is_51 = layout.dialect() == Dialect::Lua51;
    let calls = if layout.format == Format::NodeMcu53 {
        0
    } else {
        chunks.len()
    };
    let mut code = Vec::new();
    for i in 0..calls as u32 {
        code.push(number(layout, Op::CLOSURE) | i << 14);
        code.push(number(layout, Op::CALL) | 1 << 14 | 1 << 23);
    }
    code.push(number(layout, Op::RETURN) | 1 << 23);
    let mut functions: Vec<Function> = chunks.iter().map(|chunk| chunk.main.clone()).collect();
    let globals = Upvalue {
        name: Some("_ENV".into()),
        in_stack: true,
        index: 0,
    };
    if !is_51 {
        let first = functions.iter_mut().filter_map(|f| f.upvalues.first_mut());
        first.for_each(|upvalue| upvalue.in_stack = false);
    }
    let main = Function {
        source: Some("=(luac)".into()),
        vararg: u8::from(!is_51),
        max_stack: if layout.format == Format::Puc53 { 2 } else { 1 },
        code,
        functions,
        upvalues: if is_51 { Vec::new() } else { vec![globals] },
        ..Function::default()
    };
    Chunk { layout, main }
}

fn number(layout: Layout, op: Op) -> u32 {
    let place = opcodes(layout.dialect()).iter().position(|o| o.op == op);
    place.expect("both dialects have it") as u32
}

/// What `string.dump` makes of each function of a chunk, outer ones first.
pub fn dumps(chunk: &Chunk) -> Vec<Chunk> {
    let mut dumps = Vec::new();
    chunk.main.for_each(&mut |_, function| {
        let mut main = function.clone();
        main.source = main.source.or_else(|| chunk.main.source.clone());
        dumps.push(Chunk {
            layout: chunk.layout,
            main,
        });
    });
    dumps
}
