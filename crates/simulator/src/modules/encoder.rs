//! `encoder`: Base64 and hexadecimal digits.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use mlua::{BString, Lua};

use crate::api::Library;
use crate::error::raise;

pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    let library = Library::new(lua, "encoder.")?;
    library.function("toBase64", |_, args| {
        Ok(BASE64.encode(&args.string(1)?.as_bytes()))
    })?;
    library.function("fromBase64", |_, args| {
        match BASE64.decode(&args.string(1)?.as_bytes()) {
            Ok(bytes) => Ok(BString::from(bytes)),
            Err(_) => raise("Invalid base64 string"),
        }
    })?;
    library.function("toHex", |_, args| {
        Ok(HEXLOWER.encode(&args.string(1)?.as_bytes()))
    })?;
    library.function("fromHex", |_, args| {
        match HEXLOWER_PERMISSIVE.decode(&args.string(1)?.as_bytes()) {
            Ok(bytes) => Ok(BString::from(bytes)),
            Err(_) => raise("Invalid hex string"),
        }
    })?;
    library.global("encoder")
}
