//! `fastlua compile`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fastlua::{CompileError, CompileOptions, Source, Variant, compile, parse};

use crate::args::line_info::LineInfo;
use crate::args::modules::expanded;
use crate::args::takers;
use crate::args::values::{self, Level};
use crate::args::variants::{Heap, Known, OneVariant};
use crate::args::with_details;
use crate::io::output;
use crate::io::sources;
use crate::report::print;

const EXAMPLE: &str = "Examples:
  fastlua compile --variant lua51-int --strip 2 -o init.lc init.lua
  fastlua compile -p lua/*.lua";

/// Compile one Lua file to a .lc file, as luac.cross does, or check the syntax of files
#[derive(clap::Args)]
#[command(mut_arg("variant", |arg| arg.required_unless_present("parse_only")), after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "The chunk name is `@` and the path as given, as in luac.cross. The bytes are luac.cross's (5.3: of \
luac.cross -s), except line info: luac.cross sometimes packs it longer than needed, and loses count of the \
lines of a statement with more than 65 lines. `--line-info reference` gives its bytes, wrong lines \
included; a file on which luac.cross crashes is an error."))]
pub struct Args {
    #[command(flatten)]
    variant: OneVariant,
    /// Only check that the files compile, as luac -p does, and write nothing
    ///
    /// Without --variant a file passes if any of NodeMCU's variants compiles it.
    #[arg(short, long, conflicts_with_all = ["output", "strip", "line_info", "chunkname"])]
    parse_only: bool,
    /// Debug data: 0 all, 1 lines but no names, 2 none
    ///
    /// NodeMCU's 5.3 keeps the chunk name at every level, as luac.cross does.
    #[arg(long, value_name = "LEVEL", default_value = "1", value_parser = values::strip(), hide_possible_values = true)]
    strip: Level,
    /// Packing of line numbers: the shortest, or that of luac.cross, including its wrong lines
    #[arg(long, value_name = "HOW", value_enum, default_value_t = LineInfo::Shortest)]
    line_info: LineInfo,
    /// File to write, - for standard output [default: the input's name with .lc]
    #[arg(short, long, value_name = "OUT.lc")]
    output: Option<PathBuf>,
    /// Chunk name in place of `@` and the path
    #[arg(long, value_name = "NAME")]
    chunkname: Option<String>,
    /// Lua source, - for standard input; with -p there may be several
    #[arg(value_name = "IN.lua", required = true)]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let variant = args.variant.find(&known)?;
    let (variant, input) = match (args.parse_only, variant, &args.inputs[..]) {
        (false, Some(variant), [input]) => (variant, input),
        (false, ..) => {
            let reason = "a .lc file has one source: give one file, or use -p to check the syntax of several";
            return Err(print::misused(reason));
        }
        (true, Some(variant), _) => return parse_all(args, std::slice::from_ref(variant)),
        (true, None, _) => return parse_all(args, &known.nodemcu()),
    };
    let stdin = input == Path::new("-");
    let output = match &args.output {
        Some(path) => path.clone(),
        None if stdin => PathBuf::from("-"),
        None => input.with_extension("lc"),
    };
    output::streams([Some(&output)], false)?;
    let Input { shown, name, bytes } = read(input)?;
    if output == *input && !stdin {
        bail!(
            "{} would overwrite its own source: give the output another name with -o",
            print::path(&output)
        );
    }
    let source = Source {
        file: &shown,
        chunk_name: args.chunkname.as_ref().unwrap_or(&name),
        text: &bytes,
    };
    let options = CompileOptions {
        strip: args.strip.0,
        line_info: args.line_info.into(),
        heap_limit: args.heap.bytes(),
    };
    let compiled = compile(&source, variant, &options).map_err(|error| match &error {
        CompileError::Reference { .. } => print::hinted(
            &error.to_string(),
            "; compile it with --line-info shortest",
            vec![error.diagnostic(&shown)],
        ),
        _ => takers::explained(&source, error, &[&variant.name], &known, args.heap.bytes()),
    })?;
    for remark in compiled.remarks {
        print::note(&format!("warning: {remark}"));
    }
    output::write(&output, &compiled.bytes)
}

/// A source and its names.
struct Input {
    /// The name in messages.
    shown: String,
    /// The name of its chunk.
    name: String,
    bytes: Vec<u8>,
}

fn read(input: &Path) -> Result<Input> {
    if input != Path::new("-") {
        let shown = print::path(input);
        return Ok(Input {
            name: format!("@{shown}"),
            bytes: output::read(input)?,
            shown,
        });
    }
    let stdin = std::io::stdin().lock();
    Ok(Input {
        shown: "stdin".into(),
        name: "=stdin".into(),
        bytes: {
            sources::note_stdin();
            output::read_all(stdin).context("standard input can't be read")?
        },
    })
}

/// Reports for each file whether it compiles, for one of the variants at least. The same message of several variants is printed once.
fn parse_all(args: &Args, variants: &[Variant]) -> Result<()> {
    let files = expanded(&args.inputs)?.0;
    let mut bad = 0;
    for file in &files {
        match messages(file, variants, args.heap.bytes()) {
            Ok(notes) => notes.iter().for_each(|note| print::note(note)),
            Err(errors) => {
                bad += 1;
                errors.iter().for_each(|error| print::error(error));
            }
        }
    }
    match bad {
        0 => Ok(()),
        bad => bail!("{bad} of {} files do not compile", files.len()),
    }
}

/// The warnings of a file for these variants, or the errors if it compiles for none.
fn messages(
    file: &Path,
    variants: &[Variant],
    heap_limit: usize,
) -> Result<Vec<String>, Vec<String>> {
    let Input { shown, name, bytes } = read(file).map_err(|error| vec![format!("{error:#}")])?;
    let source = Source {
        file: &shown,
        chunk_name: &name,
        text: &bytes,
    };
    let (mut notes, mut errors) = (Vec::new(), Vec::new());
    for variant in variants {
        let name = &*variant.name;
        match parse(&source, variant, heap_limit) {
            Ok(all) => notes.extend(all.iter().map(|w| (format!("warning: {w}"), name))),
            Err(error) => errors.push((error.to_string(), name)),
        }
    }
    if errors.len() == variants.len() {
        return Err(merged(&errors, variants.len()));
    }
    let errors = errors.into_iter();
    notes.extend(errors.map(|(error, name)| (format!("note: {error}"), name)));
    Ok(merged(&notes, variants.len()))
}

/// Messages with the names of their variants, unless all variants have them.
fn merged(messages: &[(String, &str)], variants: usize) -> Vec<String> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for (text, variant) in messages {
        match all.iter_mut().find(|(known, _)| known == text) {
            Some((_, names)) => {
                names.push(variant);
                names.dedup();
            }
            None => all.push((text, vec![variant])),
        }
    }
    let shown = |(text, names): (&str, Vec<&str>)| match names.len() == variants {
        true => text.to_owned(),
        false => format!("{text} [{}]", names.join(", ")),
    };
    all.into_iter().map(shown).collect()
}
