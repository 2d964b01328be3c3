//! `fastlua inspect`

use std::path::PathBuf;

use anyhow::{Result, bail};
use fastlua::{
    CheckState, Checks, Diagnostic, Entry, Firmware, FirmwareError, ImageKind, Label, LfsPlace,
    Slot, Variants, form_of, is_lfs_image, read_lfs,
};
use fastlua_bytecode::{candidates, dump_in, printable_name, read};
use serde::Serialize;

use crate::extract::{Extract, extract};
use crate::output;
use crate::variant_args::Known;
use crate::{list, patch, print};

/// Tell what is in a firmware image, an LFS image, a .lc file or a fast_chunks.h
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua inspect mine.bin

Finds the slots and the modules that are compiled in, and checks all checksums. Says of each thing whether it is right, \
wrong, or not checked. Exit status 1 if nothing is found, or something is wrong.")]
pub struct Args {
    /// The file: firmware of any kind, an ELF file, an object file or an archive of them, an LFS image, a .lc file, a fast_chunks.h
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write this chunk to a file: bytecode as .lc, source as .lua, data as it is
    #[arg(long, value_name = "NAME")]
    extract: Option<String>,
    /// Where it goes, - for standard output [default: NAME.lc, NAME.lua, or data's own name]
    #[arg(short, long, value_name = "FILE", requires = "extract")]
    output: Option<PathBuf>,
    /// Print what is found as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    known: Known,
}

