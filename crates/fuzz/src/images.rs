//! Firmware images around a slot, and recomputed checksums, so that the code behind the checks is reached.

use fastlua::Head;
use fastlua_image::{Image, Uf2, Wrong};
use md5::{Digest, Md5};

/// Bytes in front of a slot in its segment.
const BEFORE: usize = 16;
const BLOCK: usize = 512;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A segment that begins at this address with a slot in it.
fn with_slot(address: u32, head: Head) -> Vec<u8> {
    let address = address + BEFORE as u32;
    let slot = Head { address, ..head }.to_slot();
    [vec![0x5a; BEFORE], slot, vec![0xa5; 16]].concat()
}

fn segments(segments: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let each = segments
        .iter()
        .map(|(address, data)| [words(&[*address, data.len() as u32]), data.clone()].concat());
    each.collect::<Vec<_>>().concat()
}

/// An application of an ESP32-C3.
fn esp32(head: Head) -> Vec<u8> {
    let header = [
        0xe9, 2, 2, 0x20, 0, 0, 0x38, 0x40, 0xee, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ];
    let drom = 0x3c00_0020;
    let all = [(drom, with_slot(drom, head)), (0x4038_0000, vec![7; 64])];
    let mut image = [header.to_vec(), segments(&all)].concat();
    image.resize((image.len() | 15) + 1 + 32, 0);
    summed(&image)
}

/// An ESP8266's version 2.
fn esp8266(head: Head) -> Vec<u8> {
    let first = [0xea, 4, 2, 0x40, 0, 0, 0x10, 0x40];
    let second = [0xe9, 1, 2, 0x40, 0, 0, 0x10, 0x40];
    let mut image = [
        first.to_vec(),
        segments(&[(0, with_slot(0x4020_1010, head))]),
    ]
    .concat();
    image.extend(second);
    image.extend(segments(&[(0x4010_0000, vec![7; 64])]));
    image.resize((image.len() | 15) + 5, 1);
    summed(&image)
}

/// The blocks of a UF2 file, every other one with an MD5.
fn uf2(bytes: &[u8]) -> Vec<u8> {
    let count = bytes.len().div_ceil(256);
    let block = |(n, data): (usize, &[u8])| {
        let flags = if n % 2 == 0 { 0x6000 } else { 0x2000 };
        let head = [
            flags,
            256 * n as u32,
            data.len() as u32,
            n as u32,
            count as u32,
            0xd42b_a06c,
        ];
        let mut block = [b"UF2\nWQ]\x9e".to_vec(), words(&head), data.to_vec()].concat();
        block.extend(words(&[256 * n as u32, data.len() as u32]));
        block.resize(BLOCK - 4, 0);
        [block, words(&[0x0ab1_6f30])].concat()
    };
    let blocks = bytes.chunks(256).enumerate().map(block);
    summed(&blocks.collect::<Vec<_>>().concat())
}

/// A small image of each kind with an empty slot.
pub(crate) fn with_slots(head: &Head) -> Vec<Vec<u8>> {
    let app = esp32(head.clone());
    let mut behind = vec![0x33; 40];
    behind.extend(&app);
    behind.extend(&app);
    vec![uf2(&app), behind, app, esp8266(head.clone())]
}

/// The same bytes with checksums that are right.
pub(crate) fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if Uf2::is(&bytes) {
        for block in bytes.chunks_exact_mut(BLOCK) {
            let size = u32::from_le_bytes([block[16], block[17], block[18], block[19]]) as usize;
            if size <= 452 {
                let sum = Md5::digest(&block[32..32 + size]);
                block[32 + size + 8..][..16].copy_from_slice(&sum);
            }
        }
        return bytes;
    }
    let Ok(image) = Image::read(&bytes) else {
        return bytes;
    };
    for part in image
        .parts()
        .iter()
        .rev()
        .filter(|part| !part.checksums.is_empty())
    {
        let start = part.range.start;
        let _ = image.fix_up(&mut bytes, start..start + 1, Wrong::Fix);
    }
    bytes
}
