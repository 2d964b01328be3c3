//! `fastlua patch`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fastlua::{
    Broken, Bundle, Diagnostic, Firmware, FirmwareError, Guard, ImageError, Options, PatchOptions,
    Patched, Plan, Report, Slot, variant_of,
};
use fastlua_sbom::cyclonedx;
use serde_json::json;

use crate::output::{self, Outputs};
use crate::takers::Chosen;
use crate::variant_args::{Heap, Known};
use crate::{build, inputs, print, sources};

/// Put Lua modules into firmware that is built already
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua patch nodemcu.bin app/*.lua --as frozen -o mine.bin

The firmware needs a slot: `fastlua build --slot 64k`. The slot says which variant it is. What was in it is \
replaced; everything else stays byte for byte, but for the checksums of the image that holds the slot. \
docs/images.md tells more.")]
pub struct Args {
    /// The firmware: a file for the flash, a dump of all or a part of it, a UF2 file, or an ELF file
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    #[command(flatten)]
    modules: inputs::Modules,
    /// Where the patched firmware goes, - for standard output
    #[arg(short, long, value_name = "FILE", required_unless_present = "in_place")]
    output: Option<PathBuf>,
    /// Write over IMAGE
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// Take all modules out
    #[arg(long, conflicts_with_all = ["modules", "with"])]
    empty: bool,
    /// Which slot, from 1 on, if the firmware has several
    #[arg(long, value_name = "N")]
    slot: Option<usize>,
    /// Set the checksums of the slot's image even if they were wrong before, so that the damage can't be seen any more
    #[arg(long)]
    fix_checksums: bool,
    /// Leave other images in the file as they are, though their checksums are wrong
    #[arg(long)]
    keep_damaged: bool,
    /// Patch a slot whose image is not in the file; its checksums are yours to set
    #[arg(long)]
    uncovered: bool,
    /// Write a bill of materials: what is in the slot, as CycloneDX JSON, - for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "empty")]
    sbom: Option<PathBuf>,
    /// Print the report as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

pub fn run(args: &Args) -> Result<()> {
    output::streams([args.output.as_ref(), args.sbom.as_ref()], args.json)?;
    let output = match &args.output {
        Some(output) if is_same(output, &args.image) => {
            bail!("-o is IMAGE itself: say --in-place to write over it")
        }
        Some(output) => output,
        None => &args.image,
    };
    let shown = print::path(&args.image);
    let failed = |error: FirmwareError| explained(&shown, &error);
    let mut firmware = Firmware::read(output::read(&args.image)?).map_err(failed)?;
    if args.output.is_none() {
        sources::may_be_replaced(&args.image);
    }
    let slot = firmware.slot(args.slot).map_err(failed)?.clone();
    let built = match args.empty {
        true => None,
        false => Some(built(args, &slot)?),
    };
    let bundle = built.as_ref().map(|(_, bundle)| bundle);
    let options = PatchOptions {
        fix_checksums: args.fix_checksums,
        keep_damaged: args.keep_damaged,
        uncovered: args.uncovered,
    };
    let patched = firmware.patch(args.slot, bundle, options).map_err(failed)?;
    let mut outputs = Outputs::default();
    outputs.add(output, firmware.to_file());
    if let (Some(file), Some((plan, bundle)), Some(contents)) =
        (&args.sbom, &built, &patched.contents)
    {
        outputs.add(file, cyclonedx(plan, bundle, &contents.name(), false)?);
    }
    let written = outputs.commit()?;
    if args.json {
        let contents = patched.contents.as_ref();
        return print::json(&json!({
            "schema": "fastlua-patch/2",
            "image": args.image.display().to_string(),
            "output": output.display().to_string(),
            "changed": written.iter().any(|file| file.changed),
            "slot": {
                "offset": slot.offset, "address": slot.head.address, "variant": slot.head.variant,
                "hook": slot.head.hook, "capacity": slot.head.capacity,
                "used": contents.map_or(0, |c| c.used),
                "bundle": contents.map(|c| c.name()),
            },
            "guards": texts(&patched.guards),
            "fixed": texts(&patched.fixed),
            "kept": kept(&firmware, &patched),
            "warnings": bundle.iter().flat_map(|b| &b.warnings).map(Diagnostic::of).collect::<Vec<_>>(),
            "chunks": bundle.map(|bundle| Report::of(bundle).chunks).unwrap_or_default(),
        }));
    }
    let files: String = written.iter().map(|file| format!("{file}\n")).collect();
    print::report(report(&slot, &patched, &kept(&firmware, &patched)) + &files)
}

/// What goes into the slot.
fn built(args: &Args, slot: &Slot) -> Result<(Plan, Bundle)> {
    let known = args.known.load()?;
    let variant = variant_of(&slot.head, &known).map_err(print::explained)?;
    let options = Options {
        variants: Some(vec![variant.name.clone()]),
        heap_limit: args.heap.bytes(),
        known: known.clone(),
    };
    let read = args.modules.read()?;
    let mut plan = read.project.plan(&options).map_err(print::explained)?;
    plan.fit(&slot.head);
    let bundle = build::build(&plan, None, Chosen::Slot)?;
    build::warn(&bundle);
    Ok((plan, bundle))
}

fn report(slot: &Slot, patched: &Patched, kept: &[String]) -> String {
    let head = &slot.head;
    let mut text = match &patched.contents {
        None => format!(
            "slot at {:#x}: empty, {} bytes\n",
            slot.offset, head.capacity
        ),
        Some(contents) => format!(
            "slot at {:#x}, {}: {} chunks, {} of {} bytes, bundle {}\n",
            slot.offset,
            head.variant,
            contents.count,
            contents.used,
            head.capacity,
            contents.name()
        ),
    };
    for guard in &patched.guards {
        text += &match patched.fixed.contains(guard) {
            true => format!(
                "{guard}: was wrong before, and is set: damage elsewhere in the image is hidden now\n"
            ),
            false => format!("{guard}: set\n"),
        };
    }
    for damage in kept {
        text += &format!("{damage}, and stays so\n");
    }
    text
}

/// What is damaged elsewhere in the file.
fn kept(firmware: &Firmware, patched: &Patched) -> Vec<String> {
    let wrong = patched.kept.iter();
    let wrong = wrong.map(|guard| format!("{guard}: of another image, is wrong"));
    let broken = firmware.broken().map(|broken| {
        let Broken { start, error } = broken;
        format!("what begins as an image at offset {start:#x} can't be read ({error})")
    });
    wrong.chain(broken).collect()
}

fn texts(guards: &[Guard]) -> Vec<String> {
    guards.iter().map(ToString::to_string).collect()
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}

/// An error of the library, with what to do on the command line.
pub fn explained(image: &str, error: &FirmwareError) -> anyhow::Error {
    let hint = match error {
        FirmwareError::NoSlot(_) => " (fastlua build --slot)",
        FirmwareError::WhichSlot(_) => " (--slot N)",
        FirmwareError::Image(ImageError::Damaged(_)) => {
            ". Take a file that is whole, or say --fix-checksums to set them all the same"
        }
        FirmwareError::Elsewhere(_) => ". Say --keep-damaged to leave that image as it is",
        FirmwareError::Uncovered(_) => ", or say --uncovered if you set its checksums yourself",
        _ => "",
    };
    let entry = Diagnostic::of_file(image, None, &error.to_string());
    print::hinted(&format!("{image}: {error}"), hint, vec![entry])
}
