//! One damaged field at a time, and the message that it gives.

use fastlua_bytecode::{
    Chunk, Constant, Format, Function, Layout, Local, MAX_NESTING, Upvalue, WriteErrorKind, read,
    write,
};

const NODEMCU51: Layout = Layout {
    format: Format::NodeMcu51,
    integer: 0,
    float: 8,
    size_t: 4,
};
const NODEMCU53: Layout = Layout {
    format: Format::NodeMcu53,
    integer: 4,
    float: 4,
    size_t: 4,
};
const PUC51: Layout = Layout {
    format: Format::Puc51,
    integer: 0,
    float: 8,
    size_t: 8,
};
const PUC53: Layout = Layout {
    format: Format::Puc53,
    integer: 8,
    float: 8,
    size_t: 8,
};

const GETUPVAL_51: u32 = 4;

/// A chunk with a little of everything. The offsets below are those of its dumps.
fn chunk(layout: Layout) -> Chunk {
    let name = |name: &str| Some(name.into());
    let mut main = Function {
        max_stack: 2,
        code: vec![GETUPVAL_51, 0],
        constants: vec![
            Constant::Boolean(true),
            Constant::String("ab".into()),
            Constant::Float(1.5),
        ],
        upvalues: vec![Upvalue {
            name: name("u"),
            ..Upvalue::default()
        }],
        lines: vec![1, 2],
        locals: vec![Local {
            name: name("x"),
            start_pc: 0,
            end_pc: 1,
        }],
        ..Function::default()
    };
    if layout.integer != 0 {
        main.constants.push(Constant::Integer(5));
        main.upvalues[0].in_stack = true;
    }
    Chunk { layout, main }
}

/// Overwrites the bytes at each offset and checks where and how reading then fails.
fn check(layout: Layout, table: &[(usize, &[u8], usize, &str)]) {
    let bytes = write(&chunk(layout)).unwrap();
    assert!(read(&bytes, &layout).unwrap() == chunk(layout));
    for &(offset, patch, place, expected) in table {
        let mut damaged = bytes.clone();
        damaged[offset..offset + patch.len()].copy_from_slice(patch);
        let error = read(&damaged, &layout).expect_err(expected);
        let function = if expected.contains("after the main function") {
            ""
        } else {
            ", function main"
        };
        let expected = format!("offset {place}{function}: {expected}");
        assert_eq!(error.to_string(), expected, "{layout}, byte {offset}");
    }
}

const NEGATIVE: &[u8] = &[0xff; 4];
const MAX: &[u8] = &[0xff, 0xff, 0xff, 0x7f];

#[test]
#[rustfmt::skip]
fn nodemcu51() {
    check(NODEMCU51, &[
        (12, &[200, 0, 0, 0], 16, "source name of 200 bytes, but 87 bytes are left"),
        (16, NEGATIVE, 16, "first line out of range"),
        (24, &[2], 24, "2 upvalues, more than the 1 possible"),
        (28, MAX, 28, "2147483647 instructions of 4 bytes or more each, but 71 bytes are left"),
        (28, NEGATIVE, 28, "4294967295 instructions of 4 bytes or more each, but 71 bytes are left"),
        (40, MAX, 40, "2147483647 constants of 1 byte or more each, but 59 bytes are left"),
        (44, &[2], 44, "unknown constant type 0x02"),
        (45, &[2], 45, "boolean constant is 2, not 0 or 1"),
        (47, &[0], 46, "string constant without a string"),
        (53, b"c", 51, "string constant does not end in a zero byte"),
        (63, &[2], 63, "2 functions of 40 bytes or more each, but 36 bytes are left"),
        (67, &[38], 67, "38 bytes of line info of 1 byte or more each, but 32 bytes are left"),
        (67, &[2], 73, "line info does not end in its only zero byte"),
        (67, &[4], 74, "line info does not end in its only zero byte"),
        (71, &[1], 71, "padding byte is 0x01, not 0"),
        (72, &[2], 72, "line info covers 3 of 2 instructions"),
        (72, &[127], 72, "line info has a count of 127"),
        (73, &[0], 73, "line info does not end in its only zero byte"),
        (75, &[9], 75, "9 locals of 9 bytes or more each, but 24 bytes are left"),
        (85, NEGATIVE, 85, "local start out of range"),
        (93, &[0], 97, "6 bytes after the main function"),
    ]);
}

