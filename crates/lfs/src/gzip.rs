//! The compressed form of a 5.1 image: one member of gzip, with the header that `luac.cross` gives it.

use byteorder::{ByteOrder, LE};
use fastlua_firmware::deflate::{Memory, inflate, smallest, stored};

use crate::{LONGEST, ReadError};

/// Method deflate, no name, no time, fastest, Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
/// CRC-32 and length.
const TRAILER: usize = 8;
/// The loader takes no file of this length or less for an image.
const TOO_SHORT: usize = 200;
/// The loader's window: it counts from 1, so its first byte can't be repeated.
const MEMORY: Memory = Memory {
    window: 16_384,
    first: false,
};
/// The compressor's window is 2 to the power of this, so that it stays below the loader's.
const WINDOW_BITS: i32 = 14;

/// Whether bytes begin as compressed ones do.
pub(crate) fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&HEADER)
}

/// The contents.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let differs = HEADER.iter().zip(bytes).position(|(a, b)| a != b);
    if let Some(offset) = differs {
        return Err(ReadError::at(
            offset,
            "not the gzip header that luac.cross writes",
        ));
    }
    if bytes.len() <= TOO_SHORT {
        return Err(ReadError::at(
            bytes.len(),
            "the image ends here, but the chip accepts none of 200 bytes or less",
        ));
    }
    let body = &bytes[HEADER.len()..];
    let (contents, length) = inflate(body, LONGEST + LONGEST / 32, MEMORY)
        .map_err(|(at, what)| ReadError::at(HEADER.len() + at, what))?;
    let end = HEADER.len() + length;
    let trailer = &bytes[end..];
    if trailer.len() < TRAILER {
        return Err(ReadError::at(
            bytes.len(),
            "the image ends before its checksum and length",
        ));
    }
    if LE::read_u32(trailer) != crc32fast::hash(&contents) {
        return Err(ReadError::at(end, "wrong CRC-32 of the contents"));
    }
    if LE::read_u32(&trailer[4..]) as usize != contents.len() {
        return Err(ReadError::at(end + 4, "wrong length of the contents"));
    }
    match trailer.len() {
        TRAILER => Ok(contents),
        _ => Err(ReadError::at(
            end + TRAILER,
            "trailing bytes after the image",
        )),
    }
}

/// Compresses contents, as small as it gets in this window; just not so small that the loader refuses them.
pub(crate) fn write(contents: &[u8]) -> Vec<u8> {
    let least = smallest(contents, WINDOW_BITS..=WINDOW_BITS, MEMORY);
    let short = least.map(|body| member(contents, body));
    match short.filter(|bytes| bytes.len() > TOO_SHORT) {
        Some(bytes) => bytes,
        None => member(contents, stored(contents).unwrap_or_default()),
    }
}

fn member(contents: &[u8], body: Vec<u8>) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    bytes.extend(body);
    bytes.extend(crc32fast::hash(contents).to_le_bytes());
    bytes.extend((contents.len() as u32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let mut state = 7u32;
        for length in [0, 1, 200, 3000, 40_000, 200_000] {
            // words of few bits: matches of every distance
            let mut contents: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 16) % 3) as u8
                })
                .collect();
            contents.extend([7; 400]);
            let copy = contents.len().min(17_000);
            contents.extend_from_within(contents.len() - copy..);
            let bytes = write(&contents);
            assert_eq!(read(&bytes).unwrap(), contents);
            assert!(bytes.len() > TOO_SHORT);
        }
    }
}
