//! Errors of a project.

use std::io;

use fastlua_bundle::{NameError, NoHeader, NoSlot, ObjectError, TooLarge};
use fastlua_bytecode::printable_name;
use fastlua_source::split::SplitError;

use crate::diagnostic::{Diagnostic, of_fault};
use crate::project::ManifestError;
use crate::{Faults, NoVariant};

/// Why a project can't be read, planned or built. Displays with the file, and the line where there is
/// one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// A `[[module]]` of a `fast.toml` is wrong.
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
    #[error("unknown module {name}: fastlua ships {}", .known.join(", "))]
    NotShipped {
        /// The name.
        name: String,
        /// Those that it ships.
        known: Vec<String>,
    },
    /// A file has the name of a shipped module that is asked for too.
    #[error("{file}: fastlua ships a module with the same name, {name}", file = printable_name(.file))]
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
    #[error(transparent)]
    NoVariant(#[from] NoVariant),
    /// A `fast.toml` asks for a variant that is not known.
    #[error("{file}: {error}", file = printable_name(.file))]
    Variant {
        /// The `fast.toml`.
        file: String,
        /// The name, and the closest ones.
        error: NoVariant,
    },
    /// The list of variants is empty.
    #[error("`variants` is empty: name one, or remove it to build for all of NodeMCU's")]
    NoVariants,
    /// Texts that do not become chunks.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The firmware lacks a module that the chunks need.
    #[error("{}", shown(.0))]
    Lacks(Vec<Diagnostic>),
    /// The build was stopped.
    #[error("the build was stopped")]
    Stopped,
    /// The bundle is too large for the chip's flash.
    #[error("{0}\nleave some out, or build for fewer variants")]
    TooLarge(TooLarge),
    /// A frozen chunk in a header for a C module.
    #[error(transparent)]
    NoHeader(#[from] NoHeader),
    /// Such a slot is not possible.
    #[error(transparent)]
    NoSlot(#[from] NoSlot),
    /// There is no object file of the bundle.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The settings of a firmware tree are unclear.
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

/// A line for each diagnostic: errors as they are, others with their severity.
fn shown(all: &[Diagnostic]) -> String {
    let line = |said: &Diagnostic| match &*said.severity {
        "error" => said.shown(0),
        severity => format!("{severity}: {}", said.shown(0)),
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Error {
    /// All its messages, each with its place.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let text = self.to_string();
        let one = |file: &str, line| vec![Diagnostic::of_file(file, line, &text)];
        match self {
            Error::Lacks(lacks) => lacks.clone(),
            Error::Faults(faults) => {
                let all = faults.all.iter().map(|fault| {
                    let mut said = of_fault(fault);
                    if let Some(because) = fault.because {
                        let names: Vec<&str> = fault.variants.iter().map(String::as_str).collect();
                        said.message += &format!(": {}", because.said(&names, &[&fault.file]));
                    }
                    said
                });
                all.collect()
            }
            Error::Manifest { file, error } => {
                let (line, column) = error.place().unzip();
                vec![Diagnostic {
                    column,
                    ..Diagnostic::of_file(file, line, error.message())
                }]
            }
            Error::Split { file, error } => one(file, Some(error.line)),
            Error::Tree { file, line, reason } => {
                let place = line.map_or(String::new(), |line| format!("line {line}: "));
                let reason = reason.strip_prefix(&place).unwrap_or(reason);
                vec![Diagnostic::of_file(file, *line, reason)]
            }
            Error::File { file, error } => {
                vec![Diagnostic::of_file(
                    file,
                    None,
                    &format!("it can't be read: {error}"),
                )]
            }
            Error::Name(NameError::Form { file, .. }) => one(file, None),
            Error::Name(NameError::Same { second_file, .. }) => one(second_file, None),
            Error::Module { file, .. }
            | Error::Variant { file, .. }
            | Error::SplitName { file }
            | Error::Shipped { file, .. } => one(file, None),
            _ => vec![Diagnostic::error(text)],
        }
    }
}
