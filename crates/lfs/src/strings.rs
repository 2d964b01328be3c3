//! The strings that functions name, and the hash of them.

use fastlua_bytecode::{Constant, Function};

/// The hash of a string (`lstring.c`); the seed is 0 in 5.1.
pub(crate) fn hash(seed: u32, text: &[u8]) -> u32 {
    let step = (text.len() >> 5) + 1;
    let mut hash = seed ^ text.len() as u32;
    let mut end = text.len();
    while end >= step {
        let shifted = (hash << 5).wrapping_add(hash >> 2);
        hash ^= shifted.wrapping_add(text[end - 1].into());
        end -= step;
    }
    hash
}

/// Bytes of a string in the memory of a region: what is in front of its text, the text, and a zero, in words.
pub(crate) fn bytes(text: &[u8]) -> usize {
    16 + (text.len() + 1).next_multiple_of(4)
}

/// Calls `visit` with the string constants and the names of a function, in the order in which `luac.cross`
/// gathers them; not its source and not those of functions in it.
pub(crate) fn visit<'a>(function: &'a Function, visit: &mut impl FnMut(&'a [u8])) {
    for constant in &function.constants {
        if let Constant::String(text) = constant {
            visit(text);
        }
    }
    let names = function.upvalues.iter().filter_map(|u| u.name.as_ref());
    names.for_each(|name| visit(name));
    let names = function.locals.iter().filter_map(|l| l.name.as_ref());
    names.for_each(|name| visit(name));
}
