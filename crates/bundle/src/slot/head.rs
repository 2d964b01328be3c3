//! The part of the header that the firmware's compiler writes.

use super::text::{VARIANT, VERSION, text, text_sum};
use super::word;

/// How a slot begins.
pub const MAGIC: [u8; 16] = *b"fastlua slot\r\n\x1a\n";

/// The layout of slots that is read and written here.
pub const LAYOUT: u32 = 1;

/// Bytes of the header.
pub const HEAD: usize = 256;

/// Places of the fields. `fast_slot_header` has them in this order.
mod place {
    pub const LAYOUT: usize = 16;
    pub const CAPACITY: usize = 20;
    pub const START: usize = 24;
    pub const END: usize = 28;
    pub const FLAGS: usize = 32;
    pub const HEAP: usize = 36;
    pub const MOST: usize = 48;
    pub const VARIANT: usize = 56;
    pub const VERSION: usize = 88;
    pub const CORE: usize = 104;
    pub const CHECK: usize = 168;
}

const FREEZES: u32 = 1;
const HOOK: u32 = 2;
const INFLATES: u32 = 4;
const UNPACKS: u32 = 8;

/// The firmware of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the slot, with its header.
    pub capacity: u32,
    /// The address of its first byte on the chip.
    pub address: u32,
    /// Whether the firmware's core runs frozen chunks.
    pub freezes: bool,
    /// Whether the start-up hook is linked, so that frozen chunks need no copies in RAM.
    pub hook: bool,
    /// Whether the firmware loads deflated chunks.
    pub inflates: bool,
    /// Whether it loads packed chunks.
    pub unpacks: bool,
    /// The overhead of a heap block.
    pub heap: Heap,
    /// How many chunks it may hold.
    pub most_chunks: u32,
    /// How many functions its frozen chunks may have.
    pub most_functions: u32,
    /// Name of the firmware's variant.
    pub variant: String,
    /// Version of the fastlua that wrote the firmware's C.
    pub version: String,
    /// Sizes of the core's structures, places of their fields, and tags.
    pub core: [u8; 64],
}

/// What a block of the heap takes: its bytes, but `least`, and `head`, as a multiple of `align`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heap {
    /// Bytes that the allocator needs for itself.
    pub head: u32,
    /// Least bytes of a block.
    pub least: u32,
    /// The alignment of a block.
    pub align: u32,
}

impl Heap {
    /// Bytes that a block of `n` takes.
    pub fn block(&self, n: usize) -> usize {
        (n.max(self.least as usize) + self.head as usize).next_multiple_of(self.align as usize)
    }
}

/// A fault of a slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file ends within it.
    #[error("the file ends within it: {have} of {want} bytes are present")]
    Cut {
        /// Bytes that are there.
        have: usize,
        /// Bytes that should be.
        want: usize,
    },
    /// It is of a layout that came later.
    #[error("its layout is {0}, but this fastlua knows {LAYOUT}; use a newer one")]
    Layout(u32),
    /// A sum of the header does not fit.
    #[error("wrong checksum of its header")]
    Header,
    /// Its contents have changed.
    #[error("wrong checksum of its contents")]
    Contents,
}

