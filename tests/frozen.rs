//! NodeMCU's frozen chunks on stock Lua with read-only objects and packed line info, of each number
//! model: with the start-up hook, without it, and with the place of the table of strings taken. They
//! do what they do from source, under a stressed collector too, in memory that can't be written to.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bytecode::{Dialect, NumberModel};
use support::{
    STRICT, cc, fail, fastlua, firmware_flags, freezing_lua, nodemcu_variant, put, root, stock_lua,
    stock_variant, succeed,
};

const CHUNKS: [&str; 9] = [
    "closures",
    "metatables",
    "strings",
    "varargs",
    "errors",
    "coroutines",
    "garbage",
    "chunks",
    "dumps",
];

/// How the table of frozen strings gets into the core: with the hook, as `fast` is opened, or not at
/// all. Name, what defines `luaN_init`, and whether the hook is linked.
const WAYS: [(&str, &str, bool); 3] = [
    ("hook", "start", true),
    ("open", "start", false),
    ("taken", "taken", false),
];

fn chunks(model: &NumberModel) -> impl Iterator<Item = &'static str> {
    CHUNKS
        .into_iter()
        .chain((model.float > 0).then_some("floats"))
}

/// `fast.c` with these chunks and all modules that fastlua ships, frozen.
fn build(folder: &Path, out: &Path, model: &NumberModel) {
    let mut build = fastlua(folder);
    build.args(["build", "--as", "frozen", "--no-fallback", "--whole"]);
    build
        .args(["--strip", "0", "--with", "provisioning", "-o"])
        .arg(out);
    build.args(["--variant", &nodemcu_variant(model)]);
    succeed(build.args(chunks(model).map(|chunk| format!("{chunk}.lua"))));
}

/// Builds and runs the chunks with one number model.
fn same_as_source(model: NumberModel) {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("scripts");
    for file in fs::read_dir(root().join("tests/frozen")).unwrap() {
        let file = file.unwrap();
        let text = fs::read(file.path()).unwrap();
        put(&scripts, file.file_name().to_str().unwrap(), text);
    }
    let stock = folder.path().join("core");
    freezing_lua(&stock, model.dialect);
    let name = model.name();
    let out = folder.path().join(&name);
    build(&scripts, &out, &model);
    let object = |source: &Path, name: &str, flags: &[&str]| {
        let object = out.join(format!("{name}.o"));
        let mut command = cc("gcc", &stock, &model);
        command.args(flags).args(["-O1", "-c", "-o"]);
        succeed(command.arg(&object).arg(source));
        object
    };
    let fast = out.join("fast.c");
    let strict = [&STRICT[..], firmware_flags(&model)].concat();
    let hooked = [&strict[..], &["-DFAST_WRAP"]].concat();
    let hooked = object(&fast, "hooked", &hooked);
    let plain = object(&fast, "plain", &strict);
    let host = object(&scripts.join("host.c"), "host", &["-w"]);
    object(&stock.join("start.c"), "start", &STRICT);
    object(&scripts.join("taken.c"), "taken", &STRICT);
    for (way, start, hook) in WAYS {
        let program = out.join(way);
        let mut link = Command::new("gcc");
        link.arg("-o").arg(&program).arg(&host);
        link.arg(out.join(format!("{start}.o")));
        match hook {
            true => link.arg(&hooked).arg("-Wl,--wrap=luaN_init"),
            false => link.arg(&plain),
        };
        succeed(link.args(["-Wl,-z,relro", "-lm"]));
        let run = |form: &str, stress: &str| {
            let mut host = Command::new(&program);
            host.current_dir(&scripts).args([form, stress]);
            host.args(chunks(&model)).output().unwrap()
        };
        let source = run("source", "no");
        assert!(source.status.success(), "{name} {way}: {source:?}");
        let expected = match (way, model.dialect) {
            ("hook", _) => "hook: ",
            ("open", Dialect::Lua51) => "table: ",
            _ => "shadows: ",
        };
        for stress in ["no", "yes"] {
            let what = format!("{name} {way}, stress {stress}");
            let frozen = run("frozen", stress);
            let notes = String::from_utf8_lossy(&frozen.stderr);
            assert!(frozen.status.success(), "{what}: {notes}");
            let [given, wanted] = [&frozen, &source].map(|o| String::from_utf8_lossy(&o.stdout));
            assert_eq!(given, wanted, "{what}");
            assert!(notes.starts_with(expected), "{what}: {notes}");
            println!("{what}: {notes}");
        }
        if way == "hook" {
            let status = run("write", "no").status;
            let signal = status.code().is_none();
            assert!(signal, "{name}: a frozen constant was written: {status}");
        }
    }
}

#[test]
#[ignore = "takes long"]
fn integer_51_does_the_same() {
    same_as_source(NumberModel::ALL[0]);
}

#[test]
#[ignore = "takes long"]
fn float_51_does_the_same() {
    same_as_source(NumberModel::ALL[1]);
}

#[test]
#[ignore = "takes long"]
fn small_53_does_the_same() {
    same_as_source(NumberModel::ALL[2]);
}

#[test]
#[ignore = "takes long"]
fn large_53_does_the_same() {
    same_as_source(NumberModel::ALL[3]);
}

