//! `fastlua check`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fastlua_bytecode::{Function, Layout};
use fastlua_compiler::load_back;
use fastlua_variants::Variants;
use serde_json::json;

use crate::variant_args::{Heap, Known, find};
use crate::{output, print};

/// Check that .lc files are whole and load: a strict read, then the Lua core's own undump
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua check --variant lua51-float *.lc

Exit status 1 if any file is damaged or of another variant; the message says at which offset.")]
pub struct Args {
    /// Variant of the firmware that is to load them
    #[arg(long, value_name = "V")]
    variant: String,
    /// Bytecode files
    #[arg(value_name = "FILE.lc", required = true)]
    files: Vec<PathBuf>,
    /// Print the outcome as JSON (see docs/machine-output.md)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let variant = find(&known, &args.variant)?;
    let mut bad = 0;
    let mut outcomes = Vec::new();
    for file in &args.files {
        let shown = file.display();
        match check(file, &variant.layout, args.heap.bytes(), &known) {
            Ok((functions, instructions)) => {
                if !args.json {
                    print::out(format!(
                        "{shown}: ok, {functions} functions, {instructions} instructions\n"
                    ))?;
                }
                outcomes.push(json!({"file": shown.to_string(), "ok": true, "functions": functions, "instructions": instructions}));
            }
            Err(error) => {
                bad += 1;
                if !args.json {
                    print::note(&format!("{shown}: {error:#}"));
                }
                outcomes.push(
                    json!({"file": shown.to_string(), "ok": false, "error": format!("{error:#}")}),
                );
            }
        }
    }
    if args.json {
        print::json(
            &json!({"schema": "fastlua-check/1", "variant": variant.name, "files": outcomes}),
        )?;
    }
    match bad {
        0 => Ok(()),
        bad => bail!("{bad} of {} files can't be loaded", args.files.len()),
    }
}

/// Functions and instructions of a sound file.
fn check(
    file: &Path,
    layout: &Layout,
    heap_limit: usize,
    known: &Variants,
) -> Result<(usize, usize)> {
    let bytes = output::read(file)?;
    let chunk = load_back(&bytes, layout, heap_limit).map_err(|error| {
        let fits = crate::list::variants_of(&bytes, known);
        match fits.is_empty() {
            true => anyhow::anyhow!("{error}"),
            false => anyhow::anyhow!("{error}; it is a whole chunk of {}", fits.join(", ")),
        }
    })?;
    Ok(count(&chunk.main))
}

fn count(function: &Function) -> (usize, usize) {
    function
        .functions
        .iter()
        .map(count)
        .fold((1, function.code.len()), |a, b| (a.0 + b.0, a.1 + b.1))
}
