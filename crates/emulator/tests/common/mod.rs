//! What the tests share: the tools, a work folder, the bundle of the shipped modules.

#![allow(dead_code)] // each test uses its part

pub mod images;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fastlua_bundle::{Build, Bundle, Form, Input};
use fastlua_bytecode::{Layout, Strip};
use fastlua_emulator::{Chip, Toolchain, stock_layout};
use fastlua_source::split::{Loader, split};
use fastlua_variants::{Variant, Variants};

/// Real time for a run; each takes a fraction of a second.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// The tools of a chip. Missing ones fail the test: `scripts/test` installs them.
pub fn tools(chip: Chip) -> Toolchain {
    Toolchain::find(chip).unwrap_or_else(|missing| panic!("{missing}"))
}

/// Bytes before each block of a chip's heap.
pub fn block_head(chip: Chip) -> i32 {
    match chip {
        Chip::Esp8266 => 16,
        Chip::Esp32c3 => 4,
    }
}

/// Number models of NodeMCU's firmware for a chip.
pub fn models(chip: Chip) -> Vec<&'static str> {
    let all = [
        "51-int",
        "51-float",
        "53-int32-float32",
        "53-int64-float64",
        "53-int64-float32",
        "53-int32-float64",
    ];
    let set = Variants::built_in();
    let is_of_chip = |model: &&str| {
        let variant = set.get(&format!("lua{model}")).expect("NodeMCU has it");
        variant.select.contains_key(chip.target())
    };
    all.into_iter().filter(is_of_chip).collect()
}

/// Objects are kept here between tests and runs; their names tell what they depend on.
pub fn work() -> PathBuf {
    // examples have no folder of their own
    let folder = option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp");
    Path::new(folder).join("emulator")
}

/// The number model of that name.
pub fn layout(name: &str) -> Layout {
    variant(name).layout
}

/// Stock Lua's variant for the chips, of the number model of that name.
pub fn variant(name: &str) -> Variant {
    let set = Variants::built_in();
    let variant = set.get(&format!("puc{name}-32bit")).unwrap();
    assert_eq!(variant.layout.numbers().name(), name);
    assert_eq!(stock_layout(variant.layout.numbers()), variant.layout);
    variant.clone()
}

/// A module of a bundle, without line info.
pub fn input(name: &str, text: &[u8]) -> Input {
    Input {
        name: name.into(),
        module: name.into(),
        file: format!("{name}.lua"),
        text: text.to_vec(),
        form: Form::Bytecode,
        strip: Strip::Lines,
        variants: None,
    }
}

/// The modules that fastlua ships, but for the example of a server.
fn texts() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    fastlua_firmware::modules().filter(|(file, _)| *file != "web.lua")
}

/// They as modules.
pub fn shipped() -> Vec<Input> {
    texts()
        .map(|(file, text)| input(file.strip_suffix(".lua").unwrap(), text))
        .collect()
}

/// The same, to be carried in this form.
pub fn carried(inputs: &[Input], form: Form) -> Vec<Input> {
    let carried = inputs.iter().map(|input| Input {
        form,
        ..input.clone()
    });
    carried.collect()
}

/// The overlays of the shipped modules.
pub fn overlays(form: Form) -> Vec<Input> {
    let pieces = texts().flat_map(|(file, text)| {
        let name = file.strip_suffix(".lua").unwrap();
        match split(text, Loader::Fast).unwrap() {
            None => vec![input(name, text)],
            Some(pieces) => pieces
                .into_iter()
                .map(|p| input(&p.name, &p.text))
                .collect(),
        }
    });
    carried(&pieces.collect::<Vec<_>>(), form)
}

/// The bundle for one variant.
pub fn bundle(inputs: &[Input], variant: &Variant) -> Bundle {
    let build = Build {
        inputs,
        variants: std::slice::from_ref(variant),
        heap_limit: 64 << 20,
    };
    build.run().unwrap()
}
