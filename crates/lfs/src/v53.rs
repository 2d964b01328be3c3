//! Images of 5.3 (`ldump.c` of nodemcu-firmware, `luaU_DumpAllProtos`): a stream of strings, then functions that
//! name these by their numbers, then the names of the modules and the time stamp. The chip makes the memory of
//! its region of it.

mod memory;

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use fastlua_bytecode::stream::{
    Cursor, Sink, image_header, read_functions, read_string, read_typed, read_varint,
    write_functions, write_string, write_typed, write_varint,
};
use fastlua_bytecode::{Chunk, Dialect, Format, Function, FunctionPath, Layout, PackedLines};
use sha2::{Digest, Sha256};

use crate::size::{Part, Sizes};
use crate::sources::{in_image, packed_lines, set_environment};
use crate::strings::visit;
use crate::{
    Damage, Found, Image, LONGEST, Module, NO_SOURCE, Place, ReadError, Region, WriteError, fixed,
    names,
};

/// Source name of the function that `luac.cross` puts around all modules, which the chip does not keep.
const SOURCE: &str = "=(luac.cross)";
const STRINGS: &[u8] = b"\x19ss";
const FUNCTIONS: &[u8] = b"\x19pr";
const POSITIVE: u8 = 0x30;
const NEGATIVE: u8 = 0x40;
const SHORT: u8 = 0x50;
const LONG: u8 = 0x60;
/// Bytes of the longest string that the core keeps once only.
const LONGEST_SHORT: usize = 40;

/// The chip counts its modules in a byte.
const MOST: usize = 255;

type Result<T> = std::result::Result<T, ReadError>;

/// The memory that the chip makes of an image.
pub(crate) fn region(bytes: &[u8]) -> Result<Region> {
    let (found, packed) = read_packed(bytes)?;
    let mut image = found.image;
    let strings = gather(&image.modules);
    // `luac.cross` names the "userdata" that the chip does not find: here it has a text that nothing else has
    let mut hidden = BString::from(fixed::STRINGS[fixed::HIDDEN]);
    while hidden == fixed::STRINGS[fixed::HIDDEN] || strings.contains(&hidden) {
        hidden.push(b'!');
    }
    let (_, contents) = decode(Cursor::keeping(bytes), &image.layout, hidden.as_bstr())?;
    let read = contents.names.into_iter().zip(contents.functions);
    for (module, (name, mut main)) in image.modules.iter_mut().zip(read) {
        set_environment(&mut main, true);
        module.name = name;
        module.chunk.main = main;
    }
    Ok(memory::region(&image, strings, hidden, &packed))
}

fn layouts() -> impl Iterator<Item = Layout> {
    Layout::all().filter(|layout| layout.format == Format::NodeMcu53)
}

/// Whether bytes begin as an image does.
pub(crate) fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1bLua\x53\x0b")
}

/// What was read before the functions.
struct Prelude {
    seed: u32,
    strings: Vec<BString>,
}

/// Reads an image.
pub(crate) fn read(bytes: &[u8]) -> Result<Found> {
    read_packed(bytes).map(|(found, _)| found)
}

/// And its line info as it is packed there.
fn read_packed(bytes: &[u8]) -> Result<(Found, PackedLines)> {
    let fits = |layout: &Layout| bytes.starts_with(&image_header(layout));
    let Some(layout) = layouts().find(fits) else {
        return Err(ReadError::at(6, "unknown header"));
    };
    if bytes.len() > LONGEST {
        return Err(ReadError::at(
            LONGEST,
            "the image is longer than any region",
        ));
    }
    let hidden = BStr::new(fixed::STRINGS[fixed::HIDDEN]);
    decode(Cursor::checking(bytes), &layout, hidden)?;
    let mut cursor = Cursor::keeping(bytes);
    cursor.keep_line_info();
    let (prelude, contents) = decode(cursor, &layout, hidden)?;
    let modules: Vec<Module> = contents
        .names
        .into_iter()
        .zip(contents.functions)
        .map(|(name, mut main)| {
            if main.upvalues.first().is_some_and(|first| first.in_stack) {
                return Err(ReadError::at(
                    0,
                    "a module takes its environment from a register",
                ));
            }
            set_environment(&mut main, true);
            let chunk = Chunk { layout, main };
            Ok(Module { name, chunk })
        })
        .collect::<Result<_>>()?;
    check(&modules, &prelude.strings)?;
    let packed = contents.packed;
    let found = Found {
        sizes: sizes(&layout, &modules, &prelude.strings, &packed),
        has_checksum: false,
        strings: prelude.strings.len(),
        index: None,
        image: Image {
            layout,
            place: Place::Anywhere,
            aligned: false,
            timestamp: contents.timestamp,
            seed: Some(prelude.seed),
            modules,
        },
    };
    Ok((found, packed))
}

