//! `fastlua check`

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use fastlua::{is_lfs_image, read_lfs};
use fastlua_bytecode::{Chunk, Function, Layout, read, write};
use fastlua_compiler::load_back;
use fastlua_variants::Variants;
use fastlua_verifier::{STACK_HOLE, has_stack_hole, verify};
use serde_json::json;

use crate::inputs::expanded;
use crate::variant_args::{Heap, Known, find};
use crate::{output, print};

/// Check that .lc files and LFS images are whole, load, and are safe to run
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua check --variant lua51-float *.lc

A strict read, then the verifier, then the Lua core's own undump. Exit status 1 if any file is damaged, \
of another variant, or not safe; the message says at which offset or instruction. docs/trust.md says \
what \"safe\" means.")]
pub struct Args {
    /// Variant of the firmware that is to load them
    #[arg(long, value_name = "V")]
    variant: String,
    /// Bytecode files, or LFS images
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print the outcome as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
    /// Do not verify what the chunks do with memory
    #[arg(long)]
    no_verify: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let known = args.known.load()?;
    let variant = find(&known, &args.variant)?;
    let mut bad = 0;
    let mut outcomes = Vec::new();
    for file in &expanded(&args.files)?.0 {
        let (shown, path) = (print::path(file), file.display().to_string());
        let outcome = check(file, &variant.layout, args, &known);
        if !args.json {
            for warning in outcome.iter().flat_map(|sound| &sound.warnings) {
                print::note(&format!("warning: {shown}: {warning}"));
            }
            match &outcome {
                Ok(Sound {
                    functions,
                    instructions,
                    ..
                }) => print::report(format!(
                    "{shown}: ok, {functions} functions, {instructions} instructions\n"
                ))?,
                Err(unsound) => print::error(&format!("{shown}: {}", unsound.message)),
            }
        }
        bad += usize::from(outcome.is_err());
        outcomes.push(match outcome {
            Ok(sound) => json!({
                "file": path, "ok": true, "verified": !args.no_verify,
                "functions": sound.functions, "instructions": sound.instructions,
                "warnings": sound.warnings,
            }),
            Err(unsound) => json!({
                "file": path, "ok": false, "error": unsound.message, "rule": unsound.rule,
            }),
        });
    }
    if args.json {
        print::json(
            &json!({"schema": "fastlua-check/2", "variant": variant.name, "files": outcomes}),
        )?;
    }
    match bad {
        0 => Ok(()),
        bad => bail!("{bad} of {} files can't be used", args.files.len()),
    }
}

/// What there is to say of a sound file.
#[derive(Default)]
struct Sound {
    functions: usize,
    instructions: usize,
    warnings: Vec<String>,
}

/// And of another one.
struct Unsound {
    message: String,
    /// The rule of the verifier that it breaks.
    rule: Option<&'static str>,
}

impl From<anyhow::Error> for Unsound {
    fn from(error: anyhow::Error) -> Unsound {
        Unsound {
            message: format!("{error:#}"),
            rule: None,
        }
    }
}

fn check(file: &Path, layout: &Layout, args: &Args, known: &Variants) -> Result<Sound, Unsound> {
    let bytes = output::read(file)?;
    if is_lfs_image(&bytes) {
        return check_image(&bytes, layout, args);
    }
    let chunk = read(&bytes, layout).map_err(|error| {
        let fits = crate::list::variants_of(&bytes, known);
        match fits.is_empty() {
            true => anyhow!("{error}"),
            false => anyhow!("{error}; it is a whole chunk of {}", fits.join(", ")),
        }
    })?;
    check_chunk(&chunk, &bytes, args)
}

/// Checks a chunk that was read of a dump.
fn check_chunk(chunk: &Chunk, dump: &[u8], args: &Args) -> Result<Sound, Unsound> {
    let layout = &chunk.layout;
    if !args.no_verify {
        verify(chunk).map_err(|refusal| Unsound {
            message: refusal.to_string(),
            rule: Some(refusal.rule.name()),
        })?;
    }
    load_back(dump, layout, args.heap.bytes()).map_err(anyhow::Error::from)?;
    let (functions, instructions) = count(&chunk.main);
    let mut warnings = Vec::new();
    chunk.main.for_each(&mut |path, function| {
        if has_stack_hole(layout.dialect(), function) {
            warnings.push(format!("function {path}: {STACK_HOLE}"));
        }
    });
    Ok(Sound {
        functions,
        instructions,
        warnings,
    })
}

/// Checks each module of an image as a chunk.
fn check_image(bytes: &[u8], layout: &Layout, args: &Args) -> Result<Sound, Unsound> {
    let image = read_lfs(bytes).map_err(anyhow::Error::from)?.image;
    if image.layout != *layout {
        let other = anyhow!("it is an image of {}, not of this variant", image.layout);
        return Err(other.into());
    }
    let mut all = Sound::default();
    for module in &image.modules {
        let name = &module.name;
        let dump = write(&module.chunk).map_err(anyhow::Error::from)?;
        let sound = check_chunk(&module.chunk, &dump, args).map_err(|unsound| Unsound {
            message: format!("module {name}: {}", unsound.message),
            ..unsound
        })?;
        all.functions += sound.functions;
        all.instructions += sound.instructions;
        let warnings = sound.warnings.into_iter();
        all.warnings
            .extend(warnings.map(|warning| format!("module {name}, {warning}")));
    }
    Ok(all)
}

fn count(function: &Function) -> (usize, usize) {
    function
        .functions
        .iter()
        .map(count)
        .fold((1, function.code.len()), |a, b| (a.0 + b.0, a.1 + b.1))
}
