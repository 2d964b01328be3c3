//! How a module's functions are given to Lua: checked arguments, and errors that are strings.
//!
//! An error that a Rust function returns through mlua would reach Lua as userdata. NodeMCU's are strings with the
//! place of the caller, and modules match against them, so each function returns a flag and its results, and a
//! Lua function around it raises the error.

use std::rc::Rc;

use mlua::{
    Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Table, UserDataFields,
    UserDataRef, Value,
};

use crate::error::{Raise, raise};

const GUARD: &str = "
local error = error
local level = _VERSION == 'Lua 5.1' and 3 or 2   -- 5.1 counts a tail call as a level
local function finish(ok, ...)
  if ok then return ... end
  error((...), ok == false and level or 0)
end
return function(f) return function(...) return finish(f(...)) end end";

const GUARD_KEY: &str = "fastlua.guard";

/// A function of a module, with its results or mlua's own error.
type Boxed = Box<dyn Fn(&Lua, &Args) -> Result<mlua::Result<MultiValue>, Raise>>;

/// The arguments of one call, counted from 1 as in NodeMCU's messages.
pub(crate) struct Args<'a> {
    lua: &'a Lua,
    values: &'a [Value],
}

impl Args<'_> {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn value(&self, index: usize) -> &Value {
        self.values.get(index - 1).unwrap_or(&Value::Nil)
    }

    pub fn is_number(&self, index: usize) -> bool {
        matches!(self.value(index), Value::Integer(_) | Value::Number(_))
    }

    fn expected<T>(&self, index: usize, what: &str) -> Result<T, Raise> {
        let got = self
            .values
            .get(index - 1)
            .map_or("no value", |value| match value {
                Value::Integer(_) => "number",
                other => other.type_name(),
            });
        self.bad(index, &format!("{what} expected, got {got}"))
    }

    pub fn bad<T>(&self, index: usize, text: &str) -> Result<T, Raise> {
        Err(Raise::Argument(index, text.to_owned()))
    }

    pub fn integer(&self, index: usize) -> Result<i64, Raise> {
        match self.value(index) {
            Value::Number(number) if cfg!(feature = "lua53") && number.fract() != 0.0 => {
                self.bad(index, "number has no integer representation")
            }
            Value::Number(number) => Ok(*number as i64),
            value => match self.lua.coerce_integer(value.clone()) {
                Ok(Some(number)) => Ok(number),
                _ => self.expected(index, "number"),
            },
        }
    }

    pub fn opt_integer(&self, index: usize, default: i64) -> Result<i64, Raise> {
        if self.value(index).is_nil() {
            Ok(default)
        } else {
            self.integer(index)
        }
    }

    pub fn string(&self, index: usize) -> Result<LuaString, Raise> {
        match self.lua.coerce_string(self.value(index).clone()) {
            Ok(Some(text)) => Ok(text),
            _ => self.expected(index, "string"),
        }
    }

    pub fn opt_string(&self, index: usize) -> Result<Option<LuaString>, Raise> {
        if self.value(index).is_nil() {
            Ok(None)
        } else {
            self.string(index).map(Some)
        }
    }

    pub fn text(&self, index: usize) -> Result<String, Raise> {
        Ok(self.string(index)?.to_string_lossy())
    }

    pub fn opt_function(&self, index: usize) -> Option<Function> {
        self.value(index).as_function().cloned()
    }

    pub fn function(&self, index: usize) -> Result<Function, Raise> {
        match self.opt_function(index) {
            Some(function) => Ok(function),
            None => self.expected(index, "function"),
        }
    }

    pub fn table(&self, index: usize) -> Result<Table, Raise> {
        match self.value(index) {
            Value::Table(table) => Ok(table.clone()),
            _ => self.expected(index, "table"),
        }
    }

    /// The object of a method call, or an error that names the type it should have.
    pub fn object<T: 'static>(&self, name: &str) -> Result<UserDataRef<T>, Raise> {
        match self
            .value(1)
            .as_userdata()
            .and_then(|object| object.borrow::<T>().ok())
        {
            Some(object) => Ok(object),
            None => self.expected(1, name),
        }
    }

    pub fn is_true(&self, index: usize) -> bool {
        !matches!(self.value(index), Value::Nil | Value::Boolean(false))
    }
}

