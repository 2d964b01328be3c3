//! `fastlua compile`

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use fastlua_bundle::SourceText;
use fastlua_bytecode::{Strip, WriteError, WriteErrorKind, write, write_as_reference};
use fastlua_compiler::line_notes;
use fastlua_verifier::verify;

use crate::output::Outputs;
use crate::variant_args::{Heap, Known, find};
use crate::{output, print};

/// Compile one Lua file to a .lc file, as luac.cross does
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua compile --variant lua51-int --strip 2 -o init.lc init.lua

The chunk name is `@` and the path as given, as luac.cross has it. The bytes are luac.cross's (5.3: of \
luac.cross -s), but for line info: luac.cross packs it longer than needed in places, and loses count of the \
lines where one statement goes over more than 65. `--line-info reference` gives its bytes, wrong lines \
included; what luac.cross itself crashes on is an error.")]
pub struct Args {
    /// Variant of the firmware that is to load it
    #[arg(long, value_name = "V")]
    variant: String,
    /// Debug data: 0 all, 1 lines but no names, 2 none; NodeMCU's 5.3 keeps the chunk name, as luac.cross does
    #[arg(long, value_name = "LEVEL", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    strip: u8,
    /// Packing of line numbers: the shortest, or that of luac.cross, its wrong lines included
    #[arg(long, value_name = "HOW", value_enum, default_value_t = LineInfo::Shortest)]
    line_info: LineInfo,
    /// File to write, - for standard output [default: the input's name with .lc]
    #[arg(short, long, value_name = "OUT.lc")]
    output: Option<PathBuf>,
    /// Chunk name in place of `@` and the path
    #[arg(long, value_name = "NAME")]
    chunkname: Option<String>,
    /// Lua source, - for standard input
    #[arg(value_name = "IN.lua")]
    input: PathBuf,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

/// How line numbers are packed.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum LineInfo {
    Shortest,
    Reference,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let layout = &find(&known, &args.variant)?.layout;
    let stdin = args.input == Path::new("-");
    let source = match stdin {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("standard input can't be read")?;
            bytes
        }
        false => output::read(&args.input)?,
    };
    let output = match &args.output {
        Some(path) => path.clone(),
        None if stdin => PathBuf::from("-"),
        None => args.input.with_extension("lc"),
    };
    if output == args.input && !stdin {
        bail!("{} would replace its own source", print::path(&output));
    }
    let shown = match stdin {
        true => "stdin".into(),
        false => print::path(&args.input),
    };
    let name = match &args.chunkname {
        Some(name) => name.clone(),
        None if stdin => "=stdin".into(),
        None => format!("@{shown}"),
    };
    let text = SourceText {
        chunk_name: name.as_bytes(),
        file: &shown,
        bytes: &source,
    };
    let (mut chunk, warnings) = text.compile(layout, args.heap.bytes())?;
    for warning in warnings {
        print::note(&format!("warning: {warning}"));
    }
    chunk.strip(Strip::from_level(args.strip).context("no such strip level")?);
    verify(&chunk).map_err(|refusal| anyhow!("{shown}: a fault of fastlua: {refusal}"))?;
    let bytes = match args.line_info {
        LineInfo::Shortest => write(&chunk)?,
        LineInfo::Reference => {
            let notes = line_notes(layout, name.as_bytes(), &source, args.heap.bytes())?;
            write_as_reference(&chunk, &notes).map_err(|error| explained(&shown, error))?
        }
    };
    if output == Path::new("-") {
        return print::out(bytes);
    }
    let mut outputs = Outputs::default();
    outputs.add(output, bytes);
    outputs.commit().map(|_| ())
}

fn explained(shown: &str, error: WriteError) -> anyhow::Error {
    match error.kind {
        WriteErrorKind::ReferenceFails => {
            anyhow!("{shown}: {error}; compile it with --line-info shortest")
        }
        _ => error.into(),
    }
}
