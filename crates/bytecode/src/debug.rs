//! Debug data that the 5.1 formats and stock 5.3 write alike. Only their strings differ.

use bstr::BString;

use crate::cursor::{self, Cursor};
use crate::error::{ReadErrorKind, WriteErrorKind};
use crate::layout::Layout;
use crate::model::{Function, Local, Upvalue};
use crate::number_model::Dialect;
use crate::sink::{self, Sink};

/// How the format reads a string.
type ReadString = fn(&mut Cursor, &Layout, &'static str) -> cursor::Result<Option<BString>>;

/// How the format writes a string.
type WriteString = fn(&mut Sink, &Layout, &'static str, Option<&BString>) -> sink::Result<()>;

/// Stock Lua's line info, an `int` for each of `code` instructions or nothing.
pub(crate) fn read_lines(cursor: &mut Cursor, code: usize) -> cursor::Result<Vec<i32>> {
    let start = cursor.offset();
    let lines = cursor.int_count("lines", 4)?;
    if lines != 0 && lines != code {
        return cursor.fail(start, ReadErrorKind::LineCount { lines, code });
    }
    let lines = cursor.take("lines", 4 * lines)?;
    Ok(cursor.signed_words(lines))
}

pub(crate) fn write_lines(sink: &mut Sink, function: &Function) -> sink::Result<()> {
    check_lines(sink, function)?;
    sink.count("line count", function.lines.len())?;
    for &line in &function.lines {
        sink.bytes(&line.to_le_bytes());
    }
    Ok(())
}

/// Whether `function` has a line for every instruction, or none at all.
pub(crate) fn check_lines(sink: &Sink, function: &Function) -> sink::Result<()> {
    match (function.lines.len(), function.code.len()) {
        (lines, code) if lines != 0 && lines != code => {
            sink.fail(WriteErrorKind::Lines { lines, code })
        }
        _ => Ok(()),
    }
}

pub(crate) fn read_locals(
    cursor: &mut Cursor,
    layout: &Layout,
    read_string: ReadString,
) -> cursor::Result<Vec<Local>> {
    let count = cursor.int_count("locals", 9)?;
    cursor.list(count, |cursor, _| {
        Ok(Local {
            name: read_string(cursor, layout, "local name")?,
            start_pc: cursor.int("local start")?,
            end_pc: cursor.int("local end")?,
        })
    })
}

pub(crate) fn write_locals(
    sink: &mut Sink,
    layout: &Layout,
    write_string: WriteString,
    locals: &[Local],
) -> sink::Result<()> {
    sink.count("local count", locals.len())?;
    for local in locals {
        write_string(sink, layout, "local name", local.name.as_ref())?;
        sink.int("local start", local.start_pc)?;
        sink.int("local end", local.end_pc)?;
    }
    Ok(())
}

/// Gives `upvalues`, which are `count`, their names: all of them or none.
pub(crate) fn read_upvalue_names(
    cursor: &mut Cursor,
    layout: &Layout,
    read_string: ReadString,
    count: usize,
    upvalues: &mut [Upvalue],
) -> cursor::Result<()> {
    let start = cursor.offset();
    let names = cursor.int_count("upvalue names", 1)?;
    let mut given = 0;
    for index in 0..names {
        let name = read_string(cursor, layout, "upvalue name")?;
        given += usize::from(name.is_some());
        if let Some(upvalue) = upvalues.get_mut(index) {
            upvalue.name = name;
        }
    }
    // Stock 5.3 counts empty names when it dumps a function that was loaded without names.
    let none = given == 0 && layout.dialect() == Dialect::Lua51;
    if names != 0 && (names != count || none) {
        let kind = ReadErrorKind::UpvalueNames {
            names: given,
            upvalues: count,
        };
        return cursor.fail(start, kind);
    }
    Ok(())
}

pub(crate) fn write_upvalue_names(
    sink: &mut Sink,
    layout: &Layout,
    write_string: WriteString,
    upvalues: &[Upvalue],
) -> sink::Result<()> {
    let is_loaded = sink.counts_missing_names() && layout.dialect() == Dialect::Lua53;
    let named = is_loaded || upvalues.iter().any(|upvalue| upvalue.name.is_some());
    let upvalues = if named { upvalues } else { &[] };
    sink.count("upvalue count", upvalues.len())?;
    for upvalue in upvalues {
        write_string(sink, layout, "upvalue name", upvalue.name.as_ref())?;
    }
    Ok(())
}
