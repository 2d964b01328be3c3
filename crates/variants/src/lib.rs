//! Firmware variants as data: each is a TOML file that gives the number model, the dump's format
//! and widths, the preprocessor conditions that choose it and the assertions that guard it.

mod condition;
mod kconfig;
mod preprocess;
pub mod tree;

use std::collections::BTreeMap;
use std::ops::Range;

use fastlua_bytecode::{Format, Layout, NumberModel};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

pub use condition::{Condition, ConditionError, Macros};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/variants");

/// A Lua as some firmware builds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The file's name without `.toml`.
    pub name: String,
    /// One line for a person.
    pub summary: String,
    /// Format and widths of its dumps; the number model follows from them.
    pub layout: Layout,
    /// C expressions that hold where the variant is chosen.
    pub asserts: Vec<String>,
    /// By target (`esp8266`, `esp32`, `host`, …), the preprocessor condition that chooses it.
    pub select: BTreeMap<String, Condition>,
}

impl Variant {
    /// Whether its dumps are NodeMCU's, so that bundles carry it unless told otherwise.
    pub fn is_nodemcu(&self) -> bool {
        self.layout.format.is_nodemcu()
    }
}

/// What is wrong with a variant's file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VariantError {
    /// Not TOML, a key missing or unknown, a value of the wrong type.
    #[error("{file}: {text}")]
    Toml {
        /// File name.
        file: String,
        /// Place and reason, with the line as it stands there.
        text: String,
        /// The reason alone.
        reason: String,
        /// Where in the text it is, in bytes.
        span: Option<Range<usize>>,
    },
    /// Values that no dump has.
    #[error("{file}: {reason}")]
    Value {
        /// File name.
        file: String,
        /// What is allowed.
        reason: String,
    },
}

/// A set of variants, by name.
#[derive(Debug, Clone)]
pub struct Variants(BTreeMap<String, Variant>);

impl Variants {
    /// Those of `variants/`: all that NodeMCU has, and stock Lua with the same number models.
    pub fn built_in() -> Variants {
        let mut set = Variants(BTreeMap::new());
        for file in BUILT_IN.files() {
            let name = file.path().display().to_string();
            let text = file.contents_utf8().expect("built-in variants are UTF-8");
            set.add(&name, text)
                .expect("built-in variants are valid: a test reads them");
        }
        set
    }

