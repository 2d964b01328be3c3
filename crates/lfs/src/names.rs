//! Names of modules.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use crate::WriteError;

/// The name that `luac.cross` gives the module of a file: without folders, without the points in front, and up
/// to the next point. None where nothing is left.
pub fn core_name(file: &str) -> Option<&str> {
    let name = match file.rsplit_once('/') {
        Some((_, name)) => name,
        None => file.rsplit_once('\\').map_or(file, |(_, name)| name),
    };
    let name = name.trim_start_matches('.');
    let name = name.split('.').next().unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// Whether the chip can tell modules of these names apart.
pub(crate) fn check<'a>(names: impl Iterator<Item = &'a BString>) -> Result<(), WriteError> {
    let mut seen = HashSet::new();
    for name in names {
        if name.is_empty() || name.contains(&0) {
            return Err(WriteError::Name(name.clone()));
        }
        if !seen.insert(name.as_bstr()) {
            return Err(WriteError::Twice(name.clone()));
        }
    }
    Ok(())
}

/// The first module that 5.3 does not find. It keeps them in a table as it has for its own libraries, in which it
/// looks for a name that begins with `__` no further than such names go.
pub(crate) fn hidden<'a>(names: impl Iterator<Item = &'a BString>) -> Option<&'a BString> {
    names
        .skip_while(|name| is_special(name))
        .find(|name| is_special(name))
}

/// Whether a name begins as those of 5.3's events do.
pub(crate) fn is_special(name: &BString) -> bool {
    name.starts_with(b"__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_luac_cross() {
        let of = |file| core_name(file).unwrap_or("");
        assert_eq!(of("lua/telnet.lua"), "telnet");
        assert_eq!(of("../a/..b.c.lua"), "b");
        assert_eq!(of("C:\\lua\\x.lc"), "x");
        assert_eq!(of("a\\b/c\\d.lua"), "c\\d");
        assert_eq!(of("plain"), "plain");
        assert_eq!(of("a/..."), "");
    }
}
