//! Parts that can't be changed without a key.
//!
//! Secure boot, version 1: directly behind the hash, which the image must have, a word that is 0 and an ECDSA signature, 68 bytes
//! in all. Version 2: at the next multiple of 4096 bytes, or directly behind the image (`espsecure sign-data --skip-padding`), a
//! sector of signature blocks, each with magic e7, version 2 (RSA) or 3 (ECDSA), the kind of hash (0 or 1) and a byte 0. Sources:
//! ESP-IDF's `esp_secure_boot.h` and `verify_secure_boot_signature` in `esp_image_format.c`, espsecure's `sign_secure_boot_v1`,
//! `sign_secure_boot_v2` and `generate_…_signature_block`. Whether a chip asks for a signature, no file says.
//!
//! Flash encryption leaves no mark. An encrypted file is [`crate::Kind::Raw`], and so is a dump with all of it encrypted. Only
//! a readable partition table shows it, if an application has no magic at its offset, and even then not for certain.

use std::fmt;

const V1_BLOCK: usize = 68;
const SECTOR: usize = 4096;

/// Why a part must not be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// It is not linked yet.
    Unlinked,
    /// A signature of secure boot.
    Signed {
        /// Version of secure boot, 1 or 2.
        version: u8,
        /// The offset of the signature.
        offset: usize,
    },
    /// A partition for an application that holds something else: it may be encrypted.
    Unreadable {
        /// The offset of the partition.
        offset: usize,
        /// Whether the table says that it is encrypted. Applications are, on a chip with flash encryption, whatever it says.
        marked: bool,
    },
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Protection::Unlinked => {
                f.write_str("not linked yet: change the firmware that it is linked into")
            }
            Protection::Signed { version, offset } => write!(
                f,
                "offset {offset:#x}: a secure boot signature, version {version}: a changed image must be signed again"
            ),
            Protection::Unreadable { offset, marked } => {
                let encrypted = if *marked {
                    "the partition table marks it as encrypted"
                } else {
                    "it may be encrypted"
                };
                write!(
                    f,
                    "offset {offset:#x}: no image in an app partition: {encrypted}"
                )
            }
        }
    }
}

/// The signature of the image from `start` to `end`, and where the signature ends. `hashed` is whether a hash was appended.
pub(crate) fn signature(
    bytes: &[u8],
    start: usize,
    end: usize,
    hashed: bool,
) -> Option<(Protection, usize)> {
    let signed = |version, offset, len| {
        let protection = Protection::Signed { version, offset };
        (protection, bytes.len().min(offset + len))
    };
    if let Some([0, 0, 0, 0, signature @ ..]) = bytes.get(end..end + V1_BLOCK)
        && !all_same(signature)
        && hashed
    {
        return Some(signed(1, end, V1_BLOCK));
    }
    let sector = start + (end - start).next_multiple_of(SECTOR);
    let is_block = |at: &usize| matches!(bytes.get(*at..), Some([0xe7, 2 | 3, 0 | 1, 0, ..]));
    let block = [end, sector].into_iter().find(is_block)?;
    Some(signed(2, block, SECTOR))
}

/// Whether nothing was written here: erased flash or padding.
pub(crate) fn all_same(bytes: &[u8]) -> bool {
    matches!(bytes.first(), None | Some(0 | 0xff)) && bytes.windows(2).all(|two| two[0] == two[1])
}