/// What was read behind it.
struct Contents {
    functions: Vec<Function>,
    names: Vec<BString>,
    timestamp: u32,
    packed: PackedLines,
}

/// `hidden` is what the string reads as that the chip's table does not give.
fn decode(mut cursor: Cursor, layout: &Layout, hidden: &BStr) -> Result<(Prelude, Contents)> {
    cursor.take("header", image_header(layout).len())?;
    let prelude = prelude(&mut cursor, layout)?;
    let fixed = fixed::STRINGS.iter().map(|text| BString::from(*text));
    let mut pool: Vec<BString> = prelude.strings.iter().cloned().chain(fixed).collect();
    pool[prelude.strings.len() + fixed::HIDDEN] = hidden.into();
    // a cursor whose strings live as long as the pool
    functions(cursor, layout, &pool).map(|contents| (prelude, contents))
}

fn prelude(cursor: &mut Cursor, layout: &Layout) -> Result<Prelude> {
    let seed = integer(cursor, layout, "seed")?;
    signature(cursor, STRINGS, "the marker of the strings is missing")?;
    let start = cursor.offset();
    let longest = read_varint(cursor, "length of the longest string")?;
    let short = read_varint(cursor, "number of short strings")?;
    let long = read_varint(cursor, "number of long strings")?;
    let count = read_varint(cursor, "number of strings")?;
    let count = cursor.check_count(start, "strings", count, 1)?;
    let mut strings: Vec<BString> = Vec::new();
    let mut different: HashSet<BString> = fixed::STRINGS.iter().map(|s| (*s).into()).collect();
    for _ in 0..count {
        let at = cursor.offset();
        let (tag, length) = read_typed(cursor, "string", i32::MAX as u64)?;
        let Some(length) = (length as usize).checked_sub(1) else {
            return Err(ReadError::at(at, "a string without a length"));
        };
        if tag != tag_of(length) {
            return Err(ReadError::at(
                at,
                "the type of a string does not match its length",
            ));
        }
        let text = BString::from(cursor.take("string", length)?);
        if !different.insert(text.clone()) {
            return Err(ReadError::at(
                at,
                "duplicate string, or one that every core has",
            ));
        }
        strings.push(text);
    }
    let counted = Counts::of(&strings);
    match [longest, short, long] == [counted.longest, counted.short, counted.long] {
        true => Ok(Prelude { seed, strings }),
        false => Err(ReadError::at(start, "the counts of strings are wrong")),
    }
}

fn functions(cursor: Cursor<'_>, layout: &Layout, pool: &[BString]) -> Result<Contents> {
    let mut cursor = cursor;
    signature(
        &mut cursor,
        FUNCTIONS,
        "the marker of the functions is missing",
    )?;
    cursor.use_pool(pool);
    let functions = read_functions(&mut cursor, layout)?;
    let start = cursor.offset();
    let count = read_varint(&mut cursor, "number of names")? as usize;
    let count = cursor.room("names", count as u64)?;
    let mut names = Vec::new();
    for _ in 1..count {
        let at = cursor.offset();
        match read_string(&mut cursor, "name")? {
            Some(name) => names.push(name),
            None => return Err(ReadError::at(at, "a module has no name")),
        }
    }
    // a pass that keeps nothing has no functions to count
    if !functions.is_empty() && functions.len() != names.len() {
        return Err(ReadError::at(
            start,
            "number of names differs from number of modules",
        ));
    }
    let timestamp = integer(&mut cursor, layout, "time stamp")?;
    match cursor.left() {
        0 => Ok(Contents {
            functions,
            names,
            timestamp,
            packed: cursor.into_line_info(),
        }),
        _ => Err(ReadError::at(
            cursor.offset(),
            "trailing bytes after the image",
        )),
    }
}

fn signature(cursor: &mut Cursor, bytes: &[u8], what: &'static str) -> Result<()> {
    let start = cursor.offset();
    match cursor.take("signature", bytes.len())? == bytes {
        true => Ok(()),
        false => Err(ReadError::at(start, what)),
    }
}

