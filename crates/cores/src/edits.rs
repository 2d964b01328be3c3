//! Lua's sources with edits of ours: cores to test on.

use std::borrow::Cow;

use fastlua_bytecode::Dialect;

use crate::sources;

/// Name and text of a C source or header.
pub type File = (&'static str, Cow<'static, str>);

/// File, text, and what it becomes.
pub(crate) type Edit = (&'static str, &'static str, &'static str);

/// An edit whose text does not occur exactly once in its file.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: {text:?} occurs {count} times, not once; the edits are for another release of Lua"
)]
pub struct EditError {
    /// The file.
    pub file: &'static str,
    /// The text that is to be replaced.
    pub text: &'static str,
    /// How often it is there.
    pub count: usize,
}

/// Lua's sources and headers as they were released.
pub fn released(dialect: Dialect) -> Vec<File> {
    let files = sources(dialect).iter();
    files.map(|&(name, text)| (name, text.into())).collect()
}

/// The files with the edits made.
pub(crate) fn edited(mut files: Vec<File>, edits: &[Edit]) -> Result<Vec<File>, EditError> {
    for &(file, text, edited) in edits {
        let mut count = 0;
        if let Some((_, source)) = files.iter_mut().find(|(name, _)| *name == file) {
            count = source.matches(text).count();
            *source = Cow::Owned(source.replace(text, edited));
        }
        if count != 1 {
            return Err(EditError { file, text, count });
        }
    }
    Ok(files)
}
