//! Functions: head, instructions with the constants that they are the first to use (`instruction.rs`), the
//! constants that are left, the functions inside.

use super::bits::{Bits, Out};
use super::constant::Strings;
use super::context::{Context, fixed, fold, unfold};
use super::instruction::{Body, OTHER, State};
use super::pool::Pool;
use super::tables::Tables;
use crate::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::model::{Chunk, Function, FunctionPath, MAX_NESTING, Upvalue};
use crate::number_model::Dialect;
use crate::opcodes::Instruction;
use crate::values51::upvalue_limit;

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

/// Writes a chunk with the names of the tables and the strings of the pool.
pub fn write(
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

/// What is written, and the function that it belongs to.
pub(super) struct Writer<'a, O> {
    pub(super) out: &'a mut O,
    pub(super) strings: Strings<'a>,
    pub(super) dialect: Dialect,
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
}
