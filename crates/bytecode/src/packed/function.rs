//! Functions: head, instructions with the constants that they are the first to use, the constants that are
//! left, the functions inside.

use super::bits::{Bits, Out};
use super::constant::{self, Strings, by_kind};
use super::context::{
    Context, ESCAPE, First, NO_JUMP, Slot, Token, fixed, fold, no_opcode, tokens, unfold,
};
use super::pool::Pool;
use super::tables::Tables;
use crate::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::model::{Chunk, Constant, Function, FunctionPath, MAX_NESTING, Upvalue};
use crate::numbers::Dialect;
use crate::opcodes::Instruction;
use crate::values51::upvalue_limit;

/// References to constants: the next new one, one that is spelled and not used here, and from here on old
/// ones, the last one first.
const NEW: u32 = 0;
const SKIPPED: u32 = 1;
const OLD: u32 = 2;

const fn at(place: u8) -> Context {
    Context::Fixed(place)
}

/// The main function.
pub(crate) fn read(bits: &mut Bits) -> Result<Function, ReadError> {
    read_function(bits, &mut 0)
}

fn read_function(bits: &mut Bits, line: &mut u32) -> Result<Function, ReadError> {
    let params = bits.byte("parameter count", at(fixed::PARAMS))?;
    let vararg = bits.byte("vararg flags", at(fixed::VARARG))?;
    let max_stack = bits.byte("stack size", at(fixed::STACK))?;
    let upvalue_count = bits.byte("upvalue count", at(fixed::UPVALUES))?;
    let line_defined = read_line(bits, "first line", fixed::LINE, *line)?;
    let last_line_defined = read_line(bits, "last line", fixed::LINES, line_defined)?;
    *line = line_defined;
    let upvalues = read_upvalues(bits, upvalue_count)?;
    let size = bits.number("instructions", at(fixed::CODE))?;
    let count = bits.number("constants", at(fixed::CONSTANTS))?;
    let functions = bits.number("functions", at(fixed::FUNCTIONS))?;
    for (what, count) in [
        ("instructions", size),
        ("constants", count),
        ("functions", functions),
    ] {
        let left = bits.left();
        if count as usize > left {
            let (count, least) = (count.into(), 1);
            return bits.fail(ReadErrorKind::Count {
                what,
                count,
                least,
                left,
            });
        }
    }
    let mut body = Body::new(count);
    for _ in 0..size {
        body.read_instruction(bits)?;
    }
    while body.constants.len() < count as usize {
        body.read_constant(bits, OTHER)?;
    }
    let limit = upvalue_limit(body.code.iter().copied());
    if bits.layout.dialect() == Dialect::Lua51 && upvalues.len() > limit {
        let count = upvalue_count.into();
        return bits.fail(ReadErrorKind::Upvalues { count, limit });
    }
    let Body {
        code, constants, ..
    } = body;
    let functions = (0..functions).map(|index| bits.inner(index, |bits| read_function(bits, line)));
    Ok(Function {
        source: None,
        line_defined,
        last_line_defined,
        params,
        vararg,
        max_stack,
        code,
        constants,
        functions: functions.collect::<Result<_, _>>()?,
        upvalues,
        lines: Vec::new(),
        locals: Vec::new(),
    })
}

fn read_line(bits: &mut Bits, what: &'static str, place: u8, from: u32) -> Result<u32, ReadError> {
    let distance = unfold(bits.number(what, at(place))?);
    match from.wrapping_add_signed(distance) {
        line if line <= i32::MAX as u32 => Ok(line),
        _ => bits.fail(ReadErrorKind::Range { what }),
    }
}

fn read_upvalues(bits: &mut Bits, count: u8) -> Result<Vec<Upvalue>, ReadError> {
    if bits.layout.dialect() == Dialect::Lua51 {
        return Ok(vec![Upvalue::default(); count.into()]);
    }
    let upvalues = (0..count).map(|_| {
        let what = "upvalue place";
        let place = bits.number(what, at(fixed::IN_STACK))?;
        let in_stack = match place {
            0 | 1 => place == 1,
            value => {
                let value = value.min(255) as u8;
                return bits.fail(ReadErrorKind::Boolean { what, value });
            }
        };
        Ok(Upvalue {
            name: None,
            in_stack,
            index: bits.byte("upvalue index", at(fixed::INDEX + place as u8))?,
        })
    });
    upvalues.collect()
}

const OTHER: u8 = 4;

/// What is known of a function while its instructions are read.
struct Body {
    code: Vec<u32>,
    constants: Vec<Constant>,
    count: u32,
    last: Option<u8>,
    a: u8,
    functions: u32,
}

impl Body {
    fn new(count: u32) -> Body {
        Body {
            code: Vec::new(),
            constants: Vec::new(),
            count,
            last: None,
            a: 0,
            functions: 0,
        }
    }

