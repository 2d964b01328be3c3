//! `fastlua lfs`

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use fastlua::{Diagnostic, LfsError, LfsOptions, Options, printable_name};

use crate::args::line_info::LineInfo;
use crate::args::modules;
use crate::args::takers::Chosen;
use crate::args::values::{address, size};
use crate::args::variants::{Compare, Heap, Known, OneVariant, Tree};
use crate::args::{Json, with_details};
use crate::io::output::{self, Outputs, Written};
use crate::plans;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua lfs --variant lua51-float --size 128k -o lfs.img lua/*.lua";

/// Make an image for LFS, the Lua Flash Store, as luac.cross -f does
#[derive(clap::Args)]
#[command(
    mut_arg("variant", |arg| arg.required_unless_present("firmware")),
    mut_arg("strip", |arg| arg.help("Debug data: 0 all, 1 lines but no names, 2 none [default: 1]")),
    after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "Put lfs.img into the chip's file system and load it with node.LFS.reload'lfs.img'. The memory of the image is \
that of luac.cross except the time stamp. Before writing, fastlua reads the image back, relocates it like the chip's \
loader, and compares each function. With `--line-info reference` line info is also luac.cross's, including its wrong \
lines. docs/lfs.md explains more.")
)]
pub struct Args {
    #[command(flatten)]
    modules: modules::Named,
    /// The image, - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    variant: OneVariant,
    #[command(flatten)]
    tree: Tree,
    #[command(flatten)]
    compare: Compare,
    /// Bytes of the region, a multiple of 4096 [default: the tree's, else 256k]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<u32>,
    /// Make an uncompressed image for a region at this address, to be flashed directly (5.1 only)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: Option<u32>,
    /// Time of the image in seconds since 1970 [default: SOURCE_DATE_EPOCH, else 0]
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u32>,
    /// Packing of line numbers: the shortest, or that of luac.cross, including its wrong lines
    #[arg(long, value_name = "HOW", value_enum, default_value_t = LineInfo::Shortest)]
    line_info: LineInfo,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

/// The time of the option, or the environment's.
fn timestamp(args: &Args) -> Result<u32> {
    match (args.timestamp, env::var("SOURCE_DATE_EPOCH")) {
        (Some(seconds), _) => Ok(seconds),
        (None, Ok(text)) => text
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is {text:?}, not a number of seconds")),
        (None, Err(_)) => Ok(0),
    }
}

pub fn run(args: &Args) -> Result<()> {
    output::streams([Some(&args.output)], args.json.json)?;
    let read = args.modules.read_as_functions()?;
    let known = args.known.load()?;
    let mut options = Options {
        variants: args.variant.find(&known)?.map(|v| vec![v.name.clone()]),
        heap_limit: args.heap.bytes(),
        known,
    };
    let mut lfs = LfsOptions {
        region: args.size,
        address: args.address,
        timestamp: timestamp(args)?,
        reference_lines: args.line_info == LineInfo::Reference,
    };
    let mut target = None;
    if let Some(folder) = &args.tree.firmware {
        let (tree, _) = plans::of_tree(folder, args.tree.lua.as_deref(), &options)?;
        target = plans::target(&args.tree, &args.compare, &tree)?;
        if lfs.region.is_none() {
            let hint = "; write a number there, or use --size";
            lfs.region = tree.lfs.map_err(|error| anyhow!("{error}{hint}"))?;
            if lfs.region.is_none() {
                print::note(
                    "the tree sets no size for the LFS region: using 256k; --size sets another",
                );
            }
        }
        options.variants = Some(vec![tree.variant.name]);
    }
    let chosen = match args.tree.firmware {
        Some(_) => Chosen::Tree,
        None => Chosen::Option,
    };
    let plan = read
        .project
        .plan_for_lfs(&options)
        .map_err(print::explained)?;
    let plan = match target {
        Some(target) => plan.for_firmware(target),
        None => plan,
    };
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
            let failed = print::said(text, vec![entry], help);
            return Err(match error.is_misuse() {
                true => print::by_misuse(failed),
                false => failed,
            });
        }
    };
    let mut report = image.report;
    let mut outputs = Outputs::default();
    outputs.add(&args.output, image.bytes);
    let written = outputs.commit()?;
    if args.json.json {
        report.outputs = written.iter().map(Written::report).collect();
        return print::json_text(&report.to_json());
    }
    let mut text = format!("{}\n{}", report.summary(), report.table());
    written.iter().for_each(|file| text += &format!("{file}\n"));
    print::report(text)
}
