//! `fastlua inspect --extract`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fastlua::{Entry, Firmware, find_variant, form_of, is_lfs_image, read_lfs};
use fastlua_bundle::{Form, inflated, shared_places, unpacked};
use fastlua_bytecode::{Dialect, write};

use crate::output::Outputs;
use crate::variant_args::Known;
use crate::{patch, print};

/// A chunk to write to a file.
pub struct Extract<'a> {
    /// Where it is.
    pub file: &'a Path,
    /// Its name.
    pub name: &'a str,
    /// Where it goes; none for a name of its own.
    pub output: Option<PathBuf>,
    /// The variants.
    pub known: &'a Known,
}

/// A chunk of firmware.
struct Found<'a> {
    entry: Entry,
    /// What its place is counted in.
    bytes: &'a [u8],
    /// Name of the variant.
    variant: &'a str,
    /// In a slot, where it is what packed chunks have in common, in the same bytes.
    shared: Option<usize>,
}

/// `bytes` are those of the file.
pub fn extract(what: &Extract, bytes: Vec<u8>) -> Result<()> {
    let (shown, name) = (print::path(what.file), what.name);
    if is_lfs_image(&bytes) {
        return module(what, &bytes);
    }
    let firmware = Firmware::read(bytes).map_err(|error| patch::explained(&shown, &error))?;
    let found = chunk(&firmware, name)?;
    let found = found.with_context(|| format!("{shown}: there is no chunk {name}"))?;
    let Some(words) = found.entry.words.clone() else {
        bail!("{shown}: {name} is there as frozen objects only, and has no bytecode");
    };
    if !found.entry.is_sound(found.bytes) {
        bail!("{shown}: {name} is damaged");
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    let form = form_of(&found.entry);
    let default = match form {
        form if form.is_data() => file.to_owned(),
        form if form.is_source() => format!("{name}.lua"),
        _ => format!("{name}.lc"),
    };
    let bytes = &found.bytes[words];
    let said = || format!("{shown}: {name}");
    match form {
        Form::Deflated => save(what, &default, &inflated(bytes).with_context(said)?),
        Form::Packed => {
            let layout = find_variant(&what.known.load()?, found.variant)?.layout;
            let common = match found.shared {
                Some(place) => found.bytes.get(place..).unwrap_or_default(),
                None => compiled_in(&firmware, layout.dialect()).with_context(said)?,
            };
            let dump = unpacked(common, bytes, &layout).with_context(said)?;
            save(what, &default, &dump)
        }
        _ => save(what, &default, bytes),
    }
}

/// What the packed chunks that are compiled in have in common. Nothing says where it is, but what it looks like is known.
fn compiled_in(firmware: &Firmware, dialect: Dialect) -> Result<&[u8]> {
    let slots = firmware.slots().iter().flatten();
    let slots: Vec<_> = slots.map(|slot| slot.range()).collect();
    let mut places = shared_places(firmware.bytes(), dialect);
    places.retain(|place| !slots.iter().any(|slot| slot.contains(place)));
    match places[..] {
        [place] => Ok(&firmware.bytes()[place..]),
        [] => bail!("it is packed, by a fastlua with other tables: take that one"),
        _ => bail!(
            "it is packed, and several bundles of this file have packed chunks: which it is of is not known"
        ),
    }
}

/// Writes a module of an LFS image as a dump.
fn module(what: &Extract, bytes: &[u8]) -> Result<()> {
    let (shown, name) = (print::path(what.file), what.name);
    let image = read_lfs(bytes).with_context(|| shown.clone())?.image;
    let module = image.modules.iter().find(|module| module.name == name);
    let module = module.with_context(|| format!("{shown}: there is no module {name}"))?;
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    save(what, &format!("{file}.lc"), &write(&module.chunk)?)
}

/// Writes a chunk where it is to go.
fn save(what: &Extract, default: &str, bytes: &[u8]) -> Result<()> {
    let mut outputs = Outputs::default();
    let output = what.output.clone();
    outputs.add(
        output.unwrap_or_else(|| Path::new(".").join(default)),
        bytes,
    );
    let written = outputs.commit()?;
    print::report(
        written
            .iter()
            .map(|file| format!("{file}\n"))
            .collect::<String>(),
    )
}

/// The chunk that the firmware would load by this name.
fn chunk<'a>(firmware: &'a Firmware, name: &str) -> Result<Option<Found<'a>>> {
    let is_it = |entry: &Entry| entry.name == name;
    for slot in firmware.slots() {
        let slot = slot.as_ref().map_err(Clone::clone)?;
        if let Some(entry) = firmware.chunks_of_slot(slot)?.into_iter().find(is_it) {
            let shared = slot
                .contents
                .as_ref()
                .map(|contents| contents.shared as usize);
            return Ok(Some(Found {
                entry,
                bytes: firmware.bytes_of(slot),
                variant: &slot.head.variant,
                shared,
            }));
        }
    }
    for label in firmware.labels() {
        let label = label.as_ref().map_err(Clone::clone)?;
        if let Some(entry) = firmware.chunks_of(label)?.into_iter().find(is_it) {
            return Ok(Some(Found {
                entry,
                bytes: firmware.bytes(),
                variant: &label.variant,
                shared: None,
            }));
        }
    }
    Ok(None)
}
