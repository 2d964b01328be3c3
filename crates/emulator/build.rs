//! Writes down as Rust, for the library to include, those of Berkeley SoftFloat's C sources that
//! `csrc/lx106/softfloat.c` includes. They come from the crate `softfloat-sys`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

/// A platform that nobody builds this for: the one for which the manifest names `softfloat-sys`.
const PLATFORM: &str = "xtensa-esp32-none-elf";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=csrc/lx106/softfloat.c");
    println!("cargo:rerun-if-changed=build.rs");
    let source = softfloat_folder()?.join("berkeley-softfloat-3/source");
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

/// The folder of the crate `softfloat-sys`, which keeps it to itself but which Cargo knows.
fn softfloat_folder() -> Result<PathBuf, Box<dyn Error>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(env::var("CARGO")?)
        .manifest_path(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))
        .other_options(["--filter-platform".into(), PLATFORM.into()])
        .exec()?;
    let package = metadata
        .packages
        .iter()
        .find(|p| p.name.as_str() == "softfloat-sys")
        .ok_or("cargo metadata does not name the package softfloat-sys")?;
    let manifest = package.manifest_path.as_std_path();
    Ok(manifest.parent().ok_or("no folder")?.to_owned())
}
