//! `fastlua build`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use comfy_table::{CellAlignment, Table, presets};
use fastlua_bundle::{
    Build, Bundle, Costs, ESP8266_FLASH, Fault, Representation, identifier, nodemcu,
};
use fastlua_firmware::fast_c;
use fastlua_variants::{Variant, Variants, tree};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{Outputs, Written};
use crate::variant_args::{Heap, Known, find};
use crate::{inputs, output, print};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Compile Lua modules into a C module with bytecode for every firmware variant
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua build lua/*.lua -o firmware/app/modules --firmware firmware

writes fast.c and fast_chunks.h with each module for the variant that the tree is set to; enable the
module with `#define LUA_USE_MODULES_FAST` and call fast.load'name' on the chip. Without --variant and
--firmware the header holds every variant of NodeMCU, and the firmware's own flags choose.")]
pub struct Args {
    #[command(flatten)]
    modules: inputs::Modules,
    /// Folder for fast.c and fast_chunks.h
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Build only this variant (may be given several times); other firmware gets an #error
    #[arg(long = "variant", value_name = "V")]
    only: Vec<String>,
    /// NodeMCU tree: build only the variant that its user_config.h or sdkconfig is set to
    #[arg(long, value_name = "DIR", conflicts_with = "only")]
    firmware: Option<PathBuf>,
    /// Lua version that the firmware's make is given [ESP8266 default: 51]
    #[arg(long, value_name = "51|53", requires = "firmware", value_parser = ["51", "53"])]
    lua: Option<String>,
    /// What to write: fast.c and fast_chunks.h, or for each file a header NAME_lua.h by which a C
    /// module carries it as its Lua half
    #[arg(long, value_name = "WHAT", default_value = "module")]
    emit: Emit,
    /// Compile this many chunks at once [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Write the names of all files that were read as a Make rule
    #[arg(short = 'M', value_name = "FILE")]
    depfile: Option<PathBuf>,
    /// Print what each chunk takes on the chip as bytecode and frozen
    #[arg(long)]
    costs: bool,
    /// Print the report as JSON (see README, "Machine output")
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Emit {
    Module,
    Header,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let read = match args.modules.is_empty() {
        false => args.modules.read()?,
        true => args.modules.read_default()?,
    };
    let mut sources = read.files;
    sources.extend(args.known.files()?);
    let variants = match &args.firmware {
        Some(folder) => {
            let (variant, file) = of_tree(folder, args.lua.as_deref(), &known)?;
            sources.push(file);
            vec![variant]
        }
        None => {
            let asked = match args.only.is_empty() {
                false => Some(&args.only),
                true => read.variants.as_ref(),
            };
            chosen(&known, asked)?
        }
    };
    for names in read.inputs.iter().filter_map(|i| i.variants.as_ref()) {
        names.iter().try_for_each(|n| find(&known, n).map(|_| ()))?;
    }
    let build = Build {
        inputs: &read.inputs,
        variants: &variants,
        heap_limit: args.heap.bytes(),
    };
    let mut bundle = compile_all(&build, args.jobs)?;
    bundle.settle(&read.auto, read.budget.flash.map(|amount| amount.0));
    for warning in &bundle.warnings {
        print::note(&format!("warning: {}", fault(warning, &variants)));
    }

    fits_flash(&bundle)?;
    fs::create_dir_all(&args.output)
        .with_context(|| format!("{} can't be made", args.output.display()))?;
    let files = match args.emit {
        Emit::Module => vec![
            ("fast.c".to_owned(), fast_c()),
            ("fast_chunks.h".to_owned(), bundle.c_header(VERSION)),
        ],
        Emit::Header if bundle.has_frozen() => {
            bail!(
                "--emit header: a frozen chunk is for fast.c, which owns the table of its strings"
            )
        }
        Emit::Header => headers(&bundle),
    };
    let files: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|(name, text)| (args.output.join(name), text))
        .collect();
    let targets: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let mut outputs = Outputs::default();
    if let Some(depfile) = &args.depfile {
        outputs.add(depfile, rule(&targets, &sources));
    }
    for (path, text) in &files {
        outputs.add(path, text.as_str());
    }
    let written = outputs.commit()?;
    match args.json {
        true => print::json(&as_json(&bundle, &written)),
        false => {
            let mut text = report(&bundle, &written);
            if args.costs || bundle.has_frozen() {
                text += &costs(&bundle);
            }
            print::out(text)
        }
    }
}

/// For each module of a bundle the header that holds its chunks.
fn headers(bundle: &Bundle) -> Vec<(String, String)> {
    let modules: BTreeSet<&String> = bundle.chunks.iter().map(|c| &c.module).collect();
    let header = |module: &String| {
        let mut part = bundle.clone();
        part.chunks.retain(|c| c.module == *module);
        let text = part.module_header(module, VERSION);
        (format!("{}_lua.h", identifier(module)), text)
    };
    modules.into_iter().map(header).collect()
}

/// The variants of these names; without names all of NodeMCU's.
pub(crate) fn chosen(known: &Variants, names: Option<&Vec<String>>) -> Result<Vec<Variant>> {
    let Some(names) = names else {
        return Ok(nodemcu(known));
    };
    if names.is_empty() {
        bail!("`variants` in fast.toml is empty");
    }
    let names: BTreeSet<&String> = names.iter().collect();
    names.iter().map(|n| find(known, n).cloned()).collect()
}

/// The variant that a firmware tree is set to, and the file that says so.
fn of_tree(folder: &Path, lua: Option<&str>, known: &Variants) -> Result<(Variant, PathBuf)> {
    let esp8266 = folder.join("app/include/user_config.h");
    let esp32 = folder.join("sdkconfig");
    let number = lua.map(|lua| if lua == "51" { 51 } else { 53 });
    let text = |file: &Path| {
        Ok::<_, anyhow::Error>(String::from_utf8_lossy(&output::read(file)?).into_owned())
    };
    let (file, macros) = match (esp8266.is_file(), esp32.is_file()) {
        (true, false) => {
            let macros = tree::esp8266(&text(&esp8266)?, number.unwrap_or(51), known);
            (esp8266, macros)
        }
        (false, true) => {
            let macros = tree::esp32(&text(&esp32)?, number, known);
            (esp32, macros)
        }
        (true, true) => bail!(
            "{} has both app/include/user_config.h and sdkconfig; say which variant with --variant",
            folder.display()
        ),
        (false, false) => bail!(
            "{} has neither app/include/user_config.h (ESP8266) nor sdkconfig (ESP32, after its configuration)",
            folder.display()
        ),
    };
    let macros = macros.with_context(|| file.display().to_string())?;
    let variant = tree::choose(known, &macros).with_context(|| file.display().to_string())?;
    print::note(&format!(
        "{} sets {}: {}",
        file.display(),
        tree::shown(&macros),
        variant.name
    ));
    Ok((variant.clone(), file))
}

pub fn compile_all(build: &Build, jobs: Option<u16>) -> Result<Bundle> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = jobs {
        pool = pool.num_threads(jobs.into());
    }
    // hidden where standard error is no terminal
    let bar = ProgressBar::new((build.inputs.len() * build.variants.len()) as u64).with_style(
        ProgressStyle::with_template("compiling {bar:40} {pos}/{len}")?,
    );
    let outcome = pool.build()?.install(|| build.run(|| bar.inc(1)));
    bar.finish_and_clear();
    outcome.map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|f| fault(f, build.variants)).collect();
        anyhow!("{}\nnothing was written", lines.join("\n"))
    })
}

/// An error with the largest chunks where an ESP8266 can't hold the bundle by itself.
fn fits_flash(bundle: &Bundle) -> Result<()> {
    for (v, variant) in bundle.variants.iter().enumerate() {
        let mut sizes: Vec<(usize, &str)> = bundle
            .of_variant(v)
            .map(|(chunk, dump)| (dump.bytes.len(), chunk.name.as_str()))
            .collect();
        let total: usize = sizes.iter().map(|(size, _)| size).sum();
        if total > ESP8266_FLASH && variant.select.contains_key("esp8266") {
            sizes.sort_by(|a, b| b.cmp(a));
            let largest = sizes.iter().take(10);
            let table: String = largest
                .map(|(size, name)| format!("\n{size:10} {name}"))
                .collect();
            bail!(
                "{}: {total} bytes, but an ESP8266's flash segment has {ESP8266_FLASH}; the largest chunks:{table}\n\
                 leave some out, or the variant with --variant; nothing was written",
                variant.name
            );
        }
    }
    Ok(())
}

/// The message, and the variants unless they are all.
fn fault(fault: &Fault, all: &[Variant]) -> String {
    match fault.variants.len() == all.len() {
        true => fault.message.clone(),
        false => format!("{} [{}]", fault.message, fault.variants.join(", ")),
    }
}

fn report(bundle: &Bundle, written: &[Written]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = bundle.variants.iter().map(|v| v.name.clone());
    let heads = ["chunk".into(), "source".into()].into_iter().chain(names);
    table.set_header(heads.collect::<Vec<String>>());
    let mut totals = vec![0; bundle.variants.len() + 1];
    for chunk in &bundle.chunks {
        let mut sizes = vec![Some(chunk.source_len)];
        sizes.extend(chunk.dumps.iter().map(|d| Some(d.as_ref()?.bytes.len())));
        for (total, size) in totals.iter_mut().zip(&sizes) {
            *total += size.unwrap_or(0);
        }
        let cells = sizes
            .iter()
            .map(|s| s.map_or("-".into(), |n| n.to_string()));
        table.add_row(std::iter::once(chunk.name.clone()).chain(cells));
    }
    let cells = totals.iter().map(|n| n.to_string());
    table.add_row(std::iter::once("total bytes".into()).chain(cells));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text: String = table.lines().map(|l| format!("{}\n", l.trim())).collect();
    let of = |r| bundle.chunks.iter().filter(move |c| c.representation == r);
    let proved = bundle.chunks.iter();
    let proved = proved.filter(|c| c.representation != Representation::Source);
    let bytecode = proved.flat_map(|c| &c.dumps);
    let (dumps, texts) = (
        bytecode.flatten().count(),
        of(Representation::Source).count(),
    );
    text.push('\n');
    if dumps > 0 {
        text += &format!(
            "Dumps loaded back by the Lua core of their number model and found the same: {dumps} of {dumps}.\n\
             Source names: dropped at strip 2, shortened to the file's name at strip 0 and 1.\n"
        );
    }
    let frozen = bundle
        .chunks
        .iter()
        .filter(|c| c.representation.is_frozen());
    if bundle.has_frozen() {
        text += &format!(
            "Frozen: {} of {}; the bytes above are those of their bytecode. The firmware's compiler decides\n\
             what they take: fast.list and fast.info tell it.\n",
            frozen.count(),
            bundle.chunks.len()
        );
    }
    if texts > 0 {
        text += &format!(
            "Squashed sources compiled and found to be the same chunks as their originals: {texts} of {texts}.\n"
        );
    }
    for file in written {
        text += &format!("{file}\n");
    }
    text
}

/// What each chunk takes in the first of the variants.
fn costs(bundle: &Bundle) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let heads = "bytes in|as|flash|heap kept|load";
    table.set_header(heads.split('|'));
    for (chunk, dump) in bundle.of_variant(0) {
        let Some(c) = chunk.costs[0] else {
            let flash = dump.bytes.len().to_string();
            table.add_row([&chunk.name, "source", &flash, "-", "is compiled"]);
            continue;
        };
        let row = |form: &str, flash: usize, heap: usize, load: &str| {
            let cells = [
                &chunk.name,
                form,
                &flash.to_string(),
                &heap.to_string(),
                load,
            ];
            cells.map(str::to_owned)
        };
        table.add_row(row(
            "bytecode",
            c.bytecode_flash,
            c.bytecode_heap,
            "is copied",
        ));
        let flash = c.frozen_flash + c.frozen_strings;
        table.add_row(row("frozen", flash, c.frozen_heap, "one closure"));
        let load = "one closure; shadows once, at the most";
        table.add_row(row("frozen, no hook", flash, c.shadow_heap, load));
    }
    let rows: String = table.lines().map(|l| format!("{}\n", l.trim())).collect();
    let mut text = format!(
        "\nOn the chip, {}, without what the heap adds to each block:\n{rows}",
        bundle.variants[0].name
    );
    let frozen: Vec<Costs> = bundle
        .of_variant(0)
        .filter_map(|(c, _)| c.costs[0].filter(|_| c.representation.is_frozen()))
        .collect();
    if !frozen.is_empty() {
        let sum = |of: fn(&Costs) -> usize| frozen.iter().map(of).sum::<usize>();
        let (functions, flash) = (sum(|c| c.functions), sum(|c| c.frozen_flash));
        let (strings, bytes) = bundle.pool(0);
        text += &format!(
            "Functions of the frozen chunks: {functions}, {flash} bytes of flash, {} each. Their strings: {strings},\n\
             {bytes} bytes, {} each, as one pool; {} if each chunk had its own.\n",
            flash / functions,
            bytes / strings,
            sum(|c| c.frozen_strings)
        );
    }
    text
}

fn as_json(bundle: &Bundle, written: &[Written]) -> serde_json::Value {
    let names: Vec<&str> = bundle.variants.iter().map(|v| v.name.as_str()).collect();
    let chunks: Vec<_> = bundle
        .chunks
        .iter()
        .map(|chunk| {
            let dumps: serde_json::Map<String, _> = names
                .iter()
                .zip(chunk.dumps.iter().zip(&chunk.costs))
                .filter_map(|(name, (dump, costs))| {
                    let dump = dump.as_ref()?;
                    let mut about = json!({"bytes": dump.bytes.len(), "xxh32": format!("{:08x}", dump.xxh32), "proved": true});
                    if let Some(costs) = costs {
                        about["costs"] = json!(costs);
                    }
                    Some(((*name).to_owned(), about))
                })
                .collect();
            let sha256: String = chunk.sha256.iter().map(|b| format!("{b:02x}")).collect();
            json!({
                "name": chunk.name,
                "module": chunk.module,
                "file": chunk.file,
                "source_bytes": chunk.source_len,
                "sha256": sha256,
                "as": chunk.representation.name(),
                "strip": chunk.strip as u8,
                "dumps": dumps,
            })
        })
        .collect();
    let warnings: Vec<_> = bundle
        .warnings
        .iter()
        .map(|w| json!({"message": w.message, "variants": w.variants}))
        .collect();
    let outputs: Vec<_> = written
        .iter()
        .map(|w| json!({"path": w.path.display().to_string(), "changed": w.changed}))
        .collect();
    let pools: serde_json::Map<String, _> = names
        .iter()
        .enumerate()
        .map(|(v, name)| (name, bundle.pool(v)))
        .filter(|(_, (strings, _))| *strings > 0)
        .map(|(name, (strings, flash))| {
            let pool = json!({"strings": strings, "flash": flash});
            ((*name).to_owned(), pool)
        })
        .collect();
    json!({
        "schema": "fastlua-build/2",
        "variants": names,
        "chunks": chunks,
        "pools": pools,
        "warnings": warnings,
        "outputs": outputs,
    })
}

/// A Make rule: the targets depend on the sources; a source that is gone is no error to Make.
fn rule(targets: &[&Path], sources: &[PathBuf]) -> String {
    let escaped = |path: &Path| {
        let path = path.to_string_lossy().replace('$', "$$");
        path.replace('#', "\\#").replace(' ', "\\ ")
    };
    let targets: Vec<String> = targets.iter().map(|t| escaped(t)).collect();
    let sources: BTreeSet<String> = sources.iter().map(|s| escaped(s)).collect();
    let mut text = format!("{}:", targets.join(" "));
    for source in &sources {
        text += &format!(" \\\n  {source}");
    }
    text.push('\n');
    for source in &sources {
        text += &format!("\n{source}:\n");
    }
    text
}
