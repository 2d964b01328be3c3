//! Squashed source, checked by the vendored compilers.

use fastlua_bytecode::{Function, Layout, NumberModel, Strip};
use fastlua_compiler::{CompileError, compile};
use fastlua_source::squash::{CheckError, Squashed, squash_checked};
use fastlua_variants::Variant;

use super::{SourceText, TextError};

/// Squashes a text for those of `variants` that compile it, and compares the chunks of both.
///
/// # Errors
/// No variant compiles it, or squashing has a fault; the error names `file`.
pub fn squash_proved(
    text: &[u8],
    file: &str,
    variants: &[Variant],
    heap_limit: usize,
) -> Result<Squashed, TextError> {
    let mut targets: Vec<NumberModel> = variants.iter().map(|v| v.layout.numbers()).collect();
    targets.sort();
    targets.dedup();
    let name = format!("@{file}");
    let bare = |text: &[u8], target: &NumberModel| -> Result<Function, CompileError> {
        let layout = Layout::stock(*target, 4);
        let mut chunk = compile(&layout, name.as_bytes(), text, heap_limit)?;
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        chunk.main.for_each_mut(&mut |function| {
            function.line_defined = 0;
            function.last_line_defined = 0;
        });
        Ok(chunk.main)
    };
    squash_checked(text, &targets, bare).map_err(|error| match error {
        CheckError::Original { target, error } => {
            // the message of the compiler that got furthest stands for all
            let line = |found: &(NumberModel, CompileError)| found.1.line();
            let others = targets.iter().filter(|other| **other != target);
            let others = others.filter_map(|other| Some((*other, bare(text, other).err()?)));
            let furthest = others.fold((target, error), |most, next| {
                if line(&next) > line(&most) {
                    next
                } else {
                    most
                }
            });
            let source = SourceText {
                chunk_name: name.as_bytes(),
                file,
                bytes: text,
            };
            source.refused(furthest.1, &Layout::stock(furthest.0, 4), heap_limit)
        }
        error => TextError::Squash {
            file: file.into(),
            error: Box::new(error),
        },
    })
}
