//! Compiles `fast.c` for the Lua that mlua links, with a table of chunks that is filled at run time.
//!
//! With the feature `frozen` it compiles the folder that `FASTLUA_FROZEN` names instead: what the
//! example `read_only` of `fastlua-cores` wrote, and `fast.c` and `fast_chunks.h` of a bundle
//! with frozen chunks. That is then mlua's Lua, with the start-up hook.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    let lua53 = env::var_os("CARGO_FEATURE_LUA53").is_some();
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
    let headers = env::var(if lua53 {
        "DEP_FASTLUA_CORES_LUA53"
    } else {
        "DEP_FASTLUA_CORES_LUA51"
    })?;
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
        .include("csrc")
        .include(&out)
        .include(headers)
        .std("gnu11")
        .try_compile("fastlua_fast")?;
    Ok(())
}

/// Compiles a Lua with read-only objects and the bundle beside it.
fn frozen(folder: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut build = cc::Build::new();
    build
        .include(folder)
        .include(out)
        .define("FAST_WRAP", None)
        .define("LUA_USE_LINUX", None)
        .define("LUA_USE_APICHECK", None)
        .std("gnu11")
        .warnings(false) // in Lua itself
        // mlua's calls come after it on the linker's command line
        .link_lib_modifier("+whole-archive");
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
    build.file("csrc/platform.c");
    build.define("luaN_init", "__wrap_luaN_init");
    build.try_compile("fastlua_fast")?;
    start.try_compile("fastlua_start")?;
    Ok(())
}
