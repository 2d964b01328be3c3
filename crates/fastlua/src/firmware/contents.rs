//! The contents of a slot, apart from the firmware.

use fastlua_bundle::slot::{Damage, Slot, find};

use super::FirmwareError;

/// All bytes of a filled slot. They depend on the firmware that the slot is in, and fit each file with that firmware: make
/// them once, and put them into as many images as you like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotContents {
    slot: Slot,
    bytes: Vec<u8>,
}

impl SlotContents {
    /// `slot` is one that `bytes` are all of.
    pub(crate) fn new(slot: Slot, bytes: Vec<u8>) -> SlotContents {
        let slot = Slot { offset: 0, ..slot };
        SlotContents { slot, bytes }
    }

    /// Reads bytes from [`SlotContents::as_bytes`].
    ///
    /// # Errors
    /// The bytes are not those of one slot, or it is damaged.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<SlotContents, FirmwareError> {
        let slot = find(&bytes).into_iter().next();
        let slot = slot.ok_or_else(|| FirmwareError::NoSlot("file".into()))??;
        if slot.range() != (0..bytes.len()) {
            let (have, want) = (bytes.len(), slot.head.capacity as usize);
            let damage = Damage::Cut { have, want };
            return Err(fastlua_bundle::slot::DamagedSlot {
                offset: slot.offset,
                damage,
            }
            .into());
        }
        Ok(SlotContents { slot, bytes })
    }

    /// The slot as it is with these contents: its header, and what was put in.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// The bytes, to be kept and read by [`SlotContents::from_bytes`].
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}
