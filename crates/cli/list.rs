//! `fastlua list`

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use fastlua_bytecode::{Chunk, candidates, read};
use fastlua_variants::Variants;

use crate::variant_args::{Known, find};
use crate::{output, print};

/// List the functions, instructions and constants of a .lc file
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua list init.lc

The variant is found from the file itself.")]
pub struct Args {
    /// Bytecode file
    #[arg(value_name = "FILE.lc")]
    file: PathBuf,
    /// Read it as this variant's
    #[arg(long, value_name = "V")]
    variant: Option<String>,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let bytes = output::read(&args.file)?;
    let shown = print::path(&args.file);
    let chunk = match &args.variant {
        Some(name) => read(&bytes, &find(&known, name)?.layout)
            .map_err(|error| anyhow!("{shown}: {error}"))?,
        None => {
            let layouts = candidates(&bytes);
            let mut failure = None;
            let read_as = |layout| read(&bytes, layout);
            let found = layouts.iter().find_map(|layout| match read_as(layout) {
                Ok(chunk) => Some(chunk),
                Err(error) => {
                    failure.get_or_insert(error);
                    None
                }
            });
            match (found, failure) {
                (Some(chunk), _) => chunk,
                (None, Some(error)) => bail!("{shown}: {error}"),
                (None, None) => bail!("{shown}: no header of a Lua chunk that fastlua knows"),
            }
        }
    };
    let names = names_of(&chunk, &known).join(", ");
    let head = format!("{shown}: {names}, {} bytes\n\n", bytes.len());
    print::out(format!("{head}{}", chunk.listing()))
}

/// The variants as which the bytes are a whole chunk.
pub fn variants_of(bytes: &[u8], known: &Variants) -> Vec<String> {
    let chunks = candidates(bytes)
        .into_iter()
        .filter_map(|layout| read(bytes, &layout).ok());
    chunks.flat_map(|chunk| names_of(&chunk, known)).collect()
}

fn names_of(chunk: &Chunk, known: &Variants) -> Vec<String> {
    let same = known.iter().filter(|v| v.layout == chunk.layout);
    same.map(|v| v.name.clone()).collect()
}
