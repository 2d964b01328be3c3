//! The variant of a firmware's source tree.

use std::io::ErrorKind;

use fastlua_bundle::{Chip, NoChip};
use fastlua_variants::tree::{self, Lfs};
use fastlua_variants::{Variant, Variants};

use crate::{Error, Files};

const ESP8266: &str = "app/include/user_config.h";
const ESP32: &str = "sdkconfig";

/// The settings of a firmware tree.
#[derive(Debug, Clone)]
pub struct FirmwareTree {
    /// The variant.
    pub variant: Variant,
    /// The file with this setting.
    pub file: String,
    /// Its chip.
    pub chip: Chip,
    /// Its macros that choose a variant.
    pub macros: String,
    /// Bytes of its region for LFS; none if the tree does not set it, and an error, with file and line, if its value is not a size.
    pub lfs: Result<Option<u32>, String>,
}

/// Finds the variant of a NodeMCU tree, by `app/include/user_config.h` (ESP8266) or `sdkconfig`
/// (ESP32). `version` is the Lua version, 51 or 53, of the ESP8266's `make` (51 by default).
///
/// # Errors
/// The tree has neither file or both, or their settings are unclear or fit no variant.
pub fn firmware_tree(
    files: &dyn Files,
    version: Option<u32>,
    known: &Variants,
) -> Result<FirmwareTree, Error> {
    let wrong = |reason: &str| {
        Err(Error::Tree {
            file: files.shown(""),
            line: None,
            reason: reason.into(),
        })
    };
    let read = |name: &str| read_text(files, name);
    let (file, chip, macros, lfs) = match (read(ESP8266)?, read(ESP32)?) {
        (Some(text), None) => {
            let macros = tree::esp8266(&text, version.unwrap_or(51), known);
            let lfs = region(files, ESP8266, tree::lfs_of_esp8266(&text));
            (ESP8266, Ok(Chip::Esp8266), macros, lfs)
        }
        (None, Some(text)) => {
            let chip = tree::idf_target(&text).unwrap_or("esp32".into()).parse();
            let macros = tree::esp32(&text, version, known);
            let lfs = match tree::lfs_of_esp32(&text) {
                Lfs::Unset => partition(files, &text)?,
                said => region(files, ESP32, said),
            };
            (ESP32, chip, macros, lfs)
        }
        (Some(_), Some(_)) => {
            return wrong("it has both app/include/user_config.h and sdkconfig; choose a variant");
        }
        (None, None) => {
            return wrong(
                "it has neither app/include/user_config.h (ESP8266) nor sdkconfig (ESP32, written when it is configured)",
            );
        }
    };
    let shown = files.shown(file);
    let at = |line: Option<usize>, reason: String| Error::Tree {
        file: shown.clone(),
        line: line.and_then(|line| u32::try_from(line).ok()),
        reason,
    };
    let unclear = |error: &dyn std::fmt::Display| at(None, error.to_string());
    let macros = macros.map_err(|error| at(error.line(), error.to_string()))?;
    let chip: Chip = chip.map_err(|error: NoChip| unclear(&error))?;
    let variant = tree::choose(known, &macros).map_err(|error| unclear(&error))?;
    Ok(FirmwareTree {
        variant: variant.clone(),
        file: file.into(),
        chip,
        macros: tree::shown(&macros),
        lfs,
    })
}

/// The text of a file, if it is there.
pub(crate) fn read_text(files: &dyn Files, name: &str) -> Result<Option<String>, Error> {
    match files.read(name) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::File {
            file: files.shown(name),
            error,
        }),
    }
}

/// The region for LFS as a file of the tree says it.
fn region(files: &dyn Files, file: &str, said: Lfs) -> Result<Option<u32>, String> {
    let shown = files.shown(file);
    match said {
        Lfs::Bytes(bytes) => Ok(Some(bytes)),
        Lfs::Unset => Ok(None),
        Lfs::Wrong(Some(line), what) => Err(format!("{shown}:{line}: {what}")),
        Lfs::Wrong(None, what) => Err(format!("{shown}: {what}")),
    }
}

/// The region of an ESP32 tree whose image for LFS has a partition of its own. `text` is the `sdkconfig`.
fn partition(files: &dyn Files, text: &str) -> Result<Result<Option<u32>, String>, Error> {
    let Some(file) = tree::partitions(text) else {
        let what = "the partition table is one of ESP-IDF's own, which has no partition for LFS";
        return Ok(region(files, ESP32, Lfs::Wrong(None, what.into())));
    };
    // a path outside of the tree is ignored
    let is_within = !file.starts_with('/') && !file.split('/').any(|part| part == "..");
    let table = if is_within {
        read_text(files, &file)?
    } else {
        None
    };
    Ok(match table {
        Some(table) => region(files, &file, tree::lfs_of_partitions(&table)),
        None => Ok(None),
    })
}