/// What is found in a file.
#[derive(Serialize, Default)]
struct Found {
    schema: &'static str,
    file: String,
    kind: String,
    /// The checksums of images.
    guards: Vec<GuardFound>,
    /// The signatures of images.
    signatures: Vec<GuardFound>,
    /// Slots and bundles that are compiled in.
    places: Vec<Place>,
    /// What is wrong, wherever that is.
    #[serde(skip)]
    damage: Vec<String>,
    /// The same, and that nothing was found, as JSON has it.
    errors: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct GuardFound {
    guard: String,
    /// None where it is not checked.
    right: Option<bool>,
}

/// A slot, or a bundle that is compiled in, or a file that is a chunk or an LFS image.
#[derive(Serialize, Default)]
struct Place {
    /// `slot`, `compiled in`, `text`, `chunk` or `LFS`.
    kind: &'static str,
    /// Of its own checksums.
    state: CheckState,
    /// Of those of the image around it.
    image: Option<CheckState>,
    offset: Option<usize>,
    address: Option<u32>,
    variants: Vec<String>,
    version: Option<String>,
    freezes: Option<bool>,
    hook: Option<bool>,
    capacity: Option<u32>,
    used: Option<u32>,
    bundle: Option<String>,
    timestamp: Option<u32>,
    seed: Option<u32>,
    chunks: Vec<ChunkFound>,
}

#[derive(Serialize)]
struct ChunkFound {
    name: String,
    #[serde(rename = "as")]
    form: Option<String>,
    /// Of the dump or source as it is carried; none where there is only the frozen form.
    bytes: Option<usize>,
    xxh32: Option<String>,
    source_bytes: Option<u32>,
    sha256: Option<String>,
    strip: Option<u8>,
    /// Whether all of it is right; none where something is not checked, and nothing is wrong.
    sound: Option<bool>,
    checks: Checks,
}

pub fn run(args: &Args) -> Result<()> {
    let bytes = output::read(&args.file)?;
    let shown = print::path(&args.file);
    if let Some(name) = &args.extract {
        output::streams([args.output.as_ref()], false)?;
        let output = args.output.clone();
        return extract(
            &Extract {
                file: &args.file,
                name,
                output,
                known: &args.known,
            },
            bytes,
        );
    }
    let found = if is_lfs_image(&bytes) {
        of_image(&bytes, &args.known.load()?)
    } else if let Some(dump) = dump_in(&bytes) {
        of_chunk(dump, &args.known.load()?)
    } else if let Some(place) = of_header(&bytes) {
        found("fast_chunks.h".into(), vec![place])
    } else {
        let firmware = Firmware::read(bytes).map_err(|error| patch::explained(&shown, &error))?;
        of_firmware(&firmware)
    };
    let file = args.file.display().to_string();
    let nothing = format!("no slot and no modules of fastlua in this {}", found.kind);
    let is_nothing = found.places.is_empty() && found.damage.is_empty();
    let errors = found.damage.iter().chain(is_nothing.then_some(&nothing));
    let errors = errors.map(|error| Diagnostic::of_file(&file, None, error));
    let found = Found {
        errors: errors.collect(),
        file: file.clone(),
        ..found
    };
    match args.json {
        true => print::json(&found)?,
        false => print::out(text(&found))?,
    }
    for damage in &found.damage {
        print::error(&format!("{shown}: {}", printable_name(damage)));
    }
    if !found.damage.is_empty() {
        bail!("{shown} is damaged");
    }
    if found.places.is_empty() {
        bail!("{shown}: {nothing}");
    }
    Ok(())
}

fn found(kind: String, places: Vec<Place>) -> Found {
    Found {
        schema: "fastlua-inspect/3",
        kind,
        places,
        ..Found::default()
    }
}

fn of_firmware(firmware: &Firmware) -> Found {
    let mut all = found(firmware.kind(), Vec::new());
    for (guard, state) in firmware.guards() {
        let guard = guard.to_string();
        if state == CheckState::Wrong {
            all.damage.push(format!("the {guard} does not fit"));
        }
        let right = state.is_right();
        all.guards.push(GuardFound { guard, right });
    }
    all.signatures = firmware
        .signatures()
        .map(|guard| GuardFound { guard, right: None })
        .collect();
    let broken = firmware.broken();
    all.damage.extend(broken.map(|broken| {
        let start = broken.start;
        format!(
            "what begins as an image at offset {start:#x} is none: {}",
            broken.error
        )
    }));
    let slots = firmware.slots().iter().map(|slot| of_slot(firmware, slot));
    let labels = firmware
        .labels()
        .iter()
        .map(|label| of_label(firmware, label));
    for place in slots.chain(labels) {
        match place {
            Ok(place) => {
                let damaged = place.chunks.iter();
                let damaged = damaged.filter(|chunk| chunk.checks.worst() == CheckState::Wrong);
                let damaged = damaged.map(|c| format!("chunk {} is damaged", c.name));
                all.damage.extend(damaged);
                all.places.push(place);
            }
            Err(error) => all.damage.push(error.to_string()),
        }
    }
    all
}

fn of_slot(
    firmware: &Firmware,
    slot: &Result<Slot, FirmwareError>,
) -> Result<Place, FirmwareError> {
    let slot = slot.as_ref().map_err(Clone::clone)?;
    let linked = is_linked(firmware);
    let chunks = firmware.chunks_of_slot(slot)?;
    let contents = slot.contents.as_ref();
    let checks = |entry: &Entry| firmware.checks_in_slot(slot, entry);
    Ok(Place {
        kind: "slot",
        state: CheckState::Right,
        image: linked.then(|| firmware.image_of(&slot.range())),
        offset: linked.then_some(slot.offset),
        address: linked.then_some(slot.head.address),
        variants: vec![slot.head.variant.clone()],
        version: Some(slot.head.version.clone()),
        freezes: Some(slot.head.freezes),
        hook: Some(slot.head.hook),
        capacity: Some(slot.head.capacity),
        used: Some(contents.map_or(0, |contents| contents.used)),
        bundle: contents.map(|contents| contents.name()),
        chunks: chunks.iter().map(|e| of_entry(e, checks(e))).collect(),
        ..Place::default()
    })
}

fn of_label(
    firmware: &Firmware,
    label: &Result<Label, FirmwareError>,
) -> Result<Place, FirmwareError> {
    let label = label.as_ref().map_err(Clone::clone)?;
    let chunks = firmware.chunks_of(label)?;
    let linked = is_linked(firmware);
    let checks = |entry: &Entry| firmware.checks_compiled_in(label, entry);
    Ok(Place {
        kind: "compiled in",
        state: CheckState::Right,
        image: linked.then(|| firmware.image_of(&(label.offset..label.offset + 1))),
        offset: linked.then_some(label.offset),
        address: linked.then_some(label.address),
        variants: vec![label.variant.clone()],
        version: Some(label.version.clone()),
        freezes: Some(label.freezes),
        hook: label.index.about.is_none().then_some(label.hook), // an object file can't know
        bundle: Some(label.bundle.clone()),
        chunks: chunks.iter().map(|e| of_entry(e, checks(e))).collect(),
        ..Place::default()
    })
}

/// Whether what is found has a place and an address.
fn is_linked(firmware: &Firmware) -> bool {
    !matches!(
        firmware.image().kind(),
        ImageKind::Object | ImageKind::Archive
    )
}

fn of_entry(entry: &Entry, checks: Checks) -> ChunkFound {
    let about = entry.about.as_ref();
    let form = form_of(entry);
    let words = entry.words.as_ref();
    ChunkFound {
        name: entry.name.clone(),
        form: Some(form.name().into()),
        bytes: words.map(ExactSizeIterator::len),
        xxh32: words.map(|_| format!("{:08x}", entry.hash)),
        source_bytes: about.map(|about| about.source_len),
        sha256: about.map(|about| print::hex(&about.sha256)),
        strip: about
            .map(|about| about.strip)
            .filter(|_| !form.is_source() && !form.is_data()),
        sound: checks.worst().is_right(),
        checks,
    }
}

/// A file that is bytecode.
fn of_chunk(bytes: &[u8], known: &Variants) -> Found {
    let variants = list::variants_of(bytes, known);
    let whole = candidates(bytes)
        .iter()
        .any(|layout| read(bytes, layout).is_ok());
    let mut all = found("Lua chunk".into(), Vec::new());
    match whole {
        true => all.places.push(Place {
            kind: "chunk",
            variants,
            ..Place::default()
        }),
        false => all
            .damage
            .push("it is no whole chunk of any variant".into()),
    }
    all
}

/// An LFS image.
fn of_image(bytes: &[u8], known: &Variants) -> Found {
    let mut all = found("LFS image".into(), Vec::new());
    let image = match read_lfs(bytes) {
        Ok(image) => image,
        Err(error) => {
            all.damage.push(error.to_string());
            return all;
        }
    };
    let state = match image.has_checksum {
        true => CheckState::Right,
        false => CheckState::NotChecked,
    };
    let chunk = |part: &fastlua::LfsPart| ChunkFound {
        name: part.name.to_string(),
        form: None,
        bytes: Some(part.bytes),
        xxh32: None,
        source_bytes: None,
        sha256: None,
        strip: None,
        sound: state.is_right(),
        checks: Checks::all(state),
    };
    all.places.push(Place {
        kind: "LFS",
        state,
        address: match image.image.place {
            LfsPlace::At(address) => Some(address),
            LfsPlace::Anywhere => None,
        },
        variants: list::names_of(&image.image.layout, known),
        used: u32::try_from(image.sizes.total).ok(),
        timestamp: Some(image.image.timestamp),
        seed: image.image.seed,
        chunks: image.sizes.parts.iter().map(chunk).collect(),
        ..Place::default()
    });
    all
}

/// What the comment of a `fast_chunks.h` says; none if the text is none.
fn of_header(bytes: &[u8]) -> Option<Place> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.strip_prefix("/*\n** fast_chunks.h - ")?.lines();
    let mut place = Place {
        kind: "text",
        ..Place::default()
    };
    for line in lines {
        if let Some(version) = line.strip_prefix("** Made by fastlua ") {
            place.version = version.split(';').next().map(str::to_owned);
        } else if let Some(names) = line.strip_prefix("** Variants: ") {
            let names = names.trim_end_matches('.').split(", ");
            place.variants = names.map(str::to_owned).collect();
        } else if let Some(name) = line.strip_prefix("#define FAST_BUNDLE_NAME\t") {
            place.bundle = Some(name.trim_matches('"').into());
        } else if let Some(size) = line.strip_prefix("#define FAST_SLOT\t") {
            place.capacity = size.trim_end_matches('u').parse().ok();
        } else if let Some(hash) = line.strip_prefix("**   ")
            && let Some(last) = place.chunks.last_mut()
        {
            last.sha256.get_or_insert_with(|| hash.into());
        } else if let Some(chunk) = line.strip_prefix("** ").and_then(of_line) {
            place.chunks.push(chunk);
        }
    }
    Some(place)
}

