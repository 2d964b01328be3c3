//! Reading and writing dumps of every layout.

use crate::cursor::Cursor;
use crate::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::header::Header;
use crate::layout::{Format, Layout};
use crate::model::{Chunk, Function, FunctionPath, PackedLines};
use crate::reference_lines::{LineNote, reference_line_info};
use crate::sink::Sink;
use crate::{nodemcu51, nodemcu53, puc51, puc53, values51};

/// Reads a dump of the layout `layout`, strictly: what no compiler writes is an error, though Lua's own
/// loaders take much of it. What a compiler writes is never one: lines may be wrong, even below zero.
/// [`write()`] gives the same bytes back, with the exceptions that it names.
///
/// A dump that is refused costs next to no memory, whatever its counts say: it is gone through once
/// without keeping anything, and only then read. One that is accepted costs what its contents take:
/// about twice its length for a module, up to 8 times for nothing but tiny functions, and never more
/// than 24 times, which takes a made-up one with constants of one byte.
///
/// # Errors
/// The first thing that is wrong, with its offset and function. Another layout's header is
/// [`ReadErrorKind::Header`], which names the layouts that fit.
pub fn read(bytes: &[u8], layout: &Layout) -> Result<Chunk, ReadError> {
    if !layout.is_possible() {
        let kind = ReadErrorKind::Layout(*layout);
        return Err(ReadError {
            offset: 0,
            function: None,
            kind,
        });
    }
    decode(&mut Cursor::checking(bytes), layout)?;
    read_once(bytes, layout)
}

/// As [`read`], for a dump that a program has made itself: it is gone through once, so that one that is refused costs up to 24
/// times its length, too.
///
/// # Errors
/// Those of [`read`].
pub fn read_once(bytes: &[u8], layout: &Layout) -> Result<Chunk, ReadError> {
    decode(&mut Cursor::keeping(bytes), layout).map(|main| Chunk {
        layout: *layout,
        main,
    })
}

/// The line info of a dump as it is packed there, which is not always as [`write()`] packs it. None where the
/// format packs nothing.
///
/// # Errors
/// Those of [`read`].
pub fn packed_lines(bytes: &[u8], layout: &Layout) -> Result<PackedLines, ReadError> {
    read(bytes, layout)?;
    let mut cursor = Cursor::checking(bytes);
    cursor.keep_line_info();
    decode(&mut cursor, layout)?;
    Ok(cursor.into_line_info())
}

/// Writes a chunk in its layout. A chunk that was read gives the bytes that it was read from, except
/// where the format has several forms of one thing:
/// - packed line info that splits a run of one line, as NodeMCU's compilers do, is written in the
///   shortest form;
/// - NodeMCU's 5.3 dumps say in each function whether upvalue names follow. All functions say so where the
///   chunk has a name, none where it has none; NodeMCU's compiler says so in a chunk that it has stripped, too;
/// - stock 5.3 dumps give a string constant the tag of its length, which Lua does not look at;
/// - stock 5.3 dumps count no upvalue names where none is given; Lua counts those of a function that it
///   has loaded stripped.
///
/// # Errors
/// A part that the layout can't hold: a float in integer 5.1, an integer of more than 32 bits.
pub fn write(chunk: &Chunk) -> Result<Vec<u8>, WriteError> {
    encode(Sink::default(), chunk)
}

/// As [`write()`], for a stock layout: what stock Lua dumps of the chunk once it has loaded it.
///
/// # Errors
/// Those of [`write()`].
pub fn write_as_loaded(chunk: &Chunk) -> Result<Vec<u8>, WriteError> {
    encode(Sink::counting_missing_names(), chunk)
}

/// As [`write()`], with line info as NodeMCU's own compilers pack it. `notes` are the lines that the compiler
/// gave each function, as [`reference_line_info`] takes them, outer functions first. Functions without lines
/// stay so; stock formats, which pack nothing, are written as ever.
///
/// # Errors
/// Those of [`write()`], and [`WriteErrorKind::ReferenceFails`].
pub fn write_as_reference(chunk: &Chunk, notes: &[Vec<LineNote>]) -> Result<Vec<u8>, WriteError> {
    let packed = match chunk.layout.format.is_nodemcu() {
        true => reference_lines(chunk, notes)?,
        false => PackedLines::new(),
    };
    encode(Sink::with_line_info(&packed), chunk)
}