/// A table of functions and constants under construction: a module, or the methods of a kind of object.
pub(crate) struct Library<'a> {
    pub lua: &'a Lua,
    pub table: Table,
    path: &'static str,
    is_method: bool,
}

impl<'a> Library<'a> {
    /// `path` is what Lua code writes before the function's name, such as `wifi.sta.`.
    pub fn new(lua: &'a Lua, path: &'static str) -> mlua::Result<Self> {
        if lua
            .named_registry_value::<Option<Function>>(GUARD_KEY)?
            .is_none()
        {
            let guard: Function = lua.load(GUARD).set_name("=[C]").eval()?;
            lua.set_named_registry_value(GUARD_KEY, guard)?;
        }
        Ok(Self {
            lua,
            table: lua.create_table()?,
            path,
            is_method: false,
        })
    }

    /// As [`new`](Self::new), for functions whose first argument is the object before the colon.
    pub fn methods(lua: &'a Lua, path: &'static str) -> mlua::Result<Self> {
        Ok(Self {
            is_method: true,
            ..Self::new(lua, path)?
        })
    }

    pub fn function<R, F>(&self, name: &'static str, function: F) -> mlua::Result<&Self>
    where
        R: IntoLuaMulti,
        F: Fn(&Lua, &Args) -> Result<R, Raise> + 'static,
    {
        self.boxed(
            name,
            Box::new(move |lua, args| Ok(function(lua, args)?.into_lua_multi(lua))),
        )
    }

    /// The same for all functions, so that mlua's part of it is compiled once and not for each of them.
    fn boxed(&self, name: &'static str, function: Boxed) -> mlua::Result<&Self> {
        let is_method = self.is_method;
        let inner = self.lua.create_function(move |lua, values: MultiValue| {
            let values = values.into_vec();
            let text = match function(
                lua,
                &Args {
                    lua,
                    values: &values,
                },
            ) {
                Ok(results) => {
                    let mut results = results?;
                    results.push_front(Value::Boolean(true));
                    return Ok(results);
                }
                Err(Raise::Core(text)) => return (Value::Nil, text).into_lua_multi(lua),
                Err(Raise::Text(text)) => text,
                Err(Raise::Argument(1, text)) if is_method => {
                    format!("calling '{name}' on bad self ({text})")
                }
                Err(Raise::Argument(index, text)) => {
                    let index = index - usize::from(is_method);
                    format!("bad argument #{index} to '{name}' ({text})")
                }
            };
            (false, text).into_lua_multi(lua)
        })?;
        let guard: Function = self.lua.named_registry_value(GUARD_KEY)?;
        self.table.raw_set(name, guard.call::<Function>(inner)?)?;
        Ok(self)
    }

    /// As [`function`](Self::function), for a function that needs the device or its module's state.
    pub fn with<S, R, F>(
        &self,
        shared: &Rc<S>,
        name: &'static str,
        function: F,
    ) -> mlua::Result<&Self>
    where
        S: 'static,
        R: IntoLuaMulti,
        F: Fn(&Lua, &Rc<S>, &Args) -> Result<R, Raise> + 'static,
    {
        let shared = Rc::clone(shared);
        self.function(name, move |lua, args| function(lua, &shared, args))
    }

    pub fn constant(&self, name: &str, value: impl IntoLua) -> mlua::Result<&Self> {
        self.table.raw_set(name, value)?;
        Ok(self)
    }

    /// Functions that NodeMCU has and the simulator lacks: calling one raises an error that names it.
    pub fn unsimulated(&self, names: &[&'static str]) -> mlua::Result<&Self> {
        for name in names {
            let text = format!("{}{name} is not simulated", self.path);
            self.function(name, move |_, _| raise::<()>(text.clone()))?;
        }
        Ok(self)
    }

    /// Makes these the methods of the objects of Rust type `T`. Such objects must not exist yet.
    pub fn methods_of<T: 'static>(self) -> mlua::Result<()> {
        let Self { lua, table, .. } = self;
        lua.register_userdata_type::<T>(|registry| registry.add_meta_field("__index", table))
    }

    pub fn global(self, name: &str) -> mlua::Result<()> {
        self.lua.globals().raw_set(name, self.table)
    }
}
