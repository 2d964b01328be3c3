//! The C output as C compilers read it: clean for the PC and for the ESP8266's processor, and in
//! stock Lua of each number model it loads and runs.

mod support;

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

#[test]
fn loads_and_runs_in_stock_lua_of_each_number_model() {
    let folder = tempfile::tempdir().unwrap();
    let sources = modules(folder.path());
    let script = put(folder.path(), "script.lua", SCRIPT);
    for model in NumberModel::ALL {
        let stock = folder.path().join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let name = model.name();
        let out = folder.path().join(&name);
        succeed(
            fastlua(folder.path())
                .arg("build")
                .args(&sources)
                .arg("-o")
                .arg(&out)
                .args(["--variant", &stock_variant(&model)]),
        );
        succeed(
            cc("gcc", &stock, &model)
                .args(STRICT)
                .args(["-c", "-o"])
                .arg(out.join("fast.o"))
                .arg(out.join("fast.c")),
        );
        succeed(
            cc("gcc", &stock, &model)
                .arg("-o")
                .arg(out.join("host"))
                .args([stock.join("host.c"), out.join("fast.o")])
                .arg("-lm"),
        );
        let output = succeed(Command::new(out.join("host")).arg(&script));
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(
            lines,
            [
                expected(&name),
                "12",
                "hello, chip\t0\t33",
                "nil\tnil\tnil\tnil"
            ],
            "{name}"
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
    let objects = |model: NumberModel, flags: &[&str]| {
        let stock = folder.path().join(model.dialect.to_string());
        packed_lua(&stock, model.dialect);
        let mut command = esp8266(&stock, &model);
        command.args(flags).arg("-o").arg(out.join("fast.o"));
        command.arg(out.join("fast.c"));
        command
    };
    for model in NumberModel::ALL {
        succeed(&mut objects(model, firmware_flags(&model)));
    }
    // flags that name another variant than the types are: the assertions see it
    let errors = fail(&mut objects(NumberModel::ALL[3], &["-DLUA_USE_ESP"]));
    assert!(
        errors.contains("lua53-int32-float32: sizeof(lua_Integer) == 4"),
        "{errors}"
    );
    // a Lua that no block is for
    let errors = fail(&mut objects(NumberModel::ALL[3], &[]));
    assert!(
        errors.contains("#error \"this firmware's Lua is none of"),
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

#[test]
#[ignore = "needs clang"]
fn compiles_clean_with_clang() {
    let folder = tempfile::tempdir().unwrap();
    let ours = root().join("crates/firmware/lua/telnet.lua");
    for form in ["bytecode", "frozen"] {
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

/// The example of a C module with a Lua half, `crates/firmware/example`.
#[test]
fn a_c_module_carries_its_lua_half() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("crates/firmware/example");
    let script = put(
        folder.path(),
        "script.lua",
        "print(led.blink(3), led.dim)\nassert(led.blink ~= led.blink)\n",
    );
    for model in NumberModel::ALL {
        let stock = folder.path().join(model.dialect.to_string());
        stock_lua(&stock, model.dialect);
        let name = model.name();
        let out = folder.path().join(&name);
        let mut build = fastlua(&example);
        build.args(["build", "--emit", "header", "led.lua", "-o"]);
        let variant = stock_variant(&model);
        succeed(build.arg(&out).args(["--variant", &variant]));
        succeed(
            cc("gcc", &stock, &model)
                .args(STRICT)
                .arg("-I")
                .arg(&out)
                .args(["-c", "-o"])
                .arg(out.join("led.o"))
                .arg(example.join("led.c")),
        );
        succeed(
            cc("gcc", &stock, &model)
                .args(["-w", "-DHOST_MODULE=led", "-o"])
                .arg(out.join("host"))
                .args([stock.join("host.c"), out.join("led.o")])
                .arg("-lm"),
        );
        let output = succeed(Command::new(out.join("host")).arg(&script));
        assert_eq!(output, "on off on\tnil\n", "{name}");
    }
}
