//! The memory of a region as it is read, and as it is put together.

use byteorder::{ByteOrder, LE};

use super::{ABSOLUTE, HEADER};
use crate::{LONGEST, ReadError, Region};

type Result<T> = std::result::Result<T, ReadError>;

/// A region whose addresses can be followed.
pub(super) struct Memory<'a> {
    bytes: &'a [u8],
    /// The bitmap of an image that may lie anywhere.
    tags: Option<&'a [u8]>,
    /// Where another one lies.
    base: u32,
    /// The words that were read as addresses and are some.
    seen: Vec<bool>,
}

impl<'a> Memory<'a> {
    /// The memory of an image whose header was looked at; the length of all is that of memory and bitmap.
    pub fn new(bytes: &'a [u8]) -> Result<Memory<'a>> {
        if bytes.len() < 4 * HEADER {
            return Err(ReadError::at(
                bytes.len(),
                "the image ends within the header",
            ));
        }
        let size = LE::read_u32(&bytes[4..]) as usize;
        if !size.is_multiple_of(4) || !(4 * HEADER..=LONGEST).contains(&size) {
            return Err(ReadError::at(4, "not a valid region size"));
        }
        let words = size / 4;
        let absolute = LE::read_u32(bytes) & ABSOLUTE != 0;
        let bitmap = if absolute { 0 } else { 4 * words.div_ceil(32) };
        if bytes.len() != size + bitmap {
            return Err(ReadError::at(
                4,
                "size differs from the length of the image",
            ));
        }
        let (bytes, tags) = bytes.split_at(size);
        let table = LE::read_u32(&bytes[12..]);
        Ok(Memory {
            bytes,
            tags: (!absolute).then_some(tags),
            base: if absolute {
                table.wrapping_sub(4 * HEADER as u32)
            } else {
                0
            },
            seen: vec![false; words],
        })
    }

    /// Where it lies; none where it may lie anywhere.
    pub fn address_of_all(&self) -> Option<u32> {
        self.tags.is_none().then_some(self.base)
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The word at an offset that lies within.
    pub fn word(&self, at: usize) -> u32 {
        LE::read_u32(&self.bytes[at..])
    }

    /// The `length` bytes at an offset.
    pub fn bytes(&self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// The address at an offset that lies within, as the offset that it leads to; none for NULL.
    pub fn address(&mut self, at: usize) -> Result<Option<usize>> {
        let value = self.word(at);
        if self.tags.is_some() && self.tag(at / 4) != (value != 0) {
            return Err(ReadError::at(at, "the bitmap is wrong for this address"));
        }
        if value == 0 {
            return Ok(None);
        }
        let offset = match self.tags {
            Some(_) => value.checked_mul(4),
            None => value.checked_sub(self.base),
        };
        self.seen[at / 4] = true;
        match offset.map(|offset| offset as usize) {
            Some(to) if to.is_multiple_of(4) && to >= 4 * HEADER && to < self.bytes.len() => {
                Ok(Some(to))
            }
            _ => Err(ReadError::at(at, "address outside of the image")),
        }
    }

    /// Whether the bitmap marks no word but those that were read as addresses.
    pub fn check_tags(&self) -> Result<()> {
        let Some(tags) = self.tags else {
            return Ok(());
        };
        let wrong = (0..tags.len() * 8).find(|&i| {
            let seen = self.seen.get(i).copied().unwrap_or(false);
            self.tag(i) != seen
        });
        match wrong {
            None => Ok(()),
            Some(i) => Err(ReadError::at(
                self.bytes.len() + i / 8,
                "the bitmap marks a word that is not an address",
            )),
        }
    }

    fn tag(&self, word: usize) -> bool {
        self.tags
            .is_some_and(|tags| tags[word / 8] >> (word % 8) & 1 != 0)
    }
}

/// Puts the contents of an image that may lie anywhere at an address, as the loader on the chip does; the
/// signature says so. The contents are whole.
pub(crate) fn relocate(contents: &[u8], address: u32) -> Vec<u8> {
    let mut region = Region::of_contents(contents);
    region.words[0] |= ABSOLUTE;
    region.at(address)
}
