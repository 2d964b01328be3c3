//! Names of chunks, and the C identifiers made of them.

use std::collections::{BTreeMap, BTreeSet};

use fastlua_bytecode::printable_name;

/// Bytes of the longest chunk name.
pub(crate) const LONGEST: usize = 63;

/// The fields of `fast` itself: a chunk of such a name is not a field.
const FIELDS: [&str; 7] = [
    "data", "info", "list", "load", "searcher", "size", "verbose",
];

/// The warning about a chunk's name, if any.
pub(crate) fn is_hidden(name: &str) -> Option<String> {
    FIELDS.contains(&name).then(|| {
        format!("fast.{name} is a function of fast itself; load the chunk with fast.load'{name}'")
    })
}

/// A name that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with invalid bytes.
    #[error(
        "{file}: {name:?} is not a valid chunk name: use 1 to {LONGEST} letters, digits, '_', '-' and '.', for data also '/'; \
         rename it with `name` in fast.toml", file = printable_name(.file))]
    Form {
        /// File it came from.
        file: String,
        /// The name.
        name: String,
    },
    /// Two chunks of one name.
    #[error(
        "{first_file} and {second_file}: both have a chunk {name:?}; rename one with `name` in fast.toml", first_file = printable_name(.first_file), second_file = printable_name(.second_file))]
    Same {
        /// Their name.
        name: String,
        /// The file of the first one.
        first_file: String,
        /// The file of the other.
        second_file: String,
    },
    /// A file that is given twice.
    #[error("{file} is given twice", file = printable_name(.file))]
    Twice {
        /// The file.
        file: String,
    },
}

/// The part of a C identifier for a chunk: characters other than letters and digits become `_`.
pub fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

/// The [identifier] of each of these names, which all differ; where two are the same, one has a number behind it.
pub(crate) fn identifiers<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let is_plain = |name: &&str| identifier(name) == *name;
    let mut taken: BTreeSet<String> = names.clone().filter(is_plain).map(str::to_owned).collect();
    let free = |name: &'a str| {
        let plain = identifier(name);
        if plain == name {
            return plain;
        }
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let mut all = [plain.clone()].into_iter().chain(numbered);
        let found = all.find(|id| !taken.contains(id)).unwrap_or(plain);
        taken.insert(found.clone());
        found
    };
    names.map(free).collect()
}

/// Checks (name, file) of each chunk of a bundle, and whether it is data.
pub fn check_names<'a>(
    names: impl IntoIterator<Item = (&'a str, &'a str, bool)>,
) -> Result<(), NameError> {
    let names: Vec<_> = names.into_iter().collect();
    for &(name, file, is_data) in &names {
        let part = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b) || is_data && b == b'/';
        if name.is_empty() || name.len() > LONGEST || !name.bytes().all(part) {
            return Err(NameError::Form {
                file: file.into(),
                name: name.into(),
            });
        }
    }
    check_each_once(names.into_iter().map(|(name, file, _)| (name, file)))
}

/// The same of names of any form: checks that no two of them are the same.
pub fn check_each_once<'a>(
    names: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), NameError> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, file) in names {
        match seen.insert(name, file) {
            None => {}
            Some(first) if first == file => return Err(NameError::Twice { file: file.into() }),
            Some(first) => {
                return Err(NameError::Same {
                    name: name.into(),
                    first_file: first.into(),
                    second_file: file.into(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_fast_are_known() {
        let text = fastlua_firmware::fast_c();
        let (_, table) = text.split_once("LROT_BEGIN(fast, ").unwrap();
        let (table, _) = table.split_once("LROT_END").unwrap();
        let entries = table
            .lines()
            .filter_map(|line| line.trim().strip_prefix("LROT_FUNCENTRY("));
        let names: Vec<&str> = entries
            .map(|entry| entry.split(',').next().unwrap())
            .collect();
        assert_eq!(names, FIELDS);
        assert!(is_hidden("info").unwrap().contains("fast.load'info'"));
        assert_eq!(is_hidden("telnet"), None);
    }

    #[test]
    fn any_name_gives_a_c_identifier() {
        assert_eq!(identifier("ftp-open"), "ftp_open");
        assert_eq!(identifier("2.0"), "2_0");
    }

    #[test]
    fn identifiers_differ() {
        let names = ["a-b", "a.b", "a/b", "a_b", "a_b_2", "c-d", "c.d", "e-f"];
        let ids = identifiers(names.into_iter());
        let expected = [
            "a_b_3", "a_b_4", "a_b_5", "a_b", "a_b_2", "c_d", "c_d_2", "e_f",
        ];
        assert_eq!(ids, expected);
    }

    #[test]
    fn names_that_are_there_twice_and_bad_forms_name_the_files() {
        let same = check_names([
            ("a", "x/a.lua", false),
            ("c", "c.lua", false),
            ("a", "y/a.lua", false),
        ]);
        let says = same.unwrap_err().to_string();
        assert!(
            says.starts_with("x/a.lua and y/a.lua: both have a chunk"),
            "{says}"
        );
        for name in ["", "a b", "ü", "a/b", "x".repeat(64).as_str()] {
            let error = check_names([(name, "f.lua", false)]).unwrap_err();
            assert!(matches!(error, NameError::Form { .. }), "{error}");
        }
        assert_eq!(
            check_names([("while", "a", false), ("9", "b", false), ("a/b", "c", true)]),
            Ok(())
        );
    }
}
