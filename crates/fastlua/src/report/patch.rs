//! The report of `patch`.

use fastlua_bundle::slot::Slot;
use serde::Serialize;

#[cfg(feature = "compile")]
use super::ChunkReport;
#[cfg(feature = "compile")]
use crate::Bundle;
use crate::{Diagnostic, Patched};

/// The result of a patch.
#[derive(Debug, Clone, Serialize)]
pub struct PatchReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// The firmware file, as the user gave it.
    pub image: String,
    /// The file that was written.
    pub output: String,
    /// Whether it changed.
    pub changed: bool,
    /// The slot.
    pub slot: PatchedSlot,
    /// The checksums of the image that were set.
    pub checksums: Vec<String>,
    /// Those that were wrong before.
    pub fixed: Vec<String>,
    /// Damage elsewhere in the file, which stays.
    pub kept: Vec<String>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Diagnostic>,
    /// The chunks that were put in.
    #[cfg(feature = "compile")]
    pub chunks: Vec<ChunkReport>,
}

/// The slot of a patch.
#[derive(Debug, Clone, Serialize)]
pub struct PatchedSlot {
    /// Its offset in the file.
    pub offset: usize,
    /// Its address on the chip.
    pub address: u32,
    /// The firmware's variant.
    pub variant: String,
    /// Whether the start-up hook is linked.
    pub hook: bool,
    /// Bytes of the slot.
    pub capacity: u32,
    /// Bytes of it that are used now.
    pub used: u32,
    /// The name of what is in it now.
    pub bundle: Option<String>,
}

impl PatchReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-patch/3";

    /// Of a slot as it was before. The caller says whether the file changed.
    pub fn new(image: &str, output: &str, slot: &Slot, patched: &Patched) -> PatchReport {
        let contents = patched.contents.as_ref();
        let texts = |checksums: &[fastlua_image::Checksum]| {
            checksums.iter().map(ToString::to_string).collect()
        };
        PatchReport {
            schema: PatchReport::SCHEMA,
            image: image.into(),
            output: output.into(),
            changed: true,
            slot: PatchedSlot {
                offset: slot.offset,
                address: slot.head.address,
                variant: slot.head.variant.clone(),
                hook: slot.head.hook,
                capacity: slot.head.capacity,
                used: contents.map_or(0, |c| c.used),
                bundle: contents.map(|c| c.name()),
            },
            checksums: texts(&patched.checksums),
            fixed: texts(&patched.fixed),
            kept: patched.damaged_elsewhere.clone(),
            warnings: Vec::new(),
            #[cfg(feature = "compile")]
            chunks: Vec::new(),
        }
    }

    /// With the bundle that was put in.
    #[cfg(feature = "compile")]
    pub fn with_bundle(self, bundle: &Bundle) -> PatchReport {
        PatchReport {
            warnings: bundle.diagnostics(),
            chunks: bundle.chunk_reports(),
            ..self
        }
    }
}
