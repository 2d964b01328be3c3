//! Finds the sources of Lua, writes them down as Rust for the library
//! to include, and tells build scripts of crates that depend on this one where they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, error::Error, fs};

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = releases()?;
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

/// The folder of Lua's releases: in the package that is published its own `lua`, else that of the crate `lua-src`.
fn releases() -> Result<PathBuf, Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    match package.join("lua") {
        lua if lua.is_dir() => {
            println!("cargo:rerun-if-changed=lua");
            Ok(lua)
        }
        _ => folder_of("lua-src", &package.join("Cargo.toml"), &env::var("TARGET")?),
    }
}

/// The folder of a crate that keeps it to itself but which Cargo knows.
fn folder_of(name: &str, manifest: &Path, platform: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        platform,
    ]);
    let told = cargo.arg("--manifest-path").arg(manifest).output()?;
    if !told.status.success() {
        return Err(String::from_utf8_lossy(&told.stderr).into());
    }
    let metadata: Value = serde_json::from_slice(&told.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == name);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
    Ok(folder
        .ok_or_else(|| format!("cargo metadata does not name the package {name}"))?
        .to_owned())
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
