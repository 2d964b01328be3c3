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
    module_with(bundle.c_header(VERSION))
}

/// The same with a slot of so many bytes beside the chunks. There need not be any.
///
/// # Errors
/// There can be no such slot, or a chunk is frozen.
pub fn c_module_with_slot(bundle: &Bundle, capacity: u32) -> Result<[OutputFile; 2], Error> {
    Ok(module_with(bundle.c_header_with_slot(VERSION, capacity)?))
}

fn module_with(header: String) -> [OutputFile; 2] {
    let file = |name: &str, text| OutputFile {
        name: name.into(),
        text,
    };
    [file("fast.c", fast_c()), file("fast_chunks.h", header)]
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
