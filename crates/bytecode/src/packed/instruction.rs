//! Instructions, and the constants that they are the first to use.

use super::bits::{Bits, Out};
use super::constant::{self, by_kind};
use super::context::{
    Context, ESCAPE, First, NO_JUMP, Slot, Token, fixed, fold, no_opcode, tokens, unfold,
};
use super::function::Writer;
use crate::error::{ReadError, ReadErrorKind, WriteErrorKind};
use crate::model::Constant;
use crate::number_model::Dialect;
use crate::opcodes::Instruction;

/// References to constants: the next new one, one that is spelled and not used here, and from here on old
/// ones, the last one first.
const NEW: u32 = 0;
const SKIPPED: u32 = 1;
const OLD: u32 = 2;

/// The kind of a constant that is not spelled where it is used.
pub(super) const OTHER: u8 = 4;

/// The state of a function while its instructions are read.
pub(super) struct Body {
    pub(super) code: Vec<u32>,
    pub(super) constants: Vec<Constant>,
    count: u32,
    last: Option<u8>,
    a: u8,
    functions: u32,
}

impl Body {
    pub(super) fn new(count: u32) -> Body {
        Body {
            code: Vec::new(),
            constants: Vec::new(),
            count,
            last: None,
            a: 0,
            functions: 0,
        }
    }

    pub(super) fn read_constant(&mut self, bits: &mut Bits, kind: u8) -> Result<(), ReadError> {
        let constant = constant::read(bits, kind)?;
        self.constants.push(constant);
        Ok(())
    }

    /// The number of a constant of that kind.
    fn read_reference(&mut self, bits: &mut Bits, kind: u8) -> Result<u32, ReadError> {
        loop {
            let next = self.constants.len() as u32;
            let reference = bits.number("constant", by_kind(fixed::REFERENCE, kind))?;
            match reference {
                NEW | SKIPPED if next == self.count => break,
                NEW => {
                    self.read_constant(bits, kind)?;
                    return Ok(next);
                }
                SKIPPED => self.read_constant(bits, OTHER)?,
                old if old - OLD < next => return Ok(next - 1 - (old - OLD)),
                _ => break,
            }
        }
        let (what, number, count) = ("constant", self.constants.len() as u64, self.count as usize);
        bits.fail(ReadErrorKind::Reference {
            what,
            number,
            count,
        })
    }

    pub(super) fn read_instruction(&mut self, bits: &mut Bits) -> Result<(), ReadError> {
        const WHAT: &str = "instruction";
        let dialect = bits.layout.dialect();
        let last = self.last.unwrap_or(no_opcode(dialect));
        let number = bits.symbol(WHAT, Context::Token { last })?;
        if number == ESCAPE {
            let word = bits.raw(WHAT, 32)?;
            self.code.push(word);
            self.last = None;
            return Ok(());
        }
        let Some(&token) = tokens(dialect).get(usize::from(number)) else {
            return bits.fail(ReadErrorKind::Range { what: WHAT });
        };
        let a = match token.a {
            First::None => 0,
            way => {
                let context = Context::A {
                    opcode: token.opcode,
                    last,
                };
                let number = bits.number(WHAT, context)?;
                match way {
                    First::Near => {
                        self.a = i32::from(self.a).wrapping_add(unfold(number)) as u8;
                        self.a.into()
                    }
                    _ => number & 0xff,
                }
            }
        };
        let mut word = u32::from(token.opcode) | a << 6;
        for (slot, way) in token.slots.into_iter().enumerate() {
            let context = Context::Operand {
                token: number,
                slot: slot as u8,
            };
            let value = match way {
                Slot::None => 0,
                Slot::Direct => bits.number(WHAT, context)?,
                Slot::Near => (a as i32).wrapping_add(unfold(bits.number(WHAT, context)?)) as u32,
                Slot::Jump => NO_JUMP.wrapping_add_signed(unfold(bits.number(WHAT, context)?)),
                Slot::Function => {
                    let distance = unfold(bits.number(WHAT, context)?);
                    let value = self.functions.wrapping_add_signed(distance);
                    self.functions = value.wrapping_add(1);
                    value
                }
                Slot::Constant(kind) => {
                    let rk = if token.wide { 0 } else { 0x100 };
                    self.read_reference(bits, kind as u8)? | rk
                }
            };
            word |= place(&token, slot, value);
        }
        self.code.push(word);
        self.last = Some(token.opcode);
        Ok(())
    }
}

