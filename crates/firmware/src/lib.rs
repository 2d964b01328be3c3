//! What runs on the chip: the C module and the Lua modules it ships with.

use include_dir::{Dir, include_dir};

/// What reads chunks out of flash, `fast_load.h`. What fastlua writes holds its text, so that no
/// file more is needed.
pub const FAST_LOAD_H: &str = include_str!("../fast_load.h");

/// What runs frozen chunks, `fast_frozen.h`.
const FAST_FROZEN_H: &str = include_str!("../fast_frozen.h");

/// The C module, `fast.c`, with [`FAST_LOAD_H`] and `fast_frozen.h` in it. It includes the
/// `fast_chunks.h` of a bundle.
pub fn fast_c() -> String {
    include_str!("../fast.c")
        .replacen("#include \"fast_load.h\"\n", FAST_LOAD_H, 1)
        .replacen("#include \"fast_frozen.h\"\n", FAST_FROZEN_H, 1)
}

/// Name and text of the files with which `fast.c` is built for stock Lua, on a PC or under
/// emulation: the stand-in `module.h`, Lua as one unit, a program that runs a script. They need the
/// sources, `numbers.h` and `corefiles.h` of `fastlua-compiler` beside them.
pub const STOCK: &[(&str, &str)] = &[
    ("module.h", include_str!("../stock/module.h")),
    ("lua_unit.h", include_str!("../stock/lua_unit.h")),
    ("host.c", include_str!("../stock/host.c")),
];

static LUA: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lua");

/// File name and text of each Lua module that fastlua ships, by name.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    LUA.files().filter_map(|file| {
        let name = file.path().to_str()?;
        name.ends_with(".lua").then(|| (name, file.contents()))
    })
}
