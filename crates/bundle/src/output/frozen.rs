//! Frozen chunks as C: each function with all that belongs to it as constants of the core's own
//! types, over one pool of strings and one table of them for the whole bundle. The firmware's
//! compiler settles every layout; `fast_objects.h` of `fastlua-firmware` has the macros and what
//! they take for granted.
//!
//! Names in the C: `fast_s` strings, `fast_named` those that are names of chunks, and for each function `fast_f` itself, `fast_i` instructions,
//! `fast_k` constants, `fast_p` functions in it, `fast_l` lines, `fast_v` locals, `fast_u` upvalues.

use std::collections::BTreeMap;
use std::fmt::Write;

use fastlua_bytecode::{Dialect, Format, Layout};

use super::c::{code, float, integer, quote, words};
use super::text::Text;
use crate::model::{BundledChunk, Need};
use crate::objects::{FrozenChunk, FrozenFunction, Objects, Value};
use crate::structures::{self, CoreLayout, Strings};

/// Writes the strings, their table, the functions, and for each chunk `fast_z_<identifier>`;
/// `FAST_FUNCTIONS` is how many functions there are.
pub(super) fn print<'a>(text: &mut Text, objects: &Objects, identifier: &dyn Fn(&str) -> &'a str) {
    layout(text, &objects.dump);
    let names = names(objects);
    declare_names(text, &names, &objects.strings, identifier);
    strings(text, &objects.strings, &names);
    for chunk in &objects.chunks {
        function(text, objects, chunk.main);
        frozen_chunk(text, chunk, objects.dialect(), identifier(chunk.name));
    }
    for (name, string) in &objects.data {
        let _ = writeln!(
            text,
            "static const fast_frozen fast_z_{} = {{(const Proto *)(const void *)&fast_s{string}, 0, 0, 0}};\n",
            identifier(name)
        );
    }
    define_names(text, &names, &objects.strings, identifier);
    let _ = writeln!(text, "#define FAST_FUNCTIONS\t{}", objects.functions.len());
}

/// The chunks whose names are strings that find them, by the numbers of these.
type Names<'a> = BTreeMap<usize, &'a FrozenChunk<'a>>;

fn names<'a>(objects: &'a Objects<'a>) -> Names<'a> {
    let chunks = objects.chunks.iter();
    chunks
        .filter_map(|chunk| Some((chunk.named?, chunk)))
        .collect()
}

/// Declares the names as one object, so that the address of a string tells whether it is one of them. The index names their
/// bytes.
fn declare_names<'a>(
    text: &mut Text,
    names: &Names,
    strings: &Strings,
    identifier: &dyn Fn(&str) -> &'a str,
) {
    if names.is_empty() {
        return;
    }
    *text +=
        "/* the names of frozen chunks */\n#define FAST_NAMED\nstatic const struct fast_named {\n";
    for id in names.keys() {
        let n = strings.texts[*id].bytes.len();
        let _ = writeln!(text, "  FAST_NAMED_FIELD({id}, {n})");
    }
    *text += "} fast_named;\n";
    for (id, chunk) in names {
        let _ = writeln!(text, "#define fast_s{id}\tfast_named.s{id}.string");
        let chunk = identifier(chunk.name);
        let _ = writeln!(text, "#define fast_name_{chunk}\tFAST_NAMED_WORDS({id})");
    }
    *text += "\n";
}

fn define_names<'a>(
    text: &mut Text,
    names: &Names,
    strings: &Strings,
    identifier: &dyn Fn(&str) -> &'a str,
) {
    if names.is_empty() {
        return;
    }
    *text += "static const struct fast_named fast_named = {\n";
    for (id, chunk) in names {
        let fields = string(&strings.texts[*id]);
        let chunk = identifier(chunk.name);
        let _ = writeln!(text, "  {{&fast_z_{chunk}, FAST_STRING_FIELDS({fields})}},");
    }
    *text += "};\n\n";
}

/// Writes what the core's structures are on a chip as assertions. A test core has other fields.
fn layout(text: &mut Text, dump: &Layout) {
    if !dump.format.is_nodemcu() {
        return;
    }
    let mut lines = String::new();
    for structure in CoreLayout::of(dump.numbers()).structures() {
        let name = structure.name;
        let size = format!("sizeof({name}) == {}", structure.size);
        let places = structure.fields.iter();
        let places = places.map(|f| format!("offsetof({name}, {}) == {}", f.name, f.place));
        let all: Vec<String> = std::iter::once(size).chain(places).collect();
        let _ = writeln!(
            lines,
            "_Static_assert({},\n  \"{name} has another layout\");",
            all.join("\n  && ")
        );
    }
    let _ = write!(
        text,
        "#if __SIZEOF_POINTER__ == 4 && !defined(FASTLUA_TEST_CORE)\n{lines}#endif\n\n"
    );
}

