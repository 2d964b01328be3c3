//! The source of a project's files.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};

use glob::MatchOptions;

/// Bytes of the largest file that a program should give to the library. No firmware, no image of a whole flash and no source is as large.
pub const LARGEST_FILE: u64 = 256 << 20;

/// A pattern of names, such as `lua/*.lua`: `*`, `?` and `[…]` stand for parts of one name, `**` for any folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(glob::Pattern);

/// A pattern that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern syntax error near position {at}: {reason}")]
pub struct PatternError {
    /// Its offset in the pattern, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It has an invalid wildcard.
    pub fn new(text: &str) -> Result<Pattern, PatternError> {
        let pattern = glob::Pattern::new(text);
        pattern.map(Pattern).map_err(|error| PatternError {
            at: error.pos,
            reason: error.msg,
        })
    }

    /// The pattern as it was read.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a name matches. Only `/` and `**` match `/`.
    pub fn matches(&self, name: &str) -> bool {
        let options = MatchOptions {
            require_literal_separator: true,
            ..MatchOptions::new()
        };
        self.0.matches_with(name, options)
    }
}

/// Names to bytes: a folder, an archive, memory. Names are relative to it, with `/` between their
/// parts.
pub trait Files {
    /// The bytes of the file of this name.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, Error>;

    /// The names that match a pattern, sorted.
    ///
    /// # Errors
    /// A folder can't be listed.
    fn list(&self, pattern: &Pattern) -> Result<Vec<String>, Error>;

    /// The name of a file in messages.
    fn shown(&self, name: &str) -> String {
        name.to_owned()
    }
}

impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let found = self.get(name).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such file"))
    }

    fn list(&self, pattern: &Pattern) -> Result<Vec<String>, Error> {
        let names = self.keys();
        Ok(names
            .filter(|name| pattern.matches(name))
            .cloned()
            .collect())
    }
}
