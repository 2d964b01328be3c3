//! `fastlua check`

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use fastlua::{Diagnostic, is_lfs_image, read_lfs};
use fastlua_bytecode::{Chunk, Function, printable_name, write};
use fastlua_compiler::load_back;
use fastlua_variants::{Variant, Variants};
use fastlua_verifier::{STACK_HOLE, has_stack_hole, verify};
use serde_json::json;

use crate::inputs::expanded;
use crate::variant_args::{Heap, Known, find};
use crate::{output, print};

/// Check that .lc files and LFS images are whole, load, and are safe to run
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua check --variant lua51-float *.lc

Without --variant the file says what it is for. With it, a file for another variant is an error. \
A strict read, then the verifier, then the Lua core's own undump. Exit status 1 if any file is damaged, \
of another variant, or not safe; the message says at which offset or instruction. docs/trust.md says \
what \"safe\" means.")]
pub struct Args {
    /// Variant of the firmware that is to load them [default: the one that each is for]
    #[arg(long, value_name = "V")]
    variant: Option<String>,
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
    let variant = args.variant.as_ref();
    let variant = variant.map(|name| find(&known, name)).transpose()?;
    let mut bad = 0;
    let mut outcomes = Vec::new();
    for file in &expanded(&args.files)?.0 {
        let (shown, path) = (print::path(file), file.display().to_string());
        let outcome = check(file, variant, args, &known);
        if !args.json {
            for warning in outcome.iter().flat_map(|sound| &sound.warnings) {
                print::note(&format!("warning: {shown}: {warning}"));
            }
            match &outcome {
                Ok(Sound {
                    functions,
                    instructions,
                    variants,
                    ..
                }) => {
                    let of = match variant {
                        Some(_) => String::new(),
                        None => format!(", for {}", variants.join(", ")),
                    };
                    print::report(format!(
                        "{shown}: ok, {functions} functions, {instructions} instructions{of}\n"
                    ))?;
                }
                Err(unsound) => print::error(&format!("{shown}: {}", unsound.message)),
            }
        }
        bad += usize::from(outcome.is_err());
        outcomes.push(match outcome {
            Ok(sound) => json!({
                "file": path, "ok": true, "verified": !args.no_verify,
                "functions": sound.functions, "instructions": sound.instructions,
                "variants": sound.variants, "errors": [],
                "warnings": sound.warnings.iter().map(|warning| Diagnostic {
                    severity: "warning".into(),
                    ..Diagnostic::of_file(&path, None, warning)
                }).collect::<Vec<_>>(),
            }),
            Err(unsound) => json!({
                "file": path, "ok": false, "warnings": [],
                "errors": [Diagnostic {
                    code: unsound.rule.map(Into::into),
                    ..Diagnostic::of_file(&path, None, &unsound.message)
                }],
            }),
        });
    }
    if args.json {
        let variant = variant.map(|variant| &variant.name);
        print::json(&json!({"schema": "fastlua-check/3", "variant": variant, "files": outcomes}))?;
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
    /// Names of the variants that it is for.
    variants: Vec<String>,
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

/// `variant`: the one that it has to be for.
fn check(
    file: &Path,
    variant: Option<&Variant>,
    args: &Args,
    known: &Variants,
) -> Result<Sound, Unsound> {
    let bytes = output::read(file)?;
    if is_lfs_image(&bytes) {
        return check_image(&bytes, variant, args, known);
    }
    let dump = crate::list::dump_of(&bytes)?;
    let chunk = crate::list::chunk_of(&bytes, dump, variant, known, "check")?;
    let mut sound = check_chunk(&chunk, dump, args)?;
    sound.variants = crate::list::names_of(&chunk.layout, known);
    Ok(sound)
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
        variants: Vec::new(),
        warnings,
    })
}

/// Checks each module of an image as a chunk.
fn check_image(
    bytes: &[u8],
    variant: Option<&Variant>,
    args: &Args,
    known: &Variants,
) -> Result<Sound, Unsound> {
    let image = read_lfs(bytes).map_err(anyhow::Error::from)?.image;
    let variants = crate::list::names_of(&image.layout, known);
    if let Some(variant) = variant.filter(|variant| variant.layout != image.layout) {
        let other = anyhow!(
            "it is an image for {}, not for {name}: make one with --variant {name}",
            variants.join(", "),
            name = variant.name
        );
        return Err(other.into());
    }
    let mut all = Sound {
        variants,
        ..Sound::default()
    };
    for module in &image.modules {
        let name = printable_name(&module.name.to_string());
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
