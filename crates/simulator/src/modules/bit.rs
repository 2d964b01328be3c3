//! `bit`: operations on 32-bit integers.

use mlua::Lua;

use crate::api::{Args, Library};
use crate::error::Raise;

/// An argument as 32 bits, whatever its sign.
fn word(args: &Args, index: usize) -> Result<u32, Raise> {
    Ok(args.integer(index)? as u32)
}

fn fold(args: &Args, operation: fn(u32, u32) -> u32) -> Result<i32, Raise> {
    let mut result = word(args, 1)?;
    for index in 2..=args.len() {
        result = operation(result, word(args, index)?);
    }
    Ok(result as i32)
}

fn position(args: &Args, index: usize) -> Result<u32, Raise> {
    match args.integer(index)? {
        position @ 0..=31 => Ok(position as u32),
        _ => args.bad(index, "bit position must be 0 to 31"),
    }
}

/// The bits named by the arguments from the second on.
fn mask(args: &Args) -> Result<u32, Raise> {
    (2..=args.len()).try_fold(0, |mask, index| Ok(mask | 1 << position(args, index)?))
}

pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    let library = Library::new(lua, "bit.")?;
    library.function("bnot", |_, args| Ok(!word(args, 1)? as i32))?;
    library.function("band", |_, args| fold(args, |a, b| a & b))?;
    library.function("bor", |_, args| fold(args, |a, b| a | b))?;
    library.function("bxor", |_, args| fold(args, |a, b| a ^ b))?;
    library.function("lshift", |_, args| {
        Ok((word(args, 1)? << position(args, 2)?) as i32)
    })?;
    library.function("rshift", |_, args| {
        Ok((word(args, 1)? >> position(args, 2)?) as i32)
    })?;
    library.function("arshift", |_, args| {
        Ok(word(args, 1)? as i32 >> position(args, 2)?)
    })?;
    library.function("bit", |_, args| Ok((1u32 << position(args, 1)?) as i32))?;
    library.function("set", |_, args| Ok((word(args, 1)? | mask(args)?) as i32))?;
    library.function(
        "clear",
        |_, args| Ok((word(args, 1)? & !mask(args)?) as i32),
    )?;
    library.function("isset", |_, args| {
        Ok(word(args, 1)? >> position(args, 2)? & 1 == 1)
    })?;
    library.function("isclear", |_, args| {
        Ok(word(args, 1)? >> position(args, 2)? & 1 == 0)
    })?;
    library.global("bit")
}
