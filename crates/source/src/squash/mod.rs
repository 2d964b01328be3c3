//! Squashing: the same chunk from fewer bytes of text.
//!
//! The rule above all: the chunk compiled from the squashed text equals the original's, except for line numbers
//! and the names of locals and upvalues, for every target that the text is meant for. So every rewriting here
//! gives the same instructions, and what is not surely the same is not done. [`squash_checked`] compares.
//!
//! - Comments and space go, and `;` but before a `(` that would else be taken for a call.
//! - Locals and labels get the shortest names that keep what each name means (`names.rs`).
//! - Neighbouring local statements become one (`locals.rs`); a last `nil` is left out there and in `for`.
//! - `f("x")` and `f({})` lose their parentheses, as do expressions that are read the same without
//!   (`primary.rs`).
//! - Numbers and strings get their shortest spelling (`literal.rs`); `60*1000` is written as its value.
//! - `a["x"]` becomes `a.x`, `{["x"]=1}` `{x=1}`; a last separator in a table goes.
//! - `function a:b()` becomes `function a.b(s)` where `self` is used.
//! - `if a then if b then … end end` becomes `if a and b then … end`, `else if … end end` becomes
//!   `elseif … end`, and `true` as a condition 1 (`conditional.rs`). A step of 1 goes.

mod check;
mod conditional;
mod emit;
mod expression;
mod literal;
mod locals;
mod names;
mod parser;
mod primary;
mod scope;
mod statement;

use crate::lexer::{Result, SyntaxError, lex};
use crate::numeral::Form;
use crate::token::{Kind, shown};
pub use check::{CheckError, Squashed, squash_checked};
use fastlua_bytecode::Dialect;
use fastlua_bytecode::NumberModel;

/// Squashes `text` for those of `targets` that take it, which are found by dialect and number
/// literals.
///
/// ```
/// use fastlua_source::{NumberModel, squash::squash};
/// let text = b"local pin = 4 -- the LED\nlocal function on()\n  gpio.write(pin, 1)\nend\nreturn on";
/// let squashed = squash(text, &NumberModel::ALL).unwrap();
/// assert_eq!(squashed, b"local a=4 local function b()gpio.write(a,1)end return b");
/// ```
///
/// # Errors
/// What is wrong with the text where no target takes it.
pub fn squash(text: &[u8], targets: &[NumberModel]) -> Result<Vec<u8>> {
    let mut error = None;
    let mut fitting = Vec::new();
    for dialect in [Dialect::Lua51, Dialect::Lua53] {
        let of_dialect: Vec<_> = targets
            .iter()
            .filter(|t| t.dialect == dialect)
            .copied()
            .collect();
        if of_dialect.is_empty() {
            continue;
        }
        match fits(text, &of_dialect) {
            Ok(found) => fitting.extend(found),
            Err(found) => drop(error.get_or_insert(found)),
        }
    }
    match error {
        _ if !fitting.is_empty() => squash_for(text, &fitting),
        Some(error) => Err(error),
        None => Err(SyntaxError {
            line: 1,
            message: "no target to squash for".into(),
        }),
    }
}

/// Squashes `text` for all of `targets`, which must all take it.
pub(crate) fn squash_for(text: &[u8], targets: &[NumberModel]) -> Result<Vec<u8>> {
    let mut targets = targets.to_vec();
    // What both dialects read, they read the same but for strings; 5.1 is the stricter one.
    targets.sort();
    let parsed = parser::parse(text, &targets)?;
    Ok(emit::emit(&parsed, &targets))
}

/// Those of `targets`, all of one dialect, that take the text.
fn fits(text: &[u8], targets: &[NumberModel]) -> Result<Vec<NumberModel>> {
    parser::parse(text, targets)?;
    let integral = |target: &NumberModel| target.float == 0;
    let mut broken = None;
    if targets.iter().any(integral) {
        broken = lex(text, targets[0].dialect)?.into_iter().find(|token| {
            token.kind == Kind::Number
                && !matches!(Form::of(token.bytes(text)), Form::Decimal(_) | Form::Hex(_))
        });
    }
    let fitting: Vec<_> = targets
        .iter()
        .filter(|t| broken.is_none() || !integral(t))
        .copied()
        .collect();
    match broken {
        Some(token) if fitting.is_empty() => Err(SyntaxError {
            line: token.line,
            message: format!("malformed number near '{}'", shown(token.bytes(text))),
        }),
        _ => Ok(fitting),
    }
}
