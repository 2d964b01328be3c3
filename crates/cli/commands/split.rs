//! `fastlua split`

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use fastlua::{Loader, Piece, split};

use crate::args::with_details;
use crate::io::file_names;
use crate::io::output::{self, Outputs, make_folder};
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua split ftp.lua -o chunks";

/// Cut a Lua file at its SPLIT markers into chunks that are loaded one by one
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "writes chunks/ftp.lua, chunks/ftp-open.lua, …; each line keeps its number in the file."))]
pub struct Args {
    /// Lua source with SPLIT markers
    #[arg(value_name = "FILE.lua")]
    file: PathBuf,
    /// Folder for the chunks
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// How the chunks will be loaded: by fast.load, or by loadfile from the file system
    #[arg(long = "for", value_name = "LOADER", default_value = "fast")]
    loader: For,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum For {
    Fast,
    Spiffs,
}

pub fn run(args: &Args) -> Result<()> {
    let shown = print::path(&args.file);
    let loader = match args.loader {
        For::Fast => Loader::Fast,
        For::Spiffs => Loader::Spiffs,
    };
    let text = output::read(&args.file)?;
    let wrong = |error| fastlua::Error::Split {
        file: shown.to_string(),
        error,
    };
    let pieces = split(&text, loader).map_err(wrong)?;
    let Some(pieces) = pieces else {
        bail!("{shown} has no SPLIT marker: it is already one chunk");
    };
    let name = |piece: &Piece| format!("{}.lua", piece.name);
    let names: Vec<String> = pieces.iter().map(name).collect();
    file_names::check(names.iter().map(String::as_str)).context(shown)?;
    make_folder("-o", &args.output)?;
    let mut outputs = Outputs::default();
    for (name, piece) in names.iter().zip(pieces) {
        outputs.add(args.output.join(name), piece.text);
    }
    for file in outputs.commit()? {
        print::report(format!("{file}\n"))?;
    }
    Ok(())
}
