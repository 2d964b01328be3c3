//! The places of chunks in a firmware file: slots and compiled-in bundles.

use std::ops::Deref;

use fastlua_bundle::slot::{Contents, Descriptor, Entry, Index, Slot};
use fastlua_variants::{Variant, Variants};

use super::{CheckState, Checks, Firmware, FirmwareError, SlotContents, cover};
use crate::find_variant;

/// A slot of a firmware file. It derefs to its header.
#[derive(Debug, Clone, Copy)]
pub struct FirmwareSlot<'a> {
    firmware: &'a Firmware,
    slot: &'a Slot,
}

impl Deref for FirmwareSlot<'_> {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        self.slot
    }
}

impl<'a> FirmwareSlot<'a> {
    pub(super) fn new(firmware: &'a Firmware, slot: &'a Slot) -> FirmwareSlot<'a> {
        FirmwareSlot { firmware, slot }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        &self.firmware.bytes()[self.slot.range()]
    }

    /// The variant of the firmware in which it lies.
    ///
    /// # Errors
    /// It is not known.
    pub fn variant<'k>(&self, known: &'k Variants) -> Result<&'k Variant, FirmwareError> {
        Ok(find_variant(known, &self.slot.head.variant)?)
    }

    /// Its chunks. Their bytes are counted from its start.
    ///
    /// # Errors
    /// An invalid index.
    pub fn chunks(&self) -> Result<Vec<Entry>, FirmwareError> {
        let index = self.slot.contents.as_ref().map(Contents::index);
        Ok(index.map_or(Ok(Vec::new()), |i: Index| i.read(self.bytes()))?)
    }

    /// Its contents, for another file with the same firmware; none if it is empty.
    pub fn contents(&self) -> Option<SlotContents> {
        let filled = self.slot.contents.is_some();
        filled.then(|| SlotContents::new(self.slot.clone(), self.bytes().to_vec()))
    }

    /// Whether the image is in the file whose checksums cover it, or there are none.
    ///
    /// # Errors
    /// None is found, though the slot's address says that there is one.
    pub fn check_cover(&self) -> Result<(), FirmwareError> {
        let Firmware { image, bytes, .. } = self.firmware;
        Ok(cover::check(image, bytes, self.slot)?)
    }

    /// The state of the checksums of the image around it.
    pub fn image(&self) -> CheckState {
        self.firmware.image_of(&self.slot.range())
    }

    /// The checks of one of its chunks. The checksum of the slot's contents covers all of it; if that were wrong, there would be no slot.
    pub fn checks(&self, entry: &Entry) -> Checks {
        let bytes = match entry.is_sound(self.bytes()) {
            true => CheckState::Right,
            false => CheckState::Wrong,
        };
        Checks {
            name: CheckState::Right,
            bytes: entry.words.as_ref().map(|_| bytes),
            objects: entry.frozen.map(|_| CheckState::Right),
        }
    }
}

/// A bundle that is compiled into a firmware file. It derefs to its build descriptor.
#[derive(Debug, Clone, Copy)]
pub struct CompiledIn<'a> {
    firmware: &'a Firmware,
    descriptor: &'a Descriptor,
}

impl Deref for CompiledIn<'_> {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        self.descriptor
    }
}

impl<'a> CompiledIn<'a> {
    pub(super) fn new(firmware: &'a Firmware, descriptor: &'a Descriptor) -> CompiledIn<'a> {
        CompiledIn {
            firmware,
            descriptor,
        }
    }

    /// Its chunks. Their bytes are those of the file.
    ///
    /// # Errors
    /// An invalid index.
    pub fn chunks(&self) -> Result<Vec<Entry>, FirmwareError> {
        Ok(self.descriptor.index.read(self.firmware.bytes())?)
    }

    /// The state of the checksums of the image around it.
    pub fn image(&self) -> CheckState {
        let offset = self.descriptor.offset;
        self.firmware.image_of(&(offset..offset + 1))
    }

    /// The checks of one of its chunks: its bytes have their own checksum; the image's covers everything else.
    pub fn checks(&self, entry: &Entry) -> Checks {
        self.firmware.checks_compiled_in(self.descriptor, entry)
    }
}