/// An integer of which the chip keeps 32 bits.
fn integer(cursor: &mut Cursor, layout: &Layout, what: &'static str) -> Result<u32> {
    let start = cursor.offset();
    let limit = match layout.integer {
        4 => i32::MAX as u64,
        _ => u32::MAX.into(),
    };
    match read_typed(cursor, what, limit)? {
        (POSITIVE, value) => Ok(value as u32),
        (NEGATIVE, value) if layout.integer == 4 => Ok(!(value as u32)),
        _ => Err(ReadError::at(start, "not a 32-bit integer")),
    }
}

fn write_integer(sink: &mut Sink, layout: &Layout, value: u32) {
    match layout.integer == 4 && value > i32::MAX as u32 {
        true => write_typed(sink, NEGATIVE, (!value).into()),
        false => write_typed(sink, POSITIVE, value.into()),
    }
}

fn tag_of(length: usize) -> u8 {
    match length <= LONGEST_SHORT {
        true => SHORT,
        false => LONG,
    }
}

/// Whether the chip can find and keep these modules, and the strings are those that they name.
fn check(modules: &[Module], strings: &[BString]) -> Result<()> {
    let wrong = |what| Err(ReadError::at(0, what));
    if modules.is_empty() || names::check(modules.iter().map(|m| &m.name)).is_err() {
        return wrong("two modules have the same name, or one has none");
    }
    if modules.len() > MOST || names::hidden(modules.iter().map(|m| &m.name)).is_some() {
        return wrong("the chip would not find all modules by name");
    }
    for module in modules {
        let name = || module.name.clone();
        if module.chunk.main.source.is_none() {
            return wrong(
                "a module has no source name: the chip's collector would write to its flash",
            );
        }
        fastlua_bytecode::write(&module.chunk).map_err(|reason| {
            let name = name();
            ReadError::damaged(0, Damage::Module { name, reason })
        })?;
    }
    match gather(modules) == *strings {
        true => Ok(()),
        false => wrong("the strings differ from those of the functions, or in order"),
    }
}

/// The strings that these modules name and not every core has, in the order of `luac.cross`.
fn gather(modules: &[Module]) -> Vec<BString> {
    let mut seen: HashSet<&[u8]> = fixed::STRINGS.iter().map(|s| s.as_bytes()).collect();
    let mut strings = Vec::new();
    let mut add = |text| {
        if seen.insert(text) {
            strings.push(BString::from(text));
        }
    };
    add(SOURCE.as_bytes());
    modules.iter().for_each(|module| add(&module.name));
    for module in modules {
        let main = &module.chunk.main;
        if main.source.is_none() {
            add(NO_SOURCE.as_bytes());
        }
        of_function(main, &mut add);
    }
    strings
}

/// Calls `visit` with the strings of a module that not every core has.
pub(crate) fn strings(main: &Function, visit: &mut dyn FnMut(&[u8])) {
    let main = in_image(main, Dialect::Lua53);
    of_function(&main, &mut |text| {
        if !fixed::STRINGS.iter().any(|fixed| fixed.as_bytes() == text) {
            visit(text);
        }
    });
}

fn of_function<'a>(function: &'a Function, add: &mut impl FnMut(&'a [u8])) {
    if let Some(source) = &function.source {
        add(source);
    }
    visit(function, add);
    function.functions.iter().for_each(|f| of_function(f, add));
}

/// What is said of the strings: those of every core count, too.
struct Counts {
    longest: u32,
    short: u32,
    long: u32,
}

impl Counts {
    fn of(strings: &[BString]) -> Counts {
        let lengths = strings.iter().map(|s| s.len());
        let long = lengths.clone().filter(|n| *n > LONGEST_SHORT).count();
        Counts {
            longest: lengths.chain([fixed::LONGEST]).max().unwrap_or(0) as u32,
            short: (strings.len() - long + fixed::COUNT) as u32,
            long: long as u32,
        }
    }
}

/// Writes an image.
pub(crate) fn write(
    image: &Image,
    packed: &PackedLines,
) -> std::result::Result<(Vec<u8>, Sizes), WriteError> {
    let layout = &image.layout;
    if let Some(module) = image.modules.iter().find(|m| m.name.len() > LONGEST_SHORT) {
        return Err(WriteError::Name(module.name.clone()));
    }
    if image.modules.len() > MOST {
        return Err(WriteError::Modules(image.modules.len(), MOST));
    }
    if let Some(name) = names::hidden(image.modules.iter().map(|m| &m.name)) {
        return Err(WriteError::Hidden(name.clone()));
    }
    let strings = gather(&image.modules);
    let all = strings.iter().map(|s| s.as_bstr());
    let all = all.chain(fixed::STRINGS.iter().map(|s| BStr::new(*s)));
    // of two that are the same the last one counts, as in the chip's table
    let pool: HashMap<_, _> = all.zip(1..).collect();
    let body = body(image, &strings, &pool, packed)?;
    let seed = image.seed.unwrap_or_else(|| {
        let hash = Sha256::digest(&body);
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    });
    let mut sink = Sink::default();
    sink.bytes(&image_header(layout));
    write_integer(&mut sink, layout, seed);
    sink.bytes(&body);
    let bytes = sink.into_bytes();
    match bytes.len() > LONGEST {
        true => Err(WriteError::Long(bytes.len())),
        false => Ok((bytes, sizes(layout, &image.modules, &strings, packed))),
    }
}