impl Head {
    /// Reads the header of a slot.
    ///
    /// # Errors
    /// [`Damage`], but not of the contents.
    pub fn read(slot: &[u8]) -> Result<Head, Damage> {
        let cut = |want: usize| Damage::Cut {
            have: slot.len(),
            want,
        };
        if slot.len() < HEAD {
            return Err(cut(HEAD));
        }
        let at = |place: usize| word(slot, place);
        if slot[..16] != MAGIC {
            return Err(Damage::Header);
        }
        if at(place::LAYOUT) != LAYOUT {
            return Err(Damage::Layout(at(place::LAYOUT)));
        }
        let heap = [0, 4, 8].map(|i| at(place::HEAP + i));
        let most = [0, 4].map(|i| at(place::MOST + i));
        let mut core = [0; 64];
        core.copy_from_slice(&slot[place::CORE..place::CHECK]);
        let (capacity, start, end) = (at(place::CAPACITY), at(place::START), at(place::END));
        let flags = at(place::FLAGS);
        let field = |start, size| text(&slot[start..start + size]).ok_or(Damage::Header);
        let variant = field(place::VARIANT, VARIANT)?;
        let version = field(place::VERSION, VERSION)?;
        let texts = text_sum(&variant, &version);
        let sum = sum(
            at(place::LAYOUT),
            capacity,
            flags,
            &heap,
            &most,
            texts,
            &core,
        );
        if sum != at(place::CHECK) || start.checked_add(capacity) != Some(end) {
            return Err(Damage::Header);
        }
        let [head, least, align] = heap;
        let sane = align.is_power_of_two()
            && [head, least, align].iter().all(|n| *n <= 256)
            && capacity as usize >= HEAD
            && capacity.is_multiple_of(16)
            && start.is_multiple_of(4);
        if !sane {
            return Err(Damage::Header);
        }
        if slot.len() < capacity as usize {
            return Err(cut(capacity as usize));
        }
        Ok(Head {
            capacity,
            address: start,
            freezes: flags & FREEZES != 0,
            hook: flags & HOOK != 0,
            inflates: flags & INFLATES != 0,
            unpacks: flags & UNPACKS != 0,
            heap: Heap { head, least, align },
            most_chunks: most[0],
            most_functions: most[1],
            variant,
            version,
            core,
        })
    }

    /// An empty slot with this header, as a firmware's compiler writes it.
    pub fn to_slot(&self) -> Vec<u8> {
        let mut slot = vec![0; self.capacity as usize];
        let Heap { head, least, align } = self.heap;
        let heap = [head, least, align];
        let most = [self.most_chunks, self.most_functions];
        let flags = u32::from(self.freezes) * FREEZES
            + u32::from(self.hook) * HOOK
            + u32::from(self.inflates) * INFLATES
            + u32::from(self.unpacks) * UNPACKS;
        let mut put = |place: usize, bytes: &[u8]| {
            slot[place..place + bytes.len()].copy_from_slice(bytes);
        };
        put(0, &MAGIC);
        put(place::VARIANT, self.variant.as_bytes());
        put(place::VERSION, self.version.as_bytes());
        put(place::CORE, &self.core);
        let texts = text_sum(&self.variant, &self.version);
        let check = sum(
            LAYOUT,
            self.capacity,
            flags,
            &heap,
            &most,
            texts,
            &self.core,
        );
        let mut words = vec![
            (place::LAYOUT, LAYOUT),
            (place::CAPACITY, self.capacity),
            (place::START, self.address),
            (place::END, self.address + self.capacity),
            (place::FLAGS, flags),
            (place::CHECK, check),
        ];
        words.extend(
            heap.iter()
                .enumerate()
                .map(|(i, n)| (place::HEAP + 4 * i, *n)),
        );
        words.extend(
            most.iter()
                .enumerate()
                .map(|(i, n)| (place::MOST + 4 * i, *n)),
        );
        for (place, word) in words {
            put(place, &word.to_le_bytes());
        }
        slot
    }
}

/// `FAST_SLOT_CHECKSUM`
fn sum(
    layout: u32,
    capacity: u32,
    flags: u32,
    heap: &[u32; 3],
    most: &[u32; 2],
    texts: u32,
    core: &[u8],
) -> u32 {
    let words = [&[layout, capacity, flags][..], heap, most].concat();
    let factors = [3, 5, 7, 11, 13, 17, 19, 23];
    let words = words.iter().zip(factors);
    words
        .fold(0x6661_7374_u32, |sum, (word, factor)| {
            sum.wrapping_add(word.wrapping_mul(factor))
        })
        .wrapping_add(texts)
        .wrapping_add(core_sum(core))
}

/// What a byte of the core's layout is multiplied with in the sum: `FAST_SLOT_CORE_SUM`.
pub fn core_factor(i: usize) -> u32 {
    2 * i as u32 + 101
}

fn core_sum(core: &[u8]) -> u32 {
    let bytes = core.iter().enumerate();
    bytes.fold(0, |sum: u32, (i, byte)| {
        sum.wrapping_add(u32::from(*byte).wrapping_mul(core_factor(i)))
    })
}
