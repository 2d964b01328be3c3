//! What an image takes of its region.

use bstr::BString;

/// Bytes of an image's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// The functions of each module.
    pub parts: Vec<Part>,
    /// The strings that all of them share, with their table.
    pub strings: usize,
    /// All of it, with what finds the modules.
    pub total: usize,
}

/// What a module takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: BString,
    /// Bytes of its functions, without strings.
    pub bytes: usize,
}

impl Sizes {
    /// Bytes of what finds the modules, and of the header.
    pub fn index(&self) -> usize {
        let modules: usize = self.parts.iter().map(|part| part.bytes).sum();
        self.total.saturating_sub(modules + self.strings)
    }
}
