//! NodeMCU's Lua 5.1 dump, as `app/lua/ldump.c` of nodemcu-firmware 3.0.0 writes it. Code and line info
//! begin at multiples of 4 from the start of the dump; line info is packed.

use crate::cursor::{self, Cursor};
use crate::debug::{read_locals, read_upvalue_names, write_locals, write_upvalue_names};
use crate::layout::Layout;
use crate::lineinfo::{FULL_51, pack_lines, read_lines};
use crate::model::Function;
use crate::sink::{self, Sink};
use crate::values51::{
    read_constants, read_string, read_upvalues, write_constants, write_string, write_upvalues,
};

/// Bytes of a function that has nothing.
const LEAST: usize = 40;

pub(crate) fn read_function(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<Function> {
    let source = read_string(cursor, layout, "source name")?;
    let line_defined = cursor.int("first line")?;
    let last_line_defined = cursor.int("last line")?;
    let upvalues_at = cursor.offset();
    let upvalue_count = cursor.byte("upvalue count")?;
    let params = cursor.byte("parameter count")?;
    let vararg = cursor.byte("vararg flags")?;
    let max_stack = cursor.byte("stack size")?;
    let size = cursor.int_count("instructions", 4)?;
    cursor.padding()?;
    let code = cursor.take("code", size * 4)?;
    let mut upvalues = read_upvalues(cursor, upvalues_at, upvalue_count, code)?;
    let code = cursor.words(code);
    let constants = read_constants(cursor, layout)?;
    let count = cursor.int_count("functions", LEAST)?;
    let functions = cursor.functions(count, |cursor| read_function(cursor, layout))?;
    let length = cursor.int_count("bytes of line info", 1)?;
    cursor.padding()?;
    let lines = read_lines(cursor, length, size, FULL_51)?;
    let locals = read_locals(cursor, layout, read_string)?;
    read_upvalue_names(
        cursor,
        layout,
        read_string,
        upvalue_count.into(),
        &mut upvalues,
    )?;
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

pub(crate) fn write_function(
    sink: &mut Sink,
    layout: &Layout,
    function: &Function,
) -> sink::Result<()> {
    write_string(sink, layout, "source name", function.source.as_ref())?;
    sink.int("first line", function.line_defined)?;
    sink.int("last line", function.last_line_defined)?;
    write_upvalues(sink, function)?;
    sink.bytes(&[function.params, function.vararg, function.max_stack]);
    sink.count("code size", function.code.len())?;
    sink.padding();
    sink.words(&function.code);
    write_constants(sink, layout, &function.constants)?;
    sink.count("function count", function.functions.len())?;
    sink.functions(&function.functions, |sink, child| {
        write_function(sink, layout, child)
    })?;
    let packed = pack_lines(sink, function, FULL_51)?;
    sink.count("line info size", packed.len())?;
    sink.padding();
    sink.bytes(&packed);
    write_locals(sink, layout, write_string, &function.locals)?;
    write_upvalue_names(sink, layout, write_string, &function.upvalues)
}
