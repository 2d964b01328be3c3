//! The part of the header that says what was put in.

use xxhash_rust::xxh32::xxh32;

use super::head::{Damage, HEAD};
use super::{Index, word};

const USED: usize = 172;
const HEAD_HASH: usize = HEAD - 4;

/// The contents of a slot. Offsets count from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Bytes that are used, with the header.
    pub used: u32,
    /// How many chunks.
    pub count: u32,
    /// The offset of their index.
    pub index: u32,
    /// The offset of the table of facts about sources.
    pub about: u32,
    /// The offset of the table of frozen pointers; 0 if no chunk is frozen.
    pub frozen: u32,
    /// The offset of the table of frozen strings.
    pub pool: u32,
    /// Its chains, a power of two.
    pub pool_size: u32,
    /// The strings in it.
    pub pool_used: u32,
    /// Bytes of flash that it takes with all frozen strings.
    pub pool_bytes: u32,
    /// The seed of 5.3's hashes.
    pub seed: u32,
    /// How many functions the frozen chunks have.
    pub functions: u32,
    /// The offset of the data that packed chunks share; 0 if none is packed.
    pub shared: u32,
    /// The bundle's name: it depends on all that was put in, and on nothing else.
    pub bundle: [u8; 8],
}

impl Contents {
    /// Reads what was put into a slot whose header is right; `slot` is all of it. None where it is empty.
    ///
    /// # Errors
    /// [`Damage::Header`] or [`Damage::Contents`].
    pub fn read(slot: &[u8]) -> Result<Option<Contents>, Damage> {
        if slot[USED..HEAD].iter().all(|b| *b == 0) {
            return Ok(None);
        }
        if xxh32(&slot[..HEAD_HASH], 0) != word(slot, HEAD_HASH) {
            return Err(Damage::Header);
        }
        let at = |i: usize| word(slot, USED + 4 * i);
        let used = at(0);
        if (used as usize) < HEAD || used as usize > slot.len() {
            return Err(Damage::Header);
        }
        if xxh32(&slot[HEAD..used as usize], 0) != at(1) {
            return Err(Damage::Contents);
        }
        let mut bundle = [0; 8];
        bundle.copy_from_slice(&slot[USED + 48..USED + 56]);
        Ok(Some(Contents {
            used,
            count: at(2),
            index: at(3),
            about: at(4),
            frozen: at(5),
            pool: at(6),
            pool_size: at(7),
            pool_used: at(8),
            pool_bytes: at(9),
            seed: at(10),
            functions: at(11),
            shared: at(14),
            bundle,
        }))
    }

    /// The bundle's name in hexadecimal.
    pub fn name(&self) -> String {
        base16ct::lower::encode_string(&self.bundle)
    }

    /// The index of its chunks, in the bytes of the slot.
    pub fn index(&self) -> Index {
        let some = |place: u32| (place != 0).then_some(place as usize);
        Index {
            records: self.index as usize,
            count: self.count as usize,
            frozen: some(self.frozen),
            about: some(self.about),
            base: 0,
        }
    }

    /// Writes it into a slot that holds the rest already; what is not used becomes zero.
    pub fn write(&self, slot: &mut [u8]) {
        slot[self.used as usize..].fill(0);
        slot[USED..HEAD].fill(0);
        let hash = xxh32(&slot[HEAD..self.used as usize], 0);
        let words = [
            self.used,
            hash,
            self.count,
            self.index,
            self.about,
            self.frozen,
            self.pool,
            self.pool_size,
            self.pool_used,
            self.pool_bytes,
            self.seed,
            self.functions,
        ];
        for (i, word) in words.iter().enumerate() {
            slot[USED + 4 * i..][..4].copy_from_slice(&word.to_le_bytes());
        }
        slot[USED + 48..USED + 56].copy_from_slice(&self.bundle);
        slot[USED + 56..USED + 60].copy_from_slice(&self.shared.to_le_bytes());
        let hash = xxh32(&slot[..HEAD_HASH], 0);
        slot[HEAD_HASH..HEAD].copy_from_slice(&hash.to_le_bytes());
    }

    /// Takes out what was put into a slot.
    pub fn clear(slot: &mut [u8]) {
        slot[USED..].fill(0);
    }
}
