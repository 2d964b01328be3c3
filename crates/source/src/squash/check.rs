//! Squashing with proof: the chunks before and after are compared.

use super::squash_for;
use crate::lexer::SyntaxError;
use fastlua_bytecode::NumberModel;

/// A squashed text that has been compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squashed {
    /// The text.
    pub text: Vec<u8>,
    /// The targets for which it gives the same chunk as the original: all that compile the original.
    pub targets: Vec<NumberModel>,
}

/// Why there is no squashed text. All but the first two mean a fault in this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError<E> {
    /// There was no target.
    #[error("no target to squash for")]
    NoTarget,
    /// No target compiles the original.
    #[error("{error}")]
    Original {
        /// The first target.
        target: NumberModel,
        /// Its compiler's reason.
        error: E,
    },
    /// A compiler takes the original, but the parser here does not.
    #[error("bug in fastlua: the text can't be squashed: {0}")]
    Parser(SyntaxError),
    /// The squashed text is no Lua.
    #[error("bug in fastlua: squashed text is refused for {target}: {error}")]
    Refused {
        /// The target whose compiler refuses it.
        target: NumberModel,
        /// Its reason.
        error: E,
    },
    /// The squashed text gives another chunk.
    #[error("bug in fastlua: squashed text gives a different chunk for {0}")]
    Different(NumberModel),
}

/// Squashes `text` for those of `targets` that compile it, and compares the chunks.
///
/// `compile` makes of a text whatever is to be equal: the chunk without line numbers, source name and
/// the names of locals and upvalues.
///
/// # Errors
/// A text that no target compiles. Anything else is a fault here; the text is then never returned.
pub fn squash_checked<F: PartialEq, E>(
    text: &[u8],
    targets: &[NumberModel],
    compile: impl Fn(&[u8], &NumberModel) -> Result<F, E>,
) -> Result<Squashed, CheckError<E>> {
    let mut chunks = Vec::new();
    let mut refused = None;
    for &target in targets {
        match compile(text, &target) {
            Ok(chunk) => chunks.push((target, chunk)),
            Err(error) => drop(refused.get_or_insert((target, error))),
        }
    }
    let targets: Vec<NumberModel> = chunks.iter().map(|(target, _)| *target).collect();
    if targets.is_empty() {
        return Err(match refused {
            Some((target, error)) => CheckError::Original { target, error },
            None => CheckError::NoTarget,
        });
    }
    let squashed = squash_for(text, &targets).map_err(CheckError::Parser)?;
    for (target, chunk) in chunks {
        match compile(&squashed, &target) {
            Ok(found) if found == chunk => {}
            Ok(_) => return Err(CheckError::Different(target)),
            Err(error) => return Err(CheckError::Refused { target, error }),
        }
    }
    Ok(Squashed {
        text: squashed,
        targets,
    })
}
