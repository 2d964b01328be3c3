//! Why some variants refuse a text that others accept.

use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_compiler::{CompileError, compile};
use fastlua_source::place::column_of;

use super::SourceText;
use crate::model::{Because, other};

/// Why `layout` refuses the text with this error, if that is because of the variant.
pub(super) fn because(
    text: &SourceText,
    error: &CompileError,
    layout: &Layout,
    heap_limit: usize,
) -> Option<Because> {
    let takes = |model: &NumberModel, text: &[u8]| {
        compile(&Layout::stock(*model, 4), b"=text", text, heap_limit).is_ok()
    };
    let CompileError::Lua { .. } = error else {
        return None;
    };
    let numbers = layout.numbers();
    let of = |dialect| {
        NumberModel::ALL
            .iter()
            .rev()
            .find(move |m| m.dialect == dialect)
    };
    if numbers.float == 0
        && let Some(number) = error.near()
        && takes(of(Dialect::Lua51)?, &[b"return ", number].concat())
    {
        return Some(Because::WholeNumbers);
    }
    let other = other(numbers.dialect);
    takes(of(other)?, text.bytes).then_some(Because::Other(other))
}

/// The column of what an error of the compiler stands at, from 1 on, if its line has it once.
pub(super) fn column(text: &[u8], error: &CompileError, layout: &Layout) -> Option<u32> {
    column_of(text, layout.dialect(), error.line()?, error.near()?)
}
