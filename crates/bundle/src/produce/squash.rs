//! Squashed source, checked by the vendored compilers.

use fastlua_bytecode::{Chunk, Function, Layout, NumberModel, Strip};
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
    squash_proved_from(text, file, variants, heap_limit, |_| None)
}

/// A chunk as it is compared with that of the squashed text.
pub(super) fn bare(mut chunk: Chunk) -> Function {
    chunk.strip(Strip::Lines);
    chunk.set_source(None);
    chunk.main.for_each_mut(&mut |function| {
        function.line_defined = 0;
        function.last_line_defined = 0;
    });
    chunk.main
}

/// The same; `known` gives what the text itself has been compiled to, if it has been.
pub(super) fn squash_proved_from(
    text: &[u8],
    file: &str,
    variants: &[Variant],
    heap_limit: usize,
    known: impl Fn(&NumberModel) -> Option<Function>,
) -> Result<Squashed, TextError> {
    let mut targets: Vec<NumberModel> = variants.iter().map(|v| v.layout.numbers()).collect();
    targets.sort();
    targets.dedup();
    let name = format!("@{file}");
    let compiled = |bytes: &[u8], target: &NumberModel| -> Result<Function, CompileError> {
        if let Some(function) = known(target).filter(|_| std::ptr::eq(bytes, text)) {
            return Ok(function);
        }
        let layout = Layout::stock(*target, 4);
        compile(&layout, name.as_bytes(), bytes, heap_limit).map(bare)
    };
    squash_checked(text, &targets, compiled).map_err(|error| match error {
        CheckError::Original { target, error } => {
            // the message of the compiler that got furthest stands for all
            let line = |found: &(NumberModel, CompileError)| found.1.line();
            let others = targets.iter().filter(|other| **other != target);
            let others = others.filter_map(|other| Some((*other, compiled(text, other).err()?)));
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
