//! Names of chunks, and the C identifiers made of them.

use std::collections::BTreeMap;

/// Bytes of the longest chunk name.
pub(crate) const LONGEST: usize = 63;

/// What `fast` has by itself: a chunk of such a name is no field of it.
const FIELDS: [&str; 7] = [
    "data", "info", "list", "load", "searcher", "size", "verbose",
];

/// What there is to say of a chunk's name.
pub(crate) fn is_hidden(name: &str) -> Option<String> {
    FIELDS.contains(&name).then(|| {
        format!("fast.{name} is a function of fast itself; the chunk is loaded with fast.load'{name}' only")
    })
}

/// A name that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with bytes that are no part of a name.
    #[error(
        "{file}: {name:?} can't be a chunk's name: it takes 1 to {LONGEST} letters, digits, '_', '-' and '.', and data '/' too; \
         give another with `name` in fast.toml"
    )]
    Form {
        /// File it came from.
        file: String,
        /// The name.
        name: String,
    },
    /// Two chunks of one name.
    #[error(
        "{first_file} and {second_file}: both have a chunk {name:?}; give one of them another name with `name` in fast.toml"
    )]
    Same {
        /// Their name.
        name: String,
        /// The file of the one that came first.
        first_file: String,
        /// That of the other.
        second_file: String,
    },
    /// A file that is there twice.
    #[error("{file} is given twice")]
    Twice {
        /// The file.
        file: String,
    },
    /// Two chunks that C could not tell apart.
    #[error(
        "{first_file} and {second_file}: their chunks {first:?} and {second:?} give the same C identifier; \
         give one another name with `name` in fast.toml"
    )]
    Clash {
        /// Name of the one that came first.
        first: String,
        /// Its file.
        first_file: String,
        /// Name of the other.
        second: String,
        /// Its file.
        second_file: String,
    },
}

/// The part of a C identifier that stands for a chunk: what is no letter or digit becomes `_`.
pub fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

/// Checks (name, file) of each chunk of a bundle, and whether it is data.
pub fn check_names<'a>(
    names: impl IntoIterator<Item = (&'a str, &'a str, bool)>,
) -> Result<(), NameError> {
    let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (name, file, is_data) in names {
        let part = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b) || is_data && b == b'/';
        if name.is_empty() || name.len() > LONGEST || !name.bytes().all(part) {
            return Err(NameError::Form {
                file: file.into(),
                name: name.into(),
            });
        }
        if let Some((first, first_file)) = seen.insert(identifier(name), (name, file)) {
            return Err(match (first == name, first_file == file) {
                (true, true) => NameError::Twice { file: file.into() },
                (true, false) => NameError::Same {
                    name: name.into(),
                    first_file: first_file.into(),
                    second_file: file.into(),
                },
                _ => NameError::Clash {
                    first: first.into(),
                    first_file: first_file.into(),
                    second: name.into(),
                    second_file: file.into(),
                },
            });
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
    fn clashes_and_bad_forms_name_the_files() {
        let clash = check_names([
            ("a-b", "x/a-b.lua", false),
            ("c", "c.lua", false),
            ("a_b", "y/a_b.lua", false),
        ]);
        let says = clash.unwrap_err().to_string();
        assert!(
            says.starts_with("x/a-b.lua and y/a_b.lua: their chunks"),
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