/// The main function of a module as an image holds it.
fn main_of(module: &Module) -> Function {
    let mut main = in_image(&module.chunk.main, Dialect::Lua53);
    set_environment(&mut main, false);
    main
}

/// All behind the seed.
fn body(
    image: &Image,
    strings: &[BString],
    pool: &HashMap<&BStr, u32>,
    packed: &PackedLines,
) -> std::result::Result<Vec<u8>, WriteError> {
    let mut sink = Sink::with_line_info(packed);
    sink.bytes(STRINGS);
    let counts = Counts::of(strings);
    for count in [
        counts.longest,
        counts.short,
        counts.long,
        strings.len() as u32,
    ] {
        write_varint(&mut sink, count);
    }
    for text in strings {
        write_typed(&mut sink, tag_of(text.len()), text.len() as u64 + 1);
        sink.bytes(text);
    }
    sink.bytes(FUNCTIONS);
    sink.use_pool(pool);
    let functions: Vec<Function> = image.modules.iter().map(main_of).collect();
    write_functions(&mut sink, &image.layout, &functions).map_err(|error| {
        let module = error.function.0.first().map(|i| *i as usize);
        let module = module.and_then(|i| image.modules.get(i));
        WriteError::Function {
            module: module.map_or_else(BString::default, |m| m.name.clone()),
            error,
        }
    })?;
    write_varint(&mut sink, image.modules.len() as u32 + 1);
    for module in &image.modules {
        write_string(&mut sink, "name", Some(&module.name)).map_err(|error| {
            WriteError::Function {
                module: module.name.clone(),
                error,
            }
        })?;
    }
    write_integer(&mut sink, &image.layout, image.timestamp);
    Ok(sink.into_bytes())
}

/// Words of a value: its number, and its type.
fn value_words(layout: &Layout) -> usize {
    match (layout.integer, layout.float) {
        (4, 4) => 2,
        _ => 3,
    }
}

/// What the chip makes of it (`lundump.c`), on 32 bits: its header, the strings with those that every core has,
/// their table, the functions, the table of modules.
fn sizes(layout: &Layout, modules: &[Module], strings: &[BString], packed: &PackedLines) -> Sizes {
    const HEADER: usize = 48;
    const TABLE: usize = 16;
    let value = 4 * value_words(layout);
    let texts = strings.iter().map(|s| s.as_bytes());
    let texts = texts.chain(fixed::STRINGS.iter().map(|s| s.as_bytes()));
    let texts: usize = texts.map(crate::strings::bytes).sum();
    let chains = Counts::of(strings).short.next_power_of_two() as usize;
    let parts: Vec<Part> = modules
        .iter()
        .zip(0..)
        .map(|(module, number)| {
            let mut bytes = 0;
            module.chunk.main.for_each(&mut |path, f| {
                let path = FunctionPath([&[number], &path.0[..]].concat());
                bytes += function(f, value, packed.get(&path));
            });
            Part {
                name: module.name.clone(),
                bytes,
            }
        })
        .collect();
    let functions: usize = parts.iter().map(|part| part.bytes).sum();
    let table = (modules.len() + 1) * (4 + value) + TABLE;
    let strings = texts + 4 * chains;
    Sizes {
        parts,
        strings,
        total: HEADER + strings + functions + table,
    }
}

fn function(function: &Function, value: usize, packed: Option<&Vec<u8>>) -> usize {
    const FUNCTION: usize = 76;
    const UPVALUE: usize = 8;
    const LOCAL: usize = 12;
    let lines = packed_lines(Format::NodeMcu53, function, packed).len();
    FUNCTION
        + 4 * (function.functions.len() + function.code.len())
        + value * function.constants.len()
        + UPVALUE * function.upvalues.len()
        + LOCAL * function.locals.len()
        + lines.next_multiple_of(4)
}
