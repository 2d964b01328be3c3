//! `fastlua list`

use std::path::PathBuf;

use anyhow::Result;
use fastlua::{Diagnostic, list};

use crate::args::variants::{Known, OneVariant};
use crate::args::with_details;
use crate::io::output;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua list init.lc";

/// List the functions, instructions and constants of a .lc file or an LFS image
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Without --variant the file's header determines the variant."))]
pub struct Args {
    /// Bytecode file, or LFS image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    variant: OneVariant,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let bytes = output::read(&args.file)?;
    let shown = print::path(&args.file);
    let variant = args.variant.find(&known)?;
    let listing = list(&bytes, variant, &known).map_err(|error| {
        let text = error.to_string();
        let entry = Diagnostic::of_file(&args.file.display().to_string(), None, &text);
        let hint = print::about_bytecode(&error, "list");
        print::hinted(&format!("{shown}: {text}"), &hint, vec![entry])
    })?;
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
