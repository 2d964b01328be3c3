//! What packed chunks are read by.

use std::fmt::Write;

use fastlua_bytecode::Dialect;
use fastlua_bytecode::packed::Tables;

use super::c::code;
use super::text::Text;

/// The tables of a dialect as C, with the places of their parts; they stand before `fast_packed.h`.
pub fn packed_tables(dialect: Dialect) -> String {
    let tables = Tables::built_in(dialect);
    let mut text = String::new();
    code(&mut Text::new(&mut text), "fast_tables", tables.words());
    text += "#define FAST_P_TABLES\tfast_tables\n";
    for (part, place) in tables.parts() {
        let _ = writeln!(text, "#define FAST_P_{part}\t{place}");
    }
    text
}
