//! Builds plans, with a progress bar, and prints the warnings.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use fastlua::{
    Bundle, ChunkCache, Diagnostic, Fault, FirmwareTree, OTHER_VARIANT, Options, Plan, Target,
    firmware_tree,
};
use indicatif::ProgressStyle;

use crate::args::takers::{self, Chosen};
use crate::args::variants::{Compare, Tree};
use crate::io::folder::Folder;
use crate::report::print;

/// The settings of a firmware tree, and the file that has them.
pub fn of_tree(
    folder: &Path,
    lua: Option<&str>,
    options: &Options,
) -> Result<(FirmwareTree, PathBuf)> {
    let version = lua.map(str::parse).transpose()?;
    let files = Folder::of_tree(folder);
    let tree = firmware_tree(&files, version, &options.known).map_err(print::explained)?;
    let file = files.path(&tree.file);
    let (shown, variant) = (print::path(&file), &tree.variant.name);
    print::note(&format!("{shown} sets {}: {variant}", tree.macros));
    Ok((tree, file))
}

/// What a firmware tree offers, unless the user does not want to compare it with what the modules need.
pub fn target(args: &Tree, compare: &Compare, tree: &FirmwareTree) -> Result<Option<Target>> {
    match &args.firmware {
        Some(folder) if !compare.no_needs => {
            let target = Target::of_tree(&Folder::of_tree(folder), tree);
            Ok(Some(target.map_err(print::explained)?))
        }
        _ => Ok(None),
    }
}

/// Says what the user should know of a bundle.
pub fn warn(bundle: &Bundle) {
    say(&bundle.diagnostics(), bundle.variants.len());
}

/// Says it.
pub fn say(warnings: &[Diagnostic], variants: usize) {
    for warning in warnings {
        let text = format!("{}: {}", warning.severity, warning.shown(variants));
        match &*warning.severity {
            "error" => print::error(&text),
            _ => print::note(&text),
        }
    }
}

/// Builds a plan, with a bar where standard error is a terminal.
pub fn build(plan: Plan, jobs: Option<u16>, chosen: Chosen) -> Result<Bundle> {
    build_with(plan, jobs, chosen, None)
}

/// The same with the chunks of earlier builds.
pub fn build_with(
    plan: Plan,
    jobs: Option<u16>,
    chosen: Chosen,
    cache: Option<&dyn ChunkCache>,
) -> Result<Bundle> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = jobs {
        pool = pool.num_threads(jobs.into());
    }
    let style = ProgressStyle::with_template("compiling {bar:40} {pos}/{len}")?;
    let steps = plan.steps();
    let bar = print::bar(steps, style);
    let started = Instant::now();
    let outcome = pool
        .build()?
        .install(|| plan.build_with(Some(&|| bar.inc(1)), cache));
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f32();
    print::detail(|| format!("compiled and verified: {steps} steps in {seconds:.2} s"));
    outcome.map_err(|error| refused(error, chosen, "\nnothing was written"))
}

/// An error of a build, with advice.
pub fn refused(error: fastlua::Error, chosen: Chosen, end: &str) -> anyhow::Error {
    let faults = match &error {
        fastlua::Error::Faults(faults) => faults,
        fastlua::Error::Lacks(lacks) => return lacking(lacks, &error, end),
        _ => return print::said(format!("{error}{end}"), error.diagnostics(), None),
    };
    let help = [takers::help(faults, chosen), compile_hint(&faults.all)];
    let help: Vec<String> = help.into_iter().flatten().collect();
    let help = Some(help.join("\n")).filter(|help| !help.is_empty());
    let lines = help.iter().map(|help| format!("\n{help}"));
    let text = format!("{error}{}{end}", lines.collect::<String>());
    print::said(text, error.diagnostics(), help)
}

/// An error of a firmware that lacks modules.
fn lacking(lacks: &[Diagnostic], error: &fastlua::Error, end: &str) -> anyhow::Error {
    let help = "build without comparing the modules with the firmware: --no-needs";
    let text = format!("{error}\n{help}{end}");
    print::said(text, lacks.to_vec(), Some(help.into()))
}

/// How to get bytecode for variants that no given file fits.
fn compile_hint(faults: &[Fault]) -> Option<String> {
    let other = faults
        .iter()
        .filter(|fault| fault.message.ends_with(OTHER_VARIANT));
    let mut names: Vec<&str> = other
        .flat_map(|fault| fault.variants.iter().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [] => None,
        _ => Some(format!(
            "to compile a source: fastlua compile --variant {}",
            names.join(" or --variant ")
        )),
    }
}
