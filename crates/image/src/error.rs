//! Errors of a file, or of a change of it.

use crate::Checksum;
use crate::protection::Protection;

/// Why a file can't be read, or why its checksums can't be recomputed after a change. Offsets are bytes from the start of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file, or the partition around the image, ends too early.
    #[error("offset {end:#x}: the image ends here, but {what} extends to {needed:#x}")]
    Cut {
        /// The end of the file or the partition.
        end: usize,
        /// The expected item.
        what: &'static str,
        /// The end of that item.
        needed: usize,
    },
    /// A field has an invalid value.
    #[error("offset {offset:#x}: {what}")]
    Header {
        /// The field.
        offset: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An ELF file with invalid tables.
    #[error("not an ELF file of a 32-bit chip: {0}")]
    Elf(object::Error),
    /// The change is in a part that must not be changed.
    #[error("{0}")]
    Protected(Protection),
    /// The change is in the table of partitions.
    #[error("offset {offset:#x}: the partition table must not be changed")]
    Table {
        /// The offset of the table.
        offset: usize,
    },
    /// A checksum was wrong before the change: something else of the image is damaged.
    #[error("the {0} was wrong before: the image is damaged")]
    Damaged(Checksum),
    /// The change is in two images that overlap.
    #[error(
        "the images at offsets {first:#x} and {second:#x} overlap: can't tell which one is valid"
    )]
    Overlap {
        /// The offset of one image.
        first: usize,
        /// The offset of the other.
        second: usize,
    },
    /// A file with far more starts of images than any firmware has.
    #[error("too many overlapping images: not firmware")]
    Many,
    /// The change overlaps a checksum.
    #[error("the change overlaps the {0}")]
    Checksum(Checksum),
    /// The change is outside the file.
    #[error("the change ends at offset {end:#x}, beyond the end of the file at {len:#x}")]
    Outside {
        /// The end of the change.
        end: usize,
        /// Length of the file.
        len: usize,
    },
    /// The length of the file or its headers changed.
    #[error("the change affects more than the data of segments")]
    Restructured,
}

impl From<object::Error> for Error {
    fn from(error: object::Error) -> Error {
        Error::Elf(error)
    }
}
