//! Errors and remarks about the inputs, and why some variants refuse a text that others accept.

use fastlua_bytecode::Dialect;
use serde::{Deserialize, Serialize};

/// An error in one input, and the variants that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File, line where there is one, and reason.
    pub message: String,
    /// The chunk; empty if there is none.
    pub chunk: String,
    /// The file as the user gave it; empty if there is none.
    pub file: String,
    /// The line, where there is one.
    pub line: Option<u32>,
    /// The column, where it is known, from 1 on.
    pub column: Option<u32>,
    /// Names of the variants.
    pub variants: Vec<String>,
    /// Why they refuse texts that other variants accept.
    pub because: Option<Because>,
}

impl Fault {
    /// The message without its place.
    pub fn bare(&self) -> &str {
        bare(&self.message, &self.file, self.line)
    }

    /// The message, and the variants unless they are all of `variants`.
    pub fn shown(&self, variants: usize) -> String {
        shown(&self.message, &self.variants, variants)
    }
}

/// A message without the leading file, which Lua may have shortened, and line.
pub fn bare<'a>(message: &'a str, file: &str, line: Option<u32>) -> &'a str {
    let behind_file = message.strip_prefix(file).filter(|_| !file.is_empty());
    if let Some(line) = line {
        let place = format!(":{line}: ");
        let found = match behind_file {
            Some(rest) => rest.strip_prefix(&place),
            None => message
                .split_once(&place)
                .filter(|(before, _)| before.starts_with("..."))
                .map(|(_, rest)| rest),
        };
        if let Some(rest) = found {
            return rest;
        }
    }
    behind_file
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(message)
}

/// A message, and its variants unless they are all of this many.
pub fn shown(message: &str, concerned: &[String], variants: usize) -> String {
    match concerned.len() == variants {
        true => message.to_owned(),
        false => format!("{message} [{}]", concerned.join(", ")),
    }
}

/// A remark on one input, and the variants that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The remark, and the variants.
    pub fault: Fault,
    /// Its severity.
    pub severity: Severity,
    /// Whether it is about finding or loading by `fast`, which is irrelevant for other destinations.
    pub of_fast: bool,
}

/// The severity of an error or remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// It works as written: only worth knowing.
    Note,
    /// It may do something else than its source says.
    Warning,
    /// The chip would refuse it.
    Refused,
}

impl Severity {
    /// Its name in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Refused => "error",
        }
    }
}

/// Why a variant refuses a text that another one accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// It has no fractions.
    WholeNumbers,
    /// It has the other Lua; the text is for this one.
    Other(Dialect),
}

impl Because {
    /// As a sentence about these variants and files.
    pub fn said(self, variants: &[&str], files: &[&str]) -> String {
        let names = listed(variants);
        match (self, variants.len()) {
            (Because::WholeNumbers, 1) => format!("{names} has only integers"),
            (Because::WholeNumbers, _) => format!("{names} have only integers"),
            (Because::Other(dialect), count) => {
                let other = other(dialect);
                let has = if count == 1 { "has" } else { "have" };
                let files = match files.len() {
                    1 => format!("{} is", files[0]),
                    2 | 3 => format!("{} are", listed(files)),
                    many => format!("{many} files are"),
                };
                format!("{files} Lua {dialect}, but {names} {has} Lua {other}")
            }
        }
    }
}

/// The Lua that it is not.
pub(crate) fn other(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::Lua51 => Dialect::Lua53,
        Dialect::Lua53 => Dialect::Lua51,
    }
}

/// Names as a list in a sentence.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
