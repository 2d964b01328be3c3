//! Listings, as `luac -l -l` of Lua 5.1 and 5.3 prints them save for headings and quotes.

use std::fs;
use std::path::Path;

use fastlua_bytecode::{Chunk, Constant, Format, Function, Layout, read_any};

fn listing(chunk: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/expected");
    let bytes = fs::read(Path::new(folder).join(chunk)).expect(chunk);
    read_any(&bytes).unwrap().listing().to_string()
}

#[test]
fn a_51_chunk() {
    let expected = r#"NodeMCU 5.1, 32-bit integers

main <hello.lua:0,0> (4 instructions)
0+ params, 2 slots, 0 upvalues, 0 locals, 2 constants, 0 functions
	1	[1]	GETGLOBAL	0 -1	; "print"
	2	[1]	LOADK    	1 -2	; "hello, world"
	3	[1]	CALL     	0 2 1
	4	[1]	RETURN   	0 1
constants (2) of main:
	1	"print"
	2	"hello, world"
locals (0) of main:
upvalues (0) of main:
"#;
    assert_eq!(listing("lua51-int/strip1/hello.lc"), expected);
}

#[test]
fn a_53_chunk() {
    let text = listing("lua53-int32-float32/strip2/lua53_env.lc");
    for line in [
        "NodeMCU 5.3, 32-bit integers, 32-bit floats",
        "main <lua53_env.lua:0,0> (14 instructions)",
        "\t1\t[-]\tGETTABUP \t0 0 -1\t; - \"print\"",
        "function main.0 <lua53_env.lua:2,2> (5 instructions)",
        "upvalues (1) of main.0:",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// Numbers as short as tells them apart, names and strings without control characters.
#[test]
fn constants_and_names() {
    let constants = vec![
        Constant::Nil,
        Constant::Boolean(true),
        Constant::Integer(-5),
        Constant::Float(f64::from(0.1_f32)),
        Constant::Float(-0.0),
        Constant::Float(f64::INFINITY),
        Constant::String("\u{7}\n\"\\\u{1b}é".into()),
    ];
    let source = Some("@a\u{1b}[1mü b.lua".into());
    let main = Function {
        source,
        constants,
        ..Function::default()
    };
    let layout = Layout {
        format: Format::NodeMcu53,
        integer: 4,
        float: 4,
        size_t: 4,
    };
    let text = Chunk { layout, main }.listing().to_string();
    let expected = "constants (7) of main:\n\t1\tnil\n\t2\ttrue\n\t3\t-5\n\t4\t0.1\n\t5\t-0.0\n\t6\tinf\n\
                    \t7\t\"\\a\\n\\\"\\\\\\027\\195\\169\"\n";
    assert!(text.contains(expected), "{text}");
    assert!(
        text.contains("main <a\\027[1mü b.lua:0,0> (0 instructions)"),
        "{text}"
    );
}

/// In 5.1 the count of a long table constructor is a bare word.
#[test]
fn a_data_word_is_no_instruction() {
    let text = listing("lua51-int/strip2/setlist_51.lc");
    assert!(text.contains("SETLIST"), "{text}");
    let code = vec![34, 600, 30];
    let layout = Layout {
        format: Format::NodeMcu51,
        integer: 4,
        float: 0,
        size_t: 4,
    };
    let main = Function {
        code,
        ..Function::default()
    };
    let text = Chunk { layout, main }.listing().to_string();
    assert!(
        text.contains("\t1\t[-]\tSETLIST  \t0 0 0\t; 600\n\t2\t[-]\t600\n\t3\t[-]\tRETURN"),
        "{text}"
    );
}
