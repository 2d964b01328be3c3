//! Stock Lua with functions that can have packed line info, as NodeMCU's cores keep it: what loads
//! NodeMCU's dumps in tests. Functions that it compiles itself have line numbers as ever; a packed
//! function dumps them as if it had these. The field is `packedlineinfo` in 5.1, `lineinfo` and
//! `sizelineinfo` in 5.3; the stock ones are called `linenumbers` and `sizelinenumbers`.

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited};
use crate::sources;

/// The line of an instruction, before the structure that the macro is for. A run of instructions is
/// `[delta] count`; without a delta the line goes up by one.
macro_rules! with_packed_line {
    ($none:literal) => {
        concat!(
            "static __attribute__((unused))\n\
             int packed_line (const unsigned char *p, int pc) {\n  int line = 0;\n  \
             if (p == NULL) return ",
            $none,
            ";\n  for (;;) {\n    int delta = 1;\n    if (*p & 0x80) {\n      \
             int negative = *p & 0x40, shift = 6;\n      delta = *p++ & 0x3f;\n      \
             for (; *p & 0x80; shift += 7) delta |= (*p++ & 0x7f) << shift;\n      \
             delta = negative ? -delta : delta + 2;\n    }\n    line += delta;\n    \
             if (pc < *p) return line;\n    pc -= *p++;\n  }\n}\n\ntypedef struct Proto {"
        )
    };
}

const LUA51: &[Edit] = &[
    (
        "lobject.h",
        "typedef struct Proto {",
        with_packed_line!("0"),
    ),
    (
        "lobject.h",
        "  int sizelinenumbers;",
        "  int sizelinenumbers;\n  unsigned char *packedlineinfo;",
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
        "ldump.c",
        " DumpVector(f->linenumbers,n,sizeof(int),D);",
        " if (f->packedlineinfo == NULL) DumpVector(f->linenumbers,n,sizeof(int),D);\n else {\n  \
         DumpInt(f->sizecode,D);\n  for (i=0; i<f->sizecode; i++) \
         DumpInt(packed_line(f->packedlineinfo,i),D);\n }",
    ),
];

const LUA53: &[Edit] = &[
    (
        "lobject.h",
        "typedef struct Proto {",
        with_packed_line!("-1"),
    ),
    (
        "lobject.h",
        "  int sizelinenumbers;",
        "  int sizelinenumbers;\n  int sizelineinfo;\n  lu_byte *lineinfo;",
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
        "ldump.c",
        "  n = (D->strip) ? 0 : f->sizelinenumbers;",
        "  n = (f->lineinfo != NULL) ? f->sizecode : f->sizelinenumbers;",
    ),
    (
        "ldump.c",
        "  DumpVector(f->linenumbers, n, D);",
        "  if (f->lineinfo == NULL) DumpVector(f->linenumbers, n, D);\n  \
         else for (i = 0; i < n; i++) DumpInt(packed_line(f->lineinfo, i), D);",
    ),
];

/// Name and text of each C source and header, with the edits made.
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn packed_lines_sources(dialect: Dialect) -> Result<Vec<File>, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    let files = sources(dialect).iter();
    let renamed = files.map(|&(name, text)| (name, text.replace("lineinfo", "linenumbers").into()));
    edited(renamed.collect(), edits)
}
