//! What runs on the chip: the C module and the Lua modules it ships with.

use include_dir::{Dir, include_dir};

/// What reads chunks out of flash: `fast_load.h` with `fast_undump.h` in it. What fastlua writes
/// holds this text, so that no file more is needed.
pub fn fast_load_h() -> String {
    with(
        include_str!("../fast_load.h"),
        "fast_undump.h",
        include_str!("../fast_undump.h"),
    )
}

/// The C module, `fast.c`, with [`fast_load_h`] and `fast_frozen.h`, what runs frozen chunks, in
/// it. It includes the `fast_chunks.h` of a bundle.
pub fn fast_c() -> String {
    let text = with(include_str!("../fast.c"), "fast_load.h", &fast_load_h());
    with(&text, "fast_frozen.h", include_str!("../fast_frozen.h"))
}

/// The text of a C file with that of a header in the place of its `#include`.
fn with(text: &str, header: &str, content: &str) -> String {
    text.replacen(&format!("#include \"{header}\"\n"), content, 1)
}

/// Name and text of the files with which `fast.c` is built for stock Lua, on a PC or under
/// emulation: the stand-in `module.h`, Lua as one unit, a program that runs a script. They need the
/// sources, `numbers.h` and `corefiles.h` of `fastlua-cores` beside them.
pub const STOCK: &[(&str, &str)] = &[
    ("module.h", include_str!("../stock/module.h")),
    ("lua_unit.h", include_str!("../stock/lua_unit.h")),
    ("host.c", include_str!("../stock/host.c")),
    ("run_script.h", include_str!("../stock/run_script.h")),
];

static LUA: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lua");

/// File name and text of each Lua module that fastlua ships, by name.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    LUA.files().filter_map(|file| {
        let name = file.path().to_str()?;
        name.ends_with(".lua").then(|| (name, file.contents()))
    })
}
