//! `fastlua bench`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use fastlua::{Budget, Input, Options, Variant, Variants, find_variant};
use fastlua_bench::{
    Bench, BenchError, Budgets, Emulated, Figures, Kind, Machine, NoTarget, On, Target, check,
    compare, page, summary, table, usual,
};
use fastlua_emulator::{Chip, Mode, Toolchain};
use indicatif::ProgressStyle;

use crate::args::modules;
use crate::args::takers::Chosen;
use crate::args::variants::{Heap, Known, SomeVariants};
use crate::args::with_details;
use crate::io::output;
use crate::io::output::Outputs;
use crate::io::sources;
use crate::io::target::is_stdout;
use crate::io::temporary::{self, Temporary};
use crate::plans;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua bench fast.toml --html figures.html --budget heap-peak=12k,flash=64k
  fastlua bench fast.toml --chip esp32c3 --variant lua53-int32-float32";

/// Measure the cost of each chunk as source, squashed, as bytecode and frozen, on an emulated chip
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Without --variant it measures the variants of fast.toml, or lua51-int, lua51-float and \
lua53-int32-float32.

Exit status: 3 if a budget is exceeded or a figure is worse than the baseline's, else 0, 1 or 2 as in \
every command. docs/bench.md explains the figures."))]
pub struct Args {
    #[command(flatten)]
    modules: modules::Modules,
    #[command(flatten)]
    variants: SomeVariants,
    /// Where to measure
    #[arg(
        long,
        visible_alias = "on",
        value_name = "CHIP",
        default_value = "esp8266"
    )]
    chip: Place,
    /// When the collector of Lua 5.1 runs, as set by node.egc.setmode
    #[arg(long, value_name = "MODE", default_value = "always")]
    egc: Egc,
    /// Also run each chunk's main function: only for chunks that are safe to run and end by themselves
    #[arg(long)]
    run: bool,
    /// The firmware has no start-up hook: frozen chunks count as frozen-shadow
    #[arg(long)]
    no_hook: bool,
    /// Write the figures as JSON, - for standard output (see docs/machine-output.md)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with charts, - for standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Earlier JSON: print all changes, and fail if the form that is built costs more
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Percent by which the cost may exceed the baseline
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent, requires = "baseline")]
    tolerance: f64,
    /// Fail if the form that is built costs more, such as heap-peak=12k,flash=64k,load=50000
    ///
    /// It overrides the budget of fast.toml for all modules.
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,
    /// Folder that keeps files compiled for the emulated chip, for the next time
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

