//! `fastlua list`

use std::path::PathBuf;

use anyhow::{Context, Result};
use fastlua::list;

use crate::args::variants::{Known, find};
use crate::io::output;
use crate::report::print;

/// List the functions, instructions and constants of a .lc file or an LFS image
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua list init.lc

The variant is found from the file itself.")]
pub struct Args {
    /// Bytecode file, or LFS image
    #[arg(value_name = "FILE")]
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
    let variant = args.variant.as_ref();
    let variant = variant.map(|name| find(&known, name)).transpose()?;
    let listing = list(&bytes, variant, &known).with_context(|| shown.clone())?;
    let kind = match listing.is_lfs_image {
        true => "LFS image, ",
        false => "",
    };
    let (names, size) = (listing.variants.join(", "), bytes.len());
    print::out(format!(
        "{shown}: {kind}{names}, {size} bytes\n{}",
        listing.text
    ))
}
