//! Finished firmware: its slots and bundles.

use std::ops::Range;

use fastlua_bundle::slot::{Contents, Descriptor, Entry, Slot, descriptors, find};
use fastlua_bundle::{Form, SlotError, form_of_number};
use fastlua_firmware::ChunkKind;
use fastlua_image::{Broken, Checksum, Image, Kind as ImageKind, Uf2, Wrong};

#[cfg(feature = "compile")]
use crate::Bundle;
use crate::counted;

mod checks;
mod contents;
mod cover;
mod format;
mod places;

pub use checks::{CheckState, Checks};
pub use contents::SlotContents;
pub use cover::Uncovered;
pub use format::OtherFormat;
pub use places::{CompiledIn, FirmwareSlot};

/// A firmware file with all that fastlua knows of it.
#[derive(Debug, Clone)]
pub struct Firmware {
    bytes: Vec<u8>,
    image: Image,
    slots: Vec<Result<Slot, FirmwareError>>,
    descriptors: Vec<Result<Descriptor, FirmwareError>>,
    /// The file, where `bytes` are the flash that it holds.
    uf2: Option<(Uf2, Vec<u8>)>,
}

/// Why firmware can't be read or patched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FirmwareError {
    /// The file is no whole firmware image, or may not be changed.
    #[error(transparent)]
    Image(#[from] fastlua_image::Error),
    /// It is firmware in an unsupported format.
    #[error(transparent)]
    Format(#[from] OtherFormat),
    /// It has no slot.
    #[error("no slot in this {0}; build the firmware with one")]
    NoSlot(String),
    /// It has several, and none was chosen.
    #[error("there are {0} slots: choose one")]
    WhichSlot(usize),
    /// The slot number is out of range.
    #[error("slot number {asked} is out of range: this file has {there}")]
    NoSuchSlot {
        /// The requested number, from 1 on.
        asked: usize,
        /// Their number.
        there: usize,
    },
    /// A slot is damaged.
    #[error(transparent)]
    Slot(#[from] fastlua_bundle::slot::DamagedSlot),
    /// The contents were made for the slot of another firmware.
    #[error("the contents were made for the slot of another firmware: make them for this one")]
    OtherSlot,
    /// A compiled-in bundle is damaged.
    #[error(transparent)]
    Descriptor(#[from] fastlua_bundle::slot::DamagedDescriptor),
    /// The variant of a slot's firmware is not known.
    #[error(transparent)]
    Variant(#[from] crate::NoVariant),
    /// The slot or bundle has another address than the one for which it is linked.
    #[error(
        "offset {offset:#x}: linked at {said:#010x}, but the image puts it at {is:#010x}: the image is damaged, or something was moved"
    )]
    Moved {
        /// Its offset in the file.
        offset: usize,
        /// Its own address.
        said: u32,
        /// The address by the image.
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
    Index(#[from] fastlua_bundle::slot::ChunkError),
}

/// Permissions of a patch for a damaged or incomplete file. By default none is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// Sets checksums of the slot's image even if they were wrong before.
    pub fix_checksums: bool,
    /// Leaves damaged images without the slot unchanged.
    pub keep_damaged: bool,
    /// Changes a slot though its image is not in the file; the caller sets the checksums.
    pub uncovered: bool,
}

/// The result of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// The new contents; none if the slot was emptied.
    pub contents: Option<Contents>,
    /// The checksums of the image that were set.
    pub checksums: Vec<Checksum>,
    /// Those that were wrong before.
    pub fixed: Vec<Checksum>,
    /// Damage elsewhere in the file, which stays, for people.
    pub damaged_elsewhere: Vec<String>,
}

impl Patched {
    /// One line for people about the slot as it is now.
    pub fn summary(&self, slot: &Slot) -> String {
        let head = &slot.head;
        match &self.contents {
            None => format!("slot at {:#x}: empty, {} bytes", slot.offset, head.capacity),
            Some(contents) => format!(
                "slot at {:#x}, {}: {}, {} of {} bytes, bundle {}",
                slot.offset,
                head.variant,
                counted(contents.count as usize, "chunk"),
                contents.used,
                head.capacity,
                contents.name()
            ),
        }
    }
}

impl Firmware {
    /// Reads a firmware file.
    ///
    /// # Errors
    /// The file is a damaged image, or of an unsupported format. [`Firmware::slots`] reports damaged slots.
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
        let descriptors = descriptors(&bytes).into_iter();
        let descriptors = descriptors
            .filter(|found| !in_slot(found.as_ref().map_or_else(|d| d.offset, |l| l.offset)));
        let descriptors = descriptors.map(|found| {
            let descriptor = found?;
            is_at(descriptor.offset, descriptor.address)?;
            Ok(descriptor)
        });
        let descriptors = descriptors.collect();
        Firmware {
            slots,
            descriptors,
            bytes,
            image,
            uf2: None,
        }
    }

    /// The bytes in which offsets count: the file, the flash of a UF2 file from address 0 on, or the sections of an object file, laid
    /// out one after the other.
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

    /// Starts of images that are cut or have invalid segments.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        let broken = self.image.broken().iter();
        broken.filter(|broken| !self.is_in_slot(&(broken.start..broken.start + 1)))
    }

    /// The images in it, and their checksums.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Its slots, in the order of the file; those that are damaged as what is wrong with them.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = Result<FirmwareSlot<'_>, FirmwareError>> {
        let slots = self.slots.iter();
        slots.map(|slot| match slot {
            Ok(slot) => Ok(FirmwareSlot::new(self, slot)),
            Err(error) => Err(error.clone()),
        })
    }

    /// The compiled-in bundles, likewise.
    pub fn descriptors(
        &self,
    ) -> impl ExactSizeIterator<Item = Result<CompiledIn<'_>, FirmwareError>> {
        let descriptors = self.descriptors.iter();
        descriptors.map(|descriptor| match descriptor {
            Ok(descriptor) => Ok(CompiledIn::new(self, descriptor)),
            Err(error) => Err(error.clone()),
        })
    }

    /// The slot of this number, from 1 on; without a number the only one.
    ///
    /// # Errors
    /// There is none, there are several, or it is damaged.
    pub fn slot(&self, number: Option<usize>) -> Result<FirmwareSlot<'_>, FirmwareError> {
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
        match slot {
            Ok(slot) => Ok(FirmwareSlot::new(self, slot)),
            Err(error) => Err(error.clone()),
        }
    }

    /// Puts a bundle of the slot's variant into the slot of this number, in place of what was there. Nothing else changes but the
    /// checksums of the image that holds the slot.
    ///
    /// # Errors
    /// There is no such slot, the bundle is for other variants or does not fit, the image may not be changed, is damaged or is not
    /// found, or another image of the file is damaged. Then nothing is changed.
    #[cfg(feature = "compile")]
    pub fn patch(
        &mut self,
        number: Option<usize>,
        bundle: &Bundle,
        options: PatchOptions,
    ) -> Result<Patched, FirmwareError> {
        let contents = bundle.slot_contents(&self.slot(number)?)?;
        self.put(number, &contents, options)
    }

    /// Puts contents into the slot that they were made for, or into that of another file with the same firmware. It takes no
    /// compiler.
    ///
    /// # Errors
    /// Those of `Firmware::patch`, or that they are for another firmware.
    pub fn put(
        &mut self,
        number: Option<usize>,
        contents: &SlotContents,
        options: PatchOptions,
    ) -> Result<Patched, FirmwareError> {
        if contents.slot().head != self.slot(number)?.head {
            return Err(FirmwareError::OtherSlot);
        }
        self.change(
            number,
            contents.as_bytes(),
            contents.slot().contents.clone(),
            options,
        )
    }

    /// Empties the slot of this number.
    ///
    /// # Errors
    /// Those of `Firmware::patch`.
    pub fn clear(
        &mut self,
        number: Option<usize>,
        options: PatchOptions,
    ) -> Result<Patched, FirmwareError> {
        let mut empty = self.slot(number)?.bytes().to_vec();
        Contents::clear(&mut empty);
        self.change(number, &empty, None, options)
    }

    /// Replaces the bytes of a slot.
    fn change(
        &mut self,
        number: Option<usize>,
        slot_bytes: &[u8],
        contents: Option<Contents>,
        options: PatchOptions,
    ) -> Result<Patched, FirmwareError> {
        let slot = self.slot(number)?;
        let range = slot.range();
        if !options.uncovered {
            slot.check_cover()?;
        }
        let kept = self.damaged_elsewhere(&slot);
        if !options.keep_damaged {
            let wrong = kept
                .first()
                .map(|checksum| format!("the {checksum} is wrong"));
            if let Some(what) = wrong.or_else(|| self.broken_elsewhere()) {
                return Err(FirmwareError::Elsewhere(what));
            }
        }
        let mut bytes = self.bytes.clone();
        bytes[range.clone()].copy_from_slice(slot_bytes);
        let wrong = match options.fix_checksums {
            true => Wrong::Fix,
            false => Wrong::Refuse,
        };
        let fixed_up = self.image.fix_up(&mut bytes, range, wrong)?;
        let mut uf2 = self.uf2.clone();
        if let Some((uf2, file)) = &mut uf2 {
            uf2.write(file, &bytes)?;
        }
        *self = Firmware {
            uf2,
            ..Firmware::of(Image::read(&bytes)?, bytes)
        };
        let wrong = kept.iter();
        let wrong = wrong.map(|checksum| format!("{checksum}, of another image, is wrong"));
        let broken = self.broken().map(|Broken { start, error }| {
            format!("the image at offset {start:#x} can't be read ({error})")
        });
        Ok(Patched {
            contents,
            checksums: fixed_up.checksums,
            fixed: fixed_up.fixed,
            damaged_elsewhere: wrong.chain(broken).collect(),
        })
    }

    /// The wrong checksums of images that do not hold the slot.
    fn damaged_elsewhere(&self, slot: &Slot) -> Vec<Checksum> {
        let covering = self.image.covering(&slot.range());
        let is_elsewhere = |checksum: &Checksum| {
            !self.is_in_slot(&checksum.range())
                && !covering
                    .iter()
                    .any(|part| part.checksums.contains(checksum))
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
}

/// The form of a chunk in firmware.
pub fn form_of(entry: &Entry) -> Form {
    let said = entry.about.as_ref().and_then(|a| form_of_number(a.form));
    match (said, entry.frozen, entry.kind) {
        (Some(form), ..) => form,
        (None, frozen, ChunkKind::Data) => Form::Data {
            frozen: frozen.is_some(),
        },
        (None, Some(_), _) => Form::Frozen {
            fallback: entry.words.is_some(),
        },
        (None, None, ChunkKind::Bytecode) => Form::Bytecode,
        (None, None, ChunkKind::Source) => Form::Plain,
        (None, None, ChunkKind::Deflated) => Form::Deflated,
        (None, None, ChunkKind::Packed) => Form::Packed,
    }
}
