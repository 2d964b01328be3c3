//! `fast.toml`: the modules of a bundle and their settings.

use fastlua_bundle::{Budget, Form, closest};
use fastlua_bytecode::Strip;
use fastlua_source::place::column;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A `fast.toml`. The same keys in a module override those of the whole.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What is dropped from bytecode: in text a strip level, 0 to 2.
    #[serde(default, deserialize_with = "strip_level")]
    pub strip: Option<Strip>,
    /// Names of the variants to build.
    pub variants: Option<Vec<String>>,
    /// The name of a form.
    #[serde(rename = "as")]
    pub form: Option<Form>,
    /// Whether a frozen chunk is carried as bytecode too; it is unless this is false.
    pub fallback: Option<bool>,
    /// Globals that code elsewhere sets, for `fastlua needs`.
    #[serde(default)]
    pub globals: Vec<String>,
    /// The budget of all modules in `fastlua bench`.
    pub budget: Option<Budget>,
    /// The modules' version, for a bill of materials.
    pub version: Option<String>,
    /// Their licence, as an SPDX expression, likewise.
    pub license: Option<String>,
    /// The modules, `[[module]]` each.
    #[serde(default, rename = "module")]
    pub modules: Vec<ManifestModule>,
}

/// One `[[module]]`.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ManifestModule {
    /// A file or a glob, relative to the folder of `fast.toml`.
    pub path: String,
    /// Name of the chunk; the file's stem where it is not given.
    pub name: Option<String>,
    /// What is dropped from bytecode: in text a strip level, 0 to 2.
    #[serde(default, deserialize_with = "strip_level")]
    pub strip: Option<Strip>,
    /// Names of the variants that carry it.
    pub variants: Option<Vec<String>>,
    /// `bytecode`, `source`, `plain`, `frozen` or `auto`.
    #[serde(rename = "as")]
    pub form: Option<Form>,
    /// Whether a frozen chunk is carried as bytecode too; it is unless this is false.
    pub fallback: Option<bool>,
    /// Whether SPLIT markers cut it into chunks; they do unless this is false.
    pub split: Option<bool>,
    /// Its budget in `fastlua bench`.
    pub budget: Option<Budget>,
    /// Its version, for a bill of materials.
    pub version: Option<String>,
    /// Its licence, as an SPDX expression, likewise.
    pub license: Option<String>,
}

/// A `fast.toml` that can't be used: place, reason and a suggestion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ManifestError {
    /// The whole message, perhaps with the line of the file.
    text: String,
    /// The same without place and line.
    message: String,
    /// Line and column, from 1 on.
    place: Option<(u32, u32)>,
}

impl ManifestError {
    fn new(message: String) -> ManifestError {
        ManifestError {
            text: message.clone(),
            message,
            place: None,
        }
    }

    /// The reason, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Line and column, from 1 on, where they are known.
    pub fn place(&self) -> Option<(u32, u32)> {
        self.place
    }
}

impl Manifest {
    /// Reads the bytes of a `fast.toml`.
    ///
    /// # Errors
    /// Place, reason, and what was probably meant.
    pub fn from_bytes(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Manifest::parse(text),
            Err(error) => Err(ManifestError::new(format!("not UTF-8: {error}"))),
        }
    }

    /// Reads the text of a `fast.toml`.
    ///
    /// # Errors
    /// As [`Manifest::from_bytes`].
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| {
            let hint = suggestion(error.message());
            let line = |start: usize| 1 + text[..start].matches('\n').count() as u32;
            let at = error.span().map(|span| span.start);
            ManifestError {
                text: format!("{}{hint}", error.to_string().trim_end()),
                message: format!("{}{hint}", error.message()),
                place: at.map(|start| (line(start), column(text.as_bytes(), start))),
            }
        })?;
        if manifest.modules.is_empty() {
            return Err(ManifestError::new(
                "no module: add a `[[module]]` with a `path`".into(),
            ));
        }
        Ok(manifest)
    }
}

/// Reads a strip level.
fn strip_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Strip>, D::Error> {
    let level = i64::deserialize(deserializer)?;
    let strip = u8::try_from(level).ok().and_then(Strip::from_level);
    let wrong = || D::Error::custom(format!("strip = {level}: must be 0, 1 or 2"));
    strip.map(Some).ok_or_else(wrong)
}

/// `; did you mean …?` for serde's message on an unknown key, which quotes the key first and then
/// those that are known.
fn suggestion(message: &str) -> String {
    if !message.starts_with("unknown field") {
        return String::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or("");
    match closest(unknown, quoted) {
        Some(name) => format!("\ndid you mean `{name}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_or_suggested() {
        let text = "strip = 1\n[[module]]\npath = \"a.lua\"\nnmae = \"b\"\n";
        let error = Manifest::parse(text).unwrap_err().to_string();
        assert!(error.contains("line 4"), "{error}");
        assert_eq!(Manifest::parse(text).unwrap_err().place(), Some((4, 1)));
        assert!(error.ends_with("did you mean `name`?"), "{error}");
        assert!(Manifest::parse(&text.replace("nmae", "name")).is_ok());
        assert!(Manifest::parse("").is_err());
    }
}