    fn read_constant(&mut self, bits: &mut Bits, kind: u8) -> Result<(), ReadError> {
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

    fn read_instruction(&mut self, bits: &mut Bits) -> Result<(), ReadError> {
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

/// Writes a chunk with the names of the tables and the strings of the pool.
pub(crate) fn write(
    out: &mut impl Out,
    chunk: &Chunk,
    tables: &Tables,
    pool: &Pool,
) -> Result<(), WriteError> {
    let strings = Strings {
        layout: &chunk.layout,
        tables,
        pool,
    };
    let mut writer = Writer {
        out,
        strings,
        dialect: chunk.layout.dialect(),
        line: 0,
        path: FunctionPath::default(),
    };
    let written = writer.function(&chunk.main);
    written.map_err(|kind| WriteError {
        function: writer.path,
        kind,
    })
}

struct Writer<'a, O> {
    out: &'a mut O,
    strings: Strings<'a>,
    dialect: Dialect,
    line: u32,
    path: FunctionPath,
}

impl<O: Out> Writer<'_, O> {
    fn function(&mut self, function: &Function) -> Result<(), WriteErrorKind> {
        self.refuse_debug_data(function)?;
        let upvalues = self.check_upvalues(function)?;
        self.number(fixed::PARAMS, function.params.into());
        self.number(fixed::VARARG, function.vararg.into());
        self.number(fixed::STACK, function.max_stack.into());
        self.number(fixed::UPVALUES, upvalues.into());
        let (first, last) = (function.line_defined, function.last_line_defined);
        self.write_line("first line", fixed::LINE, self.line, first)?;
        self.write_line("last line", fixed::LINES, first, last)?;
        self.line = first;
        if self.dialect == Dialect::Lua53 {
            for upvalue in &function.upvalues {
                self.number(fixed::IN_STACK, upvalue.in_stack.into());
                let place = fixed::INDEX + u8::from(upvalue.in_stack);
                self.number(place, upvalue.index.into());
            }
        }
        self.count("code size", fixed::CODE, function.code.len())?;
        self.count("constant count", fixed::CONSTANTS, function.constants.len())?;
        self.count("function count", fixed::FUNCTIONS, function.functions.len())?;
        let mut body = State::default();
        for &word in &function.code {
            self.instruction(&mut body, &function.constants, Instruction(word))?;
        }
        while body.spelled < function.constants.len() {
            self.constant(&mut body, &function.constants, OTHER)?;
        }
        if !function.functions.is_empty() && self.path.0.len() == MAX_NESTING {
            return Err(WriteErrorKind::Nesting);
        }
        for (index, inner) in (0..).zip(&function.functions) {
            self.path.0.push(index);
            self.function(inner)?;
            self.path.0.pop();
        }
        Ok(())
    }

    fn refuse_debug_data(&self, function: &Function) -> Result<(), WriteErrorKind> {
        let data = [
            ("a source name", function.source.is_some()),
            ("line numbers", !function.lines.is_empty()),
            ("local variables", !function.locals.is_empty()),
            (
                "upvalue names",
                function
                    .upvalues
                    .iter()
                    .any(|upvalue| upvalue.name.is_some()),
            ),
        ];
        match data.into_iter().find(|(_, there)| *there) {
            Some((what, _)) => Err(WriteErrorKind::DebugData(what)),
            None => Ok(()),
        }
    }

    fn check_upvalues(&self, function: &Function) -> Result<u8, WriteErrorKind> {
        let count = function.upvalues.len();
        let mut limit = 255;
        if self.dialect == Dialect::Lua51 {
            limit = upvalue_limit(function.code.iter().copied());
            let placed = |upvalue: &Upvalue| upvalue.in_stack || upvalue.index != 0;
            if let Some(index) = function.upvalues.iter().position(placed) {
                return Err(WriteErrorKind::UpvaluePlace(index));
            }
        }
        match u8::try_from(count) {
            Ok(small) if count <= limit => Ok(small),
            _ => Err(WriteErrorKind::Upvalues { count, limit }),
        }
    }

    fn number(&mut self, place: u8, value: u32) {
        self.out.number(at(place), value);
    }

    fn count(&mut self, what: &'static str, place: u8, count: usize) -> Result<(), WriteErrorKind> {
        match i32::try_from(count) {
            Ok(count) => self.number(place, count as u32),
            Err(_) => {
                return Err(WriteErrorKind::Int {
                    what,
                    value: count as u64,
                });
            }
        }
        Ok(())
    }

    fn write_line(
        &mut self,
        what: &'static str,
        place: u8,
        from: u32,
        to: u32,
    ) -> Result<(), WriteErrorKind> {
        if to > i32::MAX as u32 {
            return Err(WriteErrorKind::Int {
                what,
                value: to.into(),
            });
        }
        self.number(place, fold(to.wrapping_sub(from) as i32));
        Ok(())
    }

    fn constant(
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

    fn instruction(
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

/// What is known of a function while its instructions are written.
#[derive(Default)]
struct State {
    spelled: usize,
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
