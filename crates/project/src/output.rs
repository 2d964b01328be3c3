//! The files of a bundle.

use fastlua_bundle::{Bundle, Chip};
use fastlua_firmware::fast_c;

use crate::{Error, VERSION};

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its name, without folders.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
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

/// The same with the chunks in `fast_chunks.o`, which the linker of a firmware for this chip takes in place of
/// compiling them. The bundle is for one variant.
///
/// # Errors
/// [`ObjectError`](fastlua_bundle::ObjectError).
pub fn c_module_with_object(bundle: &Bundle, chip: Chip) -> Result<[OutputFile; 3], Error> {
    let (header, object) = bundle.object(VERSION, chip)?;
    let [module, header] = module_with(header);
    Ok([module, header, file("fast_chunks.o", object)])
}

fn module_with(header: String) -> [OutputFile; 2] {
    [file("fast.c", fast_c()), file("fast_chunks.h", header)]
}

/// For each module a header `NAME_lua.h`, by which a C module carries it as its Lua half.
///
/// # Errors
/// A chunk is frozen.
pub fn module_headers(bundle: &Bundle) -> Result<Vec<OutputFile>, Error> {
    let headers = bundle.module_headers(VERSION)?.into_iter();
    let named = |(name, text)| file(&format!("{name}_lua.h"), text);
    Ok(headers.map(named).collect())
}

fn file(name: &str, contents: impl Into<Vec<u8>>) -> OutputFile {
    OutputFile {
        name: name.into(),
        bytes: contents.into(),
    }
}