/// The next string of an interned string's chain, its hash, its place among reserved words, its length and its bytes.
fn string(text: &structures::Text) -> String {
    let next = text.next.map_or("NULL".into(), |s| format!("&fast_s{s}"));
    let (hash, word, n) = (text.hash, text.reserved, text.bytes.len());
    format!("{next}, 0x{hash:08x}, {word}, {n}, {}", quote(text.bytes))
}

/// Writes each string but the names, then the table.
fn strings(text: &mut Text, strings: &Strings, names: &Names) {
    *text += "/* the pool of strings */\n";
    for (id, one) in strings.texts.iter().enumerate() {
        if names.contains_key(&id) {
            continue;
        }
        let (hash, n, quoted) = (one.hash, one.bytes.len(), quote(one.bytes));
        let _ = match one.interned {
            true => writeln!(text, "FAST_STRING_OBJECT({id}, {})", string(one)),
            false => writeln!(
                text,
                "FAST_LONG_STRING_OBJECT({id}, 0x{hash:08x}, {n}, {quoted})"
            ),
        };
    }
    let (used, size) = (strings.interned(), strings.table.len());
    let _ = write!(
        text,
        "\n#define FAST_SEED\t0x{:08x}\n#define FAST_POOL_USED\t{used}\n#define FAST_POOL_SIZE\t{size}\n\
         static const fast_link fast_pool[{size}] = {{",
        strings.seed
    );
    for (i, head) in strings.table.iter().enumerate() {
        let space = if i % 4 == 0 { "\n  " } else { " " };
        let _ = match head {
            Some(id) => write!(text, "{space}(fast_link)&fast_s{id},"),
            None => write!(text, "{space}NULL,"),
        };
    }
    *text += "\n};\n#define FAST_POOL_BYTES\t(sizeof(fast_pool)";
    let texts = strings.texts.iter().enumerate();
    let counted = texts.filter(|(_, one)| !one.is_name);
    for (i, (id, _)) in counted.enumerate() {
        let space = if i % 4 == 0 { " \\\n  + " } else { " + " };
        let _ = write!(text, "{space}sizeof(fast_s{id})");
    }
    *text += ")\n\n";
}

fn frozen_chunk(text: &mut Text, chunk: &FrozenChunk, dialect: Dialect, identifier: &str) {
    let _ = writeln!(
        text,
        "static const fast_frozen fast_z_{} = {{\n  (const Proto *)&fast_f{main}, {main}, {},\n  FAST_SHADOWS{}{}}};\n",
        identifier,
        flash(chunk.need, dialect),
        shadows(chunk.need),
        constant_heap(chunk.need),
        main = chunk.main,
    );
}

/// Writes a function after those in it.
fn function(text: &mut Text, objects: &Objects, id: usize) {
    let frozen = &objects.functions[id];
    for &child in &frozen.functions {
        function(text, objects, child);
    }
    code(text, &format!("fast_i{id}"), &frozen.function.code);
    let mut fields = numbers(frozen);
    let mut array = |field: &str, kind: &str, letter: char, count: usize| {
        let _ = writeln!(
            fields,
            "  .{field} = ({kind} *)fast_{letter}{id}, .size{field} = {count},"
        );
    };
    if !frozen.constants.is_empty() {
        constants(text, objects, id);
        array("k", "TValue", 'k', frozen.constants.len());
    }
    if !frozen.functions.is_empty() {
        children(text, id, &frozen.functions);
        array("p", "Proto *", 'p', frozen.functions.len());
    }
    if !frozen.locals.is_empty() {
        let _ = writeln!(text, "static const LocVar fast_v{id}[] = {{");
        for &(local, start, end) in &frozen.locals {
            let _ = writeln!(text, "  {{{}, {start}, {end}}},", name(local));
        }
        *text += "};\n";
        array("locvars", "LocVar", 'v', frozen.locals.len());
    }
    if !frozen.upvalues.is_empty() {
        let kind = upvalues(text, objects.dialect(), id, frozen);
        array("upvalues", kind, 'u', frozen.upvalues.len());
    }
    let _ = writeln!(
        fields,
        "  .code = (Instruction *)fast_i{id}, .sizecode = {},",
        frozen.function.code.len()
    );
    if objects.dialect() == Dialect::Lua51 {
        let _ = writeln!(fields, "  .nups = {},", frozen.function.upvalues.len());
    }
    if !frozen.lines.is_empty() {
        words(text, &format!("fast_l{id}"), &frozen.lines);
        fields += &lines(objects.dump.format, id, frozen);
    }
    let _ = write!(text, "static const Proto fast_f{id} = {{\n{fields}}};\n\n");
}

