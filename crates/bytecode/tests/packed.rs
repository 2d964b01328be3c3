//! Packed chunks: what comes back, how small they are, and what is refused.

mod common;

use bstr::BString;
use common::golden;
use fastlua_bytecode::packed::{Pool, Tables, read, write};
use fastlua_bytecode::{
    Chunk, Constant, Dialect, Function, Layout, ReadErrorKind, Strip, Upvalue, WriteErrorKind,
    read as read_dump, write as write_dump,
};

fn stripped(mut chunk: Chunk) -> Chunk {
    chunk.strip(Strip::Lines);
    chunk.set_source(None);
    chunk
}

/// The golden chunks of each layout that the repository has, at strip level 2.
fn chunks() -> Vec<(String, Chunk)> {
    let mut chunks = Vec::new();
    for chunk in golden() {
        let Some(bytes) = chunk.bytes else { continue };
        if chunk.name.contains("strip2") {
            let read = read_dump(&bytes, &chunk.layout).unwrap();
            chunks.push((chunk.name, stripped(read)));
        }
    }
    chunks
}

fn pool(chunks: &[(String, Chunk)], layout: &Layout) -> Pool {
    let alike = chunks.iter().filter(|(_, chunk)| chunk.layout == *layout);
    Pool::of(layout.dialect(), alike.map(|(_, chunk)| chunk))
}

#[test]
fn golden_chunks_come_back() {
    let chunks = chunks();
    let (mut dumps, mut packed) = (0, 0);
    for (name, chunk) in &chunks {
        for pool in [Pool::default(), pool(&chunks, &chunk.layout)] {
            let bytes = write(chunk, &pool).unwrap_or_else(|error| panic!("{name}: {error}"));
            let back = read(&bytes, &chunk.layout, &pool);
            let back = back.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(back == *chunk, "{name}");
            dumps += write_dump(chunk).unwrap().len();
            packed += bytes.len();
        }
    }
    assert!(chunks.len() > 100, "{} chunks", chunks.len());
    assert!(packed * 5 < dumps * 2, "{packed} of {dumps} bytes");
}

/// Any instruction, any constant, any count: what tables have not is escaped.
#[test]
fn generated_chunks_come_back() {
    for seed in 0..20 {
        for layout in Layout::all() {
            let chunk = stripped(fastlua_testing::generate::chunk(layout, seed));
            let pool = Pool::of(layout.dialect(), [&chunk]);
            let bytes =
                write(&chunk, &pool).unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
            let back = read(&bytes, &layout, &pool);
            let back = back.unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
            assert!(back == chunk, "{seed} {layout}");
        }
    }
}

/// The bytes depend on the numbers, not on the dump that the chunk is meant for.
#[test]
fn dumps_of_one_model_are_packed_alike() {
    for (name, chunk) in chunks() {
        let bytes = write(&chunk, &Pool::default()).unwrap();
        for layout in Layout::all().filter(|layout| layout.numbers() == chunk.layout.numbers()) {
            let main = chunk.main.clone();
            let other = Chunk { layout, main };
            assert_eq!(write(&other, &Pool::default()).unwrap(), bytes, "{name}");
            assert!(
                read(&bytes, &layout, &Pool::default()).unwrap() == other,
                "{name}"
            );
        }
    }
}

/// Whatever bit is changed: an error, or a chunk that is written as the changed bytes.
#[test]
fn damage_is_found_or_is_another_chunk() {
    let (mut refused, mut accepted) = (0, 0);
    for (name, chunk) in chunks()
        .into_iter()
        .filter(|(name, _)| name.contains("methods"))
    {
        let pool = Pool::of(chunk.layout.dialect(), [&chunk]);
        let bytes = write(&chunk, &pool).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            match read(&changed, &chunk.layout, &pool) {
                Err(error) => {
                    assert!(error.offset <= bytes.len(), "{name}: {error}");
                    refused += 1;
                }
                Ok(other) => {
                    assert!(other != chunk, "{name}: bit {bit}");
                    assert_eq!(write(&other, &pool).unwrap(), changed, "{name}: bit {bit}");
                    accepted += 1;
                }
            }
        }
        for length in 0..bytes.len() {
            assert!(
                read(&bytes[..length], &chunk.layout, &pool).is_err(),
                "{name}: {length}"
            );
        }
        let longer = [&bytes[..], &[0; 4]].concat();
        let error = read(&longer, &chunk.layout, &pool).unwrap_err();
        assert_eq!(
            (error.offset, error.kind),
            (bytes.len(), ReadErrorKind::Unpacked)
        );
    }
    assert!(
        refused > 100 && accepted > 100,
        "{refused} refused, {accepted} accepted"
    );
}

