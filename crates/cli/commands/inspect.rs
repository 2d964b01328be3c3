//! `fastlua inspect`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fastlua::{CheckState, ExtractError, Inspection, Place, extract, inspect, printable_name};

use crate::args::variants::Known;
use crate::args::{Json, with_details};
use crate::io::output::{self, Outputs};
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua inspect mine.bin";

/// Show the contents of a firmware image, an LFS image, a .lc file or a fast_chunks.h
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Finds slots and compiled-in modules, and verifies all checksums. Each part is right, wrong, \
or not checked. Exit status 1 if nothing is found, or something is wrong."))]
pub struct Args {
    /// Firmware, an object file, an LFS image, a .lc file or a fast_chunks.h
    ///
    /// Firmware may be a file for the flash, a dump of a flash or of a part of it, a UF2 file or an ELF file.
    /// Archives of object files are read too.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write this chunk to a file: bytecode as .lc, source as .lua, data unchanged
    #[arg(long, value_name = "NAME")]
    extract: Option<String>,
    /// File for the chunk, - for standard output [default: NAME.lc, NAME.lua, or data's own name]
    #[arg(short, long, value_name = "FILE", requires = "extract")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let bytes = output::read(&args.file)?;
    let shown = print::path(&args.file);
    if let Some(name) = &args.extract {
        return save(args, bytes, name, &shown);
    }
    let found = inspect(bytes, &args.known.load()?);
    let found = found.map_err(|error| print::of_firmware(&shown, &error))?;
    match args.json.json {
        true => print::json(&found.report(&args.file.display().to_string()))?,
        false => print::out(text(&found))?,
    }
    for damage in &found.damage {
        print::error(&format!("{shown}: {}", printable_name(damage)));
    }
    if !found.damage.is_empty() {
        bail!("{shown} is damaged");
    }
    match found.nothing() {
        Some(nothing) => bail!("{shown}: {nothing}"),
        None => Ok(()),
    }
}

/// Writes a chunk to a file.
fn save(args: &Args, bytes: Vec<u8>, name: &str, shown: &str) -> Result<()> {
    output::streams([args.output.as_ref()], false)?;
    let extracted = extract(bytes, name, &args.known.load()?).map_err(|error| match error {
        ExtractError::Firmware(error) => print::of_firmware(shown, &error),
        ExtractError::Variant(error) => print::explained(error),
        error => print::of_file(&args.file, format!("{shown}: {error}")),
    })?;
    let output = args.output.clone();
    let mut outputs = Outputs::default();
    outputs.add(
        output.unwrap_or_else(|| Path::new(".").join(&extracted.file)),
        extracted.bytes,
    );
    let written = outputs.commit()?;
    let lines: String = written.iter().map(|file| format!("{file}\n")).collect();
    print::report(lines)
}

/// The widest name, in columns, that shares a line with the rest of a chunk's row. A longer name has its own line.
const LONGEST: usize = 28;

fn text(found: &Inspection) -> String {
    let mut text = format!("{}\n", found.kind);
    let checksums = found.checksums.iter();
    let checksums = checksums.map(|found| (&found.checksum, found.right));
    let signatures = found.signatures.iter();
    let signatures = signatures.map(|found| (&found.signature, found.right));
    for (what, right) in checksums.chain(signatures) {
        let state = match right {
            Some(true) => "right",
            Some(false) => "WRONG",
            None => "not checked",
        };
        text += &format!("{what}: {state}\n");
    }
    for place in &found.places {
        text += &head(place);
        let names = place
            .chunks
            .iter()
            .map(|c| printable_name(&c.name).chars().count());
        let width = names.filter(|width| *width <= LONGEST).max().unwrap_or(0);
        for chunk in &place.chunks {
            let bytes = chunk.bytes.map_or("-".into(), |n| n.to_string());
            let form = printable_name(chunk.form.as_deref().unwrap_or("-"));
            let name = printable_name(&chunk.name);
            let name = match name.chars().count() > LONGEST {
                true => format!("{name}\n  {:width$}", ""),
                false => format!("{name:width$}"),
            };
            text += &format!("  {name}  {form:8} {bytes:>7}  {}\n", chunk.checks);
            let hash = chunk.sha256.as_deref().map(printable_name);
            text.extend(hash.map(|hash| format!("      SHA-256 {hash}\n")));
        }
    }
    text
}

/// The line above the chunks of a place.
fn head(place: &Place) -> String {
    let mut parts = Vec::new();
    parts.push(match place.offset {
        Some(offset) => format!("{} at {offset:#x}", place.kind),
        None => place.kind.to_owned(),
    });
    parts.extend(
        place
            .address
            .map(|address| format!("linked at {address:#010x}")),
    );
    parts.push(match place.variants.is_empty() {
        true => "unknown variant".into(),
        false => place.variants.join(", "),
    });
    parts.extend(place.version.as_ref().map(|v| format!("fastlua {v}")));
    parts.extend(place.hook.map(|hook| match (place.freezes, hook) {
        (_, true) => "start-up hook".to_owned(),
        (Some(true), _) => "no start-up hook".into(),
        _ => "no frozen chunks".into(),
    }));
    parts.extend(match (place.capacity, place.used) {
        (Some(capacity), Some(0)) => Some(format!("empty, {capacity} bytes")),
        (Some(capacity), Some(used)) => Some(format!(
            "{used} of {capacity} bytes, {} free",
            capacity.saturating_sub(used)
        )),
        (Some(capacity), None) => Some(format!("a slot of {capacity} bytes")),
        (None, Some(used)) => Some(format!("{used} bytes of the region")),
        (None, None) => None,
    });
    parts.extend(place.timestamp.map(|time| format!("time stamp {time}")));
    parts.extend(place.seed.map(|seed| format!("seed {seed:#010x}")));
    parts.push(match place.state {
        CheckState::NotChecked => "not checked".into(),
        state => format!("checksums {state}"),
    });
    if let Some(CheckState::NotChecked) = place.image {
        parts.push("no checksum around it".into());
    }
    parts.extend(place.bundle.as_ref().map(|name| format!("bundle {name}")));
    printable_name(&parts.join(", ")) + "\n"
}