#[test]
#[ignore = "takes long"]
fn mixed_53_does_the_same() {
    same_as_source(NumberModel::ALL[4]);
    same_as_source(NumberModel::ALL[5]);
}

#[test]
fn a_core_without_read_only_objects_takes_bytecode() {
    let folder = tempfile::tempdir().unwrap();
    let chunk = put(folder.path(), "chunk.lua", "return 'bytecode it is'\n");
    let script = "for name, _, form in fast.list() do print(name, form, fast.info().frozen) end\nprint(fast.chunk())\n";
    let script = put(folder.path(), "script.lua", script);
    let model = NumberModel::ALL[1];
    let stock = folder.path().join("stock");
    stock_lua(&stock, model.dialect);
    let compile = |more: &[&str], out: &Path| {
        let variant = stock_variant(&model);
        let mut build = fastlua(folder.path());
        build.args(["build", "--as", "frozen", "--variant", &variant, "-o"]);
        succeed(build.arg(out).args(more).arg(&chunk));
        let mut command = cc("gcc", &stock, &model);
        command.args(["-include", "numbers.h", "-c", "-o"]);
        command.arg(out.join("fast.o")).arg(out.join("fast.c"));
        command
    };
    let out = folder.path().join("out");
    succeed(&mut compile(&[], &out));
    let mut link = cc("gcc", &stock, &model);
    link.args(["-w", "-o"]).arg(out.join("host"));
    succeed(
        link.args([stock.join("host.c"), out.join("fast.o")])
            .arg("-lm"),
    );
    let output = succeed(Command::new(out.join("host")).arg(script));
    assert_eq!(output, "chunk\tbytecode\tno\nbytecode it is\n");
    let errors = fail(&mut compile(
        &["--no-fallback"],
        &folder.path().join("alone"),
    ));
    assert!(errors.contains("chunk has no bytecode"), "{errors}");
}

/// `as = "auto"` freezes what fits, and what saves most heap for its flash first: where either of two
/// chunks would fit alone, the first by name is not the one.
#[test]
fn a_budget_of_flash_chooses_what_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(
        f,
        "dear.lua",
        "return a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q\n",
    );
    let code = "a = a + a * a - a / a ".repeat(20);
    put(f, "worth.lua", format!("local a = ... {code} return a\n"));
    let build = |head: &str| {
        let manifest =
            format!("variants = [\"lua53-int32-float32\"]\n{head}\n[[module]]\npath = \"*.lua\"\n");
        put(f, "fast.toml", manifest);
        let report = succeed(fastlua(f).args(["build", "-o", "out", "--json"]));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report["chunks"].as_array().unwrap().clone()
    };
    let frozen = |flash: u64| {
        let chunks = build(&format!("as = \"auto\"\nbudget = {{flash = {flash}}}"));
        let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
        let chosen: Vec<bool> = chunks.iter().map(|c| c["as"] == "frozen").collect();
        let named = ["dear", "worth"].map(|name| header.contains(&format!("fast_z_{name} =")));
        assert_eq!(chosen, named);
        named
    };
    let costs: Vec<[u64; 3]> = build("as = \"frozen\"")
        .iter()
        .map(|chunk| {
            let costs = &chunk["dumps"]["lua53-int32-float32"]["costs"];
            let of = |name: &str| costs[name].as_u64().unwrap();
            let saved = of("bytecode_heap") - of("frozen_heap");
            let bytecode = of("bytecode_flash").next_multiple_of(4);
            [bytecode, of("frozen_flash") + of("frozen_strings"), saved]
        })
        .collect();
    let [dear, worth] = [costs[0], costs[1]];
    let bytecode = dear[0] + worth[0];
    let either = bytecode + dear[1].max(worth[1]);
    assert!(dear[2] * worth[1] < worth[2] * dear[1], "{costs:?}");
    assert_eq!(frozen(bytecode), [false, false]);
    assert_eq!(frozen(either), [false, true]);
    assert_eq!(frozen(64 << 10), [true, true]);
    let chunks = build("as = \"auto\"");
    assert!(chunks.iter().all(|chunk| chunk["as"] == "frozen"));
}

/// What two functions of three instructions and one string take: a `Proto` is 72 bytes, a string 17
/// and its length, rounded up to 8, and 4; both also name the source `=?`.
#[test]
fn the_report_has_the_costs_and_the_pool() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one.lua", "two.lua"] {
        put(folder.path(), name, "return 'shared_text'\n");
    }
    let mut build = fastlua(folder.path());
    build.args(["build", "--as", "frozen", "--variant", "lua51-int"]);
    build.args(["--json", "-o", "out", "one.lua", "two.lua"]);
    let report: serde_json::Value = serde_json::from_str(&succeed(&mut build)).unwrap();
    for chunk in [0, 1] {
        let costs = &report["chunks"][chunk]["dumps"]["lua51-int"]["costs"];
        assert_eq!(costs["functions"], 1);
        assert_eq!(costs["frozen_flash"], 72 + 3 * 4 + 8);
        assert_eq!(costs["frozen_strings"], (32 + 4) + (24 + 4));
        assert_eq!(costs["frozen_heap"], 20);
        assert_eq!(costs["bytecode_heap"], 20 + (72 + 12 + 8) + 28 + 19);
    }
    let pools = serde_json::json!({"lua51-int": {"strings": 2, "flash": 64}});
    assert_eq!(report["pools"], pools);
}
