//! Builds each of the six cores as one C unit, and writes down the table of them as Rust for the
//! library to include.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

use fastlua_bytecode::{Dialect, NumberModel};
use fastlua_cores::compiler::{JUMPS, compiler_file};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let headers = env::var("DEP_FASTLUA_CORES_HEADERS")?;
    println!("cargo:rerun-if-changed={headers}");
    let edited = |dialect: Dialect| out.join(format!("edited{}", dialect.version()));
    for dialect in Dialect::ALL {
        let (name, text) = compiler_file(dialect)?;
        fs::create_dir_all(edited(dialect))?;
        fs::write(edited(dialect).join(name), text.as_bytes())?;
    }
    for model in NumberModel::ALL {
        let name = identifier(&model);
        let version = model.dialect.version();
        let mut build = cc::Build::new();
        for (name, value) in model.defines() {
            build.define(name, value.to_string().as_str());
        }
        build
            .file("csrc/core.c")
            .include(edited(model.dialect))
            .include(env::var(format!("DEP_FASTLUA_CORES_LUA{version}"))?)
            .include(&headers)
            .define("CORE_JUMPS", JUMPS.to_string().as_str())
            .define("FASTLUA_PREFIX", format!("{name}_").as_str())
            .opt_level(2)
            .warnings(false) // unused static functions of the API
            .out_dir(out.join(&name));
        if is_wasm() {
            wasm_flags(&mut build);
        }
        build.try_compile(&name)?;
    }
    if is_wasm() {
        let mut build = cc::Build::new();
        wasm_flags(&mut build);
        build.file("csrc/wasm.c").try_compile("fastlua_wasm")?;
        println!("cargo:rustc-link-lib=static:-bundle=c");
    }
    fs::write(Path::new(&out).join("cores.rs"), table()?)?;
    Ok(())
}

/// Whether this is for a page in a browser, which has no system.
fn is_wasm() -> bool {
    env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm")
}

/// The flags with which clang compiles for wasi-libc without WASI, with setjmp. All browsers support the older form of
/// exceptions, but not all the newer one.
fn wasm_flags(build: &mut cc::Build) {
    build
        .include("csrc/wasm")
        .define("__wasi__", None)
        .define("_WASI_EMULATED_SIGNAL", None)
        .define("l_signalT", "int")
        .flag("-mllvm")
        .flag("-wasm-enable-sjlj")
        .flag("-mllvm")
        .flag("-wasm-use-legacy-eh=true");
}

/// What the names of a core in C begin with.
fn identifier(model: &NumberModel) -> String {
    format!("fastlua_core{}", model.name().replace('-', "_"))
}

/// Declares each core's entry point and tables them in the order of `NumberModel::ALL`.
fn table() -> Result<String, std::fmt::Error> {
    let mut text = String::from("unsafe extern \"C\" {\n");
    for name in NumberModel::ALL.iter().map(identifier) {
        writeln!(
            text,
            "    fn {name}_run(name: *const c_char, input: *const c_char, size: usize, limit: usize, \
             wanted: c_int, memory: *mut c_char, room: usize, sink: Sink, ud: *mut c_void) -> c_int;"
        )?;
    }
    text += "}\n\nconst CORES: [Run; NumberModel::ALL.len()] = [\n";
    for name in NumberModel::ALL.iter().map(identifier) {
        writeln!(text, "    {name}_run,")?;
    }
    text += "];\n";
    Ok(text)
}