/// The value of a slot where its instruction has it.
fn place(token: &Token, slot: usize, value: u32) -> u32 {
    match (token.wide, slot) {
        (true, _) => value << 14,
        (false, 0) => value << 23,
        (false, _) => (value & 0x1ff) << 14,
    }
}

impl<O: Out> Writer<'_, O> {
    pub(super) fn constant(
        &mut self,
        body: &mut State,
        constants: &[Constant],
        kind: u8,
    ) -> Result<(), WriteErrorKind> {
        let index = body.spelled;
        body.spelled += 1;
        constant::write(self.out, &self.strings, kind, index, &constants[index])
    }

    /// The number of a constant, which there is.
    fn reference(
        &mut self,
        body: &mut State,
        constants: &[Constant],
        kind: u8,
        index: usize,
    ) -> Result<(), WriteErrorKind> {
        let context = by_kind(fixed::REFERENCE, kind);
        if index < body.spelled {
            let back = (body.spelled - 1 - index) as u32;
            self.out.number(context, OLD + back);
            return Ok(());
        }
        while body.spelled < index {
            self.out.number(context, SKIPPED);
            self.constant(body, constants, OTHER)?;
        }
        self.out.number(context, NEW);
        self.constant(body, constants, kind)
    }

    pub(super) fn instruction(
        &mut self,
        body: &mut State,
        constants: &[Constant],
        word: Instruction,
    ) -> Result<(), WriteErrorKind> {
        let last = body.last.unwrap_or(no_opcode(self.dialect));
        let Some(number) = token_of(self.dialect, word, constants.len()) else {
            self.out.symbol(Context::Token { last }, ESCAPE);
            self.out.raw(word.0, 32);
            body.last = None;
            return Ok(());
        };
        let token = tokens(self.dialect)[usize::from(number)];
        self.out.symbol(Context::Token { last }, number);
        let a = word.a();
        let context = Context::A {
            opcode: token.opcode,
            last,
        };
        match token.a {
            First::None => {}
            First::Direct => self.out.number(context, a),
            First::Near => {
                let before = std::mem::replace(&mut body.a, a as i32);
                self.out.number(context, fold(a as i32 - before));
            }
        }
        for (slot, way) in token.slots.into_iter().enumerate() {
            let context = Context::Operand {
                token: number,
                slot: slot as u8,
            };
            let value = value(&token, slot, word);
            match way {
                Slot::None => {}
                Slot::Direct => self.out.number(context, value),
                Slot::Near => self.out.number(context, fold(value as i32 - a as i32)),
                Slot::Jump => self
                    .out
                    .number(context, fold(value as i32 - NO_JUMP as i32)),
                Slot::Function => {
                    let next = std::mem::replace(&mut body.functions, value + 1);
                    self.out
                        .number(context, fold(value.wrapping_sub(next) as i32));
                }
                Slot::Constant(kind) => {
                    let index = (value & if token.wide { u32::MAX } else { 0xff }) as usize;
                    self.reference(body, constants, kind as u8, index)?;
                }
            }
        }
        body.last = Some(token.opcode);
        Ok(())
    }
}

/// The state of a function while its instructions are written.
#[derive(Default)]
pub(super) struct State {
    pub(super) spelled: usize,
    last: Option<u8>,
    a: i32,
    functions: u32,
}

/// The value of B (0) or C (1), or of Bx.
fn value(token: &Token, slot: usize, word: Instruction) -> u32 {
    match (token.wide, slot) {
        (true, _) => word.bx(),
        (false, 0) => word.b(),
        (false, _) => word.c(),
    }
}

/// The number of the token that an instruction is; none where it is written as it is: an unknown opcode,
/// something in an operand that it has not, a constant that there is not.
fn token_of(dialect: Dialect, word: Instruction, constants: usize) -> Option<u8> {
    let fits = |token: &Token| {
        let slot_fits = |slot: usize| {
            let value = value(token, slot, word);
            match token.slots[slot] {
                Slot::None => (token.wide && slot == 1) || value == 0,
                Slot::Constant(_) if token.wide => (value as usize) < constants,
                Slot::Constant(_) => value & 0x100 != 0 && ((value & 0xff) as usize) < constants,
                Slot::Near => value & 0x100 == 0,
                _ => true,
            }
        };
        (token.a != First::None || word.a() == 0) && slot_fits(0) && slot_fits(1)
    };
    let first = tokens(dialect).partition_point(|token| token.opcode < word.number());
    let of_opcode = tokens(dialect)[first..].iter().zip(first..);
    of_opcode
        .take_while(|(token, _)| token.opcode == word.number())
        .find(|(token, _)| fits(token))
        .map(|(_, number)| number as u8)
}
