//! The contents of a file: firmware, an LFS image, bytecode, a `fast_chunks.h`.

use fastlua_bundle::slot::Entry;
use fastlua_bytecode::{candidates, dump_in, read};
use fastlua_image::Kind as ImageKind;
use fastlua_lfs::{Part as LfsPart, Place as LfsPlace, is_image as is_lfs_image, read as read_lfs};
use fastlua_variants::Variants;

use crate::dump::{names_of, variants_of};
use crate::report::{ChecksumReport, FoundChunk, InspectReport, Place, SignatureReport};
use crate::{
    CheckState, Checks, CompiledIn, Diagnostic, Firmware, FirmwareError, FirmwareSlot, form_of, hex,
};

mod extract;

pub use extract::{ExtractError, Extracted, extract};

/// The findings in a file.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// Its kind, for people.
    pub kind: String,
    /// The checksums of images.
    pub checksums: Vec<ChecksumReport>,
    /// The signatures of images.
    pub signatures: Vec<SignatureReport>,
    /// Slots and compiled-in bundles.
    pub places: Vec<Place>,
    /// The faults in the file.
    pub damage: Vec<String>,
}

impl Inspection {
    fn new(kind: impl Into<String>, places: Vec<Place>) -> Inspection {
        Inspection {
            kind: kind.into(),
            places,
            ..Inspection::default()
        }
    }

    /// The message that nothing was found, if so.
    pub fn nothing(&self) -> Option<String> {
        let is_nothing = self.places.is_empty() && self.damage.is_empty();
        is_nothing.then(|| format!("no slot and no modules of fastlua in this {}", self.kind))
    }

    /// The report, with the file as the user gave it.
    pub fn report(&self, file: &str) -> InspectReport {
        let nothing = self.nothing();
        let errors = self.damage.iter().chain(&nothing);
        InspectReport {
            schema: InspectReport::SCHEMA,
            file: file.into(),
            kind: self.kind.clone(),
            checksums: self.checksums.clone(),
            signatures: self.signatures.clone(),
            places: self.places.clone(),
            errors: errors
                .map(|error| Diagnostic::of_file(file, None, error))
                .collect(),
        }
    }
}

/// Finds the contents of a file.
///
/// # Errors
/// It is firmware that can't be read. Damage in it is a finding, not an error.
pub fn inspect(file: Vec<u8>, known: &Variants) -> Result<Inspection, FirmwareError> {
    if is_lfs_image(&file) {
        return Ok(of_image(&file, known));
    }
    if let Some(dump) = dump_in(&file) {
        return Ok(of_chunk(dump, known));
    }
    if let Some(place) = of_header(&file) {
        return Ok(Inspection::new("fast_chunks.h", vec![place]));
    }
    Ok(of_firmware(&Firmware::read(file)?))
}

fn of_firmware(firmware: &Firmware) -> Inspection {
    let mut all = Inspection::new(firmware.kind(), Vec::new());
    for (checksum, state) in firmware.checksums() {
        let checksum = checksum.to_string();
        if state == CheckState::Wrong {
            all.damage.push(format!("the {checksum} is wrong"));
        }
        let right = state.is_right();
        all.checksums.push(ChecksumReport { checksum, right });
    }
    all.signatures = firmware
        .signatures()
        .map(|signature| SignatureReport {
            signature,
            right: None,
        })
        .collect();
    let broken = firmware.broken();
    all.damage.extend(broken.map(|broken| {
        let start = broken.start;
        format!(
            "the image at offset {start:#x} can't be read: {}",
            broken.error
        )
    }));
    let slots = firmware.slots().map(|slot| of_slot(firmware, slot?));
    let descriptors = firmware
        .descriptors()
        .map(|descriptor| of_label(firmware, descriptor?));
    for place in slots.chain(descriptors) {
        match place {
            Ok(place) => {
                let damaged = place.chunks.iter();
                let damaged = damaged.filter(|chunk| chunk.checks.worst() == CheckState::Wrong);
                let damaged = damaged.map(|c| format!("chunk {} is damaged", c.name));
                all.damage.extend(damaged);
                all.places.push(place);
            }
            Err(error) => all.damage.push(error.to_string()),
        }
    }
    all
}

fn of_slot(firmware: &Firmware, slot: FirmwareSlot) -> Result<Place, FirmwareError> {
    let linked = is_linked(firmware);
    let chunks = slot.chunks()?;
    let contents = slot.contents.as_ref();
    let checks = |entry: &Entry| slot.checks(entry);
    Ok(Place {
        kind: "slot",
        state: CheckState::Right,
        image: linked.then(|| slot.image()),
        offset: linked.then_some(slot.offset),
        address: linked.then_some(slot.head.address),
        variants: vec![slot.head.variant.clone()],
        version: Some(slot.head.version.clone()),
        freezes: Some(slot.head.freezes),
        hook: Some(slot.head.hook),
        capacity: Some(slot.head.capacity),
        used: Some(contents.map_or(0, |contents| contents.used)),
        bundle: contents.map(|contents| contents.name()),
        chunks: chunks.iter().map(|e| of_entry(e, checks(e))).collect(),
        ..Place::default()
    })
}

