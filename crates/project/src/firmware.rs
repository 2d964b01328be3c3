//! Firmware that is built: its slots, and the bundles in it.

use fastlua_bundle::{Bundle, Form, SlotError, form_of_number};
use fastlua_image::{Guard, Image};
use fastlua_slot::{Contents, Entry, Head, Index, Label, Slot, find, labels};
use fastlua_variants::{Variant, Variants};

use crate::{Error, find_variant};

/// A firmware file with all that fastlua knows of it.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// The file, or the sections of an object file, laid out one after the other.
    pub bytes: Vec<u8>,
    /// What kind of file it is, and what guards it.
    pub image: Image,
    /// Its slots, in the order of the file; those that are damaged as what is wrong with them.
    pub slots: Vec<Result<Slot, FirmwareError>>,
    /// The bundles that are compiled in, likewise.
    pub labels: Vec<Result<Label, FirmwareError>>,
}

/// Why firmware can't be read or patched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirmwareError {
    /// The file is no whole firmware image, or may not be changed.
    #[error(transparent)]
    Image(#[from] fastlua_image::Error),
    /// It has no slot.
    #[error("there is no slot in this {0}; build the firmware with one")]
    NoSlot(String),
    /// It has several, and none was chosen.
    #[error("there are {0} slots: say which")]
    WhichSlot(usize),
    /// It has not so many.
    #[error("there is no slot {asked}: there are {there}")]
    NoSuchSlot {
        /// The number that was asked for, from 1 on.
        asked: usize,
        /// How many there are.
        there: usize,
    },
    /// A slot is damaged.
    #[error(transparent)]
    Slot(#[from] fastlua_slot::DamagedSlot),
    /// A bundle that is compiled in is damaged.
    #[error(transparent)]
    Label(#[from] fastlua_slot::DamagedLabel),
    /// The slot or bundle says that it is linked at another address than it is at.
    #[error(
        "offset {offset:#x}: it says that it is linked at {said:#010x}, and it is at {is:#010x}: the image is damaged, or something was moved"
    )]
    Moved {
        /// Where it is in the file.
        offset: usize,
        /// What it says.
        said: u32,
        /// What the image says.
        is: u32,
    },
    /// The bundle can't be put into the slot.
    #[error(transparent)]
    Bundle(#[from] SlotError),
    /// The index of the chunks can't be read.
    #[error(transparent)]
    Index(#[from] fastlua_slot::ChunkError),
}

/// What became of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// What was put in; none if all was taken out.
    pub contents: Option<Contents>,
    /// What guards the image, and was made right again.
    pub guards: Vec<Guard>,
}

impl Firmware {
    /// Reads a firmware file.
    ///
    /// # Errors
    /// The file is a damaged image. That a slot in it is damaged is told by [`Firmware::slots`].
    pub fn read(bytes: Vec<u8>) -> Result<Firmware, FirmwareError> {
        let (image, bytes) = match fastlua_image::objects(&bytes)? {
            Some(laid_out) => laid_out,
            None => (Image::read(&bytes)?, bytes),
        };
        let is_at = |offset: usize, said: u32| match image.address(offset) {
            Some(is) if is != said => Err(FirmwareError::Moved { offset, said, is }),
            _ => Ok(()),
        };
        let slots = find(&bytes).into_iter().map(|found| {
            let slot = found?;
            is_at(slot.offset, slot.head.address)?;
            Ok(slot)
        });
        let slots: Vec<Result<Slot, FirmwareError>> = slots.collect();
        let in_slot = |offset: usize| slots.iter().flatten().any(|s| s.range().contains(&offset));
        let labels = labels(&bytes).into_iter();
        let labels =
            labels.filter(|found| !in_slot(found.as_ref().map_or_else(|d| d.offset, |l| l.offset)));
        let labels = labels.map(|found| {
            let label = found?;
            is_at(label.offset, label.address)?;
            Ok(label)
        });
        let labels = labels.collect();
        Ok(Firmware {
            slots,
            labels,
            bytes,
            image,
        })
    }

    /// The slot of this number, from 1 on; without a number the only one.
    ///
    /// # Errors
    /// There is none, there are several, or it is damaged.
    pub fn slot(&self, number: Option<usize>) -> Result<&Slot, FirmwareError> {
        let there = self.slots.len();
        let slot = match (number, there) {
            (_, 0) => Err(FirmwareError::NoSlot(self.image.kind().to_string())),
            (None, 1) => Ok(&self.slots[0]),
            (None, there) => Err(FirmwareError::WhichSlot(there)),
            (Some(asked), there) => {
                let slot = asked.checked_sub(1).and_then(|i| self.slots.get(i));
                slot.ok_or(FirmwareError::NoSuchSlot { asked, there })
            }
        }?;
        slot.as_ref().map_err(Clone::clone)
    }

    /// Puts the bundle of the slot's variant into it, in place of what was there, or takes all out if there is none.
    /// Nothing else changes but what guards the image.
    ///
    /// # Errors
    /// It does not fit, or the image may not be changed. Then nothing is changed.
    pub fn patch(
        &mut self,
        slot: &Slot,
        bundle: Option<&Bundle>,
    ) -> Result<Patched, FirmwareError> {
        let range = slot.range();
        let mut bytes = self.bytes.clone();
        let contents = match bundle {
            Some(bundle) => {
                let is_for = |v: &Variant| v.name == slot.head.variant;
                let v = bundle.variants.iter().position(is_for).unwrap_or(0);
                Some(bundle.put(v, &slot.head, &mut bytes[range.clone()])?)
            }
            None => {
                Contents::clear(&mut bytes[range.clone()]);
                None
            }
        };
        let guards = self.image.mend(&mut bytes, range)?;
        *self = Firmware::read(bytes)?;
        Ok(Patched { contents, guards })
    }

    /// The bytes of a slot.
    pub fn bytes_of(&self, slot: &Slot) -> &[u8] {
        &self.bytes[slot.range()]
    }

    /// The chunks of a slot.
    ///
    /// # Errors
    /// An index that no fastlua wrote.
    pub fn chunks_of_slot(&self, slot: &Slot) -> Result<Vec<Entry>, FirmwareError> {
        let index = slot.contents.as_ref().map(Contents::index);
        Ok(index.map_or(Ok(Vec::new()), |i: Index| i.read(self.bytes_of(slot)))?)
    }

    /// The chunks of a bundle that is compiled in. Their bytes are those of the file.
    ///
    /// # Errors
    /// An index that no compiler made of ours.
    pub fn chunks_of(&self, label: &Label) -> Result<Vec<Entry>, FirmwareError> {
        Ok(label.index.read(&self.bytes)?)
    }
}

/// The variant of the firmware in which a slot lies.
///
/// # Errors
/// It is not known.
pub fn variant_of<'a>(head: &Head, known: &'a Variants) -> Result<&'a Variant, Error> {
    find_variant(known, &head.variant)
}

/// The form of a chunk in firmware.
pub fn form_of(entry: &Entry) -> Form {
    let said = entry.about.as_ref().and_then(|a| form_of_number(a.form));
    match (said, entry.frozen, entry.kind) {
        (Some(form), ..) => form,
        (None, frozen, fastlua_slot::Kind::Data) => Form::Data {
            frozen: frozen.is_some(),
        },
        (None, Some(_), _) => Form::Frozen {
            fallback: entry.words.is_some(),
        },
        (None, None, fastlua_slot::Kind::Bytecode) => Form::Bytecode,
        (None, None, fastlua_slot::Kind::Source) => Form::Plain,
        (None, None, fastlua_slot::Kind::Deflated) => Form::Deflated,
        (None, None, fastlua_slot::Kind::Packed) => Form::Packed,
    }
}
