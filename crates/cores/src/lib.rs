//! Lua's sources, as the crate `lua-src` carries them, and what belongs to building them: the number
//! models in C, and the edits that make cores of them which NodeMCU's chunks can be tested on.

pub mod compiler;
pub mod edits;
pub mod emergency;
pub mod flash_store;
pub mod packed_lines;
pub mod read_only;

use fastlua_bytecode::Dialect;

/// Name and text of the headers of ours that Lua's sources are compiled with:
/// - `numbers.h`: the number models, for a C compiler to take before Lua's own files (`-include`), with
///   `FASTLUA_INTEGER` and `FASTLUA_FLOAT` defined as bytes of each type;
/// - `corefiles.h`: includes the core's C files, for a C file that wants it in one unit; it needs
///   `LUA_CORE`, `FASTLUA_LUA` (51 or 53) and `numbers.h` before it.
pub const HEADERS: [(&str, &str); 2] = [
    ("numbers.h", include_str!("../csrc/numbers.h")),
    ("corefiles.h", include_str!("../csrc/corefiles.h")),
];

/// Name and text of each C source and header of the Lua release that `dialect` names, by name.
pub fn sources(dialect: Dialect) -> &'static [(&'static str, &'static str)] {
    match dialect {
        Dialect::Lua51 => include!(concat!(env!("OUT_DIR"), "/sources51.rs")),
        Dialect::Lua53 => include!(concat!(env!("OUT_DIR"), "/sources53.rs")),
    }
}
