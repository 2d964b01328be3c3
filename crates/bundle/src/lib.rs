//! Chunks to the C source that a firmware compiles in: every chunk compiled for every variant,
//! each dump proved to load back, then one header with a block for each variant.

mod auto;
mod budget;
mod c_header;
mod chunk;
mod compile;
mod cost;
mod frozen;
mod manifest;
mod name;
mod need;
mod pool;
mod squash;

pub use budget::{Amount, Budget, BudgetError};
pub use chunk::{Build, Bundle, BundledChunk, Dump, Fault, Input, Representation, Warning};
pub use compile::compile_text;
pub use cost::Costs;
pub use manifest::{Form, Manifest, ManifestError, Module};
pub use name::{NameError, check_names, identifier};
pub use need::Need;
pub use squash::{nodemcu, squash_proved};

use bstr::BString;
use fastlua_bytecode::{Chunk, Strip};

/// Bytes of the segment that holds all of an ESP8266 firmware's constants and most of its code
/// (`irom0_0_seg` in NodeMCU's linker script).
pub const ESP8266_FLASH: usize = 0xe0000;

/// What a bundle drops from a compiled chunk: the debug data of `strip`; the source name too where
/// no line refers to it any more, else it becomes `file_name` (without folders, so that the same
/// module gives the same bytes wherever it lies).
pub fn strip_for_bundle(chunk: &mut Chunk, strip: Strip, file_name: &str) {
    chunk.strip(strip);
    let source = match strip {
        Strip::Lines => None,
        Strip::Keep | Strip::Names => Some(BString::from(format!("@{file_name}"))),
    };
    chunk.set_source(source);
}

/// The one of `names` that `wrong` was probably meant to be.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name| strsim::jaro_winkler(wrong, name);
    names
        .into_iter()
        .filter(|name| likeness(name) > 0.7)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}
