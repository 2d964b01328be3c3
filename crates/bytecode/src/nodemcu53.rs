//! NodeMCU's Lua 5.3 dump, as `app/lua53/ldump.c` of nodemcu-firmware 3.0.0 writes it: counts and
//! integers of variable length, functions before the code, packed line info.

use bstr::{BString, ByteSlice};

use crate::cursor::{self, Cursor};
use crate::error::{ReadErrorKind, WriteErrorKind};
use crate::header::Header;
use crate::layout::Layout;
use crate::lineinfo::{FULL_53, pack_lines, read_lines};
use crate::model::{Chunk, Constant, Function, Local, Upvalue};
use crate::number::{check_integer, read_float, write_float};
use crate::sink::{self, Sink};
use crate::values53::{SHORT_LENGTH, check_upvalue_count, upvalue_count};
use crate::varint::{read_typed, read_varint, write_typed, write_varint};

const NIL: u8 = 0x00;
const FALSE: u8 = 0x10;
const TRUE: u8 = 0x11;
const FLOAT: u8 = 0x20;
const POSITIVE: u8 = 0x30;
const NEGATIVE: u8 = 0x40;
const SHORT: u8 = 0x50;
const LONG: u8 = 0x60;
const TYPE: u8 = 0x70;

/// Bytes of a function that has nothing.
const LEAST: usize = 13;

/// The format byte of a dump.
const DUMP: u8 = 10;
/// And of an image, which has several functions whose strings are numbers.
const IMAGE: u8 = 11;

pub(crate) fn header(header: &mut Header, layout: &Layout) {
    fill(header, layout, DUMP);
}

/// The header of an image of the layout.
pub fn image_header(layout: &Layout) -> Vec<u8> {
    let mut header = Header::new();
    fill(&mut header, layout, IMAGE);
    header.bytes().to_vec()
}

fn fill(header: &mut Header, layout: &Layout, format: u8) {
    header.push(b"\x1bLua\x53");
    header.push(&[format]);
    header.push(b"\x19\x93\r\n\x1a\n");
    header.push(&[4, 4, layout.integer, layout.float, FLOAT]);
    header.push_float(layout, 370.5);
}

