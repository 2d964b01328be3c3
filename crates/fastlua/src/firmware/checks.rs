//! Checks of firmware, and their results.

use std::fmt;
use std::ops::Range;

use fastlua_bundle::slot::{Descriptor, Entry};
use fastlua_bundle::{Form, shared_places, unpacked};
use fastlua_image::{Algorithm, Checksum, Protection};
use fastlua_variants::Variants;
use serde::Serialize;

use super::{Firmware, form_of};
use crate::VERSION;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub enum CheckState {
    /// A checksum covers it and is right.
    #[serde(rename = "right")]
    Right,
    /// There is no checksum, or it can't be calculated here.
    #[default]
    #[serde(rename = "not checked")]
    NotChecked,
    /// A checksum covers it and is wrong.
    #[serde(rename = "wrong")]
    Wrong,
}

impl CheckState {
    /// Whether it is right; none where it is not checked.
    pub fn is_right(self) -> Option<bool> {
        match self {
            CheckState::Right => Some(true),
            CheckState::NotChecked => None,
            CheckState::Wrong => Some(false),
        }
    }
}

impl fmt::Display for CheckState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CheckState::Right => "right",
            CheckState::NotChecked => "not checked",
            CheckState::Wrong => "WRONG",
        })
    }
}

/// The checks of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Its name, and that the bytes are those of this name.
    pub name: CheckState,
    /// Its bytecode, source or data; none where it is there as frozen objects only.
    pub bytes: Option<CheckState>,
    /// Its frozen objects; none where it has none.
    pub objects: Option<CheckState>,
}

impl Checks {
    /// The same for name and bytes, of a chunk without frozen objects.
    pub fn all(state: CheckState) -> Checks {
        Checks {
            name: state,
            bytes: Some(state),
            objects: None,
        }
    }

    fn parts(&self) -> impl Iterator<Item = (&'static str, CheckState)> {
        let parts = [
            ("name", Some(self.name)),
            ("bytes", self.bytes),
            ("objects", self.objects),
        ];
        parts
            .into_iter()
            .filter_map(|(what, state)| Some((what, state?)))
    }

    /// Wrong if any part is wrong, else not checked if any part is not checked.
    pub fn worst(&self) -> CheckState {
        self.parts()
            .map(|(_, state)| state)
            .max()
            .unwrap_or_default()
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst = self.worst();
        if self.parts().all(|(_, state)| state == worst) {
            return write!(f, "{worst}");
        }
        let parts: Vec<String> = self
            .parts()
            .map(|(what, state)| format!("{what} {state}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

impl Firmware {
    /// The checksums of the images in the file, each right or wrong. Images that modules bring are not the file's own.
    pub fn checksums(&self) -> impl Iterator<Item = (Checksum, CheckState)> {
        let parts = self.image().parts().iter();
        let wrong = self.image().wrong();
        let checksums = parts.flat_map(|part| &part.checksums);
        let checksums = checksums.filter(|checksum| !self.is_in_slot(&checksum.range()));
        checksums.map(move |checksum| {
            let state = match wrong.contains(checksum) {
                true => CheckState::Wrong,
                false => CheckState::Right,
            };
            (*checksum, state)
        })
    }

    /// The signatures of images in the file, which are not checked: no key is known.
    pub fn signatures(&self) -> impl Iterator<Item = String> {
        let protections = self
            .image()
            .parts()
            .iter()
            .filter_map(|part| part.protection.as_ref());
        protections.filter_map(|protection| match protection {
            Protection::Signed { version, offset } => Some(format!(
                "secure boot signature, version {version}, at offset {offset:#x}"
            )),
            _ => None,
        })
    }

    /// Whether the checksums of the innermost image around a range are right. An image with only a checksum of one byte counts as not
    /// checked: that byte proves too little and does not cover everything.
    pub(super) fn image_of(&self, range: &Range<usize>) -> CheckState {
        let covering = self.image().covering(range);
        let Some(part) = covering.first().filter(|part| !part.checksums.is_empty()) else {
            return CheckState::NotChecked;
        };
        let is_wrong = part
            .checksums
            .iter()
            .any(|g| self.image().wrong().contains(g));
        let is_strong = part
            .checksums
            .iter()
            .any(|checksum| checksum.algorithm != Algorithm::Xor);
        match (is_wrong, is_strong) {
            (true, _) => CheckState::Wrong,
            (false, true) => CheckState::Right,
            (false, false) => CheckState::NotChecked,
        }
    }

    /// The checks of a chunk of a compiled-in bundle: its bytes have their own checksum; the image's covers everything else.
    pub(super) fn checks_compiled_in(&self, descriptor: &Descriptor, entry: &Entry) -> Checks {
        let image = match self.image_of(&(descriptor.offset..descriptor.offset + 1)) {
            CheckState::Right => CheckState::Right,
            _ => CheckState::NotChecked,
        };
        let bytes = match (entry.is_sound(self.bytes()), form_of(entry)) {
            (false, _) => CheckState::Wrong,
            (true, Form::Packed) => match self.packed(descriptor, entry) {
                CheckState::NotChecked => image,
                state => state,
            },
            (true, _) => CheckState::Right,
        };
        Checks {
            name: image,
            bytes: entry.words.as_ref().map(|_| bytes),
            objects: entry.frozen.map(|_| image),
        }
    }

    /// Whether a packed chunk with a right checksum can be unpacked. It needs tables that all packed chunks share. They have no
    /// checksum, but each version of fastlua has fixed ones.
    fn packed(&self, descriptor: &Descriptor, entry: &Entry) -> CheckState {
        let missing = match descriptor.version == VERSION {
            true => CheckState::Wrong,
            false => CheckState::NotChecked,
        };
        let known = Variants::built_in();
        let (Some(variant), Some(words)) = (known.get(&descriptor.variant), &entry.words) else {
            return CheckState::NotChecked;
        };
        let bytes = self.bytes();
        let packed = bytes.get(words.clone()).unwrap_or_default();
        let slots = || self.slots().flatten();
        let mut places = shared_places(bytes, variant.layout.dialect());
        places.retain(|place| !slots().any(|slot| slot.range().contains(place)));
        if places.is_empty() {
            return missing;
        }
        let unpacks = |place: &usize| unpacked(&bytes[*place..], packed, &variant.layout).is_ok();
        match places.iter().any(unpacks) {
            true => CheckState::Right,
            false => missing,
        }
    }
}
