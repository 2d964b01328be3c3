//! Writes down as Rust, for the library to include, those of Berkeley SoftFloat's C sources that
//! `csrc/lx106/softfloat.c` includes. They come from the crate `softfloat-sys`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, error::Error, fs};

use serde_json::Value;

/// A platform that nobody builds this for: the one for which the manifest names `softfloat-sys`.
const PLATFORM: &str = "xtensa-esp32-none-elf";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc/lx106/softfloat.c");
    println!("cargo:rerun-if-changed=build.rs");
    let source = softfloat()?.join("source");
    let folders = [
        source.clone(),
        source.join("include"),
        source.join("8086-SSE"),
    ];
    let unit = fs::read_to_string("csrc/lx106/softfloat.c")?;
    let included = unit
        .lines()
        .filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
    let mut names: Vec<String> = included.map(str::to_owned).collect();
    for folder in &folders[1..] {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".h") {
                names.push(name);
            }
        }
    }
    names.sort();
    let mut text = String::from("&[\n");
    for name in names {
        let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.join(&name)).collect();
        let path = paths
            .iter()
            .find(|path| path.exists())
            .ok_or_else(|| format!("softfloat-sys has no {name}"))?;
        writeln!(text, "    ({name:?}, include_bytes!({path:?})),")?;
    }
    text += "]\n";
    fs::write(Path::new(&env::var("OUT_DIR")?).join("softfloat.rs"), text)?;
    Ok(())
}

/// The folder of SoftFloat: in the package that is published its own `softfloat`, else that of the crate `softfloat-sys`.
fn softfloat() -> Result<PathBuf, Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    match package.join("softfloat") {
        own if own.is_dir() => {
            println!("cargo:rerun-if-changed=softfloat");
            Ok(own)
        }
        _ => {
            let found = folder_of("softfloat-sys", &package.join("Cargo.toml"), PLATFORM)?;
            Ok(found.join("berkeley-softfloat-3"))
        }
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
