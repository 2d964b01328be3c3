//! `fastlua squash`

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use fastlua::{Source, Variant, squash};

use crate::args::takers;
use crate::args::variants::{Heap, Known, OneVariant};
use crate::args::with_details;
use crate::io::output;
use crate::io::target::is_stdout;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua squash --variant lua51-int -o small.lua init.lua";

/// Shorten a Lua file without changing the compiled chunk
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Without --variant and --dialect the text fits every variant that compiles the original. fastlua always compiles \
both texts and compares the chunks: only line numbers and names of local variables may differ."))]
pub struct Args {
    #[command(flatten)]
    variant: OneVariant,
    /// Lua version of the firmware, with any kind of numbers
    #[arg(long, value_name = "5.1|5.3", value_parser = ["5.1", "5.3"], conflicts_with = "variant")]
    dialect: Option<String>,
    /// File to write, - for standard output
    #[arg(short, long, value_name = "OUT.lua", default_value = "-")]
    output: PathBuf,
    /// Lua source
    #[arg(value_name = "FILE.lua")]
    file: PathBuf,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let variants: Vec<Variant> = match (args.variant.find(&known)?, args.dialect.as_deref()) {
        (Some(variant), _) => vec![variant.clone()],
        (None, None) => known.nodemcu(),
        (None, Some(dialect)) => {
            let mut all = known.nodemcu();
            all.retain(|v| v.layout.dialect().to_string() == dialect);
            all
        }
    };
    let text = output::read(&args.file)?;
    let shown = print::path(&args.file);
    let chunk_name = format!("@{shown}");
    let source = Source {
        file: &shown,
        chunk_name: &chunk_name,
        text: &text,
    };
    let mut bytes = squash(&source, &variants, args.heap.bytes()).map_err(|error| {
        let names: Vec<&str> = variants.iter().map(|variant| &*variant.name).collect();
        takers::explained(&source, error, &names, &known, args.heap.bytes())
    })?;
    let is_shown = is_stdout(&args.output) && io::stdout().is_terminal();
    if is_shown && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    output::write(&args.output, &bytes)
}
