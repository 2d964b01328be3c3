//! Stock Lua's 5.3 dump, as `ldump.c` of Lua 5.3.6 writes it.

use bstr::BString;

use crate::cursor::{self, Cursor};
use crate::debug::{
    read_lines, read_locals, read_upvalue_names, write_lines, write_locals, write_upvalue_names,
};
use crate::error::ReadErrorKind;
use crate::header::Header;
use crate::layout::Layout;
use crate::model::{Chunk, Constant, Function, Upvalue};
use crate::number::{read_float, read_integer, write_float, write_integer};
use crate::sink::{self, Sink};
use crate::values53::{SHORT_LENGTH, check_upvalue_count, upvalue_count};

const NIL: u8 = 0;
const BOOLEAN: u8 = 1;
const FLOAT: u8 = 3;
const INTEGER: u8 = 3 | 1 << 4;
const SHORT: u8 = 4;
const LONG: u8 = 4 | 1 << 4;

/// Stands before the length of a string that one byte does not hold.
const WIDE: u8 = 0xff;

/// Bytes of a function that has nothing.
const LEAST: usize = 40;

pub(crate) fn header(header: &mut Header, layout: &Layout) {
    header.push(b"\x1bLua\x53\x00\x19\x93\r\n\x1a\n");
    header.push(&[4, layout.size_t, 4, layout.integer, layout.float]);
    header.push(&0x5678_u64.to_le_bytes()[..layout.integer.into()]);
    header.push_float(layout, 370.5);
}

