//! The common parts of NodeMCU's and stock Lua's 5.3 dumps: the lengths of strings, the number of upvalues.

use crate::cursor::{self, Cursor};
use crate::error::{ReadErrorKind, WriteErrorKind};
use crate::model::Function;
use crate::sink::{self, Sink};

/// Longest string with the tag of a short one.
pub(crate) const SHORT_LENGTH: usize = 40;

/// Most upvalues of a function.
const MAX_UPVALUES: usize = u8::MAX as usize;

/// Whether a function can have the `count` upvalues that are announced at `offset`. `expected` is the
/// count that the header gives, for the main function.
pub(crate) fn check_upvalue_count(
    cursor: &Cursor,
    offset: usize,
    count: usize,
    expected: Option<u8>,
) -> cursor::Result<()> {
    if count > MAX_UPVALUES {
        let kind = ReadErrorKind::Upvalues {
            count: count as u64,
            limit: MAX_UPVALUES,
        };
        return cursor.fail(offset, kind);
    }
    match expected {
        Some(header) if usize::from(header) != count => {
            let kind = ReadErrorKind::MainUpvalues {
                header,
                main: count,
            };
            cursor.fail(offset, kind)
        }
        _ => Ok(()),
    }
}

/// The number of the upvalues of `function`, if a closure can have as many.
pub(crate) fn upvalue_count(sink: &Sink, function: &Function) -> sink::Result<u8> {
    let count = function.upvalues.len();
    match u8::try_from(count) {
        Ok(count) => Ok(count),
        Err(_) => sink.fail(WriteErrorKind::Upvalues {
            count,
            limit: MAX_UPVALUES,
        }),
    }
}
