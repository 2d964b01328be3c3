//! `fastlua build`

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fastlua::{BuildReport, Bundle, Chip, Options, OutputFile, Plan, module_header_names};

use crate::args::modules;
use crate::args::takers::Chosen;
use crate::args::values::{self, amount};
use crate::args::variants::{Compare, Heap, Known, SomeVariants, Tree};
use crate::args::{Json, with_details};
use crate::io::cache::{Cache, Entry};
use crate::io::depfile::rule;
use crate::io::file_names;
use crate::io::output::{self, Contents, Outputs, Written, make_folder, streams};
use crate::io::target::is_stdout;
use crate::plans::{build, build_with, of_tree, say, target as target_of, warn};
use crate::report::build as build_report;
use crate::report::print;
use crate::report::table;

/// The name of the bill of materials among the outputs of a bundle.
const SBOM: &str = "sbom";

const EXAMPLE: &str = "Example:
  fastlua build lua/*.lua -o firmware/app/modules --firmware firmware";

/// Compile Lua modules into a C module with bytecode for every firmware variant
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "writes fast.c and fast_chunks.h with each module for the variant of the firmware tree; enable the \
module with `#define LUA_USE_MODULES_FAST` and call fast.load'name' on the chip. Without --variant and \
--firmware the header holds every variant of NodeMCU, and the firmware's own flags choose."))]
pub struct Args {
    #[command(flatten)]
    modules: modules::Modules,
    /// Folder for fast.c and fast_chunks.h
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    variants: SomeVariants,
    #[command(flatten)]
    tree: Tree,
    #[command(flatten)]
    compare: Compare,
    /// Output: the C module, the same with an object file, or headers for other C modules
    ///
    /// module: fast.c and fast_chunks.h. object: the same with the chunks in fast_chunks.o, for the firmware's
    /// linker. header: for each file a header NAME_lua.h, which makes it the Lua half of a C module, and
    /// fast_runtime.c, which loads them all.
    #[arg(long, value_name = "WHAT", default_value = "module")]
    emit: Emit,
    /// The chip for fast_chunks.o, such as esp8266, esp32, esp32c3 [default: that of the firmware tree]
    #[arg(long, value_name = "CHIP", value_parser = values::chip(), hide_possible_values = true)]
    chip: Option<Chip>,
    /// Reserve this much flash as a slot for `fastlua patch`, such as 64k, a multiple of 4k
    ///
    /// Modules on the command line are compiled in beside the slot. There need not be any.
    #[arg(long, value_name = "SIZE", value_parser = values::slot)]
    slot: Option<u32>,
    /// Compile this many chunks at once [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Write a Make rule with the names of all files that were read, - for standard output
    #[arg(short = 'M', value_name = "FILE")]
    depfile: Option<PathBuf>,
    /// Always write this file, and last
    ///
    /// -M then names it in place of the outputs, and also the folders of globs.
    #[arg(long, value_name = "FILE")]
    stamp: Option<PathBuf>,
    /// Write a bill of materials of the bundle as CycloneDX JSON, - for standard output
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Keep results in this folder and reuse them if nothing changed; several builds may share it
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Delete the least recently used entries of the cache beyond this size
    #[arg(long, value_name = "SIZE", default_value = "1024M", requires = "cache", value_parser = amount)]
    cache_limit: u64,
    /// Print flash and heap of each chunk as bytecode and frozen
    #[arg(long)]
    costs: bool,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Emit {
    Module,
    Object,
    Header,
}

pub fn run(args: &Args) -> Result<()> {
    if args.stamp.as_deref().is_some_and(is_stdout) {
        return Err(print::misused(
            "--stamp needs a file, not standard output: Make reads its time",
        ));
    }
    streams([args.depfile.as_ref(), args.sbom.as_ref()], args.json.json)?;
    let read = match args.slot {
        Some(_) => args.modules.read_named()?,
        None => args.modules.read()?,
    };
    let mut sources = read.files;
    if args.stamp.is_some() {
        sources.extend(read.folders);
    }
    sources.extend(args.known.files()?);
    let known = args.known.load()?;
    let named = args.variants.names(&known)?;
    let is_named = named.is_some();
    let mut options = Options {
        variants: named,
        heap_limit: args.heap.bytes(),
        known,
    };
    let mut chip = args.chip;
    let mut target = None;
    if let Some(folder) = &args.tree.firmware {
        let (tree, file) = of_tree(folder, args.tree.lua.as_deref(), &options)?;
        target = target_of(&args.tree, &args.compare, &tree)?;
        options.variants = Some(vec![tree.variant.name]);
        chip = chip.or(Some(tree.chip));
        sources.push(file);
    }
    let what = What::of(args, chip)?;
    let chosen = match (&args.tree.firmware, is_named, read.project.variants()) {
        (Some(_), ..) => Chosen::Tree,
        (None, true, _) => Chosen::Option,
        (None, false, Some(_)) => Chosen::Manifest,
        (None, false, None) => Chosen::Nothing { firmware: true },
    };
    let mut plan = read.project.plan(&options).map_err(print::explained)?;
    if let Some(target) = target {
        plan = plan.for_firmware(target);
    }
    if matches!(what, What::Headers) {
        plan = plan.for_c_modules();
    }
    if let What::Object(chip) = what {
        chip.one_of(&plan.variants).context("--emit object")?;
    }
    let (mut report, written) = match made(args, &what, plan, chosen)? {
        Made::Entry(entry) => {
            say(&entry.report.warnings, entry.report.variants.len());
            let written = write(args, &sources, entry.outputs())?;
            (entry.report, written)
        }
        Made::Bundle(bundle) => {
            warn(&bundle);
            let files = what.files(&bundle)?;
            let name = OnceCell::new();
            let contents = contents(args, &bundle, &files, &name)?;
            let written = write(args, &sources, contents.into_iter())?;
            (report(&bundle, &name), written)
        }
    };
    if args.json.json {
        report.outputs = written.iter().map(Written::report).collect();
        return print::json_text(&report.to_json());
    }
    let mut text = String::new();
    if !report.chunks.is_empty() {
        text += &build_report::table(&report, table::width());
    }
    if let Some(capacity) = args.slot {
        text += &format!(
            "Slot: {capacity} bytes, empty; `fastlua patch` fills it once the firmware is built.\n"
        );
    }
    written.iter().for_each(|file| text += &format!("{file}\n"));
    if args.costs || build_report::has_frozen(&report) {
        text += &build_report::costs(&report, table::width());
    }
    print::report(text)
}

/// The result of a build.
enum Made {
    Entry(Box<Entry>),
    Bundle(Box<Bundle>),
}

/// Builds a plan, or finds it in the cache.
fn made(args: &Args, what: &What, plan: Plan, chosen: Chosen) -> Result<Made> {
    let Some(folder) = &args.cache else {
        return Ok(Made::Bundle(Box::new(build(plan, args.jobs, chosen)?)));
    };
    let cache = Cache::new(folder, args.cache_limit)?;
    let key = cache.name(
        &plan,
        &format!("{what:?}, bill of materials: {}", args.sbom.is_some()),
    );
    let names = what.names(&plan).into_iter();
    let names = names.chain(args.sbom.is_some().then(|| SBOM.into()));
    if let Some(entry) = cache.find(&key, &names.collect(), &plan) {
        print::detail(|| format!("found in the cache: {key}"));
        return Ok(Made::Entry(Box::new(entry)));
    }
    let chunks = cache.chunks();
    let all = plan.inputs.len();
    let bundle = build_with(plan, args.jobs, chosen, Some(&chunks))?;
    print::detail(|| format!("chunks of earlier builds: {} of {all}", chunks.reused()));
    let files = what.files(&bundle)?;
    let name = OnceCell::new();
    let contents = contents(args, &bundle, &files, &name)?;
    let report = || report(&bundle, &name);
    let added = cache.add(&key, contents.into_iter(), report, &chunks);
    drop(files);
    Ok(match added {
        Ok(entry) => Made::Entry(Box::new(entry)),
        Err(error) => {
            let shown = print::path(folder);
            print::note(&format!(
                "warning: the cache {shown} can't be written: {error}"
            ));
            Made::Bundle(Box::new(bundle))
        }
    })
}

/// The outputs of a bundle, by name. `name` becomes the bundle's name once that is known.
fn contents<'a>(
    args: &Args,
    bundle: &Bundle,
    files: &'a [OutputFile],
    name: &'a OnceCell<String>,
) -> Result<Vec<(&'a str, Contents<'a>)>> {
    let mut all: Vec<(&str, Contents)> = Vec::new();
    for file in files {
        all.push((
            &file.name,
            Box::new(|out| {
                if let Some(made) = file.write(out)? {
                    name.get_or_init(|| made);
                }
                Ok(())
            }),
        ));
    }
    if args.sbom.is_some() {
        let text = bundle.cyclonedx(&bundle.name(), true)?;
        all.push((SBOM, Box::new(move |out| out.write_all(text.as_bytes()))));
    }
    Ok(all)
}

/// The report on a written bundle.
fn report(bundle: &Bundle, name: &OnceCell<String>) -> BuildReport {
    match name.get() {
        Some(name) => bundle.report_named(name.clone()),
        None => bundle.report(),
    }
}

/// The kinds of output of a bundle.
#[derive(Debug)]
enum What {
    Module,
    Slot(u32),
    Object(Chip),
    Headers,
}

impl What {
    fn of(args: &Args, chip: Option<Chip>) -> Result<What> {
        if args.chip.is_some() && !matches!(args.emit, Emit::Object) {
            return Err(print::misused(
                "--chip needs --emit object: the C files are for any chip",
            ));
        }
        match (args.emit, args.slot) {
            (Emit::Module, None) => Ok(What::Module),
            (Emit::Module, Some(capacity)) => Ok(What::Slot(capacity)),
            (Emit::Object, None) => chip.map(What::Object).ok_or_else(|| {
                print::misused(
                    "--emit object needs a chip: use --chip, such as --chip esp8266, or --firmware DIR",
                )
            }),
            (Emit::Header, None) => Ok(What::Headers),
            (Emit::Object, Some(_)) => Err(print::misused(
                "--slot can't be combined with --emit object",
            )),
            (Emit::Header, Some(_)) => Err(print::misused(
                "--slot can't be combined with --emit header",
            )),
        }
    }

    /// The names of the files, known before they are made.
    fn names(&self, plan: &Plan) -> BTreeSet<String> {
        let module = ["fast.c", "fast_chunks.h"].map(str::to_owned).into();
        match self {
            What::Module | What::Slot(_) => module,
            What::Object(_) => module.into_iter().chain(["fast_chunks.o".into()]).collect(),
            What::Headers => module_header_names(plan),
        }
    }

    fn files<'a>(&self, bundle: &'a Bundle) -> Result<Vec<OutputFile<'a>>> {
        Ok(match *self {
            What::Module => bundle.c_module().to_vec(),
            What::Slot(capacity) => bundle
                .c_module_with_slot(capacity)
                .context("--slot")?
                .to_vec(),
            What::Object(chip) => bundle
                .c_module_with_object(chip)
                .context("--emit object")?
                .to_vec(),
            What::Headers => bundle.module_headers().context("--emit header")?,
        })
    }
}

/// Writes the outputs, and the list of inputs.
fn write<'a>(
    args: &Args,
    sources: &[PathBuf],
    made: impl Iterator<Item = (&'a str, Contents<'a>)>,
) -> Result<Vec<Written>> {
    let (sbom, files): (Vec<_>, Vec<_>) = made.partition(|(name, _)| *name == SBOM);
    file_names::check(files.iter().map(|(name, _)| *name))?;
    make_folder("-o", &args.output)?;
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, _)| args.output.join(name))
        .collect();
    let mut outputs = Outputs::default();
    if let Some(depfile) = &args.depfile {
        let outputs_of_it = args.stamp.as_ref().map_or(&paths[..], std::slice::from_ref);
        let targets: Vec<&Path> = outputs_of_it.iter().map(PathBuf::as_path).collect();
        outputs.add(depfile, rule(&targets, sources)?);
    }
    let sbom = args.sbom.iter().cloned().zip(sbom);
    for (path, (_, contents)) in paths.iter().cloned().zip(files).chain(sbom) {
        outputs.add_written(path, contents);
    }
    if let Some(stamp) = &args.stamp {
        output::refuse_source(stamp, &print::path(stamp))?;
    }
    let written = outputs.commit()?;
    if let Some(stamp) = &args.stamp {
        fs::write(stamp, "").with_context(|| format!("{} can't be written", print::path(stamp)))?;
    }
    Ok(written)
}
