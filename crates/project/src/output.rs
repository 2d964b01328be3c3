//! The files of a bundle.

use std::collections::BTreeSet;
use std::io::{self, Write};

use fastlua_bundle::{Bundle, CHeader, Chip, module_header_name};
use fastlua_firmware::fast_c;

use crate::{Error, Plan, VERSION};

/// A file to write.
#[derive(Debug, Clone)]
pub struct OutputFile<'a> {
    /// Its name, without folders.
    pub name: String,
    contents: Contents<'a>,
}

#[derive(Debug, Clone)]
enum Contents<'a> {
    Bytes(Vec<u8>),
    Header(CHeader<'a>),
}

impl OutputFile<'_> {
    /// Writes what is in it, which is made only then where it is `fast_chunks.h`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match &self.contents {
            Contents::Bytes(bytes) => out.write_all(bytes),
            Contents::Header(header) => write!(out, "{header}"),
        }
    }

    /// The bundle's name, where it is `fast_chunks.h`, which knows it once it was written.
    pub fn bundle(&self) -> Option<&str> {
        match &self.contents {
            Contents::Bytes(_) => None,
            Contents::Header(header) => Some(header.name()),
        }
    }

    /// What is in it.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.contents {
            Contents::Bytes(bytes) => bytes.clone(),
            Contents::Header(header) => header.to_string().into_bytes(),
        }
    }
}

/// `fast.c` and `fast_chunks.h`, which go into the firmware's `app/modules`.
pub fn c_module(bundle: &Bundle) -> [OutputFile<'_>; 2] {
    module_with(Contents::Header(bundle.c_header(VERSION)))
}

/// The same with a slot of so many bytes beside the chunks. There need not be any.
///
/// # Errors
/// There can be no such slot, or a chunk is frozen.
pub fn c_module_with_slot(bundle: &Bundle, capacity: u32) -> Result<[OutputFile<'_>; 2], Error> {
    let header = bundle.c_header_with_slot(VERSION, capacity)?;
    Ok(module_with(Contents::Header(header)))
}

/// The same with the chunks in `fast_chunks.o`, which the linker of a firmware for this chip takes in place of
/// compiling them. The bundle is for one variant.
///
/// # Errors
/// [`ObjectError`](fastlua_bundle::ObjectError).
pub fn c_module_with_object(
    bundle: &Bundle,
    chip: Chip,
) -> Result<[OutputFile<'static>; 3], Error> {
    let (header, object) = bundle.object(VERSION, chip)?;
    let [module, header] = module_with(Contents::Bytes(header.into()));
    let object = file("fast_chunks.o", Contents::Bytes(object));
    Ok([module, header, object])
}

fn module_with(header: Contents) -> [OutputFile; 2] {
    let module = Contents::Bytes(fast_c().into());
    [file("fast.c", module), file("fast_chunks.h", header)]
}

/// For each module a header `NAME_lua.h`, by which a C module carries it as its Lua half; then `fast_runtime.h` and
/// `fast_runtime.c`, which they share.
///
/// # Errors
/// A chunk is frozen.
pub fn module_headers(bundle: &Bundle) -> Result<Vec<OutputFile<'static>>, Error> {
    let files = bundle.module_headers(VERSION)?.into_iter();
    let files = files.map(|(name, text)| file(&name, Contents::Bytes(text.into())));
    Ok(files.collect())
}

/// The names of the files that [`module_headers`] makes of a plan.
pub fn module_header_names(plan: &Plan) -> BTreeSet<String> {
    let modules = plan.inputs.iter().map(|input| &*input.module);
    let names = modules.map(module_header_name);
    let runtime = ["fast_runtime.h", "fast_runtime.c"];
    names.chain(runtime.map(str::to_owned)).collect()
}

fn file<'a>(name: &str, contents: Contents<'a>) -> OutputFile<'a> {
    OutputFile {
        name: name.into(),
        contents,
    }
}
