//! Stock Lua that runs what an image for LFS holds: the core with read-only objects ([`read_only`]) and packed
//! line info ([`packed_lines`]), whose functions begin with NodeMCU's fields, in their order. What stock Lua has
//! besides stands behind them, where a function of an image ends; it is not looked at there.
//!
//! `FASTLUA_FLASH_STORE` is defined. The image's memory is the caller's `lfs_region`, if there is one, and `luaN_init` is,
//! too, which hands it over.
//!
//! [`read_only`]: crate::read_only
//! [`packed_lines`]: crate::packed_lines

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited};
use crate::packed_lines::pack_lines;
use crate::read_only::read_only_sources;

/// What lies in the region is known by its address, as 5.1's functions have no mark there.
macro_rules! with_region {
    ($fields:literal) => {
        concat!(
            "#include <stdint.h>\n#define FASTLUA_FLASH_STORE\n\
             extern const uint32_t lfs_region[] __attribute__((weak));\n\
             #define in_store(o)\t(lfs_region != NULL && (const uint32_t *)(o) >= lfs_region \\\n\t\
             && (const uint32_t *)(o) < lfs_region + lfs_region[1] / 4)\n\
             #define FASTLUA_TEST_FIELDS\t",
            $fields
        )
    };
}

const BOTH: &[Edit] = &[
    (
        "ldebug.h",
        "(((f)->linenumbers) ?",
        "((!in_store(f) && (f)->linenumbers) ?",
    ),
    (
        "ldebug.c",
        "    int *linenumbers = f->l.p->linenumbers;",
        "    int *linenumbers = in_store(f->l.p) ? NULL : f->l.p->linenumbers;",
    ),
];

const LUA51: &[Edit] = &[
    (
        "lobject.h",
        "  int *linenumbers;  /* map from opcodes to source lines */",
        "  unsigned char *packedlineinfo;",
    ),
    ("lobject.h", "  int sizelinenumbers;\n", ""),
    (
        "lobject.h",
        "#define FASTLUA_TEST_FIELDS\tunsigned char *packedlineinfo;",
        with_region!("int *linenumbers; int sizelinenumbers;"),
    ),
    (
        "ldump.c",
        "(D->strip) ? 0 : f->sizelinenumbers;",
        "(D->strip || in_store(f)) ? 0 : f->sizelinenumbers;",
    ),
    // a reserved word may be a constant of an image, which does not say so of it
    (
        "llex.c",
        "          if (ts->tsv.reserved > 0)  /* reserved word? */\n            \
         return ts->tsv.reserved - 1 + FIRST_RESERVED;",
        "          int word = in_store(ts) ? NUM_RESERVED : ts->tsv.reserved;\n          \
         while (in_store(ts) && word > 0 && strcmp(getstr(ts), luaX_tokens[word - 1]) != 0) word--;\n          \
         if (word > 0)\n            return word - 1 + FIRST_RESERVED;",
    ),
    ("llex.c", "    lua_assert(ts->tsv.reserved == i+1);", ""),
];

const LUA53: &[Edit] = &[
    (
        "lobject.h",
        "  int sizelinenumbers;\n",
        "  int sizelineinfo;\n",
    ),
    (
        "lobject.h",
        "  int *linenumbers;  /* map from opcodes to source lines (debug information) */",
        "  lu_byte *lineinfo;",
    ),
    (
        "lobject.h",
        "  struct LClosure *cache;  /* last-created closure with this prototype */\n",
        "",
    ),
    (
        "lobject.h",
        "#define FASTLUA_TEST_FIELDS\tint sizelineinfo; lu_byte *lineinfo;",
        with_region!("int sizelinenumbers; int *linenumbers; struct LClosure *cache;"),
    ),
    (
        "ldump.c",
        "(f->lineinfo != NULL) ? f->sizecode : f->sizelinenumbers;",
        "(f->lineinfo != NULL) ? f->sizecode : in_store(f) ? 0 : f->sizelinenumbers;",
    ),
    (
        "lvm.c",
        "  LClosure *c = p->cache;",
        "  LClosure *c = in_store(p) ? NULL : p->cache;",
    ),
];

/// Name and text of each C source and header, with the edits made.
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn flash_store_sources(dialect: Dialect) -> Result<Vec<File>, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    let files = pack_lines(read_only_sources(dialect)?, dialect)?;
    edited(edited(files, BOTH)?, edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_is_made() {
        for dialect in [Dialect::Lua51, Dialect::Lua53] {
            flash_store_sources(dialect).unwrap();
        }
    }
}
