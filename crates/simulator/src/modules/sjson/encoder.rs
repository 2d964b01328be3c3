//! Writes a table down.

use mlua::{BString, Function, Lua, Table, Value};

use super::Settings;
use crate::collector;
use crate::error::{Raise, caught, raise};

/// So many functions in a row are called for a value.
const CALLS: usize = 10;

/// A table that is being written.
enum Level {
    List {
        table: Table,
        length: i64,
        done: i64,
    },
    Object {
        table: Table,
        /// The key that was written last; nil at first.
        key: Value,
    },
}

pub(super) struct Encoding {
    settings: Settings,
    levels: Vec<Level>,
    /// What is written and has not been read.
    text: Vec<u8>,
    /// `next` and `string.format`.
    next: Function,
    format: Function,
}

impl Encoding {
    pub fn new(lua: &Lua, table: &Table, settings: Settings) -> Result<Self, Raise> {
        let globals = lua.globals();
        let mut encoding = Self {
            settings,
            levels: Vec::new(),
            text: Vec::new(),
            next: globals.get("next")?,
            format: globals.get::<Table>("string")?.get("format")?,
        };
        encoding.open(table)?;
        Ok(encoding)
    }

    /// The next bytes, up to so many; nothing at the end.
    pub fn read(&mut self, lua: &Lua, size: usize) -> Result<Option<BString>, Raise> {
        // The chip joins all that is left, however little is asked for.
        while !self.levels.is_empty() {
            self.step(lua)?;
            collector::check(lua, self.text.len())?;
        }
        let piece: Vec<u8> = self.text.drain(..size.min(self.text.len())).collect();
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn open(&mut self, table: &Table) -> Result<(), Raise> {
        if self.levels.len() >= self.settings.depth {
            return raise("encoder stack overflow");
        }
        let (level, bracket) = match length(table)? {
            Some(length) => {
                let (table, done) = (table.clone(), 0);
                (
                    Level::List {
                        table,
                        length,
                        done,
                    },
                    b'[',
                )
            }
            None => {
                let (table, key) = (table.clone(), Value::Nil);
                (Level::Object { table, key }, b'{')
            }
        };
        self.levels.push(level);
        self.text.push(bracket);
        Ok(())
    }

    /// Writes one element of the innermost table, or its end.
    fn step(&mut self, lua: &Lua) -> Result<(), Raise> {
        let value = match self.levels.last_mut() {
            None => return Ok(()),
            Some(Level::List { length, done, .. }) if done == length => {
                self.text.push(b']');
                self.levels.pop();
                return Ok(());
            }
            Some(Level::List { table, done, .. }) => {
                if *done > 0 {
                    self.text.push(b',');
                }
                *done += 1;
                table.raw_get::<Value>(*done)?
            }
            Some(Level::Object { table, key }) => {
                let is_first = key.is_nil();
                let (next, value): (Value, Value) = self.next.call((&*table, &*key))?;
                if next.is_nil() {
                    self.text.push(b'}');
                    self.levels.pop();
                    return Ok(());
                }
                *key = next.clone();
                if !is_first {
                    self.text.push(b',');
                }
                let name = match lua.coerce_string(next.clone())? {
                    Some(name) => Value::String(name),
                    None => next,
                };
                self.scalar(&name)?;
                self.text.push(b':');
                value
            }
        };
        let mut value = value;
        for _ in 0..CALLS {
            let Value::Function(function) = &value else {
                break;
            };
            value = function.call(())?;
        }
        match value {
            Value::Table(table) => self.open(&table),
            value => self.scalar(&value),
        }
    }

    fn scalar(&mut self, value: &Value) -> Result<(), Raise> {
        match value {
            Value::String(_) if *value == self.settings.null => self.text.extend(b"null"),
            Value::Nil | Value::LightUserData(_) | Value::UserData(_) => self.text.extend(b"null"),
            Value::Boolean(true) => self.text.extend(b"true"),
            Value::Boolean(false) => self.text.extend(b"false"),
            Value::Number(number) if !number.is_finite() => self.text.extend(b"null"),
            Value::Integer(number) => self.text.extend(number.to_string().into_bytes()),
            Value::Number(number) => {
                let text: BString = match self.format.call(("%.19g", *number)) {
                    Ok(text) => text,
                    Err(error) => return raise(caught(&error)),
                };
                self.text.extend_from_slice(&text);
            }
            Value::String(text) => self.string(&text.as_bytes()),
            other => return raise(format!("Cannot encode type {}", kind(other))),
        }
        Ok(())
    }

    /// A string in quotes. As on the chip, a backslash stays one.
    fn string(&mut self, text: &[u8]) {
        self.text.push(b'"');
        for &byte in text {
            match byte {
                b'"' => self.text.extend(b"\\\""),
                b'\n' => self.text.extend(b"\\n"),
                b'\r' => self.text.extend(b"\\r"),
                b'\t' => self.text.extend(b"\\t"),
                8 => self.text.extend(b"\\b"),
                12 => self.text.extend(b"\\f"),
                0..32 => self.text.extend(format!("\\u{byte:04x}").into_bytes()),
                _ => self.text.push(byte),
            }
        }
        self.text.push(b'"');
    }
}

/// Lua's number of a type, which the chip's message has.
fn kind(value: &Value) -> i32 {
    match value {
        Value::Table(_) => 5,
        Value::Function(_) => 6,
        _ => 8,
    }
}

/// The largest key of a table whose keys are all numbers above 0; nothing of any other.
fn length(table: &Table) -> Result<Option<i64>, Raise> {
    let mut length = 0;
    for pair in table.pairs::<Value, Value>() {
        let key = match pair?.0 {
            Value::Integer(key) => key,
            Value::Number(key) => key as i64,
            _ => return Ok(None),
        };
        if key <= 0 {
            return Ok(None);
        }
        length = length.max(key);
    }
    Ok(Some(length))
}
