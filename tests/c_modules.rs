//! C modules with a Lua half (`--emit header`): each has its chunks, and what loads them is in a firmware once.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastlua_bytecode::NumberModel;
use serde_json::Value;
use support::{
    STRICT, call, cc, fail, fastlua, firmware_flags, packed_lua, put, root, stock_lua,
    stock_variant, succeed,
};

/// A C module whose functions are all in its Lua half.
fn c_module(name: &str) -> String {
    let config = name.to_uppercase();
    format!(
        "#include \"module.h\"\n#include \"{name}_lua.h\"\n\n\
         LROT_BEGIN({name}_meta, NULL, LROT_MASK_INDEX)\n  \
           LROT_FUNCENTRY(__index, {name}_lua_index)\n\
         LROT_END({name}_meta, NULL, LROT_MASK_INDEX)\n\n\
         LROT_BEGIN({name}, LROT_TABLEREF({name}_meta), 0)\n\
         LROT_END({name}, LROT_TABLEREF({name}_meta), 0)\n\n\
         NODEMCU_MODULE({config}, \"{name}\", {name}, NULL);\n"
    )
}

/// Writes the headers of Lua files in a form, for this variant or for all, to `out`.
fn headers(folder: &Path, out: &str, files: &[&str], form: &str, variant: Option<&str>) {
    let mut build = fastlua(folder);
    build.args(["build", "--emit", "header", "--as", form, "-o", out]);
    build.args(files);
    if let Some(variant) = variant {
        build.args(["--variant", variant]);
    }
    succeed(&mut build);
}

/// Compiles C files of a folder, as the makefile does that finds them there; the objects.
fn objects(
    compiler: &[&str],
    stock: &Path,
    model: &NumberModel,
    files: &[PathBuf],
) -> Vec<PathBuf> {
    let compile = |file: &PathBuf| {
        let object = file.with_extension("o");
        let mut command = cc(compiler[0], stock, model);
        command.args(&compiler[1..]).args(STRICT);
        command.args(["-ffunction-sections", "-fdata-sections", "-c", "-o"]);
        succeed(command.arg(&object).arg(file));
        object
    };
    files.iter().map(compile).collect()
}

/// A program with these objects, which opens the module `name`.
fn link(stock: &Path, model: &NumberModel, name: &str, objects: &[PathBuf], out: &Path) -> Command {
    let mut command = cc("gcc", stock, model);
    command.args([
        "-w",
        "-ffunction-sections",
        "-fdata-sections",
        "-Wl,--gc-sections",
    ]);
    command
        .arg(format!("-DHOST_MODULE={name}"))
        .arg("-o")
        .arg(out);
    command.arg(stock.join("host.c")).args(objects).arg("-lm");
    command
}

/// The example, `crates/firmware/example`.
#[test]
fn a_c_module_carries_its_lua_half() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("crates/firmware/example");
    let script = put(
        folder.path(),
        "script.lua",
        "print(led.blink(3), led.dim, led['blink\\0'])\nassert(led.blink ~= led.blink)\n",
    );
    for file in ["led.lua", "led.c"] {
        put(folder.path(), file, fs::read(example.join(file)).unwrap());
    }
    let bytecode = NumberModel::ALL.map(|model| (model, "bytecode"));
    let others = [(0, "packed"), (2, "packed"), (0, "source"), (2, "deflated")];
    let others = others.map(|(i, form)| (NumberModel::ALL[i], form));
    for (model, form) in bytecode.into_iter().chain(others) {
        let stock = folder.path().join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let name = format!("{}-{form}", model.name());
        headers(
            folder.path(),
            &name,
            &["led.lua"],
            form,
            Some(&stock_variant(&model)),
        );
        let out = folder.path().join(&name);
        fs::copy(folder.path().join("led.c"), out.join("led.c")).unwrap();
        let files = ["led.c", "fast_runtime.c"].map(|file| out.join(file));
        let objects = objects(&["gcc"], &stock, &model, &files);
        let program = out.join("host");
        succeed(&mut link(&stock, &model, "led", &objects, &program));
        let output = succeed(Command::new(&program).arg(&script));
        assert_eq!(output, "on off on\tnil\tnil\n", "{name}");
        // the linker leaves out the loaders that no module needs
        let symbols = succeed(Command::new("nm").arg(&program));
        let has = |export: &str| symbols.lines().any(|line| line.ends_with(export));
        assert!(has("_push") || has("_index"), "{name}");
        assert_eq!(has("_deflated"), form == "deflated", "{name}");
        assert_eq!(has("_packed"), form == "packed", "{name}");
        assert_eq!(has("_tables"), form == "packed", "{name}");
    }
}

