//! The files of a bundle.

use fastlua_bundle::Bundle;
use fastlua_firmware::fast_c;

use crate::{Error, VERSION};

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its name, without folders.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// `fast.c` and `fast_chunks.h`, which go into the firmware's `app/modules`.
pub fn c_module(bundle: &Bundle) -> [OutputFile; 2] {
    [
        OutputFile {
            name: "fast.c".into(),
            text: fast_c(),
        },
        OutputFile {
            name: "fast_chunks.h".into(),
            text: bundle.c_header(VERSION),
        },
    ]
}

/// For each module a header `NAME_lua.h`, by which a C module carries it as its Lua half.
///
/// # Errors
/// A chunk is frozen.
pub fn module_headers(bundle: &Bundle) -> Result<Vec<OutputFile>, Error> {
    let headers = bundle.module_headers(VERSION)?.into_iter();
    let file = |(name, text)| OutputFile {
        name: format!("{name}_lua.h"),
        text,
    };
    Ok(headers.map(file).collect())
}
