//! What is otherwise in an image than in a dump: source names, of which each module has one, and 5.3's word about
//! where the environment comes from. And line info, which may be given packed.

use bstr::BString;
use fastlua_bytecode::{Dialect, Format, Function, line_info};

use crate::NO_SOURCE;

/// The function as an image holds it: the outermost has a source name, an inner one only if it is another.
pub(crate) fn in_image(main: &Function, dialect: Dialect) -> Function {
    let mut main = main.clone();
    if dialect == Dialect::Lua53 {
        set_environment(&mut main, true);
    }
    let source = main.source.get_or_insert_with(|| NO_SOURCE.into()).clone();
    inherit(&mut main, &source);
    main
}

/// Says of the upvalue of a module that it is the environment, which is what a dump says (`in_stack` is 1), or
/// that it is one of the function around all modules, as `luac.cross` has it in an image of 5.3.
pub(crate) fn set_environment(main: &mut Function, in_stack: bool) {
    if let Some(first) = main.upvalues.first_mut() {
        first.in_stack = in_stack;
    }
}

fn inherit(function: &mut Function, parent: &BString) {
    for child in &mut function.functions {
        child.source.take_if(|source| source == parent);
        let source = child.source.as_ref().unwrap_or(parent).clone();
        inherit(child, &source);
    }
}

/// The packed line info of a function: that which is given, else the shortest; none where it has no lines.
pub(crate) fn packed_lines(
    format: Format,
    function: &Function,
    given: Option<&Vec<u8>>,
) -> Vec<u8> {
    match given.filter(|_| !function.lines.is_empty()) {
        Some(packed) => packed.clone(),
        None => line_info(format, function),
    }
}