/// Modules of every form, each in a build of its own, and the module fast: all in one program.
#[test]
fn any_modules_are_in_one_firmware() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let forms = ["bytecode", "packed", "deflated", "source"];
    let modules = ["one", "two", "three", "four"];
    let mut opens = String::new();
    for module in modules {
        let text = format!(
            "--[[SPLIT MODULE {module}]]\n--[[SPLIT HERE {module}-say]]\n\
             local a = ...\nlocal text = 'said by {module}'\n\
             return function() return text, 'in every module', a end\n"
        );
        put(here, &format!("{module}.lua"), text);
        put(here, &format!("out/{module}.c"), c_module(module));
        opens += &format!("  luaopen_{module}(L);\n  lua_setfield(L, -2, \"{module}\");\n");
    }
    put(here, "five.lua", "return 'of fast', ...");
    let declare = |module: &str| format!("int luaopen_{module} (lua_State *L);\n");
    let declared: String = modules
        .iter()
        .copied()
        .chain(["fast", "all"])
        .map(declare)
        .collect();
    put(
        here,
        "out/all.c",
        format!(
            "#include \"module.h\"\n{declared}\
             int luaopen_all (lua_State *L) {{\n  lua_newtable(L);\n{opens}  \
             luaopen_fast(L);\n  lua_setfield(L, -2, \"fast\");\n  return 1;\n}}\n"
        ),
    );
    let script = put(
        here,
        "script.lua",
        "for _, name in ipairs {'one', 'two', 'three', 'four'} do\n\
           print(all[name].say(7)())\n\
           assert(all[name].none == nil)\n\
         end\n\
         print(all.fast.load 'five' (7), all.fast.load 'one-say')\n",
    );
    for model in [NumberModel::ALL[0], NumberModel::ALL[2]] {
        let stock = here.join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let variant = stock_variant(&model);
        for (module, form) in modules.iter().zip(forms) {
            headers(
                here,
                "out",
                &[&format!("{module}.lua")],
                form,
                Some(&variant),
            );
        }
        let mut build = fastlua(here);
        build.args(["build", "five.lua", "--as", "packed", "-o", "out"]);
        succeed(build.args(["--variant", &variant]));
        let names = modules
            .iter()
            .copied()
            .chain(["all", "fast", "fast_runtime"]);
        let files: Vec<PathBuf> = names
            .map(|name| here.join(format!("out/{name}.c")))
            .collect();
        let objects = objects(&["gcc"], &stock, &model, &files);
        let program = here.join("host");
        succeed(&mut link(&stock, &model, "all", &objects, &program));
        let output = succeed(Command::new(&program).arg(&script));
        let mut lines: Vec<String> = modules
            .map(|module| format!("said by {module}\tin every module\t7"))
            .into();
        lines.push("of fast\tnil".into());
        assert_eq!(output.lines().collect::<Vec<_>>(), lines, "{variant}");
    }
}

