//! Made-up chunks for round trips and fuzzing: valid as dumps, not as programs. One seed gives one chunk.

use crate::layout::Layout;
use crate::model::{Chunk, Constant, Function, Local, Upvalue};
use crate::numbers::Dialect;
use crate::random::Random;

/// A chunk of layout `layout` that every strict reader takes and every writer can write.
pub fn chunk(layout: Layout, seed: u64) -> Chunk {
    let mut random = Random::new(seed);
    // Names are given throughout or nowhere, as compilers do.
    let debug = Debug {
        names: random.chance(2),
        lines: !random.chance(3),
    };
    let main = function(&mut random, &layout, &debug, 3);
    Chunk { layout, main }
}

/// Every upvalue of 5.1 is used by some instruction.
const GETUPVAL_51: u32 = 4;

struct Debug {
    names: bool,
    lines: bool,
}

fn function(random: &mut Random, layout: &Layout, debug: &Debug, depth: u64) -> Function {
    let mut code: Vec<u32> = random.list(40, |random| random.next() as u32);
    let upvalues = random.below(12);
    if layout.dialect() == Dialect::Lua51 {
        code.extend((0..upvalues).map(|index| GETUPVAL_51 | (index as u32) << 23));
    }
    let inner = random.below(depth + 1);
    Function {
        source: random.chance(2).then(|| random.string()),
        line_defined: random.int(),
        last_line_defined: random.int(),
        params: random.next() as u8,
        vararg: random.next() as u8,
        max_stack: random.next() as u8,
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
            index: random.next() as u8,
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bstr::ByteSlice;

    use super::*;
    use crate::codec::{read, write, write_as_reference};
    use crate::layout::Format;
    use crate::reference_lines::LineNote;

    /// Every layout, for a second in all.
    #[test]
    fn generated_chunks_come_back() {
        let start = Instant::now();
        let mut seed = 0;
        while seed < 40 || start.elapsed() < Duration::from_secs(1) {
            for layout in Layout::all() {
                let chunk = chunk(layout, seed);
                let bytes =
                    write(&chunk).unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
                let back = read(&bytes, &layout);
                let back = back.unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
                assert!(back == chunk, "{seed} {layout}");
            }
            seed += 1;
        }
    }

    /// NodeMCU's 5.3 compiler announces names in a chunk that it has stripped itself.
    #[test]
    fn announced_names_may_be_none() {
        const MARK: &[u8] = b"a name of 13.";
        const MARK_WRITTEN: &[u8] = b"\x5ea name of 13.";
        const NONE: &[u8] = b"\x50";
        let mut announced = 0;
        for layout in Layout::all().filter(|layout| layout.format == Format::NodeMcu53) {
            for seed in 0..20 {
                let mut stripped = chunk(layout, seed);
                let mut marked = stripped.clone();
                for (chunk, name) in [(&mut stripped, None), (&mut marked, Some(MARK.into()))] {
                    chunk.main.for_each_mut(&mut |function| {
                        let upvalues = function.upvalues.iter_mut();
                        upvalues.for_each(|upvalue| upvalue.name = name.clone());
                    });
                }
                let bytes = write(&marked).unwrap().replace(MARK_WRITTEN, NONE);
                announced += usize::from(bytes != write(&stripped).unwrap());
                assert!(
                    read(&bytes, &layout).unwrap() == stripped,
                    "{seed} {layout}"
                );
            }
        }
        assert!(announced > 60, "{announced} chunks announce names");
    }

    /// However lines are changed while a function is put together, each instruction has one in the end.
    #[test]
    fn the_reference_packing_reads() {
        let packed = [Format::NodeMcu51, Format::NodeMcu53];
        for layout in Layout::all().filter(|layout| packed.contains(&layout.format)) {
            for seed in 0..20 {
                let mut chunk = chunk(layout, seed);
                chunk.main.functions.clear();
                chunk.main.lines = vec![0; chunk.main.code.len()];
                let mut random = Random::new(seed);
                let mut notes = Vec::new();
                for pc in 0..chunk.main.code.len() as u32 {
                    for _ in 0..=random.below(3) {
                        let line = 1 + random.below(1000) as i32;
                        notes.push(LineNote { pc, line });
                    }
                }
                let bytes = write_as_reference(&chunk, &[notes]).unwrap();
                let mut back = read(&bytes, &layout).unwrap();
                assert_eq!(back.main.lines.len(), chunk.main.code.len());
                back.main.lines.fill(0);
                assert!(back == chunk, "{seed} {layout}");
            }
        }
    }

    /// Their operands point anywhere, and some opcodes are none.
    #[test]
    fn generated_chunks_can_be_listed() {
        for layout in Layout::all() {
            for seed in 0..20 {
                let chunk = chunk(layout, seed);
                let instructions = chunk.main.code.len();
                let listing = chunk.listing().to_string();
                let heading = format!("({instructions} instruction");
                assert!(listing.contains(&heading), "{seed} {layout}");
            }
        }
    }

    #[test]
    fn one_seed_gives_one_chunk() {
        let layout = Layout::all().last().unwrap();
        assert!(chunk(layout, 5) == chunk(layout, 5));
        assert!(chunk(layout, 5) != chunk(layout, 6));
    }
}
