//! The C output as C compilers read it: clean for the PC and for the ESP8266's processor, and in
//! stock Lua of each number model it loads and runs.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bytecode::NumberModel;
use support::{
    STRICT, cc, fail, fastlua, firmware_flags, freezing_lua, packed_lua, put, root, stock_lua,
    stock_variant, succeed,
};

/// Three modules: numbers that tell the models apart, closures and strings, a method call.
const SCRIPT: &str = r#"
local numbers = fast.load 'numbers'
print(numbers(7, 2))
local counter = fast.closures(10)
counter(); print(counter())
local greeting = fast['two-words']():greet 'chip'
print(greeting:sub(1, 11), greeting:byte(12, -1))
print(fast.load 'none', fast.none, fast.load 'numbers0', fast.load '')
"#;

fn modules(folder: &Path) -> [std::path::PathBuf; 3] {
    [
        put(
            folder,
            "numbers.lua",
            "local a, b = ...\nreturn a / b, 7 / 2, 2147483647 + 1, -7 % 3\n",
        ),
        put(
            folder,
            "closures.lua",
            "local n = ...\nreturn function() n = n + 1 return n end\n",
        ),
        put(
            folder,
            "two-words.lua",
            "return {greet = function(self, name) return ('hello, %s\\0!'):format(name) end}\n",
        ),
    ]
}

/// What `print` shows of the first script line, by model.
fn expected(name: &str) -> &'static str {
    match name {
        "51-int" => "3\t3\t-2147483648\t2",
        "51-float" => "3.5\t3.5\t2147483648\t2",
        "53-int32-float32" | "53-int32-float64" => "3.5\t3.5\t-2147483648\t2",
        _ => "3.5\t3.5\t2147483648\t2",
    }
}

/// What a script prints in stock Lua with the `fast.c` of a folder, compiled with more options.
fn host(stock: &Path, model: &NumberModel, out: &Path, more: &[&str], script: &Path) -> String {
    let mut object = cc("gcc", stock, model);
    object.args(STRICT).args(more).args(["-c", "-o"]);
    succeed(object.args([out.join("fast.o"), out.join("fast.c")]));
    let mut program = cc("gcc", stock, model);
    program.arg("-o").arg(out.join("host"));
    program.args([stock.join("host.c"), out.join("fast.o")]);
    succeed(program.arg("-lm"));
    succeed(Command::new(out.join("host")).arg(script))
}

#[test]
fn loads_and_runs_in_stock_lua_of_each_number_model() {
    let folder = tempfile::tempdir().unwrap();
    let sources = modules(folder.path());
    let script = put(folder.path(), "script.lua", SCRIPT);
    let bytecode = NumberModel::ALL.map(|model| (model, "bytecode"));
    let deflated = [NumberModel::ALL[0], NumberModel::ALL[2]].map(|model| (model, "deflated"));
    let packed = NumberModel::ALL.map(|model| (model, "packed"));
    for (model, form) in bytecode.into_iter().chain(packed).chain(deflated) {
        let stock = folder.path().join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let name = format!("{}-{form}", model.name());
        let out = folder.path().join(&name);
        succeed(
            fastlua(folder.path())
                .args(["build", "--as", form])
                .args(&sources)
                .arg("-o")
                .arg(&out)
                .args(["--variant", &stock_variant(&model)]),
        );
        let output = host(&stock, &model, &out, &[], &script);
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(
            lines,
            [
                expected(&model.name()),
                "12",
                "hello, chip\t0\t33",
                "nil\tnil\tnil\tnil"
            ],
            "{name}"
        );
    }
}

/// Names with a zero byte are no chunk's; what goes too deep for the stack is refused, and warned of.
#[test]
fn names_are_whole_and_depth_has_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let nested = |levels: usize| {
        let (open, close) = (
            "return function() ".repeat(levels - 1),
            " end".repeat(levels - 1),
        );
        format!("{open}return {levels}{close}")
    };
    put(here, "ok.lua", nested(24));
    put(here, "deep.lua", nested(25));
    let script = put(
        here,
        "script.lua",
        "print(fast.load 'ok\\0x', fast['ok\\0'], pcall(fast.list(), nil, 'ok\\0'))\n\
         print(type(fast.load 'ok'), fast.load 'deep')\n\
         for name, size, kind, need in fast.list() do print(name, kind, need > 0) end\n",
    );
    for model in [NumberModel::ALL[0], NumberModel::ALL[2]] {
        let stock = here.join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let mut build = fastlua(here);
        build.args(["build", "ok.lua", "deep.lua", "-o", "out", "--variant"]);
        let built = build.arg(stock_variant(&model)).output().unwrap();
        let said = String::from_utf8(built.stderr).unwrap();
        assert!(
            said.contains("deep.lua: 25 levels of nested functions") && !said.contains("ok.lua"),
            "{said}"
        );
        let run = |more: &[&str]| host(&stock, &model, &here.join("out"), more, &script);
        let printed = run(&[]);
        let lines: Vec<&str> = printed.lines().collect();
        assert!(
            lines[0].starts_with("nil\tnil\tfalse\t") && lines[0].contains("no chunk of that name"),
            "{printed}"
        );
        let refused = "chunk 'deep' has 25 levels of functions, the limit is 24";
        assert!(
            lines[1].starts_with("function\t") && lines[1].contains(&format!("nil\t{refused}")),
            "{printed}"
        );
        let listed = ["deep", "ok"].map(|name| format!("{name}\tbytecode\ttrue"));
        assert_eq!(lines[2..], listed);
        assert!(run(&["-DFAST_DEPTH=25"]).contains("function\tfunction: "));
    }
}

