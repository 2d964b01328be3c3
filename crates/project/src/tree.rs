//! The variant that a firmware's source tree is set to.

use std::io::ErrorKind;

use fastlua_bundle::{Chip, NoChip};
use fastlua_variants::{Variant, Variants, tree};

use crate::{Error, Files};

const ESP8266: &str = "app/include/user_config.h";
const ESP32: &str = "sdkconfig";

/// What a firmware tree is set to.
#[derive(Debug, Clone)]
pub struct FirmwareTree {
    /// The variant.
    pub variant: Variant,
    /// The file that says so.
    pub file: String,
    /// The chip that it is for.
    pub chip: Chip,
    /// The macros that it sets, as far as they choose a variant.
    pub macros: String,
    /// Bytes of its region for LFS; none where it has no region, or the partitions are to tell.
    pub lfs: Option<u32>,
}

/// Finds the variant of a NodeMCU tree, by `app/include/user_config.h` (ESP8266) or `sdkconfig`
/// (ESP32). `version` is the Lua version, 51 or 53, that the ESP8266's `make` is given (51 without).
///
/// # Errors
/// The tree has neither file or both, or what they say is unclear or fits no variant.
pub fn firmware_tree(
    files: &dyn Files,
    version: Option<u32>,
    known: &Variants,
) -> Result<FirmwareTree, Error> {
    let wrong = |reason: &str| Err(Error::Tree(format!("{} {reason}", files.shown(""))));
    let read = |name: &str| match files.read(name) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::File {
            file: files.shown(name),
            error,
        }),
    };
    let (file, chip, macros, lfs) = match (read(ESP8266)?, read(ESP32)?) {
        (Some(text), None) => {
            let macros = tree::esp8266(&text, version.unwrap_or(51), known);
            let lfs = tree::lfs_of_esp8266(&text);
            (ESP8266, Ok(Chip::Esp8266), macros, lfs)
        }
        (None, Some(text)) => {
            let chip = tree::idf_target(&text).unwrap_or("esp32").parse();
            let macros = tree::esp32(&text, version, known);
            (ESP32, chip, macros, tree::lfs_of_esp32(&text))
        }
        (Some(_), Some(_)) => {
            return wrong("has both app/include/user_config.h and sdkconfig; say which variant");
        }
        (None, None) => {
            return wrong(
                "has neither app/include/user_config.h (ESP8266) nor sdkconfig (ESP32, after its configuration)",
            );
        }
    };
    let shown = files.shown(file);
    let unclear = |error: &dyn std::fmt::Display| Error::Tree(format!("{shown}: {error}"));
    let macros = macros.map_err(|error| unclear(&error))?;
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
