//! The vendored compilers from the outside: every number model, limits, refusals, threads.

use fastlua_bytecode::{Chunk, Constant, Format, Layout, Strip, write};
use fastlua_compiler::{
    CompileError, HEAP_LIMIT, LoadBackError, Loaded, compile, heap_use, line_notes, load_back,
};

const fn layout(format: Format, integer: u8, float: u8) -> Layout {
    Layout {
        format,
        integer,
        float,
        size_t: 4,
    }
}

const INT51: Layout = layout(Format::NodeMcu51, 4, 0);
const FLOAT51: Layout = layout(Format::NodeMcu51, 0, 8);
const ALL: [Layout; 6] = [
    INT51,
    FLOAT51,
    layout(Format::NodeMcu53, 4, 4),
    layout(Format::NodeMcu53, 8, 8),
    layout(Format::NodeMcu53, 8, 4),
    layout(Format::NodeMcu53, 4, 8),
];

fn chunk(layout: &Layout, source: impl AsRef<[u8]>) -> Result<Chunk, CompileError> {
    compile(layout, b"@t.lua", source.as_ref(), HEAP_LIMIT)
}

fn constants(layout: &Layout, source: &str) -> Vec<Constant> {
    chunk(layout, source).unwrap().main.constants
}

fn refusal(layout: &Layout, source: impl AsRef<[u8]>) -> String {
    chunk(layout, source).unwrap_err().to_string()
}

#[test]
fn integers_of_51_fold_and_wrap_in_32_bits() {
    for (source, value) in [
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
        ("0xffffffff", -1),
        ("0x7fffffff + 1", -2147483648),
        ("7 / 2", 3),
        ("-7 / 2", -4),
        ("-7 % 3", 2),
        ("7 % -3", -2),
        ("2 ^ 10", 1024),
        ("2 ^ -1", 0),
        ("-2147483648 / -1", -2147483648),
        ("(-2147483648) % -1", 0),
    ] {
        assert_eq!(
            constants(&INT51, &format!("return {source}")),
            [Constant::Integer(value)],
            "{source}"
        );
    }
    for source in [
        "4294967297",
        "2147483649",
        "0x100000000",
        "1e3",
        "0.5",
        "99999999999999999999",
    ] {
        let message = refusal(&INT51, format!("\nreturn {source}"));
        assert_eq!(
            message,
            format!("t.lua:2: malformed number near '{source}'")
        );
    }
    // by zero is left to run time
    assert_eq!(constants(&INT51, "return 1 / 0").len(), 2);
}

#[test]
fn each_model_folds_in_its_own_numbers() {
    let first = |layout: &Layout, source: &str| constants(layout, source).remove(0);
    let [_, float51, small, large, int64, float64] = &ALL;
    assert_eq!(first(float51, "return 7 / 2"), Constant::Float(3.5));
    for (layout, value) in [(small, -2147483648), (float64, -2147483648)] {
        let folded = first(layout, "return 0x7fffffff + 1");
        assert_eq!(folded, Constant::Integer(value));
    }
    for layout in [large, int64] {
        let folded = first(layout, "return 0x7fffffff + 1");
        assert_eq!(folded, Constant::Integer(2147483648));
    }
    let tenth = f64::from(0.1f32);
    for (layout, value) in [(small, tenth), (int64, tenth), (large, 0.1), (float64, 0.1)] {
        assert_eq!(first(layout, "return 0.1"), Constant::Float(value));
    }
}

#[test]
fn bytecode_is_no_source() {
    for layout in &ALL {
        for source in [&b"\x1bLua"[..], b"\x1b", b"#!/usr/bin/lua\n\x1bLua"] {
            let message = refusal(layout, source);
            // behind a first line that is skipped there is a newline, so Lua sees text
            assert!(
                message.contains("bytecode") || message.starts_with("t.lua:2:"),
                "{message}"
            );
        }
        assert!(chunk(layout, b"#!/usr/bin/lua\nreturn 1").is_ok());
    }
    for layout in &ALL {
        assert!(refusal(layout, b"\xef\xbb\xbf\x1bLua").contains("bytecode"));
        assert!(chunk(layout, b"\xef\xbb\xbf# shebang\nreturn 1").is_ok());
        assert!(chunk(layout, b"\xef\xbb\xbfreturn 1").is_ok());
        assert!(refusal(layout, b"\xef\xbb\xbf\xef\xbb\xbfreturn 1").contains("t.lua:1:"));
    }
    let error = compile(&INT51, b"@a\0b", b"", HEAP_LIMIT).unwrap_err();
    assert!(matches!(error, CompileError::Name(_)));
}

#[test]
fn what_is_too_large_is_an_error() {
    let string = format!("return '{}'", "x".repeat(5 << 20));
    let nested = format!("return {}1{}", "(".repeat(250), ")".repeat(250));
    let upvalues: String = (0..61).map(|i| format!("local a{i} = {i}\n")).collect();
    let used: Vec<String> = (0..61).map(|i| format!("a{i}")).collect();
    let upvalues = format!(
        "{upvalues}return function() return {} end",
        used.join(" + ")
    );
    let long = format!("while true do\n{}end", "x = y\n".repeat(140_000));
    for layout in &ALL {
        assert!(chunk(layout, &string).is_ok());
        let error = compile(layout, b"@t.lua", string.as_bytes(), 1 << 20).unwrap_err();
        assert!(matches!(error, CompileError::Memory { .. }), "{error}");
        assert!(error.to_string().starts_with("t.lua: not enough memory"));
        assert!(refusal(layout, &nested).contains("levels"));
        assert!(refusal(layout, &long).contains("control structure too long"));
    }
    assert!(refusal(&FLOAT51, &upvalues).contains("more than 60 upvalues"));
    assert!(chunk(&ALL[2], &upvalues).is_ok());
}

