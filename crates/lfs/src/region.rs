//! The memory of the region once the chip has loaded an image.

use byteorder::{ByteOrder, LE};

use crate::{ReadError, gzip, v51, v53};

/// What the loader on the chip makes of an image: words, wherever they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    pub(crate) words: Vec<u32>,
    /// Which of them are addresses, as words from the start.
    pub(crate) tags: Vec<bool>,
}

/// A word of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A number.
    Number(u32),
    /// The address of what lies so many bytes behind the region's start.
    Address(u32),
}

impl Region {
    /// The memory of an image of 5.1 that may lie anywhere, whose contents are whole.
    pub(crate) fn of_contents(contents: &[u8]) -> Region {
        let (memory, tags) = contents.split_at(LE::read_u32(&contents[4..]) as usize);
        let words = memory.chunks_exact(4).map(LE::read_u32);
        let tag = |i: usize| tags[i / 8] >> (i % 8) & 1 != 0;
        Region {
            words: words.collect(),
            tags: (0..memory.len() / 4).map(tag).collect(),
        }
    }

    /// Its words.
    pub fn words(&self) -> impl Iterator<Item = Word> {
        let words = self.words.iter().zip(&self.tags);
        words.map(|(word, is_address)| match is_address {
            true => Word::Address(word.wrapping_mul(4)),
            false => Word::Number(*word),
        })
    }

    /// Its bytes where it lies at an address.
    pub fn at(&self, address: u32) -> Vec<u8> {
        let words = self.words().map(|word| match word {
            Word::Number(number) => number,
            Word::Address(offset) => address.wrapping_add(offset),
        });
        words.flat_map(u32::to_le_bytes).collect()
    }
}

/// Makes the memory of the region of an image, as the loader on the chip does it. What belongs to one start of
/// the chip only is left out: the colour of 5.3's collector in the marks of functions.
///
/// # Errors
/// Those of [`read`](crate::read), and that an image is for one address: it is its memory itself.
pub fn region(bytes: &[u8]) -> Result<Region, ReadError> {
    if gzip::is_compressed(bytes) {
        let contents = crate::contents(bytes)?;
        v51::read(&contents).map_err(ReadError::in_contents)?;
        return Ok(Region::of_contents(&contents));
    }
    if v53::is_image(bytes) {
        return v53::region(bytes);
    }
    crate::read(bytes)?;
    Err(ReadError::at(0, "the image is for a fixed address"))
}