/// Every number of the index is under its check: with another one the chunk is damaged.
#[test]
fn a_damaged_index_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "m.lua", "return 7");
    let script = put(
        here,
        "script.lua",
        "print(fast.load 'm')\nprint(fast.list()())\n",
    );
    let model = NumberModel::ALL[0];
    let stock = here.join("stock");
    stock_lua(&stock, model.dialect);
    let mut build = fastlua(here);
    build.args([
        "build",
        "m.lua",
        "-o",
        "out",
        "--variant",
        &stock_variant(&model),
    ]);
    succeed(&mut build);
    let out = here.join("out");
    let header = fs::read_to_string(out.join("fast_chunks.h")).unwrap();
    let whole = "{n, w, s, h, k, (uint32_t)(p), t, d, FAST_ENTRY_CHECKSUM(";
    let fast_c = fs::read_to_string(out.join("fast.c")).unwrap();
    assert!(fast_c.contains(whole) && header.contains("FAST_CHUNK("));
    assert!(host(&stock, &model, &out, &[], &script).starts_with("function: "));
    for damaged in [
        "{n, w, s - 1, h, k, (uint32_t)(p), t, d, FAST_ENTRY_CHECKSUM(",
        "{n, w, s, h ^ 1, k, (uint32_t)(p), t, d, FAST_ENTRY_CHECKSUM(",
        "{n, w, s, h, k + 5, (uint32_t)(p), t, d, FAST_ENTRY_CHECKSUM(",
        "{n, w, s, h, k, (uint32_t)(p) / 2, t, d, FAST_ENTRY_CHECKSUM(",
        "{n, w, s, h, k, (uint32_t)(p), t + 1, d, FAST_ENTRY_CHECKSUM(",
        "{n, w, s, h, k, (uint32_t)(p), t, 0, FAST_ENTRY_CHECKSUM(",
    ] {
        fs::write(out.join("fast.c"), fast_c.replace(whole, damaged)).unwrap();
        let printed = host(&stock, &model, &out, &[], &script);
        assert!(
            printed.starts_with("nil\tchunk 'm' is damaged in flash\nm\t"),
            "{damaged}: {printed}"
        );
    }
}

/// The compiler of the ESP8266's firmware, for one object, with the optimisation of its makefile.
fn esp8266(stock: &Path, model: &NumberModel) -> Command {
    let mut command = cc("xtensa-lx106-elf-gcc", stock, model);
    command
        .args(STRICT)
        .args(["-mlongcalls", "-O2", "-fno-inline-functions", "-isystem"])
        .args(["/usr/lib/xtensa-lx106-elf/include", "-c"]);
    command
}

#[test]
#[ignore = "needs the ESP8266's cross compiler"]
fn compiles_clean_for_the_esp8266_whatever_the_firmware_is_set_to() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let ours = root().join("crates/firmware/lua/hello.lua");
    succeed(
        fastlua(folder.path())
            .arg("build")
            .arg(&ours)
            .arg("-o")
            .arg(&out),
    );
    let packed = folder.path().join("packed");
    let mut build = fastlua(folder.path());
    build.args(["build", "--as", "packed", "-o"]).arg(&packed);
    succeed(build.arg(&ours));
    let objects = |out: &Path, model: NumberModel, flags: &[&str]| {
        let stock = folder.path().join(model.dialect.to_string());
        packed_lua(&stock, model.dialect);
        let mut command = esp8266(&stock, &model);
        command.args(flags).arg("-o").arg(out.join("fast.o"));
        command.arg(out.join("fast.c"));
        command
    };
    for model in NumberModel::ALL {
        for out in [&out, &packed] {
            succeed(&mut objects(out, model, firmware_flags(&model)));
        }
    }
    // flags that name another variant than the types are: the assertions see it
    let errors = fail(&mut objects(&out, NumberModel::ALL[3], &["-DLUA_USE_ESP"]));
    assert!(
        errors.contains("lua53-int32-float32: sizeof(lua_Integer) == 4"),
        "{errors}"
    );
    // a Lua that no block is for
    let errors = fail(&mut objects(&out, NumberModel::ALL[3], &[]));
    assert!(
        errors.contains("#error \"this firmware's Lua is not one of"),
        "{errors}"
    );
}

