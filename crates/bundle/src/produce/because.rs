//! Why some variants refuse a text that others take.

use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_compiler::{CompileError, compile};
use fastlua_source::place::column_of;

use super::SourceText;

/// Why a variant refuses a text that another one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// It has no fractions.
    WholeNumbers,
    /// It has the other Lua; the text is of this one.
    Other(Dialect),
}

impl Because {
    /// Why `layout` refuses the text with this error, if that is because of the variant.
    pub(super) fn of(
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

    /// As a sentence about these variants and files.
    pub fn said(self, variants: &[&str], files: &[&str]) -> String {
        let names = listed(variants);
        match (self, variants.len()) {
            (Because::WholeNumbers, 1) => format!("{names} has whole numbers only"),
            (Because::WholeNumbers, _) => format!("{names} have whole numbers only"),
            (Because::Other(dialect), count) => {
                let other = other(dialect);
                let has = if count == 1 { "has" } else { "have" };
                let files = match files.len() {
                    1 => format!("{} is", files[0]),
                    2 | 3 => format!("{} are", listed(files)),
                    many => format!("{many} files are"),
                };
                format!("{files} Lua {dialect}, and {names} {has} Lua {other}")
            }
        }
    }
}

/// The Lua that it is not.
fn other(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::Lua51 => Dialect::Lua53,
        Dialect::Lua53 => Dialect::Lua51,
    }
}

/// Names as a sentence has them.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The column of what an error of the compiler stands at, from 1 on, if its line has it once.
pub(super) fn column(text: &[u8], error: &CompileError, layout: &Layout) -> Option<u32> {
    column_of(text, layout.dialect(), error.line()?, error.near()?)
}
