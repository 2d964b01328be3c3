//! `fastlua patch`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fastlua::{
    Bundle, Firmware, FirmwareError, FirmwareSlot, Options, PatchOptions, PatchReport, Patched,
    Slot,
};

use crate::args::modules;
use crate::args::takers::Chosen;
use crate::args::variants::{Heap, Known};
use crate::args::{Json, with_details};
use crate::io::output::{self, Outputs};
use crate::io::sources;
use crate::plans;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua patch nodemcu.bin app/*.lua --as frozen -o mine.bin";

/// Put Lua modules into finished firmware
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "The firmware needs a slot: `fastlua build --slot 64k`. The slot determines the variant. The modules replace its \
contents; all other bytes stay unchanged, except the checksums of the image around the slot. \
docs/images.md explains more."))]
pub struct Args {
    /// The firmware: a file for the flash, a dump of all or a part of it, a UF2 file, or an ELF file
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    #[command(flatten)]
    modules: modules::Modules,
    /// File for the patched firmware, - for standard output
    #[arg(short, long, value_name = "FILE", required_unless_present = "in_place")]
    output: Option<PathBuf>,
    /// Replace IMAGE itself
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// Remove all modules
    #[arg(long, conflicts_with_all = ["modules", "with"])]
    empty: bool,
    /// Which slot, from 1 on, if the firmware has several
    #[arg(long, value_name = "N")]
    slot: Option<usize>,
    /// Set the checksums of the slot's image even if they were wrong before
    ///
    /// This hides the damage that they showed.
    #[arg(long)]
    fix_checksums: bool,
    /// Leave other images in the file unchanged, though their checksums are wrong
    #[arg(long)]
    keep_damaged: bool,
    /// Patch a slot whose image is not in the file; you set its checksums yourself
    #[arg(long)]
    uncovered: bool,
    /// Write a bill of materials of the slot as CycloneDX JSON, - for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "empty")]
    sbom: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    output::streams([args.output.as_ref(), args.sbom.as_ref()], args.json.json)?;
    let output = match &args.output {
        Some(output) if is_same(output, &args.image) => {
            bail!("-o is IMAGE itself: use --in-place to overwrite it")
        }
        Some(output) => output,
        None => &args.image,
    };
    let shown = print::path(&args.image);
    let failed = |error: FirmwareError| print::of_firmware(&shown, &error);
    let mut firmware = Firmware::read(output::read(&args.image)?).map_err(failed)?;
    if args.output.is_none() {
        sources::may_be_replaced(&args.image);
    }
    let slot = firmware.slot(args.slot).map_err(failed)?;
    let bundle = match args.empty {
        true => None,
        false => Some(built(args, &slot, &shown)?),
    };
    let slot = Slot::clone(&slot);
    let options = PatchOptions {
        fix_checksums: args.fix_checksums,
        keep_damaged: args.keep_damaged,
        uncovered: args.uncovered,
    };
    let patched = match &bundle {
        Some(bundle) => firmware.patch(args.slot, bundle, options),
        None => firmware.clear(args.slot, options),
    };
    let patched = patched.map_err(failed)?;
    let mut outputs = Outputs::default();
    outputs.add(output, firmware.to_file());
    if let (Some(file), Some(bundle), Some(contents)) = (&args.sbom, &bundle, &patched.contents) {
        outputs.add(file, bundle.cyclonedx(&contents.name(), false)?);
    }
    let written = outputs.commit()?;
    if args.json.json {
        let image = args.image.display().to_string();
        let report = PatchReport::new(&image, &output.display().to_string(), &slot, &patched);
        let report = PatchReport {
            changed: written.iter().any(|file| file.changed),
            ..report
        };
        return print::json(&match &bundle {
            Some(bundle) => report.with_bundle(bundle),
            None => report,
        });
    }
    let files: String = written.iter().map(|file| format!("{file}\n")).collect();
    print::report(report(&slot, &patched) + &files)
}

/// The new contents of the slot.
fn built(args: &Args, slot: &FirmwareSlot, shown: &str) -> Result<Bundle> {
    let known = args.known.load()?;
    let variant = slot.variant(&known);
    let variant = variant.map_err(|error| print::of_firmware(shown, &error))?;
    let options = Options {
        variants: Some(vec![variant.name.clone()]),
        heap_limit: args.heap.bytes(),
        known: known.clone(),
    };
    let read = args.modules.read()?;
    let plan = read.project.plan(&options).map_err(print::explained)?;
    let bundle = plans::build(plan.for_slot(slot), None, Chosen::Slot)?;
    plans::warn(&bundle);
    Ok(bundle)
}

fn report(slot: &Slot, patched: &Patched) -> String {
    let mut text = patched.summary(slot) + "\n";
    for checksum in &patched.checksums {
        text += &match patched.fixed.contains(checksum) {
            true => format!(
                "{checksum}: was wrong, now set: it no longer shows damage elsewhere in the image\n"
            ),
            false => format!("{checksum}: set\n"),
        };
    }
    for damage in &patched.damaged_elsewhere {
        text += &format!("{damage}; left unchanged\n");
    }
    text
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}
