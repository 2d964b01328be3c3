//! Unsupported formats of firmware, by their first bytes.

/// A file of an unsupported format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is {name}: {advice}")]
pub struct OtherFormat {
    /// The format, with its article.
    pub name: &'static str,
    /// How to convert the file.
    pub advice: &'static str,
}

const UNPACK: &str = "unpack it, and use the firmware inside";

/// The first bytes of these formats.
const MAGICS: [(&[u8], &str, &str); 8] = [
    (
        b"\x1f\x8b",
        "a gzip file, but not an LFS image of luac.cross",
        "unpack it with `gunzip`",
    ),
    (b"\xfd7zXZ\0", "an xz file", "unpack it with `unxz`"),
    (b"BZh", "a bzip2 file", "unpack it with `bunzip2`"),
    (
        b"\x28\xb5\x2f\xfd",
        "a Zstandard file",
        "unpack it with `unzstd`",
    ),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a rar archive", UNPACK),
    (b"DfuSe", "a DfuSe file", UNPACK),
];

/// The format of a file; none where it may be read.
pub(crate) fn of(file: &[u8]) -> Option<OtherFormat> {
    let known = MAGICS.iter().find(|(magic, ..)| file.starts_with(magic));
    if let Some((_, name, advice)) = known {
        return Some(OtherFormat { name, advice });
    }
    if file.get(257..262) == Some(b"ustar") {
        let name = "a tar archive";
        let advice = UNPACK;
        return Some(OtherFormat { name, advice });
    }
    let start = file.iter().position(|b| !b.is_ascii_whitespace())?;
    let line = file[start..].split(|b| matches!(b, b'\r' | b'\n')).next()?;
    match line {
        [b':', digits @ ..] if sum(digits) == Some(0) => Some(OtherFormat {
            name: "an Intel HEX file",
            advice: "convert it with `objcopy -I ihex -O binary FILE.hex FILE.bin`",
        }),
        [b'S', b'0'..=b'9', digits @ ..] if sum(digits) == Some(0xff) => Some(OtherFormat {
            name: "an S-record file",
            advice: "convert it with `objcopy -I srec -O binary FILE.srec FILE.bin`",
        }),
        _ => None,
    }
}

/// The sum of a line's bytes, of which the checksum is one; none if it is not a line of hexadecimal digits.
fn sum(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() < 3 || !rest.is_empty() {
        return None;
    }
    pairs.iter().try_fold(0u8, |sum, [high, low]| {
        Some(sum.wrapping_add((digit(*high)? << 4 | digit(*low)?) as u8))
    })
}
