//! The slot: a region that firmware reserves for chunks which are put in once it is built. `fast_slot.h`
//! of `fastlua-firmware` is its other half, and says what each word is.
//!
//! A slot begins with a header of [`HEAD`] bytes. Its first part says what firmware it lies in: [`Head`].
//! The second part is zero as long as the slot is empty, and else says what was put in: [`Contents`].
//! All numbers are little-endian. Places within the slot are counted from its start.
//!
//! [`find`] finds the slots of any file, whatever kind of firmware image it is.

mod chunks;
mod contents;
mod descriptor;
mod head;
mod text;

pub use chunks::{About, ChunkError, Entry, Index, RECORD, check};
pub use contents::Contents;
pub use fastlua_firmware::ChunkKind;

pub use descriptor::{DamagedDescriptor, Descriptor, DescriptorPlaces, descriptors};
pub use head::{Damage, HEAD, Head, Heap, LAYOUT, MAGIC, core_factor};
pub use text::{VARIANT, descriptor_sum, text_sum, variant_sum};

use std::ops::Range;

use memchr::memmem;

/// A slot of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its offset in the file.
    pub offset: usize,
    /// Its header.
    pub head: Head,
    /// The contents; none if it is empty.
    pub contents: Option<Contents>,
}

/// Bytes that begin like a slot, but are not a valid one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the slot at offset {offset:#x} is damaged: {damage}")]
pub struct DamagedSlot {
    /// Its offset in the file.
    pub offset: usize,
    /// What is wrong with it.
    pub damage: Damage,
}

/// The slots of a file, in their order. Each is whole: its capacity lies within the file. They don't overlap: what looks
/// like a slot within one is what was put into it.
pub fn find(file: &[u8]) -> Vec<Result<Slot, DamagedSlot>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(distance) = memmem::find(&file[from..], &MAGIC) {
        let offset = from + distance;
        let slot = slot(file, offset);
        from = slot.as_ref().map_or(offset + 1, |slot| slot.range().end);
        found.push(slot.map_err(|damage| DamagedSlot { offset, damage }));
    }
    found
}

fn slot(file: &[u8], offset: usize) -> Result<Slot, Damage> {
    let bytes = &file[offset..];
    let head = Head::read(bytes)?;
    let contents = Contents::read(&bytes[..head.capacity as usize])?;
    Ok(Slot {
        offset,
        head,
        contents,
    })
}

impl Slot {
    /// Its offset in the file.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.head.capacity as usize
    }
}

/// The little-endian word at a place that is there.
fn word(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}