impl Args {
    /// Whether standard output is to be JSON.
    pub fn is_json(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Place {
    /// Emulated
    #[value(alias = "lx106")]
    Esp8266,
    /// Emulated, for variants of ESP32 firmware
    #[value(alias = "rv32")]
    Esp32c3,
    /// This machine, without other tools: flash, and heap in percent of plain source's
    Host,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Egc {
    /// Before each allocation, as a chip boots
    Always,
    /// When an allocation fails
    OnAllocFailure,
    /// Never
    NotActive,
}

impl From<Egc> for Mode {
    fn from(egc: Egc) -> Mode {
        match egc {
            Egc::Always => Mode::Always,
            Egc::OnAllocFailure => Mode::OnAllocFailure,
            Egc::NotActive => Mode::NotActive,
        }
    }
}

impl From<Place> for On {
    fn from(place: Place) -> On {
        match place {
            Place::Esp8266 => On::Esp8266,
            Place::Esp32c3 => On::Esp32c3,
            Place::Host => On::Host,
        }
    }
}

fn percent(text: &str) -> Result<f64> {
    let percent: f64 = text.trim_end_matches('%').trim_end().parse()?;
    match percent.is_finite() && percent >= 0.0 {
        true => Ok(percent),
        false => bail!("must be 0 or more"),
    }
}

/// Figures that are over a budget or worse than the baseline's: exit status 3.
#[derive(Debug)]
pub struct TooMuch(Vec<String>);

impl Display for TooMuch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for TooMuch {}

pub fn run(args: &Args) -> Result<()> {
    output::streams([args.json.as_ref(), args.html.as_ref()], false)?;
    if let Some(path) = args.json.as_ref().filter(|path| is_source(path)) {
        let path = print::path(path);
        let reason = format!(
            "--json needs a file for the figures, and {path} looks like an input: --json FILE {path}"
        );
        return Err(print::misused(&reason));
    }
    let on = On::from(args.chip);
    if on == On::Host && (args.run || args.html.is_some() || args.egc != Egc::Always) {
        return Err(print::misused(
            "--run, --html and --egc need an emulated chip: leave them out, or use --chip esp8266 or esp32c3",
        ));
    }
    let known = args.known.load()?;
    let project = args.modules.read()?.project;
    let named = args.variants.names(&known)?;
    let is_named = named.is_some();
    let targets = targets(&known, args, named.as_deref().or(project.variants()))?;
    let has_modes = on.chip().is_some() && targets.iter().any(Target::has_modes);
    let kind = Kind {
        on,
        egc: has_modes.then(|| Mode::from(args.egc).name().into()),
    };
    let was = args.baseline.as_deref().map(|path| baseline(path, &kind));
    let was = was.transpose()?;
    let options = Options {
        known,
        variants: named,
        heap_limit: args.heap.bytes(),
    };
    let listed = project.variants().is_some();
    let mut plan = project.plan(&options).map_err(print::explained)?;
    let chosen = match (is_named, listed) {
        (true, _) => Chosen::Option,
        (false, true) => Chosen::Manifest,
        (false, false) => Chosen::Nothing { firmware: false },
    };
    let refused = |error| plans::refused(error, chosen, "");
    plan.choose_forms().map_err(refused)?;
    let asked = Budgets {
        all: args.budget.unwrap_or_default(),
        modules: BTreeMap::new(),
    };
    asked.fit(on).map_err(|error| {
        print::misused(&format!("{error}: leave it out, or use --chip esp8266"))
    })?;
    let mut budgets = Budgets {
        all: asked.all.or(plan.budget),
        modules: plan.budgets.clone(),
    };
    let unmeasured = budgets.leave_measured(on);
    // data costs only its bytes, so there is nothing to measure
    let chunks = plan.inputs.iter().filter(|input| !input.form.is_data());
    let chunks: Vec<Input> = chunks.cloned().collect();
    let figures = measure(args, &chunks, &targets).map_err(|error| match error.downcast() {
        Ok(BenchError::Build(faults)) => refused(plan.faults(faults).into()),
        Ok(error) => error.into(),
        Err(error) => error,
    })?;
    write(args, &figures, &chunks)?;
    if !unmeasured.is_empty() {
        let names: Vec<&str> = unmeasured.iter().map(|metric| metric.name()).collect();
        print::note(&format!(
            "note: budgets of {} are not checked, because {on} has no such figures; use --chip esp8266",
            names.join(", ")
        ));
    }

    let mut faults = Vec::new();
    if let Some(was) = &was {
        let comparison = compare(was, &figures, args.tolerance)?;
        let changes = comparison.changes.iter().map(ToString::to_string);
        let lines: Vec<String> = comparison.notes.iter().cloned().chain(changes).collect();
        print::report(format!(
            "\nCompared with the baseline: {} changes\n",
            lines.len()
        ))?;
        for line in &lines {
            print::report(format!("{line}\n"))?;
        }
        let worse = comparison.regressions().map(|change| {
            let tolerance = args.tolerance;
            format!("{change}; the tolerance is {tolerance} %")
        });
        faults.extend(worse);
    }
    faults.extend(
        check(&figures, &budgets)
            .iter()
            .map(|e| format!("over budget: {e}")),
    );
    match faults.is_empty() {
        true => Ok(()),
        false => Err(TooMuch(faults).into()),
    }
}

/// Whether a file has the name of a module or of the fast.toml.
fn is_source(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("lua" | "lc" | "toml"))
}

fn baseline(path: &Path, kind: &Kind) -> Result<Figures> {
    let text = output::read(path)?;
    // the new figures often replace it
    sources::may_be_replaced(path);
    let text =
        String::from_utf8(text).with_context(|| format!("{} is not UTF-8", print::path(path)))?;
    let was =
        Figures::from_json(&text).map_err(|error| anyhow!("{}: {error}", print::path(path)))?;
    was.comparable(kind).map_err(|error| {
        let (path, was) = (print::path(path), &error.was);
        let egc = was.egc.as_ref().map(|egc| format!(" --egc {egc}"));
        let egc = egc.unwrap_or_default();
        anyhow!("{path}: {error}; use --chip {}{egc}", was.on)
    })?;
    Ok(was)
}

/// The requested variants, or those of `fast.toml`, or the usual ones, each once.
fn targets(known: &Variants, args: &Args, names: Option<&[String]>) -> Result<Vec<Target>> {
    let mut variants: Vec<&Variant> = match names {
        None => usual(known),
        Some(names) => {
            let names = names.iter().map(|name| find_variant(known, name));
            names.collect::<Result<_, _>>().map_err(print::explained)?
        }
    };
    let mut seen = BTreeSet::new();
    variants.retain(|variant| seen.insert(&variant.name));
    let target = |variant: &&Variant| {
        Target::new(variant, known, args.chip.into()).map_err(|error| match error {
            NoTarget::Chip { .. } => anyhow!("{error}; use --chip esp8266"),
            NoTarget::Core(_) => error.into(),
        })
    };
    variants.iter().map(target).collect()
}

fn measure(args: &Args, inputs: &[Input], targets: &[Target]) -> Result<Figures> {
    match On::from(args.chip).chip() {
        Some(chip) => on_chip(args, chip, inputs, targets),
        None => load(args, inputs, targets, Machine::Host),
    }
}

fn on_chip(args: &Args, chip: Chip, inputs: &[Input], targets: &[Target]) -> Result<Figures> {
    let tools = Toolchain::find(chip)?;
    let temporary;
    let work = match &args.cache {
        Some(folder) => {
            output::make_folder("--cache", folder)?;
            temporary::clear_below(folder);
            folder
        }
        None => {
            temporary =
                Temporary::folder().context("can't create a folder for objects and images")?;
            temporary.path()
        }
    };
    let chip = Emulated {
        tools: &tools,
        work,
        run: args.run,
        egc: args.egc.into(),
    };
    load(args, inputs, targets, Machine::Chip(chip))
}

fn load(
    args: &Args,
    inputs: &[Input],
    targets: &[Target],
    machine: Machine<'_>,
) -> Result<Figures> {
    let bench = Bench {
        inputs,
        targets,
        heap_limit: args.heap.bytes(),
        hook: !args.no_hook,
        machine,
    };
    let style = ProgressStyle::with_template("measuring {bar:40} {pos}/{len}")?;
    let bar = print::bar(bench.steps(), style);
    let outcome = bench.run(|| bar.inc(1));
    bar.finish_and_clear();
    Ok(outcome?)
}

/// Prints the table, or JSON, and writes the files.
fn write(args: &Args, figures: &Figures, inputs: &[Input]) -> Result<()> {
    let json = figures.to_json()?;
    let to_stdout = [&args.json, &args.html]
        .into_iter()
        .flatten()
        .any(|path| is_stdout(path));
    let mut outputs = Outputs::default();
    if let Some(path) = &args.json {
        outputs.add(path, json.as_str());
    }
    if let Some(path) = &args.html {
        outputs.add(path, page(figures, &title(inputs)).map_err(Error::new)?);
    }
    let written = outputs.commit()?;
    if !to_stdout {
        for variant in &figures.variants {
            print::out(table(figures.on, variant) + "\n")?;
        }
        print::out(summary(figures))?;
    }
    for file in &written {
        print::report(format!("{file}\n"))?;
    }
    Ok(())
}

/// The names of the measured modules, if they are few.
fn title(inputs: &[Input]) -> String {
    let modules: BTreeSet<&str> = inputs.iter().map(|i| i.module.as_str()).collect();
    match modules.len() {
        1..=3 => modules.into_iter().collect::<Vec<_>>().join(", "),
        many => format!("{many} modules"),
    }
}
