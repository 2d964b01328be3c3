//! Firmware that is built: its slots, and the bundles in it.

use std::ops::Range;

use fastlua_bundle::{Bundle, Form, SlotError, form_of_number};
use fastlua_image::{Broken, Guard, Image, Kind as ImageKind, Uf2, Wrong};
use fastlua_slot::{Contents, Entry, Head, Index, Label, Slot, find, labels};
use fastlua_variants::{Variant, Variants};

use crate::cover::{self, Uncovered};
use crate::format::{self, OtherFormat};
use crate::{Error, find_variant};

/// A firmware file with all that fastlua knows of it.
#[derive(Debug, Clone)]
pub struct Firmware {
    bytes: Vec<u8>,
    image: Image,
    slots: Vec<Result<Slot, FirmwareError>>,
    labels: Vec<Result<Label, FirmwareError>>,
    /// The file, where `bytes` are the flash that it holds.
    uf2: Option<(Uf2, Vec<u8>)>,
}

/// Why firmware can't be read or patched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirmwareError {
    /// The file is no whole firmware image, or may not be changed.
    #[error(transparent)]
    Image(#[from] fastlua_image::Error),
    /// It is firmware in a format that is not read.
    #[error(transparent)]
    Format(#[from] OtherFormat),
    /// It has no slot.
    #[error("there is no slot in this {0}; build the firmware with one")]
    NoSlot(String),
    /// It has several, and none was chosen.
    #[error("there are {0} slots: say which")]
    WhichSlot(usize),
    /// The number is none of a slot.
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
    /// An image must cover the slot, and none is found.
    #[error(transparent)]
    Uncovered(#[from] Uncovered),
    /// An image elsewhere in the file is damaged.
    #[error("another image in this file is damaged: {0}")]
    Elsewhere(String),
    /// The bundle can't be put into the slot.
    #[error(transparent)]
    Bundle(#[from] SlotError),
    /// The index of the chunks can't be read.
    #[error(transparent)]
    Index(#[from] fastlua_slot::ChunkError),
}

/// What a patch may do to a file that is not as it should be. Nothing of it unless it is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// Makes checksums of the slot's image right that were wrong before.
    pub fix_checksums: bool,
    /// Leaves images as they are that are damaged and do not hold the slot.
    pub keep_damaged: bool,
    /// Changes a slot though its image is not in the file; the caller sees to the checksums.
    pub uncovered: bool,
}

/// What became of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// What was put in; none if all was taken out.
    pub contents: Option<Contents>,
    /// The checksums of the image, which were set again.
    pub guards: Vec<Guard>,
    /// Those of them that were wrong before.
    pub fixed: Vec<Guard>,
    /// Checksums of other images that are wrong, and stay so.
    pub kept: Vec<Guard>,
}

impl Firmware {
    /// Reads a firmware file.
    ///
    /// # Errors
    /// The file is a damaged image, or of a format that is not read. That a slot in it is damaged is told by [`Firmware::slots`].
    pub fn read(file: Vec<u8>) -> Result<Firmware, FirmwareError> {
        if Uf2::is(&file) {
            let (uf2, flash) = Uf2::read(&file)?;
            let mut firmware = Firmware::of(Image::read(&flash)?, flash);
            firmware.uf2 = Some((uf2, file));
            return Ok(firmware);
        }
        if let Some(other) = format::of(&file) {
            return Err(other.into());
        }
        Ok(match fastlua_image::objects(&file)? {
            Some((image, bytes)) => Firmware::of(image, bytes),
            None => Firmware::of(Image::read(&file)?, file),
        })
    }

    fn of(image: Image, bytes: Vec<u8>) -> Firmware {
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
        Firmware {
            slots,
            labels,
            bytes,
            image,
            uf2: None,
        }
    }

    /// What offsets are counted in: the file, the flash of a UF2 file from address 0 on, or the sections of an object file, laid out
    /// one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole file, in the format in which it was read. Of an object file it is what [`Firmware::bytes`] has.
    pub fn to_file(&self) -> Vec<u8> {
        let file = self.uf2.as_ref().map_or(&self.bytes, |(_, file)| file);
        file.clone()
    }

    /// What kind of file it is, for people.
    pub fn kind(&self) -> String {
        // what a module brings is not the file's own
        let parts = self.image.parts();
        let mut each = parts.iter().map(|part| self.is_in_slot(&part.range));
        match &self.uf2 {
            None if !parts.is_empty() && each.all(|is| is) => ImageKind::Raw.to_string(),
            None => self.image.kind().to_string(),
            Some((uf2, _)) => match uf2.family() {
                Some(family) => format!("UF2 file for {family}"),
                None => "UF2 file".into(),
            },
        }
    }

    /// Whether a range lies within a slot, where modules may bring images of their own.
    pub(crate) fn is_in_slot(&self, range: &Range<usize>) -> bool {
        let mut slots = self.slots.iter().flatten().map(Slot::range);
        slots.any(|slot| slot.start <= range.start && range.end <= slot.end)
    }

    /// What begins as an image, and is cut or goes on to where it can't be.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        let broken = self.image.broken().iter();
        broken.filter(|broken| !self.is_in_slot(&(broken.start..broken.start + 1)))
    }

    /// The images in it, and their checksums.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Its slots, in the order of the file; those that are damaged as what is wrong with them.
    pub fn slots(&self) -> &[Result<Slot, FirmwareError>] {
        &self.slots
    }

    /// The bundles that are compiled in, likewise.
    pub fn labels(&self) -> &[Result<Label, FirmwareError>] {
        &self.labels
    }

    /// The slot of this number, from 1 on; without a number the only one.
    ///
    /// # Errors
    /// There is none, there are several, or it is damaged.
    pub fn slot(&self, number: Option<usize>) -> Result<&Slot, FirmwareError> {
        let there = self.slots.len();
        let slot = match (number, there) {
            (_, 0) => Err(FirmwareError::NoSlot(self.kind())),
            (None, 1) => Ok(&self.slots[0]),
            (None, there) => Err(FirmwareError::WhichSlot(there)),
            (Some(asked), there) => {
                let slot = asked.checked_sub(1).and_then(|i| self.slots.get(i));
                slot.ok_or(FirmwareError::NoSuchSlot { asked, there })
            }
        }?;
        slot.as_ref().map_err(Clone::clone)
    }

    /// Puts a bundle of the slot's variant into the slot of this number, in place of what was there, or takes all out if there is
    /// none. Nothing else changes but the checksums of the image that holds the slot.
    ///
    /// # Errors
    /// There is no such slot, the bundle is for other variants or does not fit, the image may not be changed, is damaged or is not found, or
    /// another image of the file is damaged. Then nothing is changed.
    pub fn patch(
        &mut self,
        number: Option<usize>,
        bundle: Option<&Bundle>,
        options: PatchOptions,
    ) -> Result<Patched, FirmwareError> {
        let slot = self.slot(number)?;
        let range = slot.range();
        if !options.uncovered {
            cover::check(&self.image, &self.bytes, slot)?;
        }
        let kept = self.damaged_elsewhere(slot);
        if !options.keep_damaged {
            let wrong = kept.first().map(|guard| format!("the {guard} is wrong"));
            if let Some(what) = wrong.or_else(|| self.broken_elsewhere()) {
                return Err(FirmwareError::Elsewhere(what));
            }
        }
        let mut bytes = self.bytes.clone();
        let contents = match bundle {
            Some(bundle) => Some(bundle.put(&slot.head, &mut bytes[range.clone()])?),
            None => {
                Contents::clear(&mut bytes[range.clone()]);
                None
            }
        };
        let wrong = match options.fix_checksums {
            true => Wrong::Fix,
            false => Wrong::Refuse,
        };
        let mended = self.image.mend(&mut bytes, range, wrong)?;
        let mut uf2 = self.uf2.clone();
        if let Some((uf2, file)) = &mut uf2 {
            uf2.write(file, &bytes)?;
        }
        *self = Firmware {
            uf2,
            ..Firmware::of(Image::read(&bytes)?, bytes)
        };
        Ok(Patched {
            contents,
            guards: mended.guards,
            fixed: mended.fixed,
            kept,
        })
    }

    /// The wrong checksums of images that do not hold the slot.
    fn damaged_elsewhere(&self, slot: &Slot) -> Vec<Guard> {
        let covering = self.image.covering(&slot.range());
        let is_elsewhere = |guard: &Guard| {
            !self.is_in_slot(&guard.range())
                && !covering.iter().any(|part| part.guards.contains(guard))
        };
        let wrong = self.image.wrong().iter().copied();
        wrong.filter(is_elsewhere).collect()
    }

    /// What begins as an image and is none. One that the end of the file cuts off is not damaged, but not all there.
    fn broken_elsewhere(&self) -> Option<String> {
        let is_cut = |broken: &&Broken| matches!(broken.error, fastlua_image::Error::Cut { .. });
        let mut broken = self.broken().filter(|broken| !is_cut(broken));
        broken.next().map(|broken| broken.error.to_string())
    }

    /// Whether the image is in the file whose checksums cover a slot, or there are none.
    ///
    /// # Errors
    /// None is found, though the slot's address says that there is one.
    pub fn check_cover(&self, slot: &Slot) -> Result<(), FirmwareError> {
        Ok(cover::check(&self.image, &self.bytes, slot)?)
    }

    /// The bytes of a slot; empty for a slot of another file that is longer than this one.
    pub fn bytes_of(&self, slot: &Slot) -> &[u8] {
        self.bytes.get(slot.range()).unwrap_or_default()
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
