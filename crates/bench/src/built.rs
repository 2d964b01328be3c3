//! Chunks as they are built to be measured.

use fastlua_bundle::{Bundle, BundledChunk, Dump, Severity};

use crate::store::{Flash, Store};
use crate::{Column, Cost};

/// All chunks as the firmware has them, and as the emulated chip loads them: one image for each target.
pub(crate) struct Built {
    /// More than one where later loads from it are measured, too.
    pub(crate) columns: Vec<Column>,
    /// For each target its chunks and their bytes of flash.
    pub(crate) firmware: Bundle,
    /// For each target, where the emulated chip loads it.
    pub(crate) stock: Vec<Bundle>,
    /// For each target, where the chunks are in an image for LFS: the image, if they fit into one.
    pub(crate) stores: Vec<Option<Store>>,
}

impl Built {
    /// What each chunk of a target takes of flash; none where they can't be had in this form.
    pub(crate) fn flash(&self, t: usize) -> Option<Vec<Flash>> {
        match self.stores.get(t) {
            Some(store) => store.as_ref().map(|store| store.flash.clone()),
            None => {
                let chunks = self.firmware.of_variant(t);
                Some(chunks.map(|(chunk, dump)| flash(chunk, dump)).collect())
            }
        }
    }

    /// Why the chip of a target would refuse a chunk: source that its own compiler does not take.
    pub(crate) fn refused(&self, t: usize, chunk: &str) -> Option<String> {
        let variant = &self.firmware.variants[t].name;
        let mut warnings = self.firmware.warnings.iter();
        let found = warnings.find(|warning| {
            let fault = &warning.fault;
            warning.severity == Severity::Refused
                && fault.chunk == chunk
                && fault.variants.contains(variant)
        });
        found.map(|warning| warning.fault.message.clone())
    }
}

/// What a chunk costs in a form.
pub(crate) type Measurement = (Column, String, Cost);

/// What a chunk of a bundle takes of flash, with its strings where it is frozen.
fn flash(chunk: &BundledChunk, dump: &Dump) -> Flash {
    let bytes = match chunk.form.carries_bytes() {
        true => dump.bytes.len(),
        false => 0,
    };
    let frozen = dump.costs().filter(|_| chunk.form.is_frozen());
    let (functions, strings) = frozen.map_or((0, 0), |c| (c.frozen_flash, c.frozen_strings));
    ((bytes + functions + strings) as i64, strings as i64)
}
