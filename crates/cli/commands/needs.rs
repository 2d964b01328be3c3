//! `fastlua needs`

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use fastlua::{
    Chip, Dialect, NeedsOptions, NeedsReport, Options, Target, configuration, counted,
    printable_name,
};

use crate::args::modules;
use crate::args::variants::{Heap, Known, OneVariant, Tree};
use crate::args::{Json, with_details};
use crate::io::folder::Folder;
use crate::io::output::{self, Outputs, Written};
use crate::plans;
use crate::report::{print, table};

const EXAMPLE: &str = "Example:
  fastlua needs --firmware nodemcu-firmware lua/*.lua";

/// Find out what modules need of the firmware, and whether it has that
#[derive(clap::Args)]
#[command(
    mut_arg("strip", |arg| arg.hide(true)),
    after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "fastlua follows the values through the code: globals, locals, tables, `require`, objects. What it can't follow, such as \
`_G[name]`, it reports as not known. Exit status 1 if the firmware lacks a module; functions that it lacks are warnings. \
docs/needs.md explains more.")
)]
pub struct Args {
    #[command(flatten)]
    modules: modules::Named,
    #[command(flatten)]
    variant: OneVariant,
    #[command(flatten)]
    tree: Tree,
    /// Compare with NodeMCU for this chip, with all its modules
    #[arg(long = "for", value_name = "CHIP", conflicts_with = "firmware", value_parser = clap::builder::PossibleValuesParser::new(Chip::names()))]
    chip: Option<String>,
    /// A global that code elsewhere sets (may be given several times)
    #[arg(long = "global", value_name = "NAME")]
    globals: Vec<String>,
    /// Write a user_modules.h, or lines for sdkconfig, that enables the needed modules and no others, - for standard output
    ///
    /// With --firmware it is the tree's file with its other lines; a module's line with the word keep in a comment stays.
    #[arg(long, value_name = "FILE")]
    emit: Option<PathBuf>,
    /// Enable this module in any case (may be given several times)
    #[arg(long, value_name = "NAME", requires = "emit")]
    keep: Vec<String>,
    /// Write errors, warnings and notes as SARIF, for code review, - for standard output
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    output::streams([args.emit.as_ref(), args.sarif.as_ref()], args.json.json)?;
    let read = args.modules.read_as_functions()?;
    let known = args.known.load()?;
    let mut options = NeedsOptions {
        variant: args.variant.find(&known)?.cloned(),
        target: None,
        globals: args.globals.clone(),
        heap_limit: args.heap.bytes(),
        known,
    };
    if let Some(folder) = &args.tree.firmware {
        let plan = Options {
            known: options.known.clone(),
            ..Options::default()
        };
        let (tree, _) = plans::of_tree(folder, args.tree.lua.as_deref(), &plan)?;
        let target = Target::of_tree(&Folder::of_tree(folder), &tree).map_err(print::explained)?;
        if target.file().is_none() {
            print::note(
                "note: the tree has no app/include/user_modules.h: all modules are taken for enabled",
            );
        }
        options.target = Some(target);
        options.variant = Some(tree.variant);
    }
    if let Some(chip) = &args.chip {
        let variant = options.variant.as_ref();
        let dialect = variant.map_or(Dialect::Lua51, |variant| variant.layout.dialect());
        options.target = Some(Target::of_chip(chip, dialect));
    }
    let mut report = read.project.needs(&options).map_err(print::explained)?;
    if args.emit.is_some() {
        // they are enabled there
        let disabled = report.diagnostics.iter_mut();
        let disabled = disabled.filter(|said| said.code.as_deref() == Some("module-disabled"));
        disabled.for_each(|said| said.severity = "note".into());
    }
    let has_errors = report.has_errors();
    let errors = report.diagnostics.iter();
    let errors = errors.filter(|said| said.severity == "error").count();
    plans::say(&report.diagnostics, 1);
    let mut outputs = Outputs::default();
    if let Some(file) = &args.emit {
        outputs.add(
            file,
            configuration_of(args, &report, &options)?.into_bytes(),
        );
    }
    if let Some(file) = &args.sarif {
        outputs.add(file, report.sarif().into_bytes());
    }
    let written = outputs.commit()?;
    report.outputs = written.iter().map(Written::report).collect();
    match args.json.json {
        true => print::json_text(&report.to_json())?,
        false => {
            let mut text = shown(&report);
            written.iter().for_each(|file| text += &format!("{file}\n"));
            print::report(text)?;
        }
    }
    match has_errors {
        true => bail!(
            "the firmware lacks what the modules need: {}",
            counted(errors, "error")
        ),
        false => Ok(()),
    }
}

/// The configuration of the firmware with the needed modules.
fn configuration_of(args: &Args, report: &NeedsReport, options: &NeedsOptions) -> Result<String> {
    let Some(target) = &options.target else {
        return Err(print::misused(
            "--emit is for one firmware: say --firmware DIR or --for CHIP",
        ));
    };
    let old = match (&args.tree.firmware, target.file()) {
        (Some(folder), Some(_)) => {
            let file = folder.join(target.configuration());
            let bytes = output::read(&file)?;
            let text = String::from_utf8(bytes);
            Some(text.with_context(|| format!("{} is not UTF-8", print::path(&file)))?)
        }
        _ => None,
    };
    configuration(report, target, &args.keep, old.as_deref())
        .map_err(|error| print::by_misuse(error.into()))
}

/// The report for people.
fn shown(report: &NeedsReport) -> String {
    let mut text = report.table(table::width());
    for (title, remarks) in [
        ("loaded, but not among these:", &report.missing),
        ("not known:", &report.unknown),
    ] {
        if remarks.is_empty() {
            continue;
        }
        text += &format!("\n{title}\n");
        for remark in remarks {
            let file = printable_name(&remark.place.file);
            let line = remark
                .place
                .line
                .map_or(String::new(), |line| format!(":{line}"));
            text += &format!("  {file}{line}: {}\n", printable_name(&remark.what));
        }
    }
    if !report.globals.is_empty() {
        let names = report
            .globals
            .iter()
            .map(|global| printable_name(&global.name));
        let names: Vec<String> = names.collect();
        text += &format!("\nglobals that they set: {}\n", names.join(", "));
    }
    text
}