pub(crate) fn read_main(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Function> {
    let count = cursor.byte("upvalue count of the main function")?;
    cursor.main(|cursor| read_function(cursor, layout, Some(count)))
}

pub(crate) fn write_main(sink: &mut Sink, chunk: &Chunk) -> sink::Result<()> {
    let count = upvalue_count(sink, &chunk.main)?;
    sink.byte(count);
    write_function(sink, &chunk.layout, &chunk.main, has_names(&chunk.main))
}

/// Whether an upvalue has a name. Every function of a dump says so of the whole dump.
fn has_names(function: &Function) -> bool {
    function
        .upvalues
        .iter()
        .any(|upvalue| upvalue.name.is_some())
        || function.functions.iter().any(has_names)
}

/// The functions of an image: their count, and each as a dump has it.
pub fn read_functions(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Vec<Function>> {
    let count = read_count(cursor, "functions", LEAST)?;
    cursor.functions(count, |cursor| read_function(cursor, layout, None))
}

/// Writes the functions of an image.
pub fn write_functions(
    sink: &mut Sink,
    layout: &Layout,
    functions: &[Function],
) -> sink::Result<()> {
    let names = functions.iter().any(has_names);
    write_count(sink, "function count", functions.len())?;
    sink.functions(functions, |sink, function| {
        write_function(sink, layout, function, names)
    })
}

/// `upvalues` is the count that the header gives, for the main function.
fn read_function(
    cursor: &mut Cursor,
    layout: &Layout,
    upvalues: Option<u8>,
) -> cursor::Result<Function> {
    let source = read_string(cursor, "source name")?;
    let line_defined = read_varint(cursor, "first line")?;
    let last_line_defined = read_varint(cursor, "last line")?;
    let params = cursor.byte("parameter count")?;
    let vararg = cursor.byte("vararg flag")?;
    let max_stack = cursor.byte("stack size")?;
    let count = read_count(cursor, "functions", LEAST)?;
    let functions = cursor.functions(count, |cursor| read_function(cursor, layout, None))?;
    let size = read_count(cursor, "instructions", 4)?;
    let code = cursor.take("code", size * 4)?;
    let code = cursor.words(code);
    let constants = read_constants(cursor, layout)?;
    let upvalues = read_upvalues(cursor, upvalues)?;
    let length = read_count(cursor, "bytes of line info", 1)?;
    let lines = read_lines(cursor, length, size, FULL_53)?;
    let locals = read_locals(cursor)?;
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

fn write_function(
    sink: &mut Sink,
    layout: &Layout,
    function: &Function,
    names: bool,
) -> sink::Result<()> {
    write_string(sink, "source name", function.source.as_ref())?;
    write_int(sink, "first line", function.line_defined)?;
    write_int(sink, "last line", function.last_line_defined)?;
    sink.bytes(&[function.params, function.vararg, function.max_stack]);
    write_count(sink, "function count", function.functions.len())?;
    sink.functions(&function.functions, |sink, child| {
        write_function(sink, layout, child, names)
    })?;
    write_count(sink, "code size", function.code.len())?;
    sink.words(&function.code);
    write_constants(sink, layout, &function.constants)?;
    write_upvalues(sink, function, names)?;
    let packed = pack_lines(sink, function, FULL_53)?;
    write_count(sink, "line info size", packed.len())?;
    sink.bytes(&packed);
    write_locals(sink, &function.locals)
}

fn read_constants(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Vec<Constant>> {
    const WHAT: &str = "integer constant";
    let limit = if layout.integer == 4 {
        i32::MAX.into()
    } else {
        i64::MAX
    };
    let count = read_count(cursor, "constants", 1)?;
    cursor.list(count, |cursor, _| {
        let start = cursor.offset();
        let tag = cursor.peek("constant type")?;
        match tag & TYPE {
            POSITIVE | NEGATIVE => {
                let (kind, value) = read_typed(cursor, WHAT, limit as u64)?;
                let value = value as i64;
                Ok(Constant::Integer(if kind == NEGATIVE {
                    -value - 1
                } else {
                    value
                }))
            }
            SHORT | LONG => match read_string(cursor, "string constant")? {
                Some(string) => Ok(Constant::String(string)),
                None => cursor.fail(start, ReadErrorKind::NoString),
            },
            _ => match cursor.byte("constant type")? {
                NIL => Ok(Constant::Nil),
                FALSE => Ok(Constant::Boolean(false)),
                TRUE => Ok(Constant::Boolean(true)),
                FLOAT => Ok(Constant::Float(read_float(cursor, layout)?)),
                other => cursor.fail(start, ReadErrorKind::ConstantType(other)),
            },
        }
    })
}

fn write_constants(sink: &mut Sink, layout: &Layout, constants: &[Constant]) -> sink::Result<()> {
    write_count(sink, "constant count", constants.len())?;
    for (index, constant) in constants.iter().enumerate() {
        match constant {
            Constant::Nil => sink.byte(NIL),
            Constant::Boolean(value) => sink.byte(if *value { TRUE } else { FALSE }),
            Constant::Float(value) => {
                sink.byte(FLOAT);
                write_float(sink, layout, index, *value)?;
            }
            Constant::Integer(value) => {
                check_integer(sink, layout, index, *value)?;
                match u64::try_from(*value) {
                    Ok(value) => write_typed(sink, POSITIVE, value),
                    Err(_) => write_typed(sink, NEGATIVE, !value as u64),
                }
            }
            Constant::String(string) => write_string(sink, "string constant", Some(string))?,
        }
    }
    Ok(())
}

/// The names may be announced and yet be none: NodeMCU's compiler strips them before it dumps.
fn read_upvalues(cursor: &mut Cursor, expected: Option<u8>) -> cursor::Result<Vec<Upvalue>> {
    let named = cursor.boolean("upvalue names flag")?;
    let start = cursor.offset();
    let count = read_count(cursor, "upvalues", if named { 3 } else { 2 })?;
    check_upvalue_count(cursor, start, count, expected)?;
    cursor.list(count, |cursor, _| {
        let name = if named {
            read_string(cursor, "upvalue name")?
        } else {
            None
        };
        Ok(Upvalue {
            name,
            in_stack: cursor.boolean("upvalue place")?,
            index: cursor.byte("upvalue index")?,
        })
    })
}

fn write_upvalues(sink: &mut Sink, function: &Function, names: bool) -> sink::Result<()> {
    let count = upvalue_count(sink, function)?;
    sink.byte(names.into());
    write_varint(sink, count.into());
    for upvalue in &function.upvalues {
        if names {
            write_string(sink, "upvalue name", upvalue.name.as_ref())?;
        }
        sink.bytes(&[upvalue.in_stack.into(), upvalue.index]);
    }
    Ok(())
}

fn read_locals(cursor: &mut Cursor) -> cursor::Result<Vec<Local>> {
    let count = read_count(cursor, "locals", 3)?;
    cursor.list(count, |cursor, _| {
        Ok(Local {
            name: read_string(cursor, "local name")?,
            start_pc: read_varint(cursor, "local start")?,
            end_pc: read_varint(cursor, "local end")?,
        })
    })
}

fn write_locals(sink: &mut Sink, locals: &[Local]) -> sink::Result<()> {
    write_count(sink, "local count", locals.len())?;
    for local in locals {
        write_string(sink, "local name", local.name.as_ref())?;
        write_int(sink, "local start", local.start_pc)?;
        write_int(sink, "local end", local.end_pc)?;
    }
    Ok(())
}

/// A string without its NUL, which its length counts; length 0 is none. In an image its number stands for it.
pub fn read_string(cursor: &mut Cursor, what: &'static str) -> cursor::Result<Option<BString>> {
    let start = cursor.offset();
    let (tag, number) = read_typed(cursor, what, i32::MAX as u64)?;
    if tag != SHORT && tag != LONG {
        return cursor.fail(start, ReadErrorKind::StringTag { what, tag });
    }
    let short = tag == SHORT;
    let Some(length) = (number as usize).checked_sub(1) else {
        return match short {
            true => Ok(None),
            false => cursor.fail(start, ReadErrorKind::StringTag { what, tag }),
        };
    };
    if let Some(pool) = cursor.pool() {
        let count = pool.len();
        return match pool.get(length) {
            Some(string) if short == (string.len() <= SHORT_LENGTH) => {
                cursor.copy(start, string).map(Some)
            }
            Some(_) => cursor.fail(start, ReadErrorKind::StringTag { what, tag }),
            None => cursor.fail(
                start,
                ReadErrorKind::Reference {
                    what,
                    number,
                    count,
                },
            ),
        };
    }
    if short != (length <= SHORT_LENGTH) {
        return cursor.fail(
            start,
            ReadErrorKind::StringLength {
                what,
                length,
                short,
            },
        );
    }
    cursor.string(what, length).map(Some)
}

/// Writes a string, or its number where the sink has numbers.
pub fn write_string(
    sink: &mut Sink,
    what: &'static str,
    string: Option<&BString>,
) -> sink::Result<()> {
    let Some(string) = string else {
        write_typed(sink, SHORT, 0);
        return Ok(());
    };
    let tag = if string.len() <= SHORT_LENGTH {
        SHORT
    } else {
        LONG
    };
    if let Some(pool) = sink.pool() {
        return match pool.get(string.as_bstr()) {
            Some(number) => {
                write_typed(sink, tag, (*number).into());
                Ok(())
            }
            None => sink.fail(WriteErrorKind::NoNumber(string.clone())),
        };
    }
    let length = sink.fit_int(what, string.len() as u64 + 1)?;
    write_typed(sink, tag, length.into());
    sink.bytes(string);
    Ok(())
}

/// A number of things that take `least` bytes or more each.
fn read_count(cursor: &mut Cursor, what: &'static str, least: usize) -> cursor::Result<usize> {
    let start = cursor.offset();
    let count = read_varint(cursor, what)?;
    cursor.check_count(start, what, count, least)
}

fn write_count(sink: &mut Sink, what: &'static str, count: usize) -> sink::Result<()> {
    let count = sink.fit_int(what, count as u64)?;
    write_varint(sink, count);
    Ok(())
}

fn write_int(sink: &mut Sink, what: &'static str, value: u32) -> sink::Result<()> {
    let value = sink.fit_int(what, value.into())?;
    write_varint(sink, value);
    Ok(())
}