/// The fields that need no object but a string.
fn numbers(frozen: &FrozenFunction) -> String {
    let function = frozen.function;
    format!(
        "  .tt = LUA_TPROTO, .marked = FAST_MARK,\n  \
         .numparams = {}, .is_vararg = {}, .maxstacksize = {},\n  \
         .linedefined = {}, .lastlinedefined = {},\n  \
         .source = {},\n",
        function.params,
        function.vararg,
        function.max_stack,
        function.line_defined,
        function.last_line_defined,
        name(frozen.source)
    )
}

fn children(text: &mut Text, id: usize, children: &[usize]) {
    let _ = write!(text, "static const Proto *const fast_p{id}[] = {{");
    for (i, child) in children.iter().enumerate() {
        let space = if i % 8 == 0 { "\n  " } else { " " };
        let _ = write!(text, "{space}&fast_f{child},");
    }
    *text += "\n};\n";
}

fn constants(text: &mut Text, objects: &Objects, id: usize) {
    let _ = writeln!(text, "static const TValue fast_k{id}[] = {{");
    for constant in &objects.functions[id].constants {
        let _ = match *constant {
            Value::Nil => writeln!(text, "  FAST_NIL,"),
            Value::Boolean(b) => writeln!(text, "  FAST_BOOLEAN({}),", u8::from(b)),
            Value::Integer(n) => writeln!(text, "  FAST_INTEGER({}),", integer(n)),
            Value::Float(x) => writeln!(text, "  FAST_NUMBER({}),", float(x)),
            Value::String(s) if objects.strings.texts[s].interned => {
                writeln!(text, "  FAST_STRING_VALUE({s}),")
            }
            Value::String(s) => writeln!(text, "  FAST_LONG_STRING_VALUE({s}),"),
        };
    }
    *text += "};\n";
}

/// Writes the descriptions of upvalues, and gives their type: 5.1 has none but names.
fn upvalues(text: &mut Text, dialect: Dialect, id: usize, frozen: &FrozenFunction) -> &'static str {
    let (head, kind) = match dialect {
        Dialect::Lua51 => ("TString *const", "TString *"),
        Dialect::Lua53 => ("const Upvaldesc", "Upvaldesc"),
    };
    let _ = writeln!(text, "static {head} fast_u{id}[] = {{");
    for &(upvalue, in_stack, index) in &frozen.upvalues {
        let name = name(upvalue);
        let _ = match dialect {
            Dialect::Lua51 => writeln!(text, "  {name},"),
            Dialect::Lua53 => writeln!(text, "  {{{name}, {}, {index}}},", u8::from(in_stack)),
        };
    }
    *text += "};\n";
    kind
}

/// The fields of line info.
fn lines(format: Format, id: usize, frozen: &FrozenFunction) -> String {
    match format {
        Format::NodeMcu51 => format!("  .packedlineinfo = (unsigned char *)fast_l{id},\n"),
        Format::NodeMcu53 => format!(
            "  .lineinfo = (lu_byte *)fast_l{id}, .sizelineinfo = {},\n",
            frozen.lines.len()
        ),
        Format::Puc51 | Format::Puc53 => format!(
            "  .lineinfo = (int *)fast_l{id}, .sizelineinfo = {},\n",
            frozen.function.lines.len()
        ),
    }
}

fn name(string: Option<usize>) -> String {
    string.map_or("NULL".into(), |s| format!("(TString *)&fast_s{s}"))
}

/// The C expression of a chunk's bytes of flash, without strings.
fn flash(need: &Need, dialect: Dialect) -> String {
    let upvalue = match dialect {
        Dialect::Lua51 => "TString *",
        Dialect::Lua53 => "Upvaldesc",
    };
    let sum = need.sum();
    let lines = need
        .functions
        .iter()
        .map(|f| f.line_info.next_multiple_of(4));
    format!(
        "{} * sizeof(Proto) + {} * sizeof(Instruction) + {} * sizeof(TValue)\n  \
         + {} * sizeof(Proto *) + {} * sizeof(LocVar) + {} * sizeof({upvalue}) + {}",
        need.functions.len(),
        sum.instructions,
        sum.constants,
        sum.functions,
        sum.locals,
        sum.upvalues,
        lines.sum::<usize>()
    )
}

/// The C terms of the shadows of all functions.
fn shadows(need: &Need) -> String {
    let functions = need.functions.iter();
    functions
        .map(|f| format!("\n  + FAST_SHADOW({}, {})", f.constants, f.functions))
        .collect()
}

/// The C terms of the chunk's constant strings.
fn constant_heap(need: &Need) -> String {
    let lengths = need.constant_strings.iter();
    lengths
        .map(|(length, n)| format!("\n  + {n} * FAST_STRING({length})"))
        .collect()
}

/// Stops the compiler of a core that runs no frozen chunks.
pub(super) fn no_bytecode(chunk: &BundledChunk) -> String {
    format!(
        "#error \"this core has no read-only objects, and {} has no bytecode: leave out fallback = false\"\n",
        chunk.name
    )
}
