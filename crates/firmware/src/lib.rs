//! What runs on the chip: the C module and the Lua modules it ships with.

use include_dir::{Dir, include_dir};

/// The C module, `fast.c`. It includes the `fast_chunks.h` of a bundle.
pub const FAST_C: &str = include_str!("../fast.c");

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