fn of_label(firmware: &Firmware, descriptor: CompiledIn) -> Result<Place, FirmwareError> {
    let chunks = descriptor.chunks()?;
    let linked = is_linked(firmware);
    let checks = |entry: &Entry| descriptor.checks(entry);
    Ok(Place {
        kind: "compiled in",
        state: CheckState::Right,
        image: linked.then(|| descriptor.image()),
        offset: linked.then_some(descriptor.offset),
        address: linked.then_some(descriptor.address),
        variants: vec![descriptor.variant.clone()],
        version: Some(descriptor.version.clone()),
        freezes: Some(descriptor.freezes),
        hook: descriptor.index.about.is_none().then_some(descriptor.hook), // an object file can't know
        bundle: Some(descriptor.bundle.clone()),
        chunks: chunks.iter().map(|e| of_entry(e, checks(e))).collect(),
        ..Place::default()
    })
}

/// Whether the findings have offsets and addresses.
fn is_linked(firmware: &Firmware) -> bool {
    !matches!(
        firmware.image().kind(),
        ImageKind::Object | ImageKind::Archive
    )
}

fn of_entry(entry: &Entry, checks: Checks) -> FoundChunk {
    let about = entry.about.as_ref();
    let form = form_of(entry);
    let words = entry.words.as_ref();
    FoundChunk {
        name: entry.name.clone(),
        form: Some(form.name().into()),
        bytes: words.map(ExactSizeIterator::len),
        xxh32: words.map(|_| format!("{:08x}", entry.hash)),
        source_bytes: about.map(|about| about.source_len),
        sha256: about.map(|about| hex(&about.sha256)),
        strip: about
            .map(|about| about.strip)
            .filter(|_| !form.is_source() && !form.is_data()),
        sound: checks.worst().is_right(),
        checks,
    }
}

/// A file that is bytecode.
fn of_chunk(bytes: &[u8], known: &Variants) -> Inspection {
    let variants = variants_of(bytes, known);
    let whole = candidates(bytes)
        .iter()
        .any(|layout| read(bytes, layout).is_ok());
    let mut all = Inspection::new("Lua chunk", Vec::new());
    match whole {
        true => all.places.push(Place {
            kind: "chunk",
            variants,
            ..Place::default()
        }),
        false => all.damage.push("not a whole chunk of any variant".into()),
    }
    all
}

/// An LFS image.
fn of_image(bytes: &[u8], known: &Variants) -> Inspection {
    let mut all = Inspection::new("LFS image", Vec::new());
    let image = match read_lfs(bytes) {
        Ok(image) => image,
        Err(error) => {
            all.damage.push(error.to_string());
            return all;
        }
    };
    let state = match image.has_checksum {
        true => CheckState::Right,
        false => CheckState::NotChecked,
    };
    let chunk = |part: &LfsPart| FoundChunk {
        name: part.name.to_string(),
        form: None,
        bytes: Some(part.bytes),
        xxh32: None,
        source_bytes: None,
        sha256: None,
        strip: None,
        sound: state.is_right(),
        checks: Checks::all(state),
    };
    all.places.push(Place {
        kind: "LFS",
        state,
        address: match image.image.place {
            LfsPlace::At(address) => Some(address),
            LfsPlace::Anywhere => None,
        },
        variants: names_of(&image.image.layout, known),
        used: u32::try_from(image.sizes.total).ok(),
        timestamp: Some(image.image.timestamp),
        seed: image.image.seed,
        chunks: image.sizes.parts.iter().map(chunk).collect(),
        ..Place::default()
    });
    all
}

/// The information in the comment of a `fast_chunks.h`; none if the text is something else.
fn of_header(bytes: &[u8]) -> Option<Place> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.strip_prefix("/*\n** fast_chunks.h - ")?.lines();
    let mut place = Place {
        kind: "text",
        ..Place::default()
    };
    for line in lines {
        if let Some(version) = line.strip_prefix("** Made by fastlua ") {
            place.version = version.split(';').next().map(str::to_owned);
        } else if let Some(names) = line.strip_prefix("** Variants: ") {
            let names = names.trim_end_matches('.').split(", ");
            place.variants = names.map(str::to_owned).collect();
        } else if let Some(name) = line.strip_prefix("#define FAST_BUNDLE_NAME\t") {
            place.bundle = Some(name.trim_matches('"').into());
        } else if let Some(size) = line.strip_prefix("#define FAST_SLOT\t") {
            place.capacity = size.trim_end_matches('u').parse().ok();
        } else if let Some(hash) = line.strip_prefix("**   ")
            && let Some(last) = place.chunks.last_mut()
        {
            last.sha256.get_or_insert_with(|| hash.into());
        } else if let Some(chunk) = line.strip_prefix("** ").and_then(of_line) {
            place.chunks.push(chunk);
        }
    }
    Some(place)
}

/// `NAME: FILE, N bytes, as FORM, strip N, SHA-256`
fn of_line(line: &str) -> Option<FoundChunk> {
    let (name, about) = line.split_once(": ")?;
    let (about, strip) = about.strip_suffix(", SHA-256")?.rsplit_once(", strip ")?;
    let (about, form) = about.rsplit_once(", as ")?;
    let (_, bytes) = about.strip_suffix(" bytes")?.rsplit_once(", ")?;
    Some(FoundChunk {
        name: name.into(),
        form: Some(form.into()),
        bytes: None,
        xxh32: None,
        source_bytes: bytes.parse().ok(),
        sha256: None,
        strip: strip.parse().ok(),
        sound: None,
        checks: Checks::all(CheckState::NotChecked),
    })
}