/// The line info of each function that has lines, as NodeMCU's own compilers pack it: what
/// [`write_as_reference`] writes, for other containers than dumps.
///
/// # Errors
/// [`WriteErrorKind::ReferenceFails`].
pub fn reference_lines(chunk: &Chunk, notes: &[Vec<LineNote>]) -> Result<PackedLines, WriteError> {
    let dialect = chunk.layout.dialect();
    let mut notes = notes.iter();
    let mut packed = PackedLines::new();
    let mut fails = None;
    chunk.main.for_each(&mut |path, function| {
        let notes = notes.next().filter(|_| !function.lines.is_empty());
        match notes.map(|notes| reference_line_info(dialect, notes)) {
            Some(Some(bytes)) => _ = packed.insert(path.clone(), bytes),
            Some(None) => _ = fails.get_or_insert_with(|| path.clone()),
            None => {}
        }
    });
    match fails {
        Some(function) => {
            let kind = WriteErrorKind::ReferenceFails;
            Err(WriteError { function, kind })
        }
        None => Ok(packed),
    }
}

fn encode(mut sink: Sink, chunk: &Chunk) -> Result<Vec<u8>, WriteError> {
    let Chunk { layout, main } = chunk;
    if !layout.is_possible() {
        let kind = WriteErrorKind::Layout(*layout);
        return Err(WriteError {
            function: FunctionPath::default(),
            kind,
        });
    }
    sink.bytes(header(layout).bytes());
    match layout.format {
        Format::NodeMcu51 => nodemcu51::write_function(&mut sink, layout, main)?,
        Format::NodeMcu53 => nodemcu53::write_main(&mut sink, chunk)?,
        Format::Puc51 => puc51::write_function(&mut sink, layout, main)?,
        Format::Puc53 => puc53::write_main(&mut sink, chunk)?,
    }
    Ok(sink.into_bytes())
}

/// Reads a dump of whatever layout its header declares. NodeMCU 5.1 and stock 5.1 have one header, so
/// the body decides. Without debug data, inner functions and much else the body can be the same in
/// both: then it counts as NodeMCU's. (Only padding keeps such a dump of NodeMCU's from being stock
/// Lua's, so cut by those bytes it reads as that, with the same function.)
///
/// # Errors
/// [`ReadErrorKind::NoDump`] where no layout has the header; the error that lies furthest into the dump
/// where none reads it; [`ReadErrorKind::Ambiguous`] where two read it and give different functions.
pub fn read_any(bytes: &[u8]) -> Result<Chunk, ReadError> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut furthest = ReadError {
        offset: 0,
        function: None,
        kind: ReadErrorKind::NoDump,
    };
    for layout in candidates(bytes) {
        match read(bytes, &layout) {
            Ok(chunk) => chunks.push(chunk),
            Err(error) if error.offset > furthest.offset => furthest = error,
            Err(_) => {}
        }
    }
    let mut chunks = chunks.into_iter();
    let first = chunks.next().ok_or(furthest)?;
    match chunks.find(|other| other.main != first.main) {
        None => Ok(first),
        Some(other) => {
            let kind = ReadErrorKind::Ambiguous(vec![first.layout, other.layout]);
            Err(ReadError {
                offset: 0,
                function: None,
                kind,
            })
        }
    }
}

/// The layouts whose header `bytes` begins with; only the header is looked at. None if it is not a dump
/// of Lua 5.1 or 5.3, or one for another byte order or instruction width. The two 5.1 formats have one
/// header, so that both are listed, NodeMCU's first.
pub fn candidates(bytes: &[u8]) -> Vec<Layout> {
    Layout::all()
        .filter(|layout| bytes.starts_with(header(layout).bytes()))
        .collect()
}

fn header(layout: &Layout) -> Header {
    let mut header = Header::new();
    match layout.format {
        Format::NodeMcu51 | Format::Puc51 => values51::header(&mut header, layout),
        Format::NodeMcu53 => nodemcu53::header(&mut header, layout),
        Format::Puc53 => puc53::header(&mut header, layout),
    }
    header
}

fn read_header(cursor: &mut Cursor, layout: &Layout) -> Result<(), ReadError> {
    let header = header(layout);
    let wanted = header.bytes();
    let found = cursor.dump();
    let differs = wanted.iter().zip(found).position(|(a, b)| a != b);
    match differs {
        Some(offset) => {
            let kind = ReadErrorKind::Header {
                expected: *layout,
                found: candidates(found),
            };
            cursor.fail(offset, kind)
        }
        None => cursor.take("header", wanted.len()).map(drop),
    }
}

fn decode(cursor: &mut Cursor, layout: &Layout) -> Result<Function, ReadError> {
    read_header(cursor, layout)?;
    match layout.format {
        Format::NodeMcu51 => cursor.main(|cursor| nodemcu51::read_function(cursor, layout)),
        Format::NodeMcu53 => nodemcu53::read_main(cursor, layout),
        Format::Puc51 => cursor.main(|cursor| puc51::read_function(cursor, layout)),
        Format::Puc53 => puc53::read_main(cursor, layout),
    }
}
