//! Finds the sources of Lua that the crate `lua-src` carries, writes them down as Rust for the library
//! to include, and tells build scripts of crates that depend on this one where they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = lua_src_folder()?;
    for (version, release) in [(51, "lua-5.1.5"), (53, "lua-5.3.6")] {
        let folder = root.join(release);
        let file = out.join(format!("sources{version}.rs"));
        fs::write(file, sources(&folder)?)?;
        // DEP_FASTLUA_CORES_LUA51 and …_LUA53
        println!("cargo:lua{version}={}", folder.display());
    }
    // DEP_FASTLUA_CORES_HEADERS
    let headers = env::current_dir()?.join("csrc");
    println!("cargo:headers={}", headers.display());
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