/// gcc sees through an index of one entry, and that the name in it has one word.
#[test]
#[ignore = "needs the ESP8266's cross compiler"]
fn compiles_clean_with_one_chunk_of_a_short_name() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "m.lua", "return ...\n");
    succeed(fastlua(folder.path()).args(["build", "m.lua", "-o", "."]));
    let model = NumberModel::ALL[1];
    let stock = folder.path().join("stock");
    packed_lua(&stock, model.dialect);
    let mut command = esp8266(&stock, &model);
    command.args(firmware_flags(&model)).arg("-o");
    succeed(command.args(["fast.o", "fast.c"].map(|file| folder.path().join(file))));
}

/// A slot is for chips only; with a core that runs frozen chunks and without, with the hook and without.
#[test]
#[ignore = "needs the ESP8266's cross compiler"]
fn compiles_clean_with_a_slot() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "m.lua", "return ...\n");
    for (out, modules) in [("empty", &[][..]), ("beside", &["m.lua"])] {
        let mut build = fastlua(folder.path());
        succeed(
            build
                .args(["build", "--slot", "64k", "-o", out])
                .args(modules),
        );
        for model in NumberModel::ALL {
            let compile = |core: &str, flags: &[&str]| {
                let stock = folder.path().join(format!("{core}{}", model.dialect));
                match core {
                    "freezing" => freezing_lua(&stock, model.dialect),
                    _ => packed_lua(&stock, model.dialect),
                }
                let mut command = esp8266(&stock, &model);
                command.args(firmware_flags(&model)).args(flags).arg("-o");
                let files = ["fast.o", "fast.c"].map(|file| folder.path().join(out).join(file));
                succeed(command.args(files));
            };
            compile("packed", &[]);
            compile("freezing", &[]);
            compile("freezing", &["-DFAST_WRAP"]);
        }
    }
}

#[test]
#[ignore = "needs clang"]
fn compiles_clean_with_clang() {
    let folder = tempfile::tempdir().unwrap();
    let ours = root().join("crates/firmware/lua/telnet.lua");
    for form in ["bytecode", "packed", "frozen"] {
        let out = folder.path().join(form);
        let mut build = fastlua(folder.path());
        build.args(["build", "--as", form, "-o"]);
        succeed(build.arg(&out).arg(&ours));
        for model in NumberModel::ALL {
            let stock = folder.path().join(model.dialect.to_string());
            freezing_lua(&stock, model.dialect);
            for hook in [&[][..], &["-DFAST_WRAP"]] {
                let mut clang = cc("clang", &stock, &model);
                clang.args(STRICT).args(firmware_flags(&model)).args(hook);
                clang.args(["-O2", "-c", "-o"]).arg(out.join("fast.o"));
                succeed(clang.arg(out.join("fast.c")));
            }
        }
    }
}

/// Names of which C has one, in each form: with another number of `_`, with digits and words of C.
#[test]
fn names_that_are_one_in_c_are_several_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let names = ["a-b", "a.b", "a_b", "a_b_2", "2", "while", "s"];
    let mut files = Vec::new();
    let mut script = String::new();
    let mut expected = String::new();
    for name in names {
        files.push(put(
            f,
            &format!("{name}.lua"),
            format!("return 'this is {name}'"),
        ));
        script += &format!("print(fast.load('{name}')())\n");
        expected += &format!("this is {name}\n");
    }
    put(f, "data/c-d", "data");
    put(f, "data/c.d", "more data");
    script += "print(fast.data 'c-d', fast.data 'c.d')\n";
    expected += "data\tmore data\n";
    let script = put(f, "script.lua", script);
    for model in [NumberModel::ALL[0], NumberModel::ALL[2]] {
        let stock = f.join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        for form in ["bytecode", "packed", "source", "deflated", "frozen"] {
            let out = f.join(format!("{form}{}", model.dialect));
            let mut build = fastlua(f);
            build
                .args(["build", "--as", form, "--data", "data/*", "-o"])
                .arg(&out);
            succeed(
                build
                    .args(&files)
                    .args(["--variant", &stock_variant(&model)]),
            );
            assert_eq!(host(&stock, &model, &out, &[], &script), expected, "{form}");
        }
        // frozen where the core can run them
        let core = f.join(format!("core{}", model.dialect));
        freezing_lua(&core, model.dialect);
        let out = f.join(format!("nodemcu{}", model.dialect));
        let mut build = fastlua(f);
        build
            .args(["build", "--as", "frozen", "-o"])
            .arg(&out)
            .args(&files);
        succeed(&mut build);
        let mut object = cc("gcc", &core, &model);
        object
            .args(STRICT)
            .args(firmware_flags(&model))
            .args(["-c", "-o"]);
        succeed(object.args([out.join("fast.o"), out.join("fast.c")]));
    }
    // where no C is made there is no name of C
    succeed(
        fastlua(f)
            .args([
                "build",
                "--emit",
                "object",
                "--chip",
                "esp8266",
                "--variant",
                "lua51-int",
                "-o",
                "object",
            ])
            .args(&files),
    );
    let code = "print(fast['a-b'](), fast.a_b())";
    assert_eq!(
        succeed(fastlua(f).arg("run").args(&files).args(["-e", code])),
        "this is a-b\tthis is a_b\n"
    );
}
