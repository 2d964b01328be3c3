//! Stock Lua with objects in read-only memory, as NodeMCU's cores have them for LFS: what frozen
//! chunks are tested on. The sources are those of [`crate::sources`] with edits of ours; an edit whose text
//! is not found is an error, so that none is lost when Lua's sources change.
//!
//! - `LFSBIT` marks an object that the collector must not write to: it is neither fixed nor marked.
//! - `ROstrt` is a second table of strings, asked after the one in RAM.
//! - `luaN_init` is called before any string is made. [`START_C`] defines it to do nothing.
//! - 5.3 does not keep the last closure of a function in the function.
//! - `FASTLUA_TEST_CORE` is defined.

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited, released};

/// A C file to be compiled by itself: `luaN_init`, which `-Wl,--wrap=luaN_init` puts another
/// function in front of.
pub const START_C: &str = "#include \"lua.h\"\n\n\
    #if LUA_VERSION_NUM == 501\nvoid luaN_init (lua_State *L);\nvoid luaN_init (lua_State *L) { (void)L; }\n\
    #else\nint luaN_init (lua_State *L);\nint luaN_init (lua_State *L) { (void)L; return 0; }\n#endif\n";

const BOTH: &[Edit] = &[
    (
        "lstate.h",
        "  stringtable strt;  /* hash table for strings */",
        "  stringtable strt;  /* hash table for strings */\n  stringtable ROstrt;",
    ),
    (
        "lstate.c",
        "  g->strt.hash = NULL;",
        "  g->strt.hash = NULL;\n  g->ROstrt.hash = NULL;\n  g->ROstrt.nuse = 0;\n  g->ROstrt.size = 0;",
    ),
];

const LUA51: &[Edit] = &[
    (
        "lgc.h",
        "#define SFIXEDBIT\t6\n",
        "#define SFIXEDBIT\t6\n#define LFSBIT\t6\t/* of objects that may not be written to */\n\
         #define FASTLUA_TEST_CORE\n#define isreadonly(s)\ttestbit((s)->tsv.marked, LFSBIT)\n",
    ),
    (
        "lgc.c",
        "#define stringmark(s)\treset2bits",
        "#define stringmark(s)\tif (!isreadonly((TString *)(s))) reset2bits",
    ),
    (
        "lstring.h",
        "#define luaS_fix(s)\tl_setbit((s)->tsv.marked, FIXEDBIT)",
        "#define luaS_fix(s)\t{ if (!isreadonly(s)) l_setbit((s)->tsv.marked, FIXEDBIT); }",
    ),
    (
        "llex.c",
        "    ts->tsv.reserved = cast_byte(i+1);  /* reserved word */",
        "    if (!isreadonly(ts)) ts->tsv.reserved = cast_byte(i+1);\n    \
         lua_assert(ts->tsv.reserved == i+1);",
    ),
    (
        "lstate.c",
        "static void f_luaopen",
        "void luaN_init (lua_State *L);\nstatic void f_luaopen",
    ),
    (
        "lstate.c",
        "  luaT_init(L);",
        "  luaN_init(L);\n  luaT_init(L);",
    ),
    (
        "lstring.c",
        "  return newlstr(L, str, l, h);  /* not found */",
        "  if (G(L)->ROstrt.hash != NULL)\n    \
         for (o = G(L)->ROstrt.hash[lmod(h, G(L)->ROstrt.size)]; o != NULL; o = o->gch.next)\n      \
         if (gco2ts(o)->len == l && memcmp(str, getstr(rawgco2ts(o)), l) == 0)\n        \
         return rawgco2ts(o);\n  \
         return newlstr(L, str, l, h);  /* not found */",
    ),
];

const LUA53: &[Edit] = &[
    (
        "lgc.h",
        "#define FINALIZEDBIT\t3  /* object has been marked for finalization */\n",
        "#define FINALIZEDBIT\t3  /* object has been marked for finalization */\n\
         #define LFSBIT\t5  /* object may not be written to */\n#define FASTLUA_TEST_CORE\n\
         #define isreadonly(o)\ttestbit((o)->marked, LFSBIT)\n",
    ),
    (
        "lgc.c",
        "  lua_assert(g->allgc == o);  /* object must be 1st in 'allgc' list! */",
        "  if (!iswhite(o)) return;  /* read-only */\n  lua_assert(g->allgc == o);",
    ),
    (
        "llex.c",
        "    ts->extra = cast_byte(i+1);  /* reserved word */",
        "    if (!isreadonly(ts)) ts->extra = cast_byte(i+1);\n    lua_assert(ts->extra == i+1);",
    ),
    (
        "lstate.c",
        "static void f_luaopen",
        "int luaN_init (lua_State *L);\nstatic void f_luaopen",
    ),
    (
        "lstate.c",
        "  luaS_init(L);",
        "  luaN_init(L);\n  luaS_init(L);",
    ),
    (
        "lstring.c",
        "  if (g->strt.nuse >= g->strt.size && g->strt.size <= MAX_INT/2) {",
        "  if (g->ROstrt.hash != NULL)\n    \
         for (ts = g->ROstrt.hash[lmod(h, g->ROstrt.size)]; ts != NULL; ts = ts->u.hnext)\n      \
         if (ts->shrlen == l && memcmp(str, getstr(ts), l) == 0)\n        \
         return ts;\n  \
         if (g->strt.nuse >= g->strt.size && g->strt.size <= MAX_INT/2) {",
    ),
    (
        "lvm.c",
        "  if (!isblack(p))  /* cache will not break GC invariant? */",
        "  if (!isblack(p) && !isreadonly(p))",
    ),
];

/// Name and text of each C source and header, with the edits made.
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn read_only_sources(dialect: Dialect) -> Result<Vec<File>, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    edited(edited(released(dialect), BOTH)?, edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources;

    #[test]
    fn every_edit_is_made() {
        for dialect in [Dialect::Lua51, Dialect::Lua53] {
            let files = read_only_sources(dialect).unwrap();
            assert_eq!(files.len(), sources(dialect).len());
        }
    }
}