/// Files and objects of two builds of fastlua are refused: by the compiler, or else by the linker, and both name them.
#[test]
fn files_of_two_builds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", "return 1");
    put(here, "out/led.c", c_module("led"));
    let model = NumberModel::ALL[0];
    let stock = here.join("stock");
    stock_lua(&stock, model.dialect);
    headers(
        here,
        "out",
        &["led.lua"],
        "bytecode",
        Some(&stock_variant(&model)),
    );
    let out = here.join("out");
    let read = |file: &str| fs::read_to_string(out.join(file)).unwrap();
    let (h, c) = (read("fast_runtime.h"), read("fast_runtime.c"));
    let (_, id) = h.split_once("#define FAST_RUNTIME\t0x").unwrap();
    let id = &id[..8];
    let other = |text: &str| text.replace(id, "12345678");
    let compile = |file: &str| {
        let mut command = cc("gcc", &stock, &model);
        command.args(STRICT).args(["-c", "-o", "/dev/null"]);
        command.arg(out.join(file));
        command
    };
    fs::write(out.join("fast_runtime.h"), other(&h)).unwrap();
    for (file, named) in [("led.c", "led_lua.h"), ("fast_runtime.c", "fast_runtime.c")] {
        let errors = fail(&mut compile(file));
        let says = format!(
            "{named} and fast_runtime.h are from different builds of fastlua: rebuild all modules"
        );
        assert!(errors.contains(&says), "{errors}");
    }
    // one that knows no such number
    fs::write(out.join("fast_runtime.h"), "").unwrap();
    let errors = fail(&mut compile("led.c"));
    assert!(
        errors.contains("are from different builds of fastlua"),
        "{errors}"
    );
    // an old object
    fs::write(out.join("fast_runtime.h"), other(&h)).unwrap();
    fs::write(out.join("fast_runtime.c"), other(&c)).unwrap();
    let old = objects(&["gcc"], &stock, &model, &[out.join("fast_runtime.c")]);
    fs::write(out.join("fast_runtime.h"), &h).unwrap();
    let new = objects(&["gcc"], &stock, &model, &[out.join("led.c")]);
    let errors = fail(&mut link(
        &stock,
        &model,
        "led",
        &[old, new].concat(),
        &here.join("host"),
    ));
    let misses = format!("undefined reference to `fast_runtime_{id}_");
    assert!(errors.contains(&misses), "{errors}");
}

/// A module shares no strings with others, and the report says what its chunks take so.
#[test]
fn the_report_is_of_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = "local function f() return 'a string of both' end return f, 'a string of both'";
    for file in ["a.lua", "b.lua"] {
        put(here, file, text);
    }
    let build = "build a.lua b.lua --as packed --variant lua51-float --json --emit";
    let report = |emit: &str| -> Value {
        let said = succeed(&mut call(
            here,
            &format!("{build} {emit} -o out --cache cache"),
        ));
        serde_json::from_str(&said).unwrap()
    };
    let bytes = |report: &Value, i: usize| report["chunks"][i]["dumps"]["lua51-float"].clone();
    let shared = report("module");
    for _ in ["built", "from the cache"] {
        let report = report("header");
        for (i, file) in ["a", "b"].iter().enumerate() {
            let header = fs::read_to_string(here.join(format!("out/{file}_lua.h"))).unwrap();
            let dump = bytes(&report, i);
            let (size, hash) = (&dump["bytes"], dump["xxh32"].as_str().unwrap());
            let entry =
                format!("(fast_name_{file}, fast_words_{file}, {size}, 0x{hash}, FAST_PACKED,");
            assert!(header.contains(&entry), "{entry}");
            assert!(size.as_u64() > bytes(&shared, i)["bytes"].as_u64());
        }
        assert_eq!(report["packed"]["lua51-float"]["strings"], 0);
    }
}

/// Bytes of code and constants of an object, and of variables.
fn size(object: &Path) -> [usize; 2] {
    let printed = succeed(Command::new("xtensa-lx106-elf-size").arg(object));
    let numbers: Vec<usize> = printed
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .take(3)
        .map(|n| n.parse().unwrap())
        .collect();
    [numbers[0], numbers[1] + numbers[2]]
}

