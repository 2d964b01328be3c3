//! Stock Lua with functions that can have packed line info, as NodeMCU's cores keep it: what loads
//! NodeMCU's dumps in tests. Functions that it compiles itself have line numbers as ever; a packed
//! function dumps them as if it had these. The field is `packedlineinfo` in 5.1, `lineinfo` and
//! `sizelineinfo` in 5.3 (`FASTLUA_TEST_FIELDS`); the stock ones are called `linenumbers` and
//! `sizelinenumbers`.

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited};

/// The line of an instruction, before the structure that the macro is for. A run of instructions is
/// `[delta] count`; without a delta the line goes up by one.
macro_rules! with_packed_line {
    ($none:literal, $fields:literal) => {
        concat!(
            "static __attribute__((unused))\n\
             int packed_line (const unsigned char *p, int pc) {\n  int line = 0;\n  \
             if (p == NULL) return ",
            $none,
            ";\n  for (;;) {\n    int delta = 1;\n    if (*p & 0x80) {\n      \
             int negative = *p & 0x40, shift = 6;\n      delta = *p++ & 0x3f;\n      \
             for (; *p & 0x80; shift += 7) delta |= (*p++ & 0x7f) << shift;\n      \
             delta = negative ? -delta : delta + 2;\n    }\n    line += delta;\n    \
             if (pc < *p) return line;\n    pc -= *p++;\n  }\n}\n\n\
             #define FASTLUA_TEST_FIELDS\t",
            $fields,
            "\n\ntypedef struct Proto {"
        )
    };
}

const LUA51: &[Edit] = &[
    (
        "lobject.h",
        "typedef struct Proto {",
        with_packed_line!("0", "unsigned char *packedlineinfo;"),
    ),
    (
        "lobject.h",
        "  lu_byte maxstacksize;\n} Proto;",
        "  lu_byte maxstacksize;\n  FASTLUA_TEST_FIELDS\n} Proto;",
    ),
    (
        "lfunc.c",
        "  f->linenumbers = NULL;",
        "  f->linenumbers = NULL;\n  f->packedlineinfo = NULL;",
    ),
    (
        "lfunc.c",
        "  luaM_freearray(L, f->linenumbers, f->sizelinenumbers, int);",
        "  luaM_freearray(L, f->linenumbers, f->sizelinenumbers, int);\n  \
         if (f->packedlineinfo != NULL)\n    luaM_freemem(L, f->packedlineinfo, \
         strlen((char *)f->packedlineinfo) + 1);",
    ),
    (
        "lfunc.c",
        "#include <stddef.h>\n",
        "#include <stddef.h>\n#include <string.h>\n",
    ),
    (
        "ldebug.h",
        "(f)->linenumbers[pc] : 0)",
        "(f)->linenumbers[pc] : packed_line((f)->packedlineinfo, pc))",
    ),
    (
        "ldebug.c",
        "for (i=0; i<f->l.p->sizelinenumbers; i++)\n      setbvalue(luaH_setnum(L, t, linenumbers[i]), 1);",
        "int n = linenumbers != NULL ? f->l.p->sizelinenumbers\n          \
         : f->l.p->packedlineinfo != NULL ? f->l.p->sizecode : 0;\n    \
         for (i=0; i<n; i++)\n      setbvalue(luaH_setnum(L, t, getline(f->l.p, i)), 1);",
    ),
    (
        "ldump.c",
        " DumpVector(f->linenumbers,n,sizeof(int),D);",
        " if (f->packedlineinfo == NULL || D->strip) DumpVector(f->linenumbers,n,sizeof(int),D);\n else {\n  \
         DumpInt(f->sizecode,D);\n  for (i=0; i<f->sizecode; i++) \
         DumpInt(packed_line(f->packedlineinfo,i),D);\n }",
    ),
];

const LUA53: &[Edit] = &[
    (
        "lobject.h",
        "typedef struct Proto {",
        with_packed_line!("-1", "int sizelineinfo; lu_byte *lineinfo;"),
    ),
    (
        "lobject.h",
        "  GCObject *gclist;\n} Proto;",
        "  GCObject *gclist;\n  FASTLUA_TEST_FIELDS\n} Proto;",
    ),
    (
        "lfunc.c",
        "  f->linenumbers = NULL;",
        "  f->linenumbers = NULL;\n  f->lineinfo = NULL;\n  f->sizelineinfo = 0;",
    ),
    (
        "lfunc.c",
        "  luaM_freearray(L, f->linenumbers, f->sizelinenumbers);",
        "  luaM_freearray(L, f->linenumbers, f->sizelinenumbers);\n  \
         luaM_freearray(L, f->lineinfo, f->sizelineinfo);",
    ),
    (
        "ldebug.h",
        "(f)->linenumbers[pc] : -1)",
        "(f)->linenumbers[pc] : packed_line((f)->lineinfo, pc))",
    ),
    (
        "ldebug.c",
        "    for (i = 0; i < f->l.p->sizelinenumbers; i++)",
        "    int n = linenumbers != NULL ? f->l.p->sizelinenumbers\n          \
         : f->l.p->lineinfo != NULL ? f->l.p->sizecode : 0;\n    for (i = 0; i < n; i++)",
    ),
    (
        "ldebug.c",
        "luaH_setint(L, t, linenumbers[i], &v);",
        "luaH_setint(L, t, getfuncline(f->l.p, i), &v);",
    ),
    (
        "ldump.c",
        "  n = (D->strip) ? 0 : f->sizelinenumbers;",
        "  n = (D->strip) ? 0 : (f->lineinfo != NULL) ? f->sizecode : f->sizelinenumbers;",
    ),
    (
        "ldump.c",
        "  DumpVector(f->linenumbers, n, D);",
        "  if (f->lineinfo == NULL) DumpVector(f->linenumbers, n, D);\n  \
         else for (i = 0; i < n; i++) DumpInt(packed_line(f->lineinfo, i), D);",
    ),
];

/// Makes the edits in all of Lua's sources and headers, as they were released
/// ([`released`](crate::edits::released)) or with read-only objects
/// ([`read_only_sources`](crate::read_only::read_only_sources)).
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn pack_lines(files: Vec<File>, dialect: Dialect) -> Result<Vec<File>, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    let renamed = files
        .into_iter()
        .map(|(name, text)| (name, text.replace("lineinfo", "linenumbers").into()));
    edited(renamed.collect(), edits)
}
