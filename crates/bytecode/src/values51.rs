//! The common parts of NodeMCU's and stock Lua's 5.1 dumps: header, strings, constants, the number of upvalues.

use bstr::BString;
use byteorder::{ByteOrder, LE};

use crate::cursor::{self, Cursor};
use crate::error::{ReadErrorKind, WriteErrorKind};
use crate::header::Header;
use crate::layout::Layout;
use crate::model::{Constant, Function, Upvalue};
use crate::number::{read_float, read_integer, write_float, write_integer};
use crate::number_model::Dialect;
use crate::opcodes::{Instruction, Operand};
use crate::sink::{self, Sink};

const NIL: u8 = 0;
const BOOLEAN: u8 = 1;
const NUMBER: u8 = 3;
const STRING: u8 = 4;

/// Signature, version, format, then little-endian, `int`, `size_t`, instruction, number, integral.
pub(crate) fn header(header: &mut Header, layout: &Layout) {
    header.push(b"\x1bLua\x51\x00");
    header.push(&[1, 4, layout.size_t, 4]);
    header.push(&[
        layout.integer.max(layout.float),
        (layout.integer != 0).into(),
    ]);
}

/// A string with its final NUL counted and written; length 0 is none.
pub(crate) fn read_string(
    cursor: &mut Cursor,
    layout: &Layout,
    what: &'static str,
) -> cursor::Result<Option<BString>> {
    let length = cursor.uint(what, layout.size_t)?;
    if length == 0 {
        return Ok(None);
    }
    let start = cursor.offset();
    let length = cursor.room(what, length)?;
    let string = cursor.string(what, length - 1)?;
    match cursor.byte(what)? {
        0 => Ok(Some(string)),
        _ => cursor.fail(start, ReadErrorKind::Unterminated { what }),
    }
}

pub(crate) fn write_string(
    sink: &mut Sink,
    layout: &Layout,
    what: &'static str,
    string: Option<&BString>,
) -> sink::Result<()> {
    let Some(string) = string else {
        sink.uint(0, layout.size_t);
        return Ok(());
    };
    let length = sink.fit_int(what, string.len() as u64 + 1)?;
    sink.uint(length.into(), layout.size_t);
    sink.bytes(string);
    sink.byte(0);
    Ok(())
}

pub(crate) fn read_constants(
    cursor: &mut Cursor,
    layout: &Layout,
) -> cursor::Result<Vec<Constant>> {
    let count = cursor.int_count("constants", 1)?;
    cursor.list(count, |cursor, _| {
        let start = cursor.offset();
        Ok(match cursor.byte("constant type")? {
            NIL => Constant::Nil,
            BOOLEAN => Constant::Boolean(cursor.boolean("boolean constant")?),
            NUMBER if layout.integer != 0 => Constant::Integer(read_integer(cursor, layout)?),
            NUMBER => Constant::Float(read_float(cursor, layout)?),
            STRING => match read_string(cursor, layout, "string constant")? {
                Some(string) => Constant::String(string),
                None => return cursor.fail(start, ReadErrorKind::NoString),
            },
            other => return cursor.fail(start, ReadErrorKind::ConstantType(other)),
        })
    })
}

pub(crate) fn write_constants(
    sink: &mut Sink,
    layout: &Layout,
    constants: &[Constant],
) -> sink::Result<()> {
    sink.count("constant count", constants.len())?;
    for (index, constant) in constants.iter().enumerate() {
        match constant {
            Constant::Nil => sink.byte(NIL),
            Constant::Boolean(value) => sink.bytes(&[BOOLEAN, (*value).into()]),
            Constant::Integer(value) => {
                sink.byte(NUMBER);
                write_integer(sink, layout, index, *value)?;
            }
            Constant::Float(value) => {
                sink.byte(NUMBER);
                write_float(sink, layout, index, *value)?;
            }
            Constant::String(string) => {
                sink.byte(STRING);
                write_string(sink, layout, "string constant", Some(string))?;
            }
        }
    }
    Ok(())
}

/// The upvalues, `count` of them as the byte at `offset` says, of a function with code `code`. A dump
/// without names holds nothing but that byte, so it is checked against the instructions that could use
/// them: no compiler makes an upvalue that none uses.
pub(crate) fn read_upvalues(
    cursor: &mut Cursor,
    offset: usize,
    count: u8,
    code: &[u8],
) -> cursor::Result<Vec<Upvalue>> {
    let limit = upvalue_limit(code.chunks_exact(4).map(LE::read_u32));
    if usize::from(count) > limit {
        let count = count.into();
        return cursor.fail(offset, ReadErrorKind::Upvalues { count, limit });
    }
    cursor.list(count.into(), |_, _| Ok(Upvalue::default()))
}

/// The number of upvalues, checked as on reading.
pub(crate) fn write_upvalues(sink: &mut Sink, function: &Function) -> sink::Result<()> {
    let upvalues = &function.upvalues;
    if let Some(index) = upvalues
        .iter()
        .position(|upvalue| upvalue.in_stack || upvalue.index != 0)
    {
        return sink.fail(WriteErrorKind::UpvaluePlace(index));
    }
    let count = upvalues.len();
    let limit = upvalue_limit(function.code.iter().copied());
    if count > limit {
        return sink.fail(WriteErrorKind::Upvalues { count, limit });
    }
    sink.byte(count as u8);
    Ok(())
}

/// How many instructions can use an upvalue, up to 255. After CLOSURE the same words tell which upvalues
/// the new function shares.
pub(crate) fn upvalue_limit(code: impl Iterator<Item = u32>) -> usize {
    let uses = code.filter(|&word| {
        let opcode = Instruction(word).opcode(Dialect::Lua51);
        opcode.is_some_and(|opcode| opcode.b == Operand::Upvalue)
    });
    uses.count().min(255)
}