/// A module of one line takes few lines and few bytes; what loads it is compiled once.
#[test]
#[ignore = "needs the ESP8266's cross compiler"]
fn a_small_module_is_small_on_the_chip() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", "return 'led'");
    put(here, "out/led.c", c_module("led"));
    let mut compiler = vec![
        "xtensa-lx106-elf-gcc",
        "-mlongcalls",
        "-O2",
        "-fno-inline-functions",
    ];
    compiler.extend(["-isystem", "/usr/lib/xtensa-lx106-elf/include"]);
    for model in [
        NumberModel::ALL[0],
        NumberModel::ALL[1],
        NumberModel::ALL[2],
    ] {
        let stock = here.join(model.name());
        packed_lua(&stock, model.dialect);
        let flags = [&compiler, firmware_flags(&model)].concat();
        for form in ["bytecode", "packed", "deflated", "source"] {
            headers(here, "out", &["led.lua"], form, None);
            let out = here.join("out");
            let header = fs::read_to_string(out.join("led_lua.h")).unwrap();
            assert!(
                header.lines().count() < 200,
                "{form}: {} lines",
                header.lines().count()
            );
            let files = ["led.c", "fast_runtime.c"].map(|file| out.join(file));
            let [module, runtime] =
                [0, 1].map(|i| objects(&flags, &stock, &model, &files)[i].clone());
            let (module, runtime) = (size(&module), size(&runtime));
            let name = format!("{}, {form}", model.name());
            assert!(module[0] < 500 && module[1] <= 4, "{name}: {module:?}");
            assert!(runtime[0] > 3000 && runtime[1] == 0, "{name}: {runtime:?}");
        }
    }
}

/// No name of C begins with a digit, and all that the headers of a firmware define differs.
#[test]
fn any_name_of_a_module_gives_names_of_c() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let modules = [
        ("2048", "module_2048_lua"),
        ("9-x.y", "module_9_x_y_lua"),
        ("while", "while_lua"),
        ("int", "int_lua"),
        ("a.b", "a_b_lua"),
        ("_", "__lua"),
        ("fast", "fast_lua"),
        ("lua_State", "lua_State_lua"),
    ];
    let mut text = "#include \"module.h\"\n".to_owned();
    let mut calls = String::new();
    let mut build = call(f, "build --emit header -o out");
    for (module, prefix) in modules {
        put(f, &format!("{module}.lua"), "return 1");
        build.arg(format!("{module}.lua"));
        let file = module.replace(['-', '.'], "_");
        text += &format!("#include \"{file}_lua.h\"\n");
        calls += &format!("  {prefix}_load(L, \"{module}\");\n  {prefix}_index(L);\n");
    }
    succeed(&mut build);
    text +=
        &format!("int all (lua_State *L);\nint all (lua_State *L) {{\n{calls}  return 0;\n}}\n");
    let files = [put(f, "out/all.c", text), f.join("out/fast_runtime.c")];
    for model in NumberModel::ALL {
        let stock = f.join(model.dialect.to_string());
        packed_lua(&stock, model.dialect);
        let mut compiler = vec!["gcc"];
        compiler.extend(firmware_flags(&model));
        objects(&compiler, &stock, &model, &files);
    }
    for (one, other) in [("a-b", "a_b"), ("2048", "module_2048")] {
        for name in [one, other] {
            put(f, &format!("{name}.lua"), "return 1");
        }
        let said = fail(&mut call(
            f,
            &format!("build --emit header -o no {one}.lua {other}.lua"),
        ));
        let says = format!("the modules {one:?} and {other:?} have the same C name");
        assert!(said.contains(&says), "{said}");
        assert!(!f.join("no").exists());
        succeed(&mut call(f, &format!("build -o no {one}.lua {other}.lua")));
        fs::remove_dir_all(f.join("no")).unwrap();
    }
}
