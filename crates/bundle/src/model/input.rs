//! What a chunk is made of.

use fastlua_bytecode::Strip;
use fastlua_variants::Variant;

use super::Form;

/// A Lua text that becomes one chunk.
#[derive(Debug, Clone)]
pub struct Input {
    /// The chunk's name, checked by [`super::check_names`].
    pub name: String,
    /// The module that it is a part of: the name of its first chunk.
    pub module: String,
    /// The file as the user gave it, for messages.
    pub file: String,
    /// Its text.
    pub text: Vec<u8>,
    /// How it is to be carried.
    pub form: Form,
    /// What to drop from bytecode.
    pub strip: Strip,
    /// Names of the variants that carry it; none for all.
    pub variants: Option<Vec<String>>,
}

impl Input {
    /// Whether a variant carries it.
    pub fn is_for(&self, variant: &Variant) -> bool {
        let among = |names: &Vec<String>| names.contains(&variant.name);
        self.variants.as_ref().is_none_or(among)
    }

    /// The file's name without folders.
    pub fn file_name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file)
    }
}
