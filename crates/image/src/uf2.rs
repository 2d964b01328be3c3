//! UF2, the format of boot loaders that show the chip as a disk: blocks of 512 bytes, each with its address in the flash.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | two magics |
//! | 8 | 4 | flags: 1 not for the flash, 1000 a file of a container, 2000 a family, 4000 an MD5 |
//! | 12 | 4 | address |
//! | 16 | 4 | bytes of data, at most 476 |
//! | 20 | 8 | number of the block, and how many there are |
//! | 28 | 4 | the family of chips |
//! | 32 | 476 | data; behind it or at the end address, length and MD5 of a range of the flash |
//! | 508 | 4 | a third magic |
//!
//! Sources: the page of the format (github.com/microsoft/uf2, with the list of families) and esptool's `merge-bin --format uf2`.

use md5::{Digest, Md5};
use std::ops::Range;

use crate::Error;
use crate::fields::word;

const BLOCK: usize = 512;
const FIRST: [u8; 8] = *b"UF2\nWQ]\x9e";
const LAST: u32 = 0x0ab1_6f30;
const DATA: usize = 32;
const MOST: usize = 476;
const MD5: usize = 24;

const NOT_FLASH: u32 = 1;
const CONTAINER: u32 = 0x1000;
const FAMILY: u32 = 0x2000;
const HAS_MD5: u32 = 0x4000;

/// The largest flash that is read.
const FLASH: usize = 64 << 20;

const FAMILIES: [(u32, &str); 14] = [
    (0x7eab_61ed, "ESP8266"),
    (0x1c5f_21b0, "ESP32"),
    (0xbfdd_4eee, "ESP32-S2"),
    (0xc47e_5767, "ESP32-S3"),
    (0xd42b_a06c, "ESP32-C3"),
    (0x2b88_d29c, "ESP32-C2"),
    (0x540d_df62, "ESP32-C6"),
    (0x3327_26f6, "ESP32-H2"),
    (0xf71c_0343, "ESP32-C5"),
    (0x77d8_50c4, "ESP32-C61"),
    (0x3d30_8e94, "ESP32-P4"),
    (0xb6dd_00af, "ESP32-H21"),
    (0x9e0b_aa8a, "ESP32-H4"),
    (0x3101_f7c1, "ESP32-S31"),
];

/// A UF2 file, whose blocks are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uf2 {
    family: Option<&'static str>,
    blocks: Vec<Block>,
    len: usize,
    /// Bytes of the flash, up to the last block.
    end: usize,
}

/// A block for the flash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    /// Its data in the file.
    data: Range<usize>,
    /// Its address.
    address: usize,
    /// Where in the file its MD5 is, and of which range of the flash it is.
    md5: Option<(usize, Range<usize>)>,
}

impl Uf2 {
    /// Whether a file begins as a UF2 file.
    pub fn is(file: &[u8]) -> bool {
        file.starts_with(&FIRST)
    }