/// `NAME: FILE, N bytes, as FORM, strip N, SHA-256`
fn of_line(line: &str) -> Option<ChunkFound> {
    let (name, about) = line.split_once(": ")?;
    let (about, strip) = about.strip_suffix(", SHA-256")?.rsplit_once(", strip ")?;
    let (about, form) = about.rsplit_once(", as ")?;
    let (_, bytes) = about.strip_suffix(" bytes")?.rsplit_once(", ")?;
    Some(ChunkFound {
        name: name.into(),
        form: Some(form.into()),
        bytes: None,
        xxh32: None,
        source_bytes: bytes.parse().ok(),
        sha256: None,
        strip: strip.parse().ok(),
        sound: None,
        checks: Checks::all(CheckState::NotChecked),
    })
}

/// The widest name, in columns, that shares a line with the rest of a chunk's row. A longer name has a line of its own.
const LONGEST: usize = 28;

fn text(found: &Found) -> String {
    let mut text = format!("{}\n", found.kind);
    for GuardFound { guard, right } in found.guards.iter().chain(&found.signatures) {
        let state = match right {
            Some(true) => "right",
            Some(false) => "WRONG",
            None => "not checked",
        };
        text += &format!("{guard}: {state}\n");
    }
    for place in &found.places {
        text += &head(place);
        let names = place
            .chunks
            .iter()
            .map(|c| printable_name(&c.name).chars().count());
        let width = names.filter(|width| *width <= LONGEST).max().unwrap_or(0);
        for chunk in &place.chunks {
            let bytes = chunk.bytes.map_or("-".into(), |n| n.to_string());
            let form = printable_name(chunk.form.as_deref().unwrap_or("-"));
            let name = printable_name(&chunk.name);
            let name = match name.chars().count() > LONGEST {
                true => format!("{name}\n  {:width$}", ""),
                false => format!("{name:width$}"),
            };
            text += &format!("  {name}  {form:8} {bytes:>7}  {}\n", chunk.checks);
            let hash = chunk.sha256.as_deref().map(printable_name);
            text.extend(hash.map(|hash| format!("      SHA-256 {hash}\n")));
        }
    }
    text
}

