//! The descriptor of a bundle that is compiled in as C: `fast_descriptor.h` of `fastlua-firmware`. That of an object file has
//! one more word, the address of the facts about the sources.

use memchr::memmem;

use super::text::{BUNDLE, VARIANT, VERSION, descriptor_sum, text, variant_sum};
use super::{Index, word};

const MAGIC: [u8; 16] = *b"fastlua mods\r\n\x1a\n";

/// Layout of a descriptor, and 256 for each byte of a pointer.
const LAYOUT: u32 = 1 + POINTERS;
/// The same of an object file's.
const OBJECT: u32 = 2 + POINTERS;
const POINTERS: u32 = 256 * 4;

const BYTES: usize = 40 + BUNDLE + VARIANT + VERSION + 4;

/// The build descriptor of a compiled-in bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Its offset in the file.
    pub offset: usize,
    /// Its address on the chip.
    pub address: u32,
    /// Whether the core runs frozen chunks.
    pub freezes: bool,
    /// Whether the start-up hook is linked.
    pub hook: bool,
    /// Name of the bundle.
    pub bundle: String,
    /// Name of the variant.
    pub variant: String,
    /// Version of the fastlua that wrote the C.
    pub version: String,
    /// The index of its chunks, in the bytes of the file.
    pub index: Index,
}

/// Bytes that begin like a descriptor, but are not a valid one of a 32-bit chip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the descriptor of modules at offset {offset:#x} is damaged, from a later fastlua, or not linked yet"
)]
pub struct DamagedDescriptor {
    /// Its offset in the file.
    pub offset: usize,
}

/// The descriptors of a file, in their order.
pub fn descriptors(file: &[u8]) -> Vec<Result<Descriptor, DamagedDescriptor>> {
    let at = |offset: usize| descriptor(file, offset).ok_or(DamagedDescriptor { offset });
    memmem::find_iter(file, &MAGIC).map(at).collect()
}

/// The offsets of a descriptor's words that a linker sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescriptorPlaces {
    /// Its own address.
    pub address: usize,
    /// That of the index.
    pub chunks: usize,
    /// That of the list of frozen chunks.
    pub frozen: usize,
    /// That of what is known of the sources.
    pub about: usize,
}

impl Default for DescriptorPlaces {
    fn default() -> DescriptorPlaces {
        DescriptorPlaces {
            address: 20,
            chunks: 24,
            frozen: 28,
            about: BYTES,
        }
    }
}

impl Descriptor {
    /// The bytes of a descriptor of an object file; what a linker sets is zero.
    pub fn unlinked(
        count: u32,
        freezes: bool,
        bundle: &str,
        variant: &str,
        version: &str,
    ) -> Vec<u8> {
        let flags = u32::from(freezes);
        let mut bytes = MAGIC.to_vec();
        for word in [OBJECT, 0, 0, 0, count, flags] {
            bytes.extend(word.to_le_bytes());
        }
        for (text, room) in [(bundle, BUNDLE), (variant, VARIANT), (version, VERSION)] {
            let end = bytes.len() + room;
            bytes.extend(text.as_bytes());
            bytes.resize(end, 0);
        }
        let sum = sum(OBJECT, count, flags, bundle, variant, version);
        bytes.extend(sum.to_le_bytes());
        bytes.extend([0; 4]);
        bytes
    }
}

fn sum(layout: u32, count: u32, flags: u32, bundle: &str, variant: &str, version: &str) -> u32 {
    0x6661_7374_u32
        .wrapping_add(layout.wrapping_mul(3))
        .wrapping_add(count.wrapping_mul(5))
        .wrapping_add(flags.wrapping_mul(7))
        .wrapping_add(descriptor_sum(bundle, version))
        .wrapping_add(variant_sum(variant))
}

fn descriptor(file: &[u8], offset: usize) -> Option<Descriptor> {
    let bytes = file.get(offset..)?.get(..BYTES)?;
    let [layout, address, chunks, frozen, count, flags]: [u32; 6] =
        std::array::from_fn(|i| word(bytes, 16 + 4 * i));
    let (texts, check) = bytes[40..].split_at(BYTES - 44);
    let bundle = text(&texts[..BUNDLE])?;
    let variant = text(&texts[BUNDLE..BUNDLE + VARIANT])?;
    let version = text(&texts[BUNDLE + VARIANT..])?;
    let sum = sum(layout, count, flags, &bundle, &variant, &version);
    let about = match layout {
        LAYOUT => None,
        OBJECT => Some(word(file.get(offset + BYTES..)?.get(..4)?, 0)),
        _ => return None,
    };
    if sum != word(check, 0) || address == 0 || (chunks == 0 && count > 0) {
        return None;
    }
    let base = address.wrapping_sub(offset as u32);
    let place = |pointer: u32| pointer.wrapping_sub(base) as usize;
    Some(Descriptor {
        offset,
        address,
        freezes: flags & 1 != 0,
        hook: flags & 2 != 0,
        bundle,
        variant,
        version,
        index: Index {
            records: place(chunks),
            count: count as usize,
            frozen: (frozen != 0).then(|| place(frozen)),
            about: about.map(place),
            base,
        },
    })
}