/// Counts that the rest can't hold cost nothing.
#[test]
fn counts_are_checked_first() {
    for layout in Layout::all() {
        for byte in [0x00, 0x55, 0xaa, 0xff] {
            assert!(read(&[byte; 64], &layout, &Pool::default()).is_err());
        }
        assert!(read(&[], &layout, &Pool::default()).is_err());
    }
}

fn refused(change: impl Fn(&mut Function)) -> WriteErrorKind {
    let layout = Layout::all()
        .find(|layout| layout.dialect() == Dialect::Lua53)
        .unwrap();
    let mut main = Function::default();
    change(&mut main);
    write(&Chunk { layout, main }, &Pool::default())
        .unwrap_err()
        .kind
}

#[test]
fn debug_data_is_refused_by_name() {
    let source = refused(|function| function.source = Some("=x".into()));
    assert_eq!(source, WriteErrorKind::DebugData("a source name"));
    let lines = refused(|function| function.lines = vec![1]);
    let expected = "it has line numbers, which a packed chunk can't store: use strip level 2";
    assert_eq!(lines.to_string(), expected);
    let upvalue = Upvalue {
        name: Some("x".into()),
        ..Upvalue::default()
    };
    let names = refused(|function| function.upvalues = vec![upvalue.clone()]);
    assert_eq!(names, WriteErrorKind::DebugData("upvalue names"));
    let deep = refused(|function| {
        for _ in 0..200 {
            let inner = std::mem::take(function);
            function.functions.push(inner);
        }
    });
    assert_eq!(deep, WriteErrorKind::Nesting);
}

/// What a float holds exactly is whole; a zero with a sign is not.
#[test]
fn numbers_keep_their_bits() {
    let floats = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2_147_483_647.0,
        -2_147_483_648.0,
        2_147_483_648.0,
        0.5,
        f64::NAN,
    ];
    let integers = [0, -1, i64::from(i32::MIN), i64::from(i32::MAX)];
    for layout in Layout::all() {
        let mut constants = Vec::new();
        if layout.float == 8 {
            constants.extend(floats.map(Constant::Float));
        }
        if layout.integer != 0 {
            constants.extend(integers.map(Constant::Integer));
        }
        if layout.integer == 8 {
            constants.extend([i64::MIN, i64::MAX, 1 << 31].map(Constant::Integer));
        }
        let main = Function {
            constants,
            ..Function::default()
        };
        let chunk = Chunk { layout, main };
        let bytes = write(&chunk, &Pool::default()).unwrap();
        assert!(
            read(&bytes, &layout, &Pool::default()).unwrap() == chunk,
            "{layout}"
        );
    }
}

/// The commonest strings come first, and none that every firmware has.
#[test]
fn a_pool_has_what_functions_share() {
    let layout = Layout::all().next().unwrap();
    let strings = |strings: &[&str]| Function {
        constants: strings
            .iter()
            .map(|&string| Constant::String(string.into()))
            .collect(),
        ..Function::default()
    };
    let main = Function {
        functions: vec![
            strings(&["one", "two", "print", ""]),
            strings(&["two", "print", ""]),
            strings(&["", "two", "three"]),
        ],
        ..strings(&["", "three"])
    };
    let pool = Pool::of(layout.dialect(), [&Chunk { layout, main }]);
    let expected: Vec<BString> = ["", "two", "three"].map(BString::from).to_vec();
    assert_eq!(pool.strings(), expected);
    let expected = [
        *b"\x03\0\0\0",
        *b"\x08\0\0\0",
        *b"\0\x03tw",
        *b"o\x05th",
        *b"ree\0",
    ];
    assert_eq!(pool.words(), expected.map(u32::from_le_bytes));
    assert!(Pool::default().words().is_empty());
}

/// The list of names is what the tables have: those who change it make the tables anew.
#[test]
fn the_tables_have_the_names_of_the_list() {
    let mut listed: Vec<BString> = include_str!("../src/packed/names.txt")
        .lines()
        .map(BString::from)
        .collect();
    listed.sort();
    for dialect in [Dialect::Lua51, Dialect::Lua53] {
        let mut names = Tables::built_in(dialect).names().to_vec();
        names.sort();
        assert_eq!(names, listed, "{dialect}");
    }
}