pub(crate) fn read_main(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Function> {
    let count = cursor.byte("upvalue count of the main function")?;
    cursor.main(|cursor| read_function(cursor, layout, Some(count)))
}

pub(crate) fn write_main(sink: &mut Sink, chunk: &Chunk) -> sink::Result<()> {
    let count = upvalue_count(sink, &chunk.main)?;
    sink.byte(count);
    write_function(sink, &chunk.layout, &chunk.main)
}

/// `upvalues` is the count that the header gives, for the main function.
fn read_function(
    cursor: &mut Cursor,
    layout: &Layout,
    upvalues: Option<u8>,
) -> cursor::Result<Function> {
    let source = read_string(cursor, layout, "source name")?;
    let line_defined = cursor.int("first line")?;
    let last_line_defined = cursor.int("last line")?;
    let params = cursor.byte("parameter count")?;
    let vararg = cursor.byte("vararg flag")?;
    let max_stack = cursor.byte("stack size")?;
    let size = cursor.int_count("instructions", 4)?;
    let code = cursor.take("code", size * 4)?;
    let code = cursor.words(code);
    let constants = read_constants(cursor, layout)?;
    let (upvalue_count, mut upvalues) = read_upvalues(cursor, upvalues)?;
    let count = cursor.int_count("functions", LEAST)?;
    let functions = cursor.functions(count, |cursor| read_function(cursor, layout, None))?;
    let lines = read_lines(cursor, size)?;
    let locals = read_locals(cursor, layout, read_string)?;
    read_upvalue_names(cursor, layout, read_string, upvalue_count, &mut upvalues)?;
    Ok(Function {
        source,
        line_defined,
        last_line_defined,
        params,
        vararg,
        max_stack,
        code,
        constants,
        functions,
        upvalues,
        lines,
        locals,
    })
}

fn write_function(sink: &mut Sink, layout: &Layout, function: &Function) -> sink::Result<()> {
    write_string(sink, layout, "source name", function.source.as_ref())?;
    sink.int("first line", function.line_defined)?;
    sink.int("last line", function.last_line_defined)?;
    sink.bytes(&[function.params, function.vararg, function.max_stack]);
    sink.count("code size", function.code.len())?;
    sink.words(&function.code);
    write_constants(sink, layout, &function.constants)?;
    write_upvalues(sink, function)?;
    sink.count("function count", function.functions.len())?;
    sink.functions(&function.functions, |sink, child| {
        write_function(sink, layout, child)
    })?;
    write_lines(sink, function)?;
    write_locals(sink, layout, write_string, &function.locals)?;
    write_upvalue_names(sink, layout, write_string, &function.upvalues)
}

fn read_constants(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Vec<Constant>> {
    const WHAT: &str = "string constant";
    let count = cursor.int_count("constants", 1)?;
    cursor.list(count, |cursor, _| {
        let start = cursor.offset();
        let tag = cursor.byte("constant type")?;
        Ok(match tag {
            NIL => Constant::Nil,
            BOOLEAN => Constant::Boolean(cursor.boolean("boolean constant")?),
            FLOAT => Constant::Float(read_float(cursor, layout)?),
            INTEGER => Constant::Integer(read_integer(cursor, layout)?),
            // Lua decides by the length, and other makers give either tag
            SHORT | LONG => match read_length(cursor, layout, WHAT)? {
                Some(length) => Constant::String(cursor.string(WHAT, length)?),
                None => return cursor.fail(start, ReadErrorKind::NoString),
            },
            other => return cursor.fail(start, ReadErrorKind::ConstantType(other)),
        })
    })
}

fn write_constants(sink: &mut Sink, layout: &Layout, constants: &[Constant]) -> sink::Result<()> {
    sink.count("constant count", constants.len())?;
    for (index, constant) in constants.iter().enumerate() {
        match constant {
            Constant::Nil => sink.byte(NIL),
            Constant::Boolean(value) => sink.bytes(&[BOOLEAN, (*value).into()]),
            Constant::Float(value) => {
                sink.byte(FLOAT);
                write_float(sink, layout, index, *value)?;
            }
            Constant::Integer(value) => {
                sink.byte(INTEGER);
                write_integer(sink, layout, index, *value)?;
            }
            Constant::String(string) => {
                sink.byte(if string.len() <= SHORT_LENGTH {
                    SHORT
                } else {
                    LONG
                });
                write_string(sink, layout, "string constant", Some(string))?;
            }
        }
    }
    Ok(())
}

/// The upvalues without their names, and their number.
fn read_upvalues(
    cursor: &mut Cursor,
    expected: Option<u8>,
) -> cursor::Result<(usize, Vec<Upvalue>)> {
    let start = cursor.offset();
    let count = cursor.int_count("upvalues", 2)?;
    check_upvalue_count(cursor, start, count, expected)?;
    let upvalues = cursor.list(count, |cursor, _| {
        Ok(Upvalue {
            name: None,
            in_stack: cursor.boolean("upvalue place")?,
            index: cursor.byte("upvalue index")?,
        })
    })?;
    Ok((count, upvalues))
}

fn write_upvalues(sink: &mut Sink, function: &Function) -> sink::Result<()> {
    let count = upvalue_count(sink, function)?;
    sink.uint(count.into(), 4);
    for upvalue in &function.upvalues {
        sink.bytes(&[upvalue.in_stack.into(), upvalue.index]);
    }
    Ok(())
}

/// A string without its NUL, which its length counts; length 0 is none.
fn read_string(
    cursor: &mut Cursor,
    layout: &Layout,
    what: &'static str,
) -> cursor::Result<Option<BString>> {
    let length = read_length(cursor, layout, what)?;
    length.map(|length| cursor.string(what, length)).transpose()
}

fn write_string(
    sink: &mut Sink,
    layout: &Layout,
    what: &'static str,
    string: Option<&BString>,
) -> sink::Result<()> {
    let Some(string) = string else {
        sink.byte(0);
        return Ok(());
    };
    let length = sink.fit_int(what, string.len() as u64 + 1)?;
    if length < WIDE.into() {
        sink.byte(length as u8);
    } else {
        sink.byte(WIDE);
        sink.uint(length.into(), layout.size_t);
    }
    sink.bytes(string);
    Ok(())
}

/// The length of the string that follows, without NUL.
fn read_length(
    cursor: &mut Cursor,
    layout: &Layout,
    what: &'static str,
) -> cursor::Result<Option<usize>> {
    let start = cursor.offset();
    let length = match cursor.byte(what)? {
        0 => return Ok(None),
        WIDE => match cursor.uint(what, layout.size_t)? {
            length if length >= WIDE.into() => length,
            _ => return cursor.fail(start, ReadErrorKind::Overlong { what }),
        },
        length => length.into(),
    };
    cursor.room(what, length - 1).map(Some)
}
