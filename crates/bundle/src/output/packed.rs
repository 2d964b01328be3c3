//! The data that the packed chunks of a bundle share: tables, and the strings of several functions. The chip
//! reads it as one array; `fast_packed.h` has the same words.

use std::fmt::Write;

use fastlua_bytecode::Dialect;
use fastlua_bytecode::packed::Tables;
use fastlua_firmware::fast_packed_h;

use super::c::hex_words;
use super::text::Text;
use crate::model::Bundle;

/// Words before the tables: bytes from the fourth word on, their XXH32, a sum of both, the place of the pool in words
/// from the tables or 0.
const HEAD: usize = 4;

/// Bytes of a `fast_unpacker` on a chip.
pub(super) fn state(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Lua51 => 344,
        Dialect::Lua53 => 332,
    }
}

/// The tables of the variants' dialects as macros: variants of a dialect differ in the pool only.
pub(super) fn tables(bundle: &Bundle) -> String {
    let mut text = String::new();
    for (dialect, version) in [(Dialect::Lua51, 501), (Dialect::Lua53, 503)] {
        let is_it = |v: &usize| bundle.variants[*v].layout.dialect() == dialect;
        let mut of_dialect = (0..bundle.variants.len()).filter(is_it);
        if of_dialect.all(|v| bundle.shared(v).is_none()) {
            continue;
        }
        let _ = write!(
            text,
            "\n#if LUA_VERSION_NUM == {version} && !defined(FAST_TABLES)\n#define FAST_TABLES"
        );
        for line in Tables::built_in(dialect).words().chunks(8) {
            let _ = write!(text, " \\\n  {}", hex_words(line));
        }
        text += "\n#endif\n";
    }
    text
}

/// Writes the data that a variant's packed chunks share as `fast_shared`.
pub(super) fn print_shared(bundle: &Bundle, text: &mut Text, v: usize) {
    let dialect = bundle.variants[v].layout.dialect();
    let Some(words) = bundle.shared(v) else {
        let _ = writeln!(text, "#define fast_shared\tNULL");
        return;
    };
    let tables = HEAD + Tables::built_in(dialect).words().len();
    let _ = write!(
        text,
        "\n/* shared data of packed chunks */\n\
         static const uint32_t fast_shared[] FAST_FLASH = {{\n  {}\n  FAST_TABLES",
        hex_words(&words[..HEAD])
    );
    for line in words[tables..].chunks(8) {
        let _ = write!(text, "\n  {}", hex_words(line));
    }
    let _ = write!(
        text,
        "\n}};\n\
         _Static_assert(sizeof(fast_shared) == {}, \"the tables are those of this Lua\");\n",
        4 * words.len()
    );
}

/// The loader of packed chunks, with assertions on its assumptions.
pub(super) fn packed_h() -> String {
    format!(
        "{}\n#if __SIZEOF_POINTER__ == 4\n\
         _Static_assert(sizeof(fast_unpacker) == (LUA_VERSION_NUM == 501 ? {} : {}),\n               \
         \"fast_unpacker has these bytes\");\n\
         #endif\n",
        fast_packed_h(),
        state(Dialect::Lua51),
        state(Dialect::Lua53)
    )
}