/// The line above the chunks of a place.
fn head(place: &Place) -> String {
    let mut parts = Vec::new();
    parts.push(match place.offset {
        Some(offset) => format!("{} at {offset:#x}", place.kind),
        None => place.kind.to_owned(),
    });
    parts.extend(
        place
            .address
            .map(|address| format!("linked at {address:#010x}")),
    );
    parts.push(match place.variants.is_empty() {
        true => "of no known variant".into(),
        false => place.variants.join(", "),
    });
    parts.extend(place.version.as_ref().map(|v| format!("fastlua {v}")));
    parts.extend(place.hook.map(|hook| match (place.freezes, hook) {
        (_, true) => "start-up hook".to_owned(),
        (Some(true), _) => "no start-up hook".into(),
        _ => "no frozen chunks".into(),
    }));
    parts.extend(match (place.capacity, place.used) {
        (Some(capacity), Some(0)) => Some(format!("empty, {capacity} bytes")),
        (Some(capacity), Some(used)) => Some(format!(
            "{used} of {capacity} bytes, {} free",
            capacity.saturating_sub(used)
        )),
        (Some(capacity), None) => Some(format!("a slot of {capacity} bytes")),
        (None, Some(used)) => Some(format!("{used} bytes of the region")),
        (None, None) => None,
    });
    parts.extend(place.timestamp.map(|time| format!("time stamp {time}")));
    parts.extend(place.seed.map(|seed| format!("seed {seed:#010x}")));
    parts.push(match place.state {
        CheckState::NotChecked => "not checked".into(),
        state => format!("checksums {state}"),
    });
    if let Some(CheckState::NotChecked) = place.image {
        parts.push("no checksum around it".into());
    }
    parts.extend(place.bundle.as_ref().map(|name| format!("bundle {name}")));
    printable_name(&parts.join(", ")) + "\n"
}
