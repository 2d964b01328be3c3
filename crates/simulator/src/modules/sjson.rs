//! `sjson`: JSON, as a whole or piece by piece.

mod decoder;
mod encoder;
mod parser;

use std::cell::RefCell;

use mlua::{AnyUserData, Lua, Table, Value};

use crate::api::{Args, Library};
use crate::error::{Raise, raise};
use decoder::Decoding;
use encoder::Encoding;

/// How deep values may lie in each other where nothing else is said.
const DEPTH: i64 = 20;

/// The Lua object of a decoder. What it works on is taken out while Lua's code is called.
struct Decoder(RefCell<State>);

enum State {
    /// Nothing more can come of it.
    Failed,
    Waiting(Box<Decoding>),
    Complete(Value),
}

/// The Lua object of an encoder, which has nothing in it while Lua's code is called.
struct Encoder(RefCell<Option<Encoding>>);

/// The options of both kinds of objects.
struct Settings {
    depth: usize,
    null: Value,
    metatable: Option<Table>,
}

impl Settings {
    fn of(args: &Args, index: usize) -> Result<Self, Raise> {
        let Value::Table(table) = args.value(index) else {
            return Ok(Self {
                depth: DEPTH as usize,
                null: Value::NULL,
                metatable: None,
            });
        };
        let depth = match table.get::<Option<i64>>("depth")? {
            None | Some(0) => DEPTH,
            Some(depth) => depth.clamp(4, 1000),
        };
        Ok(Self {
            depth: depth as usize,
            null: table.get("null")?,
            metatable: table.get("metatable")?,
        })
    }
}

pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    let decoder = Library::methods(lua, "sjson.decoder:")?;
    decoder.function("write", |lua, args| {
        let text = args.string(2)?;
        write(
            lua,
            &*args.object::<Decoder>("sjson.decoder")?,
            &text.as_bytes(),
        )
    })?;
    decoder.function("result", |_, args| {
        match &*args.object::<Decoder>("sjson.decoder")?.0.borrow() {
            State::Complete(value) => Ok(value.clone()),
            _ => raise("decode not complete"),
        }
    })?;
    decoder.methods_of::<Decoder>()?;

    let encoder = Library::methods(lua, "sjson.encoder:")?;
    encoder.function("read", |lua, args| {
        let size = match args.is_number(2) {
            true => args.integer(2)?.max(1) as usize,
            false => 1024,
        };
        let object = args.object::<Encoder>("sjson.encoder")?;
        let Some(mut encoding) = object.0.take() else {
            return raise("the encoder is in use");
        };
        let piece = encoding.read(lua, size);
        object.0.replace(Some(encoding));
        piece
    })?;
    encoder.methods_of::<Encoder>()?;

    let library = Library::new(lua, "sjson.")?;
    library.constant("NULL", Value::NULL)?;
    library.function("decoder", |lua, args| {
        let decoding = Box::new(Decoding::new(Settings::of(args, 1)?));
        let decoder = Decoder(RefCell::new(State::Waiting(decoding)));
        Ok(lua.create_any_userdata(decoder)?)
    })?;
    library.function("decode", |lua, args| {
        let text = args.string(1)?;
        let decoding = Box::new(Decoding::new(Settings::of(args, 2)?));
        let decoder = Decoder(RefCell::new(State::Waiting(decoding)));
        let value = write(lua, &decoder, &text.as_bytes())?;
        match *decoder.0.borrow() {
            State::Complete(_) => Ok(value),
            _ => raise("Incomplete JSON object passed to sjson.decode"),
        }
    })?;
    library.function("encoder", create_encoder)?;
    library.function("encode", |lua, args| {
        let mut encoding = Encoding::new(lua, &args.table(1)?, Settings::of(args, 2)?)?;
        encoding.read(lua, usize::MAX)
    })?;
    library.global("sjson")
}

fn create_encoder(lua: &Lua, args: &Args) -> Result<AnyUserData, Raise> {
    let encoding = Encoding::new(lua, &args.table(1)?, Settings::of(args, 2)?)?;
    Ok(lua.create_any_userdata(Encoder(RefCell::new(Some(encoding))))?)
}

/// Decodes a further piece: the value once it is whole, or nil.
fn write(lua: &Lua, decoder: &Decoder, text: &[u8]) -> Result<Value, Raise> {
    let state = decoder.0.replace(State::Failed);
    let mut decoding = match state {
        State::Failed => return raise("JSON parse error: previous call"),
        State::Complete(value) => {
            decoder.0.replace(State::Complete(value.clone()));
            return Ok(value);
        }
        State::Waiting(decoding) => decoding,
    };
    let (state, value) = match decoding.write(lua, text)? {
        Some(value) => (State::Complete(value.clone()), value),
        None => (State::Waiting(decoding), Value::Nil),
    };
    decoder.0.replace(state);
    Ok(value)
}