    /// Reads the blocks, and returns the flash from address 0 on; bytes without a block are ff, like erased flash.
    ///
    /// # Errors
    /// An invalid block, a family of other chips or several families, two blocks with different bytes for one address, a wrong MD5.
    pub fn read(file: &[u8]) -> Result<(Uf2, Vec<u8>), Error> {
        let wrong = |offset: usize, what| Err(Error::Header { offset, what });
        if !file.len().is_multiple_of(BLOCK) {
            return wrong(
                file.len(),
                "a UF2 file has blocks of 512 bytes, but this one ends within a block",
            );
        }
        let mut families = Vec::new();
        let mut blocks = Vec::new();
        for (block, at) in file.chunks_exact(BLOCK).zip((0..).step_by(BLOCK)) {
            let field = |place| word(block, place, "a field of a block");
            let (flags, address, size) = (field(8)?, field(12)? as usize, field(16)? as usize);
            if !block.starts_with(&FIRST) || field(508)? != LAST {
                return wrong(at, "not a UF2 block");
            }
            if flags & CONTAINER != 0 {
                return wrong(at + 8, "a UF2 file that contains files, not flash data");
            }
            if flags & NOT_FLASH != 0 {
                continue;
            }
            if size == 0 || size > MOST {
                return wrong(at + 16, "data size of a block not from 1 to 476 bytes");
            }
            if field(20)? >= field(24)? {
                return wrong(at + 20, "block number out of range");
            }
            if address > FLASH - size {
                return wrong(at + 12, "block address outside of flash");
            }
            let family = (flags & FAMILY != 0).then(|| field(28)).transpose()?;
            let name = family.map(|id| FAMILIES.iter().find(|known| known.0 == id));
            if name == Some(None) {
                return wrong(at + 28, "not a chip family of Espressif");
            }
            families.push((name.flatten().map(|known| known.1), at));
            let data = at + DATA..at + DATA + size;
            let md5 = (flags & HAS_MD5 != 0).then_some((0, 0..0));
            blocks.push(Block { data, address, md5 });
        }
        let family = families.first().and_then(|first| first.0);
        if let Some((_, at)) = families.iter().find(|other| other.0 != family) {
            return wrong(
                at + 28,
                "blocks for several chip families: use a file for one",
            );
        }
        let ends = blocks.iter().map(|b| b.address + b.data.len());
        let end = ends.max().unwrap_or(0);
        let flash = lay_out(file, &blocks, end)?;
        for block in &mut blocks {
            if block.md5.is_some() {
                block.md5 = Some(md5_of(file, block, &flash)?);
            }
        }
        let len = file.len();
        let uf2 = Uf2 {
            family,
            blocks,
            len,
            end,
        };
        Ok((uf2, flash))
    }

    /// The family of chips, if the file names one.
    pub fn family(&self) -> Option<&'static str> {
        self.family
    }

    /// Writes a changed flash into the file that was read: the data of blocks, and the MD5s that depend on it. All else stays.
    ///
    /// # Errors
    /// Another file, or a change where no block is.
    pub fn write(&self, file: &mut [u8], flash: &[u8]) -> Result<(), Error> {
        let [end, len] = [self.end, self.len];
        if file.len() != len || flash.len() != end {
            return Err(Error::Restructured);
        }
        let mut new = file.to_vec();
        for block in &self.blocks {
            let place = block.address..block.address + block.data.len();
            new[block.data.clone()].copy_from_slice(&flash[place]);
        }
        if lay_out(&new, &self.blocks, end)? != flash {
            return Err(Error::Header {
                offset: 0,
                what: "the change lies outside the blocks of the UF2 file",
            });
        }
        for (at, range) in self.blocks.iter().filter_map(|block| block.md5.clone()) {
            new[at..at + 16].copy_from_slice(&Md5::digest(&flash[range]));
        }
        file.copy_from_slice(&new);
        Ok(())
    }
}

fn lay_out(file: &[u8], blocks: &[Block], end: usize) -> Result<Vec<u8>, Error> {
    let mut flash = vec![0xff; end];
    let mut order: Vec<&Block> = blocks.iter().collect();
    order.sort_by_key(|block| (block.address, block.data.start));
    let mut filled = 0;
    for block in order {
        let place = block.address..block.address + block.data.len();
        let data = &file[block.data.clone()];
        let there = place.start..filled.clamp(place.start, place.end);
        if flash[there.clone()] != data[..there.len()] {
            return Err(Error::Header {
                offset: block.data.start,
                what: "two blocks have different data for the same address",
            });
        }
        filled = filled.max(place.end);
        flash[place].copy_from_slice(data);
    }
    Ok(flash)
}

/// Where the MD5 of a block is: behind its data, as esptool has it, or at the end, as the page of the format says.
fn md5_of(file: &[u8], block: &Block, flash: &[u8]) -> Result<(usize, Range<usize>), Error> {
    let start = block.data.start - DATA;
    let last = start + DATA + MOST - MD5;
    for at in [block.data.end, last].into_iter().filter(|at| *at <= last) {
        let [from, length] = [
            word(file, at, "")? as usize,
            word(file, at + 4, "")? as usize,
        ];
        let range = from..from.saturating_add(length);
        let Some(covered) = flash.get(range.clone()).filter(|c| !c.is_empty()) else {
            continue;
        };
        if Md5::digest(covered)[..] == file[at + 8..at + MD5] {
            return Ok((at + 8, range));
        }
    }
    Err(Error::Header {
        offset: block.data.end,
        what: "wrong MD5 of a block",
    })
}
