//! Makes the Lua that mlua calls, and `fast.c` for it, with a table of chunks that is filled at run time. Lua 5.1 is the
//! one that collects in emergencies and limits strings as NodeMCU's does (`fastlua_cores::emergency`), 5.3 is stock Lua.
//!
//! With the feature `frozen` it compiles the folder that `FASTLUA_FROZEN` names instead: what the
//! example `read_only` of `fastlua-cores` wrote, and `fast.c` and `fast_chunks.h` of a bundle
//! with frozen chunks. That is then mlua's Lua, with the start-up hook.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

use fastlua_bytecode::Dialect;
use fastlua_cores::edits::released;
use fastlua_cores::emergency::collect_in_emergencies;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (name, text) in fastlua_firmware::STOCK {
        fs::write(out.join(name), text)?;
    }
    if env::var_os("CARGO_FEATURE_FROZEN").is_some() {
        println!("cargo:rerun-if-env-changed=FASTLUA_FROZEN");
        let folder = env::var_os("FASTLUA_FROZEN").ok_or(
            "the feature `frozen` needs FASTLUA_FROZEN; scripts/test shows how it is made",
        )?;
        return frozen(Path::new(&folder), &out);
    }
    let dialect = match env::var_os("CARGO_FEATURE_LUA53") {
        Some(_) => Dialect::Lua53,
        None => Dialect::Lua51,
    };
    let lua = out.join("lua");
    fs::create_dir_all(&lua)?;
    let mut build = core(&lua);
    for (name, text) in collect_in_emergencies(released(dialect), dialect)? {
        fs::write(lua.join(name), text.as_bytes())?;
        if name.ends_with(".c") {
            build.file(lua.join(name));
        }
    }
    build.try_compile("fastlua_lua")?;
    fs::write(out.join("fast.c"), fastlua_firmware::fast_c())?;
    for (name, text) in [
        ("fast_deflated.h", fastlua_firmware::fast_deflated_h()),
        ("fast_packed.h", fastlua_firmware::fast_packed_h()),
    ] {
        fs::write(out.join(name), text)?;
    }
    cc::Build::new()
        .file(out.join("fast.c"))
        .file("csrc/platform.c")
        .file("csrc/collector.c")
        .include("csrc")
        .include(&out)
        .include(&lua)
        .std("gnu11")
        .try_compile("fastlua_fast")?;
    Ok(())
}

/// What compiles Lua's own files, which lie in `folder`.
fn core(folder: &Path) -> cc::Build {
    let mut build = cc::Build::new();
    let is_windows = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "windows");
    build
        .include(folder)
        .define(
            match is_windows {
                true => "LUA_USE_WINDOWS",
                false => "LUA_USE_POSIX",
            },
            None,
        )
        .std("gnu11")
        .opt_level(2)
        .warnings(false)
        // mlua's calls come after it on the linker's command line
        .link_lib_modifier("+whole-archive");
    if env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some() {
        build.define("LUA_USE_APICHECK", None);
    }
    build
}

/// Compiles a Lua with read-only objects and the bundle beside it.
fn frozen(folder: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut build = core(folder);
    build.include(out).define("FAST_WRAP", None);
    let mut start = build.clone();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let file = entry?.path();
        let name = file.file_name().and_then(|name| name.to_str());
        match name.ok_or("a file name is not UTF-8")? {
            "lua.c" | "luac.c" => {}
            // the linker's --wrap=luaN_init by other means, as a library's build script can't ask for it
            "start.c" => {
                start.file(&file).define("luaN_init", "__real_luaN_init");
            }
            name if name.ends_with(".c") => {
                build.file(&file);
            }
            _ => {}
        }
    }
    build.file("csrc/platform.c").file("csrc/collector.c");
    build.define("luaN_init", "__wrap_luaN_init");
    build.try_compile("fastlua_fast")?;
    start.try_compile("fastlua_start")?;
    Ok(())
}
