//! What can be wrong with a file, or with a change of it.

use crate::Checksum;
use crate::protection::Protection;

/// Why a file can't be read or a change not be fixed_up. Offsets are bytes from the start of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file, or the partition around the image, ends too early.
    #[error("offset {end:#x}: the image ends here, but {what} goes on to {needed:#x}")]
    Cut {
        /// Where the file or the partition ends.
        end: usize,
        /// What should be there.
        what: &'static str,
        /// Where that ends.
        needed: usize,
    },
    /// A field can't be what it is.
    #[error("offset {offset:#x}: {what}")]
    Header {
        /// The field.
        offset: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An ELF file with tables that can't be.
    #[error("no ELF file of a 32-bit chip: {0}")]
    Elf(object::Error),
    /// The change is in a part that must not be changed.
    #[error("{0}")]
    Protected(Protection),
    /// The change is in the table of partitions.
    #[error("offset {offset:#x}: the table of partitions must not be changed")]
    Table {
        /// Where the table is.
        offset: usize,
    },
    /// A checksum was wrong before the change: something else of the image is damaged.
    #[error("the {0} was wrong before: the image is damaged")]
    Damaged(Checksum),
    /// The change is in two images that overlap.
    #[error(
        "the images at offsets {first:#x} and {second:#x} overlap: which of them is right is not known"
    )]
    Overlap {
        /// Where one begins.
        first: usize,
        /// Where the other one does.
        second: usize,
    },
    /// A file that has far more of what looks like an image than a firmware has.
    #[error("too many places look like images that overlap: this is no firmware")]
    Many,
    /// The change is where a checksum is.
    #[error("the change is over the {0}")]
    Checksum(Checksum),
    /// The change is outside the file.
    #[error("the change ends at offset {end:#x}, but the file at {len:#x}")]
    Outside {
        /// Where the change ends.
        end: usize,
        /// Length of the file.
        len: usize,
    },
    /// The file is longer or shorter than it was, or its headers say something else.
    #[error("the change is not only in the data of segments: the file reads differently now")]
    Restructured,
}

impl From<object::Error> for Error {
    fn from(error: object::Error) -> Error {
        Error::Elf(error)
    }
}
