//! Damage to chunks, for tests and fuzzing: one change at a time, as small as a chunk made up by hand
//! would have it.

use crate::random::Random;
use fastlua_bytecode::Dialect;
use fastlua_bytecode::Layout;
use fastlua_bytecode::{Chunk, Constant, Function};
use fastlua_bytecode::{Instruction, Mode, Operand, opcodes};

/// Changes one thing in a chunk: mostly an instruction, else another part of a function. The chunk may be
/// the same afterwards, where there was nothing to change.
pub fn mutate(chunk: &mut Chunk, random: &mut Random) {
    let layout = chunk.layout;
    let mut which = random.below(count(&chunk.main));
    let function = nth(&mut chunk.main, &mut which).expect("there are as many");
    match random.below(16) {
        0 => shape(function, random),
        1 => constant(function, &layout, random),
        2 => inner(function, random),
        3 => debug(function, random),
        4 | 5 => order(function, random),
        6 => opcode(function, layout.dialect(), random),
        _ => operand(function, layout.dialect(), random),
    }
}

/// Flips one bit.
pub fn flip(bytes: &mut [u8], random: &mut Random) {
    if let Some(byte) = pick(bytes, random) {
        *byte ^= 1 << random.below(8);
    }
}

fn count(function: &Function) -> u64 {
    1 + function.functions.iter().map(count).sum::<u64>()
}

/// The function number `which`, outer ones first.
fn nth<'a>(function: &'a mut Function, which: &mut u64) -> Option<&'a mut Function> {
    if *which == 0 {
        return Some(function);
    }
    *which -= 1;
    function.functions.iter_mut().find_map(|f| nth(f, which))
}

fn pick<'a, T>(list: &'a mut [T], random: &mut Random) -> Option<&'a mut T> {
    let index = random.below(list.len().max(1) as u64);
    list.get_mut(index as usize)
}

/// A number near another one, or any of a byte.
fn near(value: u8, random: &mut Random) -> u8 {
    match random.below(4) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => random.below(8) as u8,
        _ => random.next() as u8,
    }
}

fn shape(function: &mut Function, random: &mut Random) {
    let field = match random.below(3) {
        0 => &mut function.params,
        1 => &mut function.vararg,
        _ => &mut function.max_stack,
    };
    *field = near(*field, random);
}

fn constant(function: &mut Function, layout: &Layout, random: &mut Random) {
    let other = match random.below(4) {
        0 => Constant::Nil,
        1 => Constant::Boolean(random.chance(2)),
        2 if layout.integer != 0 => Constant::Integer(random.next() as i32 as i64),
        2 => Constant::Float(random.next() as i16 as f64),
        _ => Constant::String(vec![b'a'; random.below(50) as usize].into()),
    };
    match random.below(3) {
        0 => drop(function.constants.pop()),
        1 => function.constants.push(other),
        _ => {
            if let Some(constant) = pick(&mut function.constants, random) {
                *constant = other;
            }
        }
    }
}

/// Inner functions and upvalues.
fn inner(function: &mut Function, random: &mut Random) {
    match random.below(5) {
        0 => drop(function.functions.pop()),
        1 => {
            let copy = pick(&mut function.functions, random).cloned();
            function.functions.extend(copy);
        }
        2 => drop(function.upvalues.pop()),
        3 => {
            let copy = pick(&mut function.upvalues, random).cloned();
            function.upvalues.extend(copy);
        }
        _ => {
            if let Some(upvalue) = pick(&mut function.upvalues, random) {
                match random.chance(2) {
                    true => upvalue.in_stack = !upvalue.in_stack,
                    false => upvalue.index = near(upvalue.index, random),
                }
            }
        }
    }
}

fn debug(function: &mut Function, random: &mut Random) {
    match random.below(3) {
        0 => function.lines.clear(),
        1 => {
            let copy = pick(&mut function.locals, random).cloned();
            function.locals.extend(copy);
        }
        _ => {
            if let Some(local) = pick(&mut function.locals, random) {
                match random.chance(2) {
                    true => local.start_pc = random.below(40) as u32,
                    false => local.end_pc = random.below(40) as u32,
                }
            }
        }
    }
}

/// Moves, copies and drops instructions; lines stay as many.
fn order(function: &mut Function, random: &mut Random) {
    let length = function.code.len() as u64;
    if length == 0 {
        return;
    }
    let (from, to) = (random.below(length) as usize, random.below(length) as usize);
    match random.below(4) {
        0 => function.code.swap(from, to),
        1 => function.code[to] = function.code[from],
        2 => {
            function.code.insert(to, function.code[from]);
            if let Some(&line) = function.lines.get(to) {
                function.lines.insert(to, line);
            }
        }
        _ => {
            function.code.remove(from);
            if from < function.lines.len() {
                function.lines.remove(from);
            }
        }
    }
}

fn opcode(function: &mut Function, dialect: Dialect, random: &mut Random) {
    if let Some(word) = pick(&mut function.code, random) {
        let other = random.below(opcodes(dialect).len() as u64) as u32;
        *word = *word & !0x3f | other;
    }
}

/// One operand of one instruction, near what there is of its kind.
fn operand(function: &mut Function, dialect: Dialect, random: &mut Random) {
    let limits = Limits::of(function);
    let Some(word) = pick(&mut function.code, random) else {
        return;
    };
    let Some(opcode) = Instruction(*word).opcode(dialect) else {
        *word = random.next() as u32;
        return;
    };
    let index = random.below(3) as usize;
    let (kind, value) = opcode.operands(Instruction(*word))[index];
    let wanted = limits.value(kind, value, random);
    let (shift, bits, wanted) = match (opcode.mode, index) {
        (Mode::Ax, _) => (6, 26, wanted),
        (_, 0) => (6, 8, wanted),
        (Mode::ABC, 1) => (23, 9, wanted),
        (Mode::ABC, _) => (14, 9, wanted),
        (Mode::AsBx, _) => (14, 18, wanted + 131_071),
        (Mode::ABx, _) => (14, 18, wanted),
    };
    let mask = ((1u64 << bits) - 1) as u32;
    *word = *word & !(mask << shift) | (wanted as u32 & mask) << shift;
}

/// How many there are of what operands name.
struct Limits {
    registers: usize,
    constants: usize,
    upvalues: usize,
    functions: usize,
    code: usize,
}

impl Limits {
    fn of(function: &Function) -> Limits {
        Limits {
            registers: function.max_stack.into(),
            constants: function.constants.len(),
            upvalues: function.upvalues.len(),
            functions: function.functions.len(),
            code: function.code.len(),
        }
    }

    /// Another value for an operand: one that is there, the first that is not, one beside it, or any.
    fn value(&self, kind: Operand, value: i64, random: &mut Random) -> i64 {
        let limit = match kind {
            Operand::Register => self.registers,
            Operand::Constant => self.constants,
            Operand::Upvalue => self.upvalues,
            Operand::Function => self.functions,
            Operand::Rk if random.chance(2) => self.registers,
            Operand::Rk => {
                let constants = self.constants.min(0xff) as u64;
                return 0x100 + random.below(constants + 1) as i64;
            }
            Operand::Jump => {
                let code = self.code as i64;
                return random.below(2 * self.code as u64 + 1) as i64 - code;
            }
            Operand::Flag | Operand::Unused => 2,
            Operand::Count => 4,
        };
        match random.below(8) {
            0 => value + 1,
            1 => value - 1,
            2 => limit as i64,
            3 => random.next() as i32 as i64,
            _ => random.below(limit.max(1) as u64) as i64,
        }
    }
}
