//! The report of `inspect`.

use serde::Serialize;

use crate::{CheckState, Checks, Diagnostic};

/// The findings in a file.
#[derive(Debug, Clone, Serialize, Default)]
pub struct InspectReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// The file, as the user gave it.
    pub file: String,
    /// Its kind.
    pub kind: String,
    /// The checksums of images.
    pub checksums: Vec<ChecksumReport>,
    /// The signatures of images.
    pub signatures: Vec<SignatureReport>,
    /// Slots and compiled-in bundles.
    pub places: Vec<Place>,
    /// What is wrong, or that nothing was found.
    pub errors: Vec<Diagnostic>,
}

/// A checksum of an image.
#[derive(Debug, Clone, Serialize)]
pub struct ChecksumReport {
    /// Its kind.
    pub checksum: String,
    /// Whether it is right.
    pub right: Option<bool>,
}

/// A signature of an image.
#[derive(Debug, Clone, Serialize)]
pub struct SignatureReport {
    /// Its kind.
    pub signature: String,
    /// None: it is not checked, since no key is known.
    pub right: Option<bool>,
}

/// A slot, or a bundle that is compiled in, or a file that is a chunk or an LFS image.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Place {
    /// `slot`, `compiled in`, `text`, `chunk` or `LFS`.
    pub kind: &'static str,
    /// The state of its own checksums.
    pub state: CheckState,
    /// And of those of the image around it.
    pub image: Option<CheckState>,
    /// Its offset in the file.
    pub offset: Option<usize>,
    /// Its address on the chip.
    pub address: Option<u32>,
    /// Names of its variants.
    pub variants: Vec<String>,
    /// Version of the fastlua that made it.
    pub version: Option<String>,
    /// Whether the firmware's core runs frozen chunks.
    pub freezes: Option<bool>,
    /// Whether the start-up hook is linked.
    pub hook: Option<bool>,
    /// Bytes of the slot.
    pub capacity: Option<u32>,
    /// Bytes of it, or of the region, that are used.
    pub used: Option<u32>,
    /// The bundle's name.
    pub bundle: Option<String>,
    /// The time stamp of an LFS image.
    pub timestamp: Option<u32>,
    /// The seed of its strings.
    pub seed: Option<u32>,
    /// The chunks in it.
    pub chunks: Vec<FoundChunk>,
}

/// A chunk in a file.
#[derive(Debug, Clone, Serialize)]
pub struct FoundChunk {
    /// Its name.
    pub name: String,
    /// Its form, where it is known.
    #[serde(rename = "as")]
    pub form: Option<String>,
    /// Bytes of the dump or source in flash; none if there is only the frozen form.
    pub bytes: Option<usize>,
    /// Their XXH32 with seed 0, in hexadecimal.
    pub xxh32: Option<String>,
    /// Bytes of its source.
    pub source_bytes: Option<u32>,
    /// SHA-256 of its source, in hexadecimal.
    pub sha256: Option<String>,
    /// Its strip level.
    pub strip: Option<u8>,
    /// Whether all parts are right; none if some are not checked and no part is wrong.
    pub sound: Option<bool>,
    /// Its checks.
    pub checks: Checks,
}

impl InspectReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-inspect/4";
}
