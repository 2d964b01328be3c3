//! What can be wrong with a project.

use std::io;

use fastlua_bundle::{NameError, NoHeader, NoSlot, ObjectError, TooLarge};
use fastlua_bytecode::printable_name;
use fastlua_source::split::SplitError;

use crate::Faults;
use crate::manifest::ManifestError;

/// Why a project can't be read, planned or built. Displays with the file, and the line where there is
/// one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read.
    #[error("{file} can't be read: {error}", file = printable_name(.file))]
    File {
        /// The file, as the user knows it.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// A `fast.toml` is no manifest.
    #[error("{file}: {error}", file = printable_name(.file))]
    Manifest {
        /// The file.
        file: String,
        /// Place and reason.
        error: ManifestError,
    },
    /// A `[[module]]` of a `fast.toml` can't be followed.
    #[error("{file}: module {path:?}: {reason}", file = printable_name(.file))]
    Module {
        /// The `fast.toml`.
        file: String,
        /// The module's `path`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A SPLIT marker is wrong.
    #[error("{file}:{}: {}", .error.line, .error.kind, file = printable_name(.file))]
    Split {
        /// The file.
        file: String,
        /// Line and reason.
        error: SplitError,
    },
    /// A module that SPLIT markers cut into chunks has a name of its own.
    #[error("{file}: its SPLIT markers name its chunks; leave out `name`, or set `split = false`", file = printable_name(.file))]
    SplitName {
        /// The file.
        file: String,
    },
    /// fastlua ships no module of this name.
    #[error("no module is named {name}: fastlua ships {}", .known.join(", "))]
    NotShipped {
        /// The name.
        name: String,
        /// Those that it ships.
        known: Vec<String>,
    },
    /// A file has the name of a shipped module that is asked for too.
    #[error("{file}: fastlua ships a module {name} too", file = printable_name(.file))]
    Shipped {
        /// The file.
        file: String,
        /// The module.
        name: String,
    },
    /// A chunk can't have its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No variant has this name.
    #[error("no variant is named {name}{}", meant(.closest))]
    NoVariant {
        /// The name.
        name: String,
        /// The names of which one was probably meant.
        closest: Vec<String>,
    },
    /// The list of variants is empty.
    #[error("`variants` is empty: name one, or leave it out for all of NodeMCU's")]
    NoVariants,
    /// Texts that do not become chunks.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The bundle is too large for the chip's flash.
    #[error("{0}\nleave some out, or build for fewer variants")]
    TooLarge(TooLarge),
    /// A frozen chunk in a header for a C module.
    #[error(transparent)]
    NoHeader(#[from] NoHeader),
    /// There can be no such slot.
    #[error(transparent)]
    NoSlot(#[from] NoSlot),
    /// There is no object file of the bundle.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A firmware tree does not say what it is set to.
    #[error("{file}: {reason}")]
    Tree {
        /// The file, or the tree's folder.
        file: String,
        /// The line, where there is one.
        line: Option<u32>,
        /// What is wrong, and the line.
        reason: String,
    },
}

/// Asks whether one of these names was meant.
fn meant(names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", names.join(" or ")),
    }
}
