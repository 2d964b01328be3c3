//! The forms of a chunk.

use std::fmt;
use std::str::FromStr;

use fastlua_firmware::ChunkKind;

use super::closest;

/// The form of a chunk in flash. Its text is a value of `as` in `fast.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// The unchanged source, `plain`.
    Plain,
    /// Squashed source, `source`: one text for all variants that compile it.
    Squashed,
    /// Squashed source, inflated while the chip compiles it.
    Deflated,
    /// Stripped bytecode, one dump for each variant.
    #[default]
    Bytecode,
    /// Bytecode of strip level 2, field by field in codes whose tables are in flash once.
    Packed,
    /// Constant objects of the core's own types, which run in place.
    Frozen {
        /// Whether bytecode is added, for cores without such objects.
        fallback: bool,
    },
    /// Any bytes, which `fast.data` returns as a string.
    Data {
        /// Whether they are a string in flash, which takes no heap if the core uses its table.
        frozen: bool,
    },
    /// Frozen as far as the budget of flash allows, else bytecode, or packed or deflated where that would not fit:
    /// [`choose_forms`](crate::choose_forms) and `Build::fit` decide.
    Auto,
}

/// No form has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown form {name:?}{hint} (forms: {})", Form::NAMED.map(|(name, _)| name).join(", "))]
pub struct FormError {
    name: String,
    hint: String,
}

impl Form {
    /// Every form with its name.
    pub const NAMED: [(&'static str, Form); 9] = [
        ("bytecode", Form::Bytecode),
        ("packed", Form::Packed),
        ("source", Form::Squashed),
        ("deflated", Form::Deflated),
        ("plain", Form::Plain),
        ("frozen", Form::Frozen { fallback: true }),
        ("auto", Form::Auto),
        ("data", Form::Data { frozen: false }),
        ("frozen-data", Form::Data { frozen: true }),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let form = match self {
            Form::Frozen { .. } => Form::Frozen { fallback: true },
            form => form,
        };
        let named = Form::NAMED.iter().find(|(_, known)| *known == form);
        named.map_or("", |(name, _)| name)
    }

    /// Whether the chip compiles it.
    pub fn is_source(self) -> bool {
        matches!(self, Form::Plain | Form::Squashed | Form::Deflated)
    }

    /// Whether it is squashed source, deflated or not.
    pub fn is_squashed(self) -> bool {
        matches!(self, Form::Squashed | Form::Deflated)
    }

    /// Whether it is data and not a chunk.
    pub fn is_data(self) -> bool {
        matches!(self, Form::Data { .. })
    }

    /// Whether it is constant objects.
    pub fn is_frozen(self) -> bool {
        matches!(self, Form::Frozen { .. } | Form::Data { frozen: true })
    }

    /// The kind of the bytes in flash.
    pub fn chunk_kind(self) -> ChunkKind {
        match self {
            Form::Plain | Form::Squashed => ChunkKind::Source,
            Form::Deflated => ChunkKind::Deflated,
            Form::Data { .. } => ChunkKind::Data,
            Form::Packed => ChunkKind::Packed,
            Form::Bytecode | Form::Frozen { .. } | Form::Auto => ChunkKind::Bytecode,
        }
    }

    /// Whether a dump or text of the chunk is in flash.
    pub fn carries_bytes(self) -> bool {
        self != Form::Frozen { fallback: false }
    }

    /// Whether the compiled chunk is needed: it is frozen or packed, or may become so.
    pub(crate) fn keeps_chunk(self) -> bool {
        self.is_frozen() || matches!(self, Form::Packed | Form::Auto)
    }

    /// The same with or without bytecode for cores that can't run frozen chunks.
    pub fn with_fallback(self, fallback: bool) -> Form {
        match self {
            Form::Frozen { .. } => Form::Frozen { fallback },
            form => form,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Form {
    type Err = FormError;

    fn from_str(name: &str) -> Result<Form, FormError> {
        let named = Form::NAMED.iter().find(|(known, _)| *known == name);
        named.map(|(_, form)| *form).ok_or_else(|| {
            let names = Form::NAMED.map(|(name, _)| name);
            FormError {
                name: name.into(),
                hint: closest(name, names)
                    .map_or(String::new(), |n| format!("; did you mean {n}?")),
            }
        })
    }
}

impl<'de> serde::Deserialize<'de> for Form {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Form, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for (name, form) in Form::NAMED {
            assert_eq!(name.parse(), Ok(form));
            assert_eq!(form.name(), name);
        }
        let alone = Form::Frozen { fallback: false };
        assert_eq!(alone.name(), "frozen");
        let error = "frozn".parse::<Form>().unwrap_err().to_string();
        assert!(error.contains("did you mean frozen?"), "{error}");
    }
}
