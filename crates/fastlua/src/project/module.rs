//! A module, and settings for all modules.

use fastlua_bundle::{Budget, Form};
use fastlua_bytecode::Strip;
use sha2::{Digest, Sha256};

/// A Lua text, or bytecode, and its settings.
#[derive(Debug, Clone)]
pub struct Module {
    pub(crate) file: String,
    pub(crate) text: Vec<u8>,
    pub(crate) name: Option<String>,
    pub(crate) form: Form,
    pub(crate) strip: Strip,
    pub(crate) split: bool,
    pub(crate) variants: Option<Vec<String>>,
    pub(crate) budget: Option<Budget>,
    pub(crate) version: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) shipped: bool,
}

/// Facts about a module beside its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFacts {
    /// Its file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Its version, if it is known.
    pub version: Option<String>,
    /// Whether its name was given, and not derived from the file's.
    pub named: bool,
    /// Its licence, if it is known: an SPDX expression, but nobody has checked that.
    pub license: Option<String>,
    /// Whether it is one that fastlua ships.
    pub shipped: bool,
}

impl Module {
    /// A text from the file of this name, which messages show. The chunk is named like the file,
    /// without folders and ending, unless SPLIT markers cut it into several. It may also be a dump: then it
    /// is verified, and fits the variant of its layout only.
    pub fn new(file: impl Into<String>, text: impl Into<Vec<u8>>) -> Module {
        Module {
            file: file.into(),
            text: text.into(),
            name: None,
            form: Form::default(),
            strip: Strip::Lines,
            split: true,
            variants: None,
            budget: None,
            version: None,
            license: None,
            shipped: false,
        }
    }

    /// Sets the name of its chunk.
    pub fn name(self, name: impl Into<String>) -> Module {
        let name = Some(name.into());
        Module { name, ..self }
    }

    /// Sets its form; the default is bytecode.
    pub fn form(self, form: Form) -> Module {
        Module { form, ..self }
    }

    /// Sets the debug data to drop; the default is all.
    pub fn strip(self, strip: Strip) -> Module {
        Module { strip, ..self }
    }

    /// Whether SPLIT markers cut it into chunks; the default is true.
    pub fn split(self, split: bool) -> Module {
        Module { split, ..self }
    }

    /// Limits it to the variants of these names.
    pub fn variants(self, names: Vec<String>) -> Module {
        let variants = Some(names);
        Module { variants, ..self }
    }

    /// Its budget.
    pub fn budget(self, budget: Budget) -> Module {
        let budget = Some(budget);
        Module { budget, ..self }
    }

    /// Its version and its licence, for a bill of materials.
    pub fn about(self, version: Option<String>, license: Option<String>) -> Module {
        Module {
            version,
            license,
            ..self
        }
    }

    pub(crate) fn facts(&self) -> ModuleFacts {
        ModuleFacts {
            file: self.file.clone(),
            sha256: Sha256::digest(&self.text).into(),
            version: self.version.clone(),
            license: self.license.clone(),
            named: self.name.is_some(),
            shipped: self.shipped,
        }
    }

    /// The name that its chunk has unless SPLIT markers cut it. Data has that of its file.
    pub(crate) fn chunk_name(&self) -> String {
        let name = || match self.form.is_data() {
            true => base_name(&self.file).to_owned(),
            false => stem(&self.file).to_owned(),
        };
        self.name.clone().unwrap_or_else(name)
    }
}

/// The name of a file, without folders.
fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// The same without its ending.
pub(crate) fn stem(file: &str) -> &str {
    let file = base_name(file);
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

/// Overrides of a `fast.toml` and of each module's own settings.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The strip level.
    pub strip: Option<Strip>,
    /// The default strip level; [`Strip::Lines`] if this is none.
    pub default_strip: Option<Strip>,
    /// The form.
    pub form: Option<Form>,
    /// Add no bytecode of frozen chunks for cores that can't run them.
    pub no_fallback: bool,
    /// Ignore SPLIT markers.
    pub whole: bool,
    /// Leave a shipped module out where there is another one of its name.
    pub replace: bool,
}

impl Overrides {
    /// For an LFS image: every module as bytecode; by default lines stay.
    pub fn for_functions(self) -> Overrides {
        Overrides {
            form: Some(Form::default()),
            default_strip: Some(Strip::Names),
            ..self
        }
    }

    /// A module with the default settings.
    pub fn module(&self, file: impl Into<String>, text: impl Into<Vec<u8>>) -> Module {
        let form = self.form(None, None);
        Module::new(file, text)
            .form(form)
            .strip(self.strip(None, form))
            .split(!self.whole)
    }

    /// The strip level of a module in this form where a `fast.toml` asks for this one. Packed ones have no debug data.
    pub(crate) fn strip(&self, strip: Option<Strip>, form: Form) -> Strip {
        let default = self.default_strip.filter(|_| form != Form::Packed);
        let asked = self.strip.or(strip).or(default);
        asked.unwrap_or(Strip::Lines)
    }

    /// The form where a `fast.toml` asks for this one, and for this fallback. Data stays data.
    pub(crate) fn form(&self, form: Option<Form>, fallback: Option<bool>) -> Form {
        let fallback = !self.no_fallback && fallback.unwrap_or(true);
        let data = form.filter(|form| form.is_data());
        let form = data.or(self.form).or(form).unwrap_or_default();
        form.with_fallback(fallback)
    }
}
