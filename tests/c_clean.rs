//! Everything that is generated compiles without a warning, in each number model, with the compilers of the chips, and with two
//! of a PC at 32 bits, where sizes are as on a chip.

mod support;

use std::fs;
use std::path::Path;
use std::thread;

use fastlua_bytecode::NumberModel;
use support::{STRICT, call, cc, firmware_flags, freezing_lua, put, root, succeed};

/// A module of each form, so that each loader is there.
const FORMS: &str = r#"
[[module]]
path = "bytecode.lua"
[[module]]
path = "packed.lua"
as = "packed"
[[module]]
path = "source.lua"
as = "source"
[[module]]
path = "deflated.lua"
as = "deflated"
"#;

const FROZEN: &str = r#"
[[module]]
path = "frozen.lua"
as = "frozen"
[[module]]
path = "string.txt"
as = "frozen-data"
[[module]]
path = "data.txt"
as = "data"
"#;

const COMPILERS: [&[&str]; 4] = [
    &[
        "xtensa-lx106-elf-gcc",
        "-mlongcalls",
        "-isystem",
        "/usr/lib/xtensa-lx106-elf/include",
    ],
    &[
        "riscv64-unknown-elf-gcc",
        "-march=rv32imc",
        "-mabi=ilp32",
        "-isystem",
        "/usr/lib/picolibc/riscv64-unknown-elf/include",
    ],
    &["gcc", "-m32"],
    &["clang", "-m32"],
];

/// Writes what is compiled into folders.
fn generate(here: &Path) {
    let hello = fs::read(root().join("crates/firmware/lua/hello.lua")).unwrap();
    for form in ["bytecode", "packed", "source", "deflated", "frozen"] {
        put(here, &format!("{form}.lua"), &hello);
    }
    for text in ["string.txt", "data.txt"] {
        put(here, text, "some data");
    }
    put(here, "forms.toml", FORMS);
    put(here, "all.toml", format!("{FORMS}{FROZEN}"));
    put(
        here,
        "header/halves.c",
        "#include \"module.h\"\n#include \"bytecode_lua.h\"\n#include \"packed_lua.h\"\n\
         #include \"source_lua.h\"\n#include \"deflated_lua.h\"\n",
    );
    for build in [
        "build all.toml -o all",
        "build forms.toml --slot 64k -o slot",
        "build forms.toml --emit header -o header",
    ] {
        succeed(&mut call(here, build));
    }
}

#[test]
#[ignore = "needs the chips' cross compilers, clang and a PC's compiler for 32 bits"]
fn no_compiler_warns() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    generate(here);
    for (i, model) in NumberModel::ALL.iter().enumerate() {
        let stock = here.join(model.dialect.to_string());
        freezing_lua(&stock, model.dialect);
        // the start-up hook in one of two
        let hook: [&[&str]; 2] = [&[], &["-DFAST_WRAP"]];
        let files = [
            ("all/fast.c", hook[i % 2]),
            ("slot/fast.c", hook[(i + 1) % 2]),
            ("header/fast_runtime.c", &[]),
            ("header/halves.c", &[]),
        ];
        let compile = |compiler: &[&str]| {
            for (file, flags) in files {
                let mut command = cc(compiler[0], &stock, model);
                command.args(&compiler[1..]).args(STRICT).args(flags);
                command.args(firmware_flags(model));
                command.args(["-O2", "-ffunction-sections", "-c", "-o", "/dev/null"]);
                succeed(command.arg(here.join(file)));
            }
        };
        thread::scope(|scope| {
            for compiler in COMPILERS {
                scope.spawn(move || compile(compiler));
            }
        });
    }
}
