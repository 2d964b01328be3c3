//! Chunks out of firmware and LFS images.

use fastlua_bundle::slot::Entry;
use fastlua_bundle::{Form, InflateError, UnpackError, inflated, shared_places, unpacked};
use fastlua_bytecode::{Dialect, WriteError, write};
use fastlua_lfs::{is_image as is_lfs_image, read as read_lfs};
use fastlua_variants::Variants;

use crate::{Firmware, FirmwareError, NoVariant, find_variant, form_of};

/// A chunk as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// A name for the file, without folders: `.lc` for bytecode, `.lua` for source, data's own name.
    pub file: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Why there is no file of a chunk.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The file can't be read as firmware.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// The LFS image can't be read.
    #[error(transparent)]
    Lfs(#[from] fastlua_lfs::ReadError),
    /// There is no such chunk or module.
    #[error("no {what} is named {name}")]
    Missing {
        /// `chunk` or `module`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The chunk has no bytes of its own.
    #[error("{0} exists only as frozen objects, without bytecode")]
    FrozenOnly(String),
    /// Its checksum is wrong.
    #[error("{0} is damaged")]
    Damaged(String),
    /// The firmware's variant is not known.
    #[error(transparent)]
    Variant(#[from] NoVariant),
    /// Its source can't be inflated.
    #[error("{name}: {error}")]
    Inflate {
        /// The chunk.
        name: String,
        /// Why.
        error: InflateError,
    },
    /// It can't be unpacked.
    #[error("{name}: {error}")]
    Unpack {
        /// The chunk.
        name: String,
        /// Why.
        error: UnpackError,
    },
    /// It is packed, and the tables are not those of this fastlua.
    #[error("{0}: packed by a fastlua with other tables: use that fastlua")]
    OtherTables(String),
    /// It is packed, and there are several tables.
    #[error(
        "{0}: packed, and its tables are unknown, because several bundles in this file have packed chunks"
    )]
    SeveralTables(String),
    /// The module has no dump.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A chunk of firmware.
struct Found<'a> {
    entry: Entry,
    /// The bytes in which its offset counts.
    bytes: &'a [u8],
    /// Name of the variant.
    variant: String,
    /// In a slot, the offset of what packed chunks share, in the same bytes.
    shared: Option<usize>,
}

/// The chunk of this name that the firmware would load, or the module of an LFS image, as a file.
///
/// # Errors
/// There is none, it is damaged, or it has no bytes of its own.
pub fn extract(file: Vec<u8>, name: &str, known: &Variants) -> Result<Extracted, ExtractError> {
    if is_lfs_image(&file) {
        return module(&file, name);
    }
    let firmware = Firmware::read(file)?;
    let found = chunk(&firmware, name)?.ok_or_else(|| ExtractError::Missing {
        what: "chunk",
        name: name.into(),
    })?;
    let Some(words) = found.entry.words.clone() else {
        return Err(ExtractError::FrozenOnly(name.into()));
    };
    if !found.entry.is_sound(found.bytes) {
        return Err(ExtractError::Damaged(name.into()));
    }
    let form = form_of(&found.entry);
    let bytes = &found.bytes[words];
    let named = || name.to_owned();
    let bytes = match form {
        Form::Deflated => inflated(bytes).map_err(|error| ExtractError::Inflate {
            name: named(),
            error,
        })?,
        Form::Packed => {
            let layout = find_variant(known, &found.variant)?.layout;
            let shared = match found.shared {
                Some(place) => found.bytes.get(place..).unwrap_or_default(),
                None => compiled_in(&firmware, layout.dialect(), name)?,
            };
            unpacked(shared, bytes, &layout).map_err(|error| ExtractError::Unpack {
                name: named(),
                error,
            })?
        }
        _ => bytes.to_vec(),
    };
    Ok(Extracted {
        file: match form {
            form if form.is_data() => name.rsplit('/').next().unwrap_or(name).to_owned(),
            form if form.is_source() => format!("{name}.lua"),
            _ => format!("{name}.lc"),
        },
        bytes,
    })
}

/// The data that compiled-in packed chunks share. Nothing points to it, so it is found by its form.
fn compiled_in<'a>(
    firmware: &'a Firmware,
    dialect: Dialect,
    name: &str,
) -> Result<&'a [u8], ExtractError> {
    let slots: Vec<_> = firmware
        .slots()
        .flatten()
        .map(|slot| slot.range())
        .collect();
    let mut places = shared_places(firmware.bytes(), dialect);
    places.retain(|place| !slots.iter().any(|slot| slot.contains(place)));
    match places[..] {
        [place] => Ok(&firmware.bytes()[place..]),
        [] => Err(ExtractError::OtherTables(name.into())),
        _ => Err(ExtractError::SeveralTables(name.into())),
    }
}

/// A module of an LFS image as a dump.
fn module(file: &[u8], name: &str) -> Result<Extracted, ExtractError> {
    let image = read_lfs(file)?.image;
    let module = image.modules.iter().find(|module| module.name == name);
    let module = module.ok_or_else(|| ExtractError::Missing {
        what: "module",
        name: name.into(),
    })?;
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Ok(Extracted {
        file: format!("{file}.lc"),
        bytes: write(&module.chunk)?,
    })
}

/// The chunk that the firmware would load by this name.
fn chunk<'a>(firmware: &'a Firmware, name: &str) -> Result<Option<Found<'a>>, FirmwareError> {
    let is_it = |entry: &Entry| entry.name == name;
    for slot in firmware.slots() {
        let slot = slot?;
        if let Some(entry) = slot.chunks()?.into_iter().find(is_it) {
            return Ok(Some(Found {
                entry,
                bytes: slot.bytes(),
                variant: slot.head.variant.clone(),
                shared: slot
                    .contents
                    .as_ref()
                    .map(|contents| contents.shared as usize),
            }));
        }
    }
    for descriptor in firmware.descriptors() {
        let descriptor = descriptor?;
        if let Some(entry) = descriptor.chunks()?.into_iter().find(is_it) {
            return Ok(Some(Found {
                entry,
                bytes: firmware.bytes(),
                variant: descriptor.variant.clone(),
                shared: None,
            }));
        }
    }
    Ok(None)
}
