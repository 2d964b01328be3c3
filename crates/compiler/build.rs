//! Builds each of the six cores from the sources of Lua that the crate `lua-src` carries, and
//! writes those sources and the cores' table down as Rust for the library to include.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

/// Lua version and bytes of the integer and float types of each core.
const CORES: [(u32, u8, u8); 6] = [
    (51, 4, 0),
    (51, 0, 8),
    (53, 4, 4),
    (53, 8, 8),
    (53, 8, 4),
    (53, 4, 8),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = lua_src_folder()?;
    let folder = |lua| root.join(if lua == 51 { "lua-5.1.5" } else { "lua-5.3.6" });
    for (lua, integer, float) in CORES {
        let name = format!("core{lua}_{integer}_{float}");
        cc::Build::new()
            .file("csrc/core.c")
            .include(folder(lua))
            .include("csrc")
            .define("FASTLUA_LUA", lua.to_string().as_str())
            .define("FASTLUA_INTEGER", integer.to_string().as_str())
            .define("FASTLUA_FLOAT", float.to_string().as_str())
            .define("FASTLUA_PREFIX", format!("fastlua_{name}_").as_str())
            .opt_level(2)
            .warnings(false) // unused static functions of the API
            .out_dir(out.join(&name))
            .try_compile(&format!("fastlua_{name}"))?;
    }
    // for build scripts of crates that depend on this one: DEP_FASTLUA_CORES_…
    println!("cargo:lua51={}", folder(51).display());
    println!("cargo:lua53={}", folder(53).display());
    println!(
        "cargo:numbers={}",
        env::current_dir()?.join("csrc").display()
    );
    fs::write(out.join("cores.rs"), cores()?)?;
    for lua in [51, 53] {
        fs::write(out.join(format!("sources{lua}.rs")), sources(&folder(lua))?)?;
    }
    Ok(())
}

/// The folder of the crate `lua-src`, which keeps it to itself but which Cargo knows.
fn lua_src_folder() -> Result<PathBuf, Box<dyn Error>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(env::var("CARGO")?)
        .manifest_path(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))
        .other_options(["--filter-platform".into(), env::var("TARGET")?])
        .exec()?;
    let package = metadata
        .packages
        .iter()
        .find(|p| p.name.as_str() == "lua-src")
        .ok_or("cargo metadata does not name the package lua-src")?;
    let manifest = package.manifest_path.as_std_path();
    Ok(manifest.parent().ok_or("no folder")?.to_owned())
}

/// Declares each core's entry point and tables them by (Lua version, integer, float).
fn cores() -> Result<String, std::fmt::Error> {
    let mut text = String::from("unsafe extern \"C\" {\n");
    for (lua, integer, float) in CORES {
        writeln!(
            text,
            "    fn fastlua_core{lua}_{integer}_{float}_run(name: *const c_char, input: *const c_char, \
             size: usize, limit: usize, weigh: c_int, sink: Sink, ud: *mut c_void) -> c_int;"
        )?;
    }
    text += "}\n\nconst CORES: &[(u32, u8, u8, Run)] = &[\n";
    for (lua, integer, float) in CORES {
        writeln!(
            text,
            "    ({lua}, {integer}, {float}, fastlua_core{lua}_{integer}_{float}_run),"
        )?;
    }
    text += "];\n";
    Ok(text)
}

/// A slice of (file name, text) of a folder's C sources and headers, sorted by name.
fn sources(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    files.retain(|f| f.extension().is_some_and(|e| e == "c" || e == "h"));
    files.sort();
    let mut text = String::from("&[\n");
    for file in &files {
        let name = file.file_name().ok_or("no file name")?;
        writeln!(text, "    ({name:?}, include_str!({file:?})),")?;
    }
    text += "]\n";
    Ok(text)
}
