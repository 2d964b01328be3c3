//! Images for the tests.

use fastlua_bytecode::{Chunk, Dialect, Format, Layout};
use fastlua_lfs::{Image, Module, Place};
use fastlua_testing::generate;

/// The layouts that images can have.
pub fn layouts() -> Vec<Layout> {
    let nodemcu = Layout::all().filter(|layout| layout.format.is_nodemcu());
    // of NodeMCU's 5.1, numbers of 32 bits or floats of 64
    let narrow = |l: &Layout| {
        l.format == Format::NodeMcu53 || matches!((l.integer, l.float), (4, 0) | (0, 8))
    };
    nodemcu.filter(narrow).collect()
}

/// A made-up chunk; those of 5.1 have no upvalues in an image.
fn module_chunk(layout: Layout, seed: u64) -> Chunk {
    let mut chunk = generate::chunk(layout, seed);
    if layout.dialect() == Dialect::Lua51 {
        chunk.main.upvalues.clear();
    }
    chunk
}

/// An image of made-up modules.
pub fn made_up(layout: Layout, seed: u64, count: u64) -> Image {
    let module = |i| Module {
        name: format!("module{i}").into(),
        chunk: module_chunk(layout, seed * 100 + i),
    };
    Image {
        layout,
        place: Place::Anywhere,
        aligned: false,
        timestamp: seed as u32,
        seed: None,
        modules: (0..count).map(module).collect(),
    }
}