#[test]
#[rustfmt::skip]
fn nodemcu53() {
    check(NODEMCU53, &[
        (21, &[2], 50, "upvalue count 1, but 2 in the header"),
        (22, &[0x60], 22, "source name has the invalid tag 0x60"),
        (22, &[0x30], 22, "source name has the invalid tag 0x30"),
        (23, &[0x80], 23, "first line is encoded in more bytes than needed"),
        (23, &[0xff; 5], 23, "first line out of range"),
        (28, &[4], 28, "4 functions of 13 bytes or more each, but 35 bytes are left"),
        (29, &[9], 29, "9 instructions of 4 bytes or more each, but 34 bytes are left"),
        (38, &[50], 38, "50 constants of 1 byte or more each, but 25 bytes are left"),
        (39, &[0x12], 39, "unknown constant type 0x12"),
        (39, &[0x01], 39, "unknown constant type 0x01"),
        (39, &[0x70], 39, "unknown constant type 0x70"),
        (40, &[0x50], 40, "string constant without a string"),
        (40, &[0x63], 40, "string constant of 2 bytes has the tag of a long string"),
        (43, &[0xd3, 0], 43, "string constant of 383 bytes has the tag of a short string"),
        (48, &[0xb0, 1], 48, "integer constant is encoded in more bytes than needed"),
        (49, &[2], 49, "upvalue names flag is 2, not 0 or 1"),
        (53, &[2], 53, "upvalue place is 2, not 0 or 1"),
        (55, &[2], 57, "line info does not end in its only zero byte"),
        (56, &[2], 56, "line info covers 3 of 2 instructions"),
        (56, &[0x80], 56, "line info covers 1 of 2 instructions"),
        (57, &[0x80], 58, "line info has a count of 0"),
        (59, &[2], 59, "2 locals of 3 bytes or more each, but 4 bytes are left"),
        (59, &[0], 60, "4 bytes after the main function"),
    ]);
}

#[test]
#[rustfmt::skip]
fn puc51() {
    check(PUC51, &[
        (12, &[0xff; 8], 20, "source name of 18446744073709551615 bytes, but 103 bytes are left"),
        (28, &[2], 28, "2 upvalues, more than the 1 possible"),
        (71, &[2], 71, "2 functions of 44 bytes or more each, but 48 bytes are left"),
        (75, &[1], 75, "line info covers 1 of 2 instructions"),
        (87, MAX, 87, "2147483647 locals of 9 bytes or more each, but 32 bytes are left"),
        (109, &[2], 123, "upvalue name of 8 bytes, but 0 bytes are left"),
        (109, &[0], 113, "10 bytes after the main function"),
    ]);
}

#[test]
#[rustfmt::skip]
fn puc53() {
    check(PUC53, &[
        (33, &[3], 86, "upvalue count 1, but 3 in the header"),
        (34, &[200], 35, "source name of 199 bytes, but 93 bytes are left"),
        (34, &[0xff, 5, 0, 0, 0, 0, 0, 0, 0], 34, "source name is encoded in more bytes than needed"),
        (62, &[2], 62, "unknown constant type 0x02"),
        (63, &[2], 63, "boolean constant is 2, not 0 or 1"),
        (65, &[0], 64, "string constant without a string"),
        (86, &[30], 86, "30 upvalues of 2 bytes or more each, but 38 bytes are left"),
        (90, &[2], 90, "upvalue place is 2, not 0 or 1"),
    ]);
}