#[test]
fn many_threads_at_once_give_the_same() {
    let source = include_str!("../../firmware/lua/http.lua");
    let alone: Vec<Chunk> = ALL.iter().map(|l| chunk(l, source).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let now: Vec<Chunk> = ALL.iter().map(|l| chunk(l, source).unwrap()).collect();
                    assert_eq!(now, alone);
                }
            });
        }
    });
}

#[test]
fn a_chunk_of_another_model_does_not_load_back() {
    let bytes = write(&chunk(&INT51, "return 7 / 2").unwrap()).unwrap();
    assert!(load_back(&bytes, &INT51, HEAP_LIMIT).is_ok());
    for layout in &ALL[1..] {
        let error = load_back(&bytes, layout, HEAP_LIMIT).unwrap_err();
        assert!(matches!(error, LoadBackError::Read(_)), "{error}");
    }
}

/// The last line that an instruction is given is the one that it has.
#[test]
fn notes_end_in_the_lines_of_the_chunk() {
    let source = b"local f, g = ...\nlocal function h()\n  return not (f and\n g) or f(\n)\nend\nreturn f\n+ g\n";
    for layout in ALL {
        let chunk = chunk(&layout, source).unwrap();
        let notes = line_notes(&layout, b"@t.lua", source, HEAP_LIMIT).unwrap();
        let mut functions = notes.iter();
        let mut changed = 0;
        chunk.main.for_each(&mut |path, function| {
            let notes = functions.next().unwrap();
            let mut lines = vec![0; function.code.len()];
            for note in notes {
                lines[note.pc as usize] = note.line;
            }
            assert_eq!(lines, function.lines, "{layout} {path}");
            changed += notes.len() - lines.len();
        });
        assert!(
            functions.next().is_none() && changed > 0,
            "{layout}: {changed}"
        );

        let little = line_notes(&layout, b"@t.lua", source, 1000);
        assert!(matches!(little, Err(CompileError::Memory { .. })));
        let wrong = line_notes(&layout, b"@t.lua", b"return return", HEAP_LIMIT);
        assert!(wrong.unwrap_err().to_string().starts_with("t.lua:1:"));
    }
}

#[test]
fn a_load_is_weighed() {
    let text = b"local t = {...} return function() return t, 'a string' end";
    for layout in ALL {
        let mut chunk = chunk(&layout, text).unwrap();
        let whole = write(&chunk).unwrap();
        chunk.strip(Strip::Lines);
        let stripped = write(&chunk).unwrap();
        let weigh = |input| heap_use(&layout, input, HEAP_LIMIT).unwrap();
        let source = weigh(Loaded::Source(text, "@t.lua"));
        assert_eq!(source, weigh(Loaded::Source(text, "@t.lua")));
        let [whole, stripped] = [&whole, &stripped].map(|dump| weigh(Loaded::Dump(dump)));
        assert!(source.peak > whole.peak && source.allocations > whole.allocations);
        assert!(whole.kept > stripped.kept && whole.peak > stripped.peak);
        assert!(stripped.kept > 0 && stripped.peak as isize >= stripped.kept);
        // a function's code and two strings, at the least; no more than a kilobyte
        assert!((200..1000).contains(&stripped.kept), "{stripped:?}");

        let refused = |input| {
            heap_use(&layout, input, HEAP_LIMIT)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(Loaded::Source(b"return return", "@t.lua")).contains("t.lua:1:"));
        assert!(refused(Loaded::Source(b"", "@t\0")).contains("zero byte"));
        refused(Loaded::Dump(&text[..]));
        let little = heap_use(&layout, Loaded::Source(text, "@t.lua"), 1000);
        assert!(little.unwrap_err().to_string().contains("memory"));
    }
}

/// Each has Lua go through all jumps to its end once more for every one of them.
#[test]
fn chains_are_limited() {
    let chain = |head: &str, link: &str, tail: &str, count| {
        format!(
            "local x\n{head}\n{}{tail}\n",
            format!("{link}\n").repeat(count)
        )
    };
    for (head, link, tail) in [
        ("if x then", "elseif x then", "end"),
        ("x = x", "or x", ""),
        ("x = x", "and x", ""),
        ("while x do", "if x then break end", "end"),
    ] {
        for layout in ALL {
            chunk(&layout, chain(head, link, tail, 9_000)).unwrap();
            let refused = refusal(&layout, chain(head, link, tail, 1_000_000));
            let is_goto = layout.format == Format::NodeMcu53 && link.contains("break");
            let (line, message) = match is_goto {
                true => ("t.lua: ", "too many labels/gotos (limit is 32767)"),
                false => ("t.lua:1000", "too many jumps to one place near"),
            };
            assert!(
                refused.contains(line) && refused.contains(message),
                "{link}: {refused}"
            );
        }
    }
}