    /// Adds the variant that the file `file` (its name ends in `.toml`) with this text defines, or
    /// replaces the one of that name.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), VariantError> {
        let name = file.strip_suffix(".toml").unwrap_or(file);
        let raw: Raw = toml::from_str(text).map_err(|error| VariantError::Toml {
            file: file.into(),
            text: error.to_string(),
            reason: error.message().into(),
            span: error.span(),
        })?;
        let variant = raw.check(name).map_err(|reason| VariantError::Value {
            file: file.into(),
            reason,
        })?;
        self.0.insert(name.into(), variant);
        Ok(())
    }

    /// The variant of that name.
    pub fn get(&self, name: &str) -> Option<&Variant> {
        self.0.get(name)
    }

    /// NodeMCU's, in the order of their names.
    pub fn nodemcu(&self) -> Vec<Variant> {
        self.iter().filter(|v| v.is_nodemcu()).cloned().collect()
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Variant> {
        self.0.values()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    summary: String,
    format: RawFormat,
    integer: u8,
    float: u8,
    size_t: u8,
    assert: Vec<String>,
    select: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawFormat {
    NodeMcu51,
    NodeMcu53,
    Puc51,
    Puc53,
}

/// What a name is made of.
const NAME: &str = "up to 31 letters, digits, '-', '_' and '.'";

fn is_name(name: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..32).contains(&name.len()) && name.bytes().all(part)
}

/// Whether a text is safe as the first argument of a `_Static_assert`: printable ASCII, parentheses that
/// match, and nothing that ends an argument or an expression, or begins a comment, string, directive or trigraph.
fn is_expression(text: &str) -> bool {
    let parts = [";", "{", "}", "\"", "'", "\\", "#", "//", "/*", "??"];
    let mut open = 0usize;
    let matches = text.bytes().all(|byte| {
        open = match byte {
            b'(' => open + 1,
            b')' => open.wrapping_sub(1),
            _ => open,
        };
        let is_next_argument = byte == b',' && open == 0;
        condition::is_printable(byte) && open <= text.len() && !is_next_argument
    });
    matches && open == 0 && !text.trim().is_empty() && !parts.iter().any(|part| text.contains(part))
}

impl Raw {
    fn check(self, name: &str) -> Result<Variant, String> {
        let layout = Layout {
            format: match self.format {
                RawFormat::NodeMcu51 => Format::NodeMcu51,
                RawFormat::NodeMcu53 => Format::NodeMcu53,
                RawFormat::Puc51 => Format::Puc51,
                RawFormat::Puc53 => Format::Puc53,
            },
            integer: self.integer,
            float: self.float,
            size_t: self.size_t,
        };
        let model = layout.numbers();
        if !NumberModel::ALL.contains(&model) {
            let of_dialect = |known: &&NumberModel| known.dialect == model.dialect;
            let known = NumberModel::ALL.iter().filter(of_dialect);
            let known: Vec<String> = known
                .map(|known| format!("{} and {}", known.integer, known.float))
                .collect();
            return Err(format!(
                "no Lua has integers of {} and floats of {} bytes; the format has {}",
                self.integer,
                self.float,
                known.join(", ")
            ));
        }
        if !layout.is_possible() {
            return Err(format!(
                "size_t of {} bytes, not 4 (or 8 for stock Lua)",
                self.size_t
            ));
        }
        if !is_name(name) {
            return Err(format!("{name:?}: a variant's name has {NAME}"));
        }
        if self.select.is_empty() {
            return Err("[select] is empty: give at least one target's condition".into());
        }
        if let Some(text) = self.assert.iter().find(|text| !is_expression(text)) {
            return Err(format!(
                "{text:?} in `assert` is not a C expression on one line"
            ));
        }
        if self.summary.contains(char::is_control) {
            return Err("the summary is not one line".into());
        }
        let mut select = BTreeMap::new();
        for (target, text) in self.select {
            if !is_name(&target) {
                return Err(format!("{target:?}: a target's name has {NAME}"));
            }
            let condition = text
                .parse()
                .map_err(|e| format!("condition of target {target}: {e}"))?;
            select.insert(target, condition);
        }
        Ok(Variant {
            name: name.into(),
            summary: self.summary,
            layout,
            asserts: self.assert,
            select,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_ones_are_valid_and_named_once() {
        let set = Variants::built_in();
        assert_eq!(set.iter().filter(|v| v.is_nodemcu()).count(), 6);
        assert_eq!(set.iter().count(), BUILT_IN.files().count());
    }

    #[test]
    fn a_bad_file_says_what_is_wrong() {
        let good = BUILT_IN.get_file("lua51-int.toml").unwrap();
        let good = good.contents_utf8().unwrap();
        for (from, to, says) in [
            ("float = 0", "float = 3", "floats of 3 bytes"),
            ("size_t = 4", "size_t = 8", "size_t of 8"),
            ("size_t", "sizet", "unknown field `sizet`"),
            ("nodemcu51", "nodemcu52", "unknown variant `nodemcu52`"),
            ("&& defined", "&& & defined", "condition of target"),
            ("&& defined", "&&\\n defined", "printable ASCII on one line"),
            (
                "&& defined",
                "&&\u{2003}defined",
                "printable ASCII on one line",
            ),
            (
                "(lua_Number) ==",
                "(lua_Number)) ==",
                "not a C expression on one line",
            ),
            (
                "(lua_Number) ==",
                "(lua_Number) /* ==",
                "not a C expression on one line",
            ),
            (
                "\"sizeof(lua",
                "\"1, \\\"\\\"); int x; _Static_assert(sizeof(lua",
                "not a C expression",
            ),
            ("only\"", "only\\u001b[2J\"", "summary is not one line"),
            ("== 4", "== 4, 1", "not a C expression on one line"),
            ("esp32 =", "\"a\\nb\" =", "a target's name has up to"),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good);
            let error = Variants(BTreeMap::new()).add("x.toml", &text).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    /// Whatever macros a firmware defines, it is of one variant at the most.
    #[test]
    fn conditions_exclude_each_other() {
        let set = Variants::built_in();
        let flags = [
            "LUA_NUMBER_INTEGRAL",
            "LUA_NUMBER_64BITS",
            "CONFIG_LUA_NUMBER_INTEGRAL",
            "CONFIG_LUA_NUMBER_INT64",
            "CONFIG_LUA_NUMBER_DOUBLE",
            "LUA_NUMBER_DOUBLE",
        ];
        for target in ["LUA_USE_ESP", "ESP_PLATFORM", "LUA_USE_HOST", "NONE"] {
            for version in [501, 503] {
                for bits in 0..1 << flags.len() {
                    let mut macros = Macros::new();
                    macros.insert("LUA_VERSION_NUM".into(), version);
                    macros.insert(target.into(), 1);
                    if target == "ESP_PLATFORM" {
                        macros.insert("LUA_USE_ESP".into(), 1); // as its build does
                    }
                    for (name, value) in [
                        ("LUA_INT_INT", 1),
                        ("LUA_INT_LONGLONG", 3),
                        ("LUA_FLOAT_FLOAT", 1),
                        ("LUA_FLOAT_DOUBLE", 2),
                        ("LUA_INT_TYPE", 3),
                        ("LUA_FLOAT_TYPE", 2),
                        ("__SIZEOF_SIZE_T__", 4),
                    ] {
                        macros.insert(name.into(), value);
                    }
                    for (i, flag) in flags.iter().enumerate() {
                        if bits >> i & 1 == 1 {
                            macros.insert((*flag).into(), 1);
                        }
                    }
                    let fits = set
                        .iter()
                        .filter(|v| v.select.values().any(|c| c.holds(&macros)));
                    let names: Vec<&str> = fits.map(|v| v.name.as_str()).collect();
                    assert!(names.len() <= 1, "{names:?} with {macros:?}");
                }
            }
        }
    }
}
