//! Builds tables of what the parser finds.

use mlua::{Function, Lua, Table, Value};

use super::Settings;
use super::parser::{Parser, Token};
use crate::collector;
use crate::error::{Raise, raise};

/// A table that is being filled.
struct Level {
    table: Table,
    is_list: bool,
    count: i64,
    key: Value,
}

impl Level {
    /// The key of the element that comes now.
    fn next_key(&mut self) -> Value {
        if !self.is_list {
            return std::mem::replace(&mut self.key, Value::Nil);
        }
        self.count += 1;
        self.key = Value::Integer(self.count);
        self.key.clone()
    }
}

pub(super) struct Decoding {
    parser: Parser,
    settings: Settings,
    levels: Vec<Level>,
    /// The keys that lead to the table which is being filled.
    path: Vec<Value>,
    root: Value,
}

impl Decoding {
    pub fn new(settings: Settings) -> Self {
        Self {
            parser: Parser::new(settings.depth),
            settings,
            levels: Vec::new(),
            path: Vec::new(),
            root: Value::Nil,
        }
    }

    /// Takes a further piece: the value once it is whole. What follows it is not looked at.
    pub fn write(&mut self, lua: &Lua, text: &[u8]) -> Result<Option<Value>, Raise> {
        let mut tokens = Vec::new();
        for byte in text {
            if let Err(error) = self.parser.feed(*byte, &mut tokens) {
                return raise(format!("JSON parse error: {error}"));
            }
            for token in tokens.drain(..) {
                self.take(lua, token)?;
            }
            if self.parser.is_complete() {
                return Ok(Some(self.root.clone()));
            }
        }
        Ok(None)
    }

    fn take(&mut self, lua: &Lua, token: Token) -> Result<(), Raise> {
        match token {
            Token::Open { is_list } => self.open(lua, is_list),
            Token::Close => {
                self.levels.pop();
                self.path.pop();
                Ok(())
            }
            Token::Key(key) => {
                let key = Value::String(lua.create_string(collector::joined(lua, key)?)?);
                if let Some(level) = self.levels.last_mut() {
                    level.key = key;
                }
                Ok(())
            }
            Token::Text(text) => {
                let text = lua.create_string(collector::joined(lua, text)?)?;
                self.add(Value::String(text))
            }
            Token::Word(word) => {
                let value = self.word(&word);
                self.add(value)
            }
        }
    }

    fn word(&self, word: &[u8]) -> Value {
        match word {
            b"true" => Value::Boolean(true),
            b"false" => Value::Boolean(false),
            b"null" => self.settings.null.clone(),
            _ => {
                let text = String::from_utf8_lossy(word);
                match text.parse::<i64>() {
                    Ok(number) if cfg!(feature = "lua53") => Value::Integer(number),
                    _ => Value::Number(text.parse().unwrap_or_default()),
                }
            }
        }
    }

    /// Puts an element into the innermost table, whose metatable may see to it.
    fn add(&mut self, value: Value) -> Result<(), Raise> {
        if let Some(level) = self.levels.last_mut() {
            let (table, key) = (level.table.clone(), level.next_key());
            table.set(key, value)?;
        }
        Ok(())
    }

    fn open(&mut self, lua: &Lua, is_list: bool) -> Result<(), Raise> {
        let table = lua.create_table()?;
        let metatable = self.settings.metatable.clone();
        if let Some(metatable) = &metatable {
            table.set_metatable(Some(metatable.clone()))?;
        }
        let parent = self.levels.last_mut().map(|level| {
            let key = level.next_key();
            (level.table.clone(), key)
        });
        if let Some((_, key)) = &parent {
            self.path.push(key.clone());
        }
        let check: Option<Function> = match &metatable {
            Some(metatable) => metatable.get("checkpath")?,
            None => None,
        };
        let is_wanted = match check {
            Some(check) => {
                let path = lua.create_sequence_from(self.path.clone())?;
                check.call((table.clone(), path))?
            }
            None => true,
        };
        if is_wanted {
            match parent {
                Some((parent, key)) => parent.set(key, table.clone())?,
                None => self.root = Value::Table(table.clone()),
            }
        }
        self.levels.push(Level {
            table,
            is_list,
            count: 0,
            key: Value::Nil,
        });
        Ok(())
    }
}
