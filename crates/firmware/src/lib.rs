//! What runs on the chip: the C module and the Lua modules it ships with.
//!
//! The C has one header for each thing. What fastlua writes holds their texts, so that no file more
//! is needed.

pub mod deflate;

mod kind;

use include_dir::{Dir, include_dir};

pub use kind::ChunkKind;

/// The index of a bundle, and what loads its chunks.
const INDEX: &str = include_str!("../fast_index.h");
const LOADERS: [&str; 4] = [
    include_str!("../fast_flash.h"),
    include_str!("../fast_collector.h"),
    include_str!("../fast_undump.h"),
    include_str!("../fast_load.h"),
];

/// What finds chunks in flash and loads them: `fast_load.h` behind the headers that it includes.
pub fn fast_load_h() -> String {
    joined(&[&[INDEX], &LOADERS[..]].concat())
}

/// What C modules with chunks of their own include: the index of a bundle, and the functions of [`fast_runtime_c`]. `sizes`
/// stands behind the index.
pub fn fast_runtime_h(sizes: &str) -> String {
    let content = format!("{}\n{sizes}", joined(&[INDEX]));
    with(include_str!("../fast_runtime.h"), "fast_index.h", &content)
}

/// What loads the chunks of C modules, once for a firmware. It includes [`fast_runtime_h`]. `deflated` and `packed` are
/// [`fast_deflated_h`] and [`fast_packed_h`] with what is taken for granted of them, `tables` what all packed chunks share.
pub fn fast_runtime_c(deflated: &str, packed: &str, tables: &str) -> String {
    let text = include_str!("../fast_runtime.c");
    let text = with(text, "fast_load.h", &joined(&LOADERS));
    let text = with(&text, "fast_deflated.h", deflated);
    let text = with(&text, "fast_packed.h", packed);
    with(&text, "fast_tables.h", tables)
}

/// What makes functions of packed chunks. It stands behind [`fast_load_h`] and the tables.
pub fn fast_packed_h() -> String {
    joined(&[include_str!("../fast_packed.h")])
}

/// What the objects of frozen chunks are made of. It stands behind [`fast_load_h`].
pub fn fast_objects_h() -> String {
    joined(&[include_str!("../fast_objects.h")])
}

/// What loads deflated chunks. It stands behind [`fast_load_h`].
pub fn fast_deflated_h() -> String {
    joined(&[
        include_str!("../fast_inflate.h"),
        include_str!("../fast_deflated.h"),
    ])
}

/// The region that chunks are put into once the firmware is built. It stands behind [`fast_load_h`],
/// [`fast_objects_h`] and [`fast_deflated_h`].
pub fn fast_slot_h() -> String {
    joined(&[include_str!("../fast_slot.h")])
}

/// The build descriptor of a bundle. It follows the bundle.
pub fn fast_descriptor_h() -> String {
    joined(&[include_str!("../fast_descriptor.h")])
}

/// The C module, `fast.c`, with [`fast_load_h`], `fast_frozen.h`, what runs frozen chunks, and
/// `fast_data.h` in it. It includes the `fast_chunks.h` of a bundle.
pub fn fast_c() -> String {
    let text = with(include_str!("../fast.c"), "fast_load.h", &fast_load_h());
    let frozen = joined(&[include_str!("../fast_frozen.h")]);
    let text = with(&text, "fast_frozen.h", &frozen);
    let data = joined(&[include_str!("../fast_data.h")]);
    with(&text, "fast_data.h", &data)
}

/// The text of a C file with that of a header in the place of its `#include`.
fn with(text: &str, header: &str, content: &str) -> String {
    let include = format!("#include \"{header}\"\n");
    text.replacen(&include, &format!("\n{content}\n"), 1)
}

/// The texts of headers without the lines by which they include one another.
fn joined(headers: &[&str]) -> String {
    let ours = |line: &&str| line.starts_with("#include \"fast_");
    let text = |header: &&str| -> String {
        let lines = header.split_inclusive('\n');
        lines.filter(|line| !ours(line)).collect()
    };
    let texts: Vec<String> = headers.iter().map(text).collect();
    texts.join("\n")
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

/// The modules that set up a blank chip: not the smallest one, nor the example of a server.
pub fn provisioning() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    modules().filter(|(file, _)| !["hello.lua", "web.lua"].contains(file))
}

/// File name and text of each Lua module that fastlua ships, by name.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    LUA.files().filter_map(|file| {
        let name = file.path().to_str()?;
        name.ends_with(".lua").then(|| (name, file.contents()))
    })
}
