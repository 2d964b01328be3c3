//! `fastlua check`

use std::path::PathBuf;

use anyhow::bail;
use fastlua::{CheckError, CheckOptions, CheckReport, Checked, CheckedFile, check, counted};

use crate::args::modules::expanded;
use crate::args::variants::{Heap, Known, OneVariant};
use crate::args::{Json, with_details};
use crate::io::output;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua check --variant lua51-float *.lc";

/// Check that .lc files and LFS images are whole, load, and are safe to run
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Without --variant the file's header determines the variant. With it, a file for another variant is an error. \
The steps are a strict read, the verifier, and the Lua core's own undump. Exit status 1 if any file is damaged, \
for another variant, or not safe; the message has the offset or the instruction. docs/trust.md explains \
\"safe\"."))]
pub struct Args {
    #[command(flatten)]
    variant: OneVariant,
    /// Bytecode files, or LFS images
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub json: Json,
    /// Leave out the verifier, which checks memory safety
    #[arg(long)]
    no_verify: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let known = args.known.load()?;
    let variant = args.variant.find(&known)?.cloned();
    let options = CheckOptions {
        variant,
        verify: !args.no_verify,
        heap_limit: args.heap.bytes(),
        known,
    };
    let mut files = Vec::new();
    for file in &expanded(&args.files)?.0 {
        let (shown, path) = (print::path(file), file.display().to_string());
        let checked = match output::read(file) {
            Ok(bytes) => {
                let checked = check(&bytes, &options);
                let hint = match &checked {
                    Err(CheckError::Read(error)) => print::about_bytecode(error, "check"),
                    _ => String::new(),
                };
                if !args.json.json {
                    say(&shown, &checked, &hint, options.variant.is_some())?;
                }
                let mut file = CheckedFile::new(&path, &checked);
                for error in &mut file.errors {
                    error.message += &hint;
                }
                file
            }
            Err(error) => {
                let text = format!("{error:#}");
                if !args.json.json {
                    print::error(&format!("{shown}: {text}"));
                }
                CheckedFile::unread(&path, &text)
            }
        };
        files.push(checked);
    }
    let bad = files.iter().filter(|file| !file.ok).count();
    if args.json.json {
        let variant = options.variant.map(|variant| variant.name);
        print::json(&CheckReport::new(variant, files))?;
    }
    match bad {
        0 => Ok(()),
        bad => bail!("{bad} of {} files can't be used", args.files.len()),
    }
}

/// Prints the outcome for one file.
fn say(
    shown: &str,
    checked: &Result<Checked, CheckError>,
    hint: &str,
    is_named: bool,
) -> anyhow::Result<()> {
    match checked {
        Ok(checked) => {
            for warning in &checked.warnings {
                print::note(&format!("warning: {shown}: {warning}"));
            }
            let of = match is_named {
                true => String::new(),
                false => format!(", for {}", checked.variants.join(", ")),
            };
            print::report(format!(
                "{shown}: ok, {}, {}{of}\n",
                counted(checked.functions, "function"),
                counted(checked.instructions, "instruction")
            ))
        }
        Err(error) => {
            print::error(&format!("{shown}: {error}{hint}"));
            Ok(())
        }
    }
}