/// Lua 5.3 decides by the length whether a string is short, and other makers give each the same tag. We give the right one.
#[test]
fn stock_53_takes_either_tag_of_a_string() {
    for length in [0, 1, 40, 41, 300] {
        let mut chunk = chunk_for(PUC53);
        chunk.main.constants = vec![Constant::String(vec![b'x'; length].into())];
        let right = write(&chunk).unwrap();
        let kind = if length > 40 { 20 } else { 4 };
        let start = match length {
            0 => vec![kind, 1],
            300 => vec![kind, 255],
            _ => vec![kind, length as u8 + 1, b'x'],
        };
        let mut places = right.windows(start.len());
        let tag = places.position(|bytes| bytes == start).unwrap();
        assert_eq!(right[tag], if length > 40 { 20 } else { 4 }, "{length}");
        let mut other = right.clone();
        other[tag] ^= 16;
        let read = read(&other, &chunk.layout).unwrap();
        assert_eq!(read, chunk, "{length}");
        assert_eq!(write(&read).unwrap(), right, "{length}");
    }
}

#[test]
fn trailing_bytes() {
    for layout in Layout::all() {
        let mut bytes = write(&chunk_for(layout)).unwrap();
        bytes.push(0);
        let error = read(&bytes, &layout).unwrap_err();
        let place = bytes.len() - 1;
        let expected = format!("offset {place}: 1 byte after the main function");
        assert_eq!(error.to_string(), expected, "{layout}");
    }
}

/// The chunk without the numbers that `layout` lacks.
fn chunk_for(layout: Layout) -> Chunk {
    let mut chunk = chunk(layout);
    if layout.float == 0 {
        chunk.main.constants.pop();
        chunk.main.constants.remove(2);
    }
    if layout.dialect() == fastlua_bytecode::Dialect::Lua51 {
        chunk.main.upvalues[0].in_stack = false;
    }
    chunk
}

/// Names that are counted but missing.
#[test]
fn upvalue_names_are_not_left_out() {
    let mut stripped = chunk(NODEMCU51);
    stripped.main.upvalues[0].name = None;
    let mut damaged = write(&stripped).unwrap();
    damaged[93] = 1;
    damaged.extend([0; 4]);
    let error = read(&damaged, &NODEMCU51).unwrap_err().to_string();
    assert_eq!(
        error,
        "offset 93, function main: 0 of 1 upvalues have names"
    );
}

/// What NodeMCU's 5.3 compiler dumps when it strips the names itself, as it does by default.
#[test]
fn nodemcu_53_announces_names_that_are_none() {
    let mut stripped = chunk(NODEMCU53);
    stripped.main.upvalues[0].name = None;
    let bytes = write(&stripped).unwrap();
    let mut announced = bytes.clone();
    announced[49] = 1;
    announced.insert(51, 0x50);
    let back = read(&announced, &NODEMCU53).unwrap();
    assert!(back == stripped && write(&back).unwrap() == bytes);
}

/// Where functions disagree, a name in one of them has all of them announce names.
#[test]
fn functions_may_announce_names_each_for_itself() {
    let mut whole = chunk(NODEMCU53);
    let mut inner = whole.main.clone();
    inner.upvalues[0].name = None;
    whole.main.functions.push(inner);
    let bytes = write(&whole).unwrap();
    let inner = 29;
    let flag = inner + 49 - 22;
    assert_eq!(bytes[flag..flag + 3], [1, 1, 0x50]);
    let mut disagreeing = bytes.clone();
    disagreeing.remove(flag + 2);
    disagreeing[flag] = 0;
    let back = read(&disagreeing, &NODEMCU53).unwrap();
    assert!(back == whole && write(&back).unwrap() == bytes);
}

/// The lines of a chunk count for nothing but messages.
#[test]
fn lines_below_zero_come_back() {
    for layout in Layout::all() {
        let mut chunk = chunk_for(layout);
        chunk.main.lines = vec![-49, i32::MIN];
        let bytes = write(&chunk).unwrap();
        assert!(read(&bytes, &layout).unwrap() == chunk, "{layout}");
        let listing = chunk.listing().to_string();
        assert!(listing.contains("\t1\t[-49]\t"), "{listing}");
    }
}

/// What stock 5.3 itself dumps for a function that it has loaded without names.
#[test]
fn stock_53_counts_names_that_are_none() {
    let mut stripped = chunk(PUC53);
    stripped.main.upvalues[0].name = None;
    let bytes = write(&stripped).unwrap();
    let mut counted = bytes.clone();
    let names = counted.len() - 4;
    counted[names] = 1;
    counted.push(0);
    let back = read(&counted, &PUC53).unwrap();
    assert!(back == stripped && write(&back).unwrap() == bytes);
}

