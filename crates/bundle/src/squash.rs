//! Squashed source, with the vendored compilers as judge.

use fastlua_bytecode::{Function, NumberModel, Strip};
use fastlua_compiler::compile;
use fastlua_source::squash::{Squashed, squash_checked};
use fastlua_variants::{Variant, Variants};

/// Squashes a text for those of `variants` that compile it, and compares the chunks of both. The
/// error names `file`.
pub fn squash_proved(
    text: &[u8],
    file: &str,
    variants: &[Variant],
    heap_limit: usize,
) -> Result<Squashed, String> {
    let mut targets: Vec<NumberModel> = variants.iter().map(|v| v.layout.numbers()).collect();
    targets.sort();
    targets.dedup();
    let layout = |target: &NumberModel| {
        let of = |v: &&Variant| v.layout.numbers() == *target;
        variants.iter().find(of).map(|v| v.layout)
    };
    let bare = |text: &[u8], target: &NumberModel| -> Result<Function, String> {
        let layout = layout(target).ok_or("no such variant")?;
        let name = format!("@{file}");
        let mut chunk =
            compile(&layout, name.as_bytes(), text, heap_limit).map_err(|e| e.to_string())?;
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        chunk.main.for_each_mut(&mut |function| {
            function.line_defined = 0;
            function.last_line_defined = 0;
        });
        Ok(chunk.main)
    };
    squash_checked(text, &targets, bare).map_err(|error| match error.to_string() {
        message if message.starts_with(file) => message,
        message => format!("{file}: {message}"),
    })
}

/// The NodeMCU variants of `known`, for a text that is to serve all that compile it.
pub fn nodemcu(known: &Variants) -> Vec<Variant> {
    known.iter().filter(|v| v.is_nodemcu()).cloned().collect()
}
