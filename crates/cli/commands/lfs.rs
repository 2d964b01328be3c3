//! `fastlua lfs`

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use fastlua::{
    Amount, BudgetError, Diagnostic, LfsError, LfsOptions, Options, OutputReport, printable_name,
};

use crate::args::line_info::LineInfo;
use crate::args::modules;
use crate::args::takers::Chosen;
use crate::args::variants::{Heap, Known, find};
use crate::io::output::{self, Outputs};
use crate::plans;
use crate::report::print;

/// Make an image for LFS, the Lua Flash Store, as luac.cross -f does
#[derive(clap::Args)]
#[command(
    mut_arg("strip", |arg| arg.help("Debug data: 0 all, 1 lines but no names, 2 none [default: 1]")),
    after_help = "Example:
  fastlua lfs --variant lua51-float --size 128k -o lfs.img lua/*.lua

Put lfs.img into the chip's file system and load it with node.LFS.reload'lfs.img'. The memory of the image is \
luac.cross's but for the time stamp; before it is written it is read back, relocated as the chip's loader \
does, and each function compared. With `--line-info reference` line info is luac.cross's, too, its wrong lines \
included. docs/lfs.md tells more."
)]
pub struct Args {
    #[command(flatten)]
    modules: modules::Named,
    /// The image, - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Variant of the firmware that is to load it
    #[arg(long, value_name = "V", required_unless_present = "firmware")]
    variant: Option<String>,
    /// NodeMCU tree: the variant and, where it sets it, the size of the region
    #[arg(long, value_name = "DIR", conflicts_with = "variant")]
    firmware: Option<PathBuf>,
    /// Lua version that the firmware's make is given [ESP8266 default: 51]
    #[arg(long, value_name = "51|53", requires = "firmware", value_parser = ["51", "53"])]
    lua: Option<String>,
    /// Bytes of the region, a multiple of 4096 [default: the tree's, else 256k]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<u32>,
    /// Make an image for a region that is mapped here, which is flashed as it is (5.1 only)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: Option<u32>,
    /// Time of the image in seconds since 1970 [default: SOURCE_DATE_EPOCH, else 0]
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u32>,
    /// Packing of line numbers: the shortest, or that of luac.cross, its wrong lines included
    #[arg(long, value_name = "HOW", value_enum, default_value_t = LineInfo::Shortest)]
    line_info: LineInfo,
    /// Print the report as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

/// Bytes of a region.
fn size(text: &str) -> Result<u32, String> {
    if let Some(size) = hexadecimal(text) {
        return size;
    }
    let amount: Result<Amount, BudgetError> = text.parse();
    let Amount(bytes) = amount.map_err(|error| error.to_string())?;
    bytes
        .try_into()
        .map_err(|_| "that is more than a chip has".into())
}

fn address(text: &str) -> Result<u32, String> {
    hexadecimal(text).unwrap_or_else(|| text.parse().map_err(|error| format!("{error}")))
}

/// The number behind `0x`.
fn hexadecimal(text: &str) -> Option<Result<u32, String>> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    Some(u32::from_str_radix(digits, 16).map_err(|error| error.to_string()))
}

/// The time that is asked for, or the environment's.
fn timestamp(args: &Args) -> Result<u32> {
    match (args.timestamp, env::var("SOURCE_DATE_EPOCH")) {
        (Some(seconds), _) => Ok(seconds),
        (None, Ok(text)) => text
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is {text:?}, no number of seconds")),
        (None, Err(_)) => Ok(0),
    }
}

pub fn run(args: &Args) -> Result<()> {
    output::streams([Some(&args.output)], args.json)?;
    let read = args.modules.read_as_functions()?;
    let mut options = Options {
        known: args.known.load()?,
        variants: args.variant.clone().map(|name| vec![name]),
        heap_limit: args.heap.bytes(),
    };
    if let Some(name) = &args.variant {
        find(&options.known, name)?;
    }
    let mut lfs = LfsOptions {
        region: args.size,
        address: args.address,
        timestamp: timestamp(args)?,
        reference_lines: args.line_info == LineInfo::Reference,
    };
    if let Some(folder) = &args.firmware {
        let (tree, _) = plans::of_tree(folder, args.lua.as_deref(), &options)?;
        if lfs.region.is_none() {
            let hint = "; write a number there, or say --size";
            lfs.region = tree.lfs.map_err(|error| anyhow!("{error}{hint}"))?;
            if lfs.region.is_none() {
                print::note(
                    "the tree sets no size of the region for LFS: taken for 256k, unless --size says another",
                );
            }
        }
        options.variants = Some(vec![tree.variant.name]);
    }
    let chosen = match args.firmware {
        Some(_) => Chosen::Tree,
        None => Chosen::Option,
    };
    let plan = read
        .project
        .plan_for_lfs(&options)
        .map_err(print::explained)?;
    let bundle = plans::build(plan, None, chosen)?;
    plans::warn(&bundle);
    let image = match bundle.lfs_image(&lfs) {
        Ok(image) => image,
        Err(error) => {
            let hint = match &error {
                LfsError::Lines { .. } => "; make the image with --line-info shortest",
                _ => "",
            };
            let text = match &error {
                LfsError::TooLarge(_) => error.to_string(),
                error => printable_name(&error.to_string()),
            };
            let text = text.trim_end();
            let entry = match error.file() {
                Some(file) => Diagnostic::of_file(file, None, text),
                None => Diagnostic::error(text),
            };
            let help = hint.strip_prefix("; ").map(str::to_owned);
            let text = format!("{text}{hint}\nnothing was written");
            return Err(print::said(text, vec![entry], help));
        }
    };
    let mut report = image.report;
    let mut outputs = Outputs::default();
    outputs.add(&args.output, image.bytes);
    let written = outputs.commit()?;
    if args.json {
        let output = |w: &output::Written| OutputReport {
            path: w.path.display().to_string(),
            changed: w.changed,
        };
        report.outputs = written.iter().map(output).collect();
        return print::json_text(&report.to_json());
    }
    let mut text = format!(
        "{}, {} modules, {} of {} bytes of the region, {} in the file\n{}",
        report.variant,
        report.modules.len(),
        report.used,
        report.region,
        report.bytes,
        report.table()
    );
    written.iter().for_each(|file| text += &format!("{file}\n"));
    print::report(text)
}
