//! The C output as C compilers read it: clean for the PC and for the ESP8266's processor, and in
//! stock Lua of each number model it loads and runs.

mod support;

use std::path::Path;

use support::{
    MODELS, STRICT, cc, fail, fastlua, firmware_flags, packed_lua, put, root, stock_lua, succeed,
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
    for (lua, integer, float, name) in MODELS {
        let stock = folder.path().join(lua.to_string());
        stock_lua(&stock, lua);
        let out = folder.path().join(name);
        let bits = usize::BITS;
        succeed(
            fastlua(folder.path())
                .arg("build")
                .args(&sources)
                .arg("-o")
                .arg(&out)
                .args(["--variant", &format!("puc{name}-{bits}bit")]),
        );
        succeed(
            cc("gcc", &stock, lua, integer, float)
                .args(STRICT)
                .args(["-c", "-o"])
                .arg(out.join("fast.o"))
                .arg(out.join("fast.c")),
        );
        succeed(
            cc("gcc", &stock, lua, integer, float)
                .arg("-o")
                .arg(out.join("host"))
                .args([stock.join("host.c"), out.join("fast.o")])
                .arg("-lm"),
        );
        let output = succeed(std::process::Command::new(out.join("host")).arg(&script));
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(
            lines,
            [
                expected(name),
                "12",
                "hello, chip\t0\t33",
                "nil\tnil\tnil\tnil"
            ],
            "{name}"
        );
    }
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
    let objects = |lua, integer, float, flags: &[&str]| {
        let stock = folder.path().join(format!("{lua}"));
        packed_lua(&stock, lua);
        let mut command = cc("xtensa-lx106-elf-gcc", &stock, lua, integer, float);
        command
            .args(STRICT)
            .args(["-mlongcalls", "-Os", "-isystem"])
            .arg("/usr/lib/xtensa-lx106-elf/include")
            .args(flags)
            .args(["-c", "-o"])
            .arg(out.join("fast.o"))
            .arg(out.join("fast.c"));
        command
    };
    for (lua, integer, float, name) in MODELS {
        succeed(&mut objects(lua, integer, float, firmware_flags(name)));
    }
    // flags that name another variant than the types are: the assertions see it
    let errors = fail(&mut objects(53, 8, 8, &["-DLUA_USE_ESP"]));
    assert!(
        errors.contains("lua53-int32-float32: sizeof(lua_Integer) == 4"),
        "{errors}"
    );
    // a Lua that no block is for
    let errors = fail(&mut objects(53, 8, 8, &[]));
    assert!(
        errors.contains("#error \"this firmware's Lua is none of"),
        "{errors}"
    );
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
    for (lua, integer, float, name) in MODELS {
        let stock = folder.path().join(lua.to_string());
        stock_lua(&stock, lua);
        let out = folder.path().join(name);
        let mut build = fastlua(&example);
        build.args(["build", "--emit", "header", "led.lua", "-o"]);
        let variant = format!("puc{name}-{}bit", usize::BITS);
        succeed(build.arg(&out).args(["--variant", &variant]));
        succeed(
            cc("gcc", &stock, lua, integer, float)
                .args(STRICT)
                .arg("-I")
                .arg(&out)
                .args(["-c", "-o"])
                .arg(out.join("led.o"))
                .arg(example.join("led.c")),
        );
        succeed(
            cc("gcc", &stock, lua, integer, float)
                .args(["-w", "-DHOST_MODULE=led", "-o"])
                .arg(out.join("host"))
                .args([stock.join("host.c"), out.join("led.o")])
                .arg("-lm"),
        );
        let output = succeed(std::process::Command::new(out.join("host")).arg(&script));
        assert_eq!(output, "on off on\tnil\n", "{name}");
    }
}
