//! Lua's compiler with a note of each line that it gives an instruction, in the order in which it
//! does: `core_line(L, f, pc, line)`, which the unit that includes the file defines.

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited, released};

/// The file that has the places.
pub const FILE: &str = "lcode.c";

const LUA51: &[Edit] = &[
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

/// The text of [`FILE`] with the edits made.
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn noting_lines(dialect: Dialect) -> Result<File, EditError> {
    let edits = match dialect {
        Dialect::Lua51 => LUA51,
        Dialect::Lua53 => LUA53,
    };
    let mut file = released(dialect);
    file.retain(|(name, _)| *name == FILE);
    Ok(edited(file, edits)?.remove(0))
}