/// Functions `depth` deep below the main function, as a dump.
fn nested(depth: usize) -> Vec<u8> {
    let empty = Chunk {
        layout: NODEMCU53,
        main: Function::default(),
    };
    let leaf = write(&empty).unwrap();
    let (header, leaf) = leaf.split_at(22);
    let mut bytes = header.to_vec();
    for _ in 0..depth {
        bytes.extend(&leaf[..6]);
        bytes.push(1);
    }
    bytes.extend(leaf);
    for _ in 0..depth {
        bytes.extend(&leaf[7..]);
    }
    bytes
}

#[test]
fn nesting_is_limited() {
    let deepest = read(&nested(MAX_NESTING), &NODEMCU53).unwrap();
    assert!(write(&deepest).unwrap() == nested(MAX_NESTING));
    let error = read(&nested(MAX_NESTING + 1), &NODEMCU53).unwrap_err();
    let path = format!("main{}", ".0".repeat(MAX_NESTING));
    assert_eq!(error.function.unwrap().to_string(), path);
    assert_eq!(
        error.kind.to_string(),
        "functions are nested more than 199 levels deep"
    );
    let main = Function {
        functions: vec![deepest.main],
        ..Function::default()
    };
    let error = write(&Chunk {
        layout: PUC53,
        main,
    })
    .unwrap_err();
    assert_eq!(error.kind, WriteErrorKind::Nesting);
}

type Change = fn(&mut Function);

#[test]
fn what_a_layout_does_not_hold_is_not_written() {
    let integers = Layout {
        integer: 4,
        float: 0,
        ..NODEMCU51
    };
    let narrow = Layout {
        integer: 4,
        float: 4,
        ..PUC53
    };
    let impossible = Layout {
        size_t: 8,
        ..NODEMCU53
    };
    let table: [(Layout, Change, &str); 10] = [
        (
            integers,
            |f| f.constants = vec![Constant::Nil, Constant::Float(0.5)],
            "constant 1 is the float 0.5, but NodeMCU 5.1, 32-bit integers has no floats",
        ),
        (
            NODEMCU51,
            |f| f.constants = vec![Constant::Integer(5)],
            "constant 0 is the integer 5, but NodeMCU 5.1, 64-bit floats has no integers",
        ),
        (
            narrow,
            |f| f.constants = vec![Constant::Integer(1 << 31)],
            "constant 0 is 2147483648, which does not fit in 32 bits",
        ),
        (
            NODEMCU53,
            |f| f.constants = vec![Constant::Integer(-(1 << 31) - 1)],
            "constant 0 is -2147483649, which does not fit in 32 bits",
        ),
        (
            NODEMCU53,
            |f| f.constants = vec![Constant::Float(0.1)],
            "constant 0 is 0.1, which a 32-bit float does not hold exactly",
        ),
        (PUC51, |f| f.lines.push(1), "3 lines for 2 instructions"),
        (
            NODEMCU53,
            |f| f.upvalues = vec![Upvalue::default(); 256],
            "256 upvalues, more than the 255 possible",
        ),
        (
            NODEMCU51,
            |f| f.upvalues = vec![Upvalue::default(); 2],
            "2 upvalues, more than the 1 possible",
        ),
        (
            NODEMCU51,
            |f| f.upvalues[0].index = 1,
            "upvalue 0 has a place, which a 5.1 dump can't store",
        ),
        (
            impossible,
            |_| {},
            "NodeMCU 5.3, 32-bit integers, 32-bit floats is not a valid layout of a dump",
        ),
    ];
    for (layout, change, expected) in table {
        let mut chunk = chunk_for(layout);
        change(&mut chunk.main);
        let error = write(&chunk).expect_err(expected);
        assert_eq!(error.to_string(), format!("function main: {expected}"));
    }
    let mut high = chunk(PUC51);
    high.main.line_defined = 1 << 31;
    let error = write(&high).unwrap_err().to_string();
    assert_eq!(
        error,
        "function main: first line is 2147483648, more than 2147483647"
    );
}
