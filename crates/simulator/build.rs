//! Compiles `fast.c` for the Lua that mlua links, with a table of chunks that is filled at run time.

use std::path::PathBuf;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    let lua53 = env::var_os("CARGO_FEATURE_LUA53").is_some();
    let headers = env::var(if lua53 {
        "DEP_FASTLUA_CORES_LUA53"
    } else {
        "DEP_FASTLUA_CORES_LUA51"
    })?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("fast.c"), fastlua_firmware::fast_c())?;
    for (name, text) in fastlua_firmware::STOCK {
        fs::write(out.join(name), text)?;
    }
    cc::Build::new()
        .file(out.join("fast.c"))
        .include("csrc")
        .include(&out)
        .include(headers)
        .std("gnu11")
        .try_compile("fastlua_fast")?;
    Ok(())
}
