//! Images for the tests, made here, and bytes to fill them.

#![allow(dead_code)] // each test uses some of it

pub mod esptool;
pub mod samples;

/// Bytes that look random, the same each time.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

pub fn filled(len: usize) -> Vec<u8> {
    Random::new(len as u64).bytes(len)
}

fn words(words: &[u32]) -> impl Iterator<Item = u8> {
    words.iter().flat_map(|word| word.to_le_bytes())
}

/// A segment's address and data.
pub type Data = (u32, Vec<u8>);

fn made(segments: &[(u32, usize)]) -> Vec<Data> {
    let segments = segments.iter();
    segments.map(|(at, len)| (*at, filled(*len))).collect()
}

fn put_segments(image: &mut Vec<u8>, segments: &[Data]) -> u8 {
    let mut sum = 0xef;
    for (address, data) in segments {
        image.extend(words(&[*address, data.len() as u32]));
        sum = data.iter().fold(sum, |s, b| s ^ b);
        image.extend(data);
    }
    sum
}

fn put_checksum(image: &mut Vec<u8>, sum: u8) {
    image.resize((image.len() | 15) + 1, 0);
    *image.last_mut().unwrap() = sum;
}

/// An ESP8266's version 1.
pub fn v1(segments: &[(u32, usize)]) -> Vec<u8> {
    let mut image = vec![0xe9, segments.len() as u8, 2, 0x40, 0, 0, 0x10, 0x40];
    let sum = put_segments(&mut image, &made(segments));
    put_checksum(&mut image, sum);
    image
}

/// An ESP8266's version 2.
pub fn v2(flash: usize, segments: &[(u32, usize)]) -> Vec<u8> {
    v2_of(filled(flash), segments)
}

/// An ESP8266's version 2 with this flash segment.
pub fn v2_of(flash: Vec<u8>, segments: &[(u32, usize)]) -> Vec<u8> {
    let mut image = vec![0xea, 4, 2, 0x40, 0, 0, 0x10, 0x40];
    put_segments(&mut image, &[(0, flash)]);
    image.extend([0xe9, segments.len() as u8, 2, 0x40, 0, 0, 0x10, 0x40]);
    let sum = put_segments(&mut image, &made(segments));
    put_checksum(&mut image, sum);
    let crc = crc32fast::hash(&image) as i32;
    let crc = if crc < 0 { -(crc + 1) } else { crc + 1 };
    image.extend(crc.to_le_bytes());
    image
}

/// An image of the ESP32 family, with its hash.
pub fn esp32(chip: u8, segments: &[(u32, usize)]) -> Vec<u8> {
    esp32_of(chip, &made(segments))
}

/// An image of the ESP32 family with these segments.
pub fn esp32_of(chip: u8, segments: &[Data]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut image = vec![0xe9, segments.len() as u8, 2, 0x20, 0, 0, 8, 0x40];
    image.extend([0xee, 0, 0, 0, chip, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let sum = put_segments(&mut image, segments);
    put_checksum(&mut image, sum);
    let hash = Sha256::digest(&image);
    image.extend(hash);
    image
}

pub const ESP8266_RAM: &[(u32, usize)] = &[(0x4010_0000, 0x304), (0x3ffe_8000, 0x90)];
pub const ESP32_APPLICATION: &[(u32, usize)] = &[
    (0x3f40_0020, 0x400),
    (0, 0x40),
    (0x3ffb_0000, 0x84),
    (0x400d_0020, 0x500),
    (0x4008_0000, 0x200),
];

/// The table of partitions: type, offset, size and flags of each, then what stands for the MD5.
pub fn table(partitions: &[(u8, u32, u32, u32)]) -> Vec<u8> {
    let mut table = Vec::new();
    for (kind, offset, size, flags) in partitions {
        table.extend([0xaa, 0x50, *kind, 0]);
        table.extend(words(&[*offset, *size]));
        table.extend(b"a partition\0\0\0\0\0");
        table.extend(words(&[*flags]));
    }
    table.extend([0xeb, 0xeb]);
    table.extend([0xff; 14]);
    table.extend([0x5a; 16]);
    table
}

/// Files at their places, the rest erased.
pub fn flash(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut flash = Vec::new();
    for (place, bytes) in parts {
        flash.resize(flash.len().max(place + bytes.len()), 0xff);
        flash[*place..][..bytes.len()].copy_from_slice(bytes);
    }
    flash
}

/// An ELF file of a 32-bit chip with these sections, each loaded at its address.
pub fn elf(machine: u16, sections: &[(&str, u32, Vec<u8>)]) -> Vec<u8> {
    const HEADER: u32 = 52;
    const PROGRAM: u32 = 32;
    const SECTION: u32 = 40;
    let count = sections.len() as u32;
    let mut data = Vec::new();
    let mut names = vec![0];
    let mut programs = Vec::new();
    let mut headers = vec![0; SECTION as usize];
    for (name, address, bytes) in sections {
        let (offset, len) = (
            HEADER + count * PROGRAM + data.len() as u32,
            bytes.len() as u32,
        );
        programs.extend(words(&[1, offset, *address, *address, len, len, 5, 4]));
        let name_at = names.len() as u32;
        headers.extend(words(&[name_at, 1, 2, *address, offset, len, 0, 0, 4, 0]));
        names.extend(name.bytes().chain([0]));
        data.extend(bytes);
    }
    let names_at = HEADER + count * PROGRAM + data.len() as u32;
    let (name_at, len) = (names.len() as u32, names.len() as u32 + 10);
    names.extend(b".shstrtab\0");
    headers.extend(words(&[name_at, 3, 0, 0, names_at, len, 0, 0, 1, 0]));

    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |elf: &mut Vec<u8>, value: u32| elf.extend((value as u16).to_le_bytes());
    half(&mut elf, 2);
    half(&mut elf, machine.into());
    elf.extend(words(&[1, sections[0].1, HEADER, names_at + len, 0]));
    for value in [HEADER, PROGRAM, count, SECTION, count + 2, count + 1] {
        half(&mut elf, value);
    }
    for block in [programs, data, names, headers] {
        elf.extend(block);
    }
    elf
}
