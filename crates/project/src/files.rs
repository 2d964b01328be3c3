//! Where a project's files are.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};

use glob::{MatchOptions, Pattern};

/// Names to bytes: a folder, an archive, memory. Names are relative to it, with `/` between their
/// parts.
pub trait Files {
    /// The bytes of the file of this name.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read(&self, name: &str) -> Result<Vec<u8>>;

    /// The names that match a pattern such as `lua/*.lua`, sorted. `*`, `?` and `[…]` stand for parts
    /// of one name, `**` for any folders.
    ///
    /// # Errors
    /// What can't be listed.
    fn list(&self, pattern: &Pattern) -> Result<Vec<String>>;

    /// How the user knows a file: what messages call it.
    fn shown(&self, name: &str) -> String {
        name.to_owned()
    }
}

impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let found = self.get(name).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such file"))
    }

    fn list(&self, pattern: &Pattern) -> Result<Vec<String>> {
        let options = MatchOptions {
            require_literal_separator: true,
            ..MatchOptions::new()
        };
        let names = self.keys();
        Ok(names
            .filter(|name| pattern.matches_with(name, options))
            .cloned()
            .collect())
    }
}
