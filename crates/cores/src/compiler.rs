//! Lua's compiler with two edits: a note of each line that it gives an instruction, in the order in which
//! it does (`core_line(L, f, pc, line)`, which the unit that includes the file defines), and a limit.
//!
//! The limit: as many as [`JUMPS`] jumps may go to one place. Lua goes through all jumps to a place for each one
//! more, so that a file of a million `elseif`, `or` or `break` took it hours.

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited, released};

/// The file that has the places.
pub const FILE: &str = "lcode.c";

/// How many jumps may go to one place.
pub const JUMPS: usize = 10_000;

/// The loop, in both releases.
const LIMIT: Edit = (
    FILE,
    "    while ((next = getjump(fs, list)) != NO_JUMP)  /* find last element */
      list = next;
",
    "    int count = 1;
    while ((next = getjump(fs, list)) != NO_JUMP) {  /* find last element */
      list = next;
      if (++count >= CORE_JUMPS)
        luaX_syntaxerror(fs->ls, \"too many jumps to one place\");
    }
",
);

const LUA51: &[Edit] = &[
    LIMIT,
    (
        FILE,
        "  f->lineinfo[fs->pc] = line;\n",
        "  core_line(fs->L, f, fs->pc, line);\n  f->lineinfo[fs->pc] = line;\n",
    ),
    (
        FILE,
        "  fs->f->lineinfo[fs->pc - 1] = line;\n",
        "  core_line(fs->L, fs->f, fs->pc - 1, line);\n  fs->f->lineinfo[fs->pc - 1] = line;\n",
    ),
];

const LUA53: &[Edit] = &[
    LIMIT,
    (
        FILE,
        "  f->lineinfo[fs->pc] = fs->ls->lastline;\n",
        "  core_line(fs->ls->L, f, fs->pc, fs->ls->lastline);\n  \
         f->lineinfo[fs->pc] = fs->ls->lastline;\n",
    ),
    (
        FILE,
        "  fs->f->lineinfo[fs->pc - 1] = line;\n",
        "  core_line(fs->ls->L, fs->f, fs->pc - 1, line);\n  fs->f->lineinfo[fs->pc - 1] = line;\n",
    ),
];

/// The text of [`FILE`] with the edits made; it needs `CORE_JUMPS`, which is [`JUMPS`].
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn compiler_file(dialect: Dialect) -> Result<File, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    let mut file = released(dialect);
    file.retain(|(name, _)| *name == FILE);
    Ok(edited(file, edits)?.remove(0))
}
