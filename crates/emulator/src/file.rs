//! Files of an image, and why there is none.

use std::io;
use std::path::PathBuf;

use fastlua_cores::edits::EditError;

/// Name (without folders) and content of a file of an image. A name that ends in `.c` or `.S` is
/// compiled and linked, one that ends in `.o` is an object, which is linked as it is; others lie beside
/// them, to be included.
pub type File<'a> = (&'a str, &'a [u8]);

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The compiler or linker refused something.
    #[error("{what} failed: {errors}")]
    Tool {
        /// What was compiled or linked.
        what: String,
        /// The tool's words.
        errors: String,
    },
    /// Lua's sources are not those that the read-only objects were made for: a fault of ours.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A file's name has folders, or is one of the image's own.
    #[error("{0:?} is not a valid file name in an image")]
    Name(String),
    /// A file or folder.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}
