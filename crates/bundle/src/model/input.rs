//! The input of a chunk.

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
    /// Its form.
    pub form: Form,
    /// The debug data to drop from bytecode.
    pub strip: Strip,
    /// Names of its variants; none for all.
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
