//! Lua's own libraries as NodeMCU has them: files come from the flash file system, there is no `io` and no `os`.

use std::rc::Rc;

use fastlua_bytecode::{Dialect, Layout, NumberModel, dump_in, is_bytecode, read};
use fastlua_verifier::verify;
use mlua::{Function, Lua, MultiValue, Table, Value, Variadic};

use crate::api::Library;
use crate::device::Device;
use crate::error::{Error, Raise, caught, raise};

/// Functions of stock Lua that a firmware lacks, by library.
#[cfg(feature = "lua51")]
const ABSENT: &[(&str, &[&str])] = &[
    (
        "math",
        &[
            "acos", "asin", "atan", "atan2", "cos", "cosh", "deg", "exp", "fmod", "frexp", "ldexp",
            "log", "log10", "mod", "modf", "rad", "sin", "sinh", "tan", "tanh",
        ],
    ),
    ("package", &["loadlib"]),
];
#[cfg(not(feature = "lua51"))]
const ABSENT: &[(&str, &[&str])] = &[("package", &["loadlib", "searchpath"])];

/// NodeMCU formats with `%` too: `"%d bytes" % 3`, `"%d of %d" % {1, 2}`.
const STRING_MOD: &str = "getmetatable('').__mod = function(format, values)
  if type(values) ~= 'table' then return format:format(values) end
  return format:format((table.unpack or unpack)(values))
end";

/// Bytecode is verified before this process runs it. `...` gives a reason not to.
const LOAD: &str = "local refusal = ...
local load, type, byte = load, type, string.byte
local function verified(name)
  local load = _G[name]
  _G[name] = function(text, ...)
    local reason = type(text) == 'string' and refusal(text)
    if reason then return nil, reason end
    return load(text, ...)
  end
end
verified 'loadstring'
verified 'load'
local load = _G.load
_G.load = function(reader, ...)
  if type(reader) ~= 'function' then return load(reader, ...) end
  local is_first, is_bytecode = true
  local chunk, reason = load(function()
    local piece = reader()
    is_bytecode = is_bytecode or is_first and type(piece) == 'string' and byte(piece) == 27
    is_first = is_first and piece == ''
    if not is_bytecode then return piece end
  end, ...)
  if is_bytecode then return nil, 'bytecode has to come as a whole, since it is verified' end
  return chunk, reason
end";

/// 5.1's own writes behind the stack where the range is longer than an `int` can say.
#[cfg(feature = "lua51")]
const UNPACK: &str = "local unpack, type, tonumber, error = unpack, type, tonumber, error
local most = 8000 -- LUAI_MAXCSTACK
function _G.unpack(list, first, last)
  if type(list) ~= 'table' then
    error(\"bad argument #1 to 'unpack' (table expected, got \" .. (list == nil and 'no value' or type(list)) .. ')', 2)
  end
  local i, e = tonumber(first) or 1, tonumber(last) or #list
  if e - i >= most then error('too many results to unpack', 2) end
  return unpack(list, first, last)
end";

const DEBUG_UNSIMULATED: &[&str] = &[
    "debug",
    "getlocal",
    "getmetatable",
    "getregistry",
    "getstrings",
    "getupvalue",
    "gethook",
    "sethook",
    "setlocal",
    "setmetatable",
    "setupvalue",
];

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let globals = lua.globals();
    for (library, names) in ABSENT {
        let table: Table = globals.get(*library)?;
        for name in *names {
            table.raw_set(*name, Value::Nil)?;
        }
    }
    if cfg!(feature = "lua53") {
        globals.raw_set("loadstring", globals.get::<Function>("load")?)?;
        globals.raw_set(
            "unpack",
            globals.get::<Table>("table")?.get::<Function>("unpack")?,
        )?;
    }
    globals.raw_set("_PROMPT", "> ")?;
    globals.raw_set("_PROMPT2", ">> ")?;
    #[cfg(feature = "lua51")]
    lua.load(UNPACK).exec()?;
    lua.load(STRING_MOD).exec()?;
    let refusal = |_: &Lua, text: mlua::LuaString| Ok(refusal(&text.as_bytes()));
    lua.load(LOAD).call::<()>(lua.create_function(refusal)?)?;
    open_print(lua, device)?;
    open_loading(lua, device)?;
    open_require(lua, device)?;
    open_debug(lua)
}

fn open_print(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "")?;
    library.with(device, "print", move |lua, device, args| {
        let tostring: Function = lua.globals().get("tostring")?;
        let mut line = Vec::new();
        for index in 1..=args.len() {
            if index > 1 {
                line.push(b'\t');
            }
            match tostring.call::<Value>(args.value(index).clone())? {
                Value::String(text) => line.extend_from_slice(&text.as_bytes()),
                _ => return raise("'tostring' must return a string to 'print'"),
            }
        }
        line.push(b'\n');
        device.print(&line)
    })?;
    lua.globals()
        .raw_set("print", library.table.get::<Function>("print")?)
}

fn open_loading(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "")?;
    library.with(device, "loadfile", move |lua, device, args| {
        let name = args.string(1)?;
        Ok(match load_file(lua, device, &name.as_bytes()) {
            Ok(chunk) => (Some(chunk), None),
            Err(text) => (None, Some(text)),
        })
    })?;
    library.with(device, "dofile", move |lua, device, args| {
        let name = args.string(1)?;
        let chunk = load_file(lua, device, &name.as_bytes()).map_err(Raise::Text)?;
        Ok(chunk.call::<MultiValue>(())?)
    })?;
    for name in ["loadfile", "dofile"] {
        lua.globals()
            .raw_set(name, library.table.get::<Function>(name)?)?;
    }
    Ok(())
}

fn open_require(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let package: Table = lua.globals().get("package")?;
    package.raw_set("path", "?.lc;?.lua")?;
    package.raw_set("cpath", "")?;
    let searchers: Table = package.get(if cfg!(feature = "lua53") {
        "searchers"
    } else {
        "loaders"
    })?;
    let library = Library::new(lua, "")?;
    library.with(device, "search", move |lua, device, args| {
        let module = args.text(1)?;
        let path: String = lua.globals().get::<Table>("package")?.get("path")?;
        let mut tried = String::new();
        for template in path.split(';').filter(|template| !template.is_empty()) {
            let name = template.replace('?', &module);
            if device.flash.exists(name.as_bytes()) {
                let chunk = load_file(lua, device, name.as_bytes());
                return match chunk {
                    Ok(chunk) => Ok(Value::Function(chunk)),
                    Err(text) => raise(format!(
                        "error loading module '{module}' from file '{name}':\n\t{text}"
                    )),
                };
            }
            tried += &format!("\n\tno file '{name}'");
        }
        Ok(Value::String(lua.create_string(tried)?))
    })?;
    searchers.raw_set(2, library.table.get::<Function>("search")?)?;
    searchers.raw_set(3, Value::Nil)?;
    searchers.raw_set(4, Value::Nil)
}

fn open_debug(lua: &Lua) -> mlua::Result<()> {
    let library = Library::new(lua, "debug.")?;
    library.unsimulated(DEBUG_UNSIMULATED)?;
    let traceback = lua.create_function(|lua, args: Variadic<Value>| {
        let text = match args.first() {
            None | Some(Value::Nil) => None,
            Some(value) => match lua.coerce_string(value.clone())? {
                Some(text) => Some(text.to_string_lossy()),
                None => return Ok(value.clone()),
            },
        };
        let level = args.get(1).and_then(Value::as_usize).unwrap_or(1);
        lua.traceback(text.as_deref(), level).map(Value::String)
    })?;
    library.constant("traceback", traceback)?;
    library.constant("getinfo", lua.create_function(getinfo)?)?;
    library.global("debug")
}

/// `debug.getinfo` for a level of the stack or a function, without thread and hooks.
fn getinfo(lua: &Lua, (of, _what): (Value, Value)) -> mlua::Result<Option<Table>> {
    let table = lua.create_table()?;
    let (function, line) = match &of {
        Value::Function(function) => (function.clone(), None),
        _ => {
            let level = of.as_usize().unwrap_or(1);
            let Some((function, line)) =
                lua.inspect_stack(level, |frame| (frame.function(), frame.current_line()))
            else {
                return Ok(None);
            };
            (function, line)
        }
    };
    let info = function.info();
    table.raw_set("source", info.source)?;
    table.raw_set("short_src", info.short_src)?;
    table.raw_set(
        "linedefined",
        info.line_defined.map_or(-1, |line| line as i64),
    )?;
    table.raw_set(
        "lastlinedefined",
        info.last_line_defined.map_or(-1, |line| line as i64),
    )?;
    table.raw_set("what", info.what)?;
    table.raw_set("name", info.name)?;
    table.raw_set("currentline", line.map_or(-1, |line| line as i64))?;
    table.raw_set("func", function)?;
    Ok(Some(table))
}

/// Loads source or bytecode. A first line that begins with `#` is skipped, as `luaL_loadfile` does.
pub(crate) fn load(lua: &Lua, source: &[u8], chunk_name: &str) -> mlua::Result<Function> {
    let mut source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
    if let Some(dump) = dump_in(source) {
        source = dump;
    } else if source.first() == Some(&b'#') {
        source = &source[source
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(source.len())..];
    }
    if let Some(reason) = refusal(source) {
        return Err(mlua::Error::runtime(format!("{chunk_name}: {reason}")));
    }
    lua.load(source).set_name(chunk_name).into_function()
}

/// Why text that is bytecode can't be run; nothing where it can, or is source.
fn refusal(text: &[u8]) -> Option<String> {
    if !is_bytecode(text) {
        return None;
    }
    let (dialect, integer) = match cfg!(feature = "lua53") {
        true => (Dialect::Lua53, 8),
        false => (Dialect::Lua51, 0),
    };
    let numbers = NumberModel {
        dialect,
        integer,
        float: 8,
    };
    let layout = Layout::stock(numbers, size_of::<usize>() as u8);
    match read(text, &layout) {
        Err(error) => Some(format!("bytecode of another Lua, or damaged: {error}")),
        Ok(chunk) => verify(&chunk).err().map(|refusal| refusal.to_string()),
    }
}

fn load_file(lua: &Lua, device: &Device, name: &[u8]) -> Result<Function, String> {
    let shown = String::from_utf8_lossy(name);
    let source = device
        .flash
        .read(name)
        .ok_or_else(|| format!("cannot open {shown}"))?;
    load(lua, &source, &format!("@{shown}")).map_err(|error| caught(&error))
}

/// Runs a boot command: `@file`, `!module` of LFS, or Lua code.
pub(crate) fn boot(lua: &Lua, device: &Device, command: Option<&str>) -> Result<(), Error> {
    let chunk = match command {
        None if !device.flash.exists(b"init.lua") => return Ok(()),
        None => load_file(lua, device, b"init.lua").map_err(Error::Lua)?,
        Some(command) => match command.split_at_checked(1) {
            Some(("@", name)) => load_file(lua, device, name.as_bytes()).map_err(Error::Lua)?,
            Some(("!", name)) => return Err(Error::Lua(format!("cannot load LFS.{name}"))),
            _ => load(lua, command.as_bytes(), "=INIT")?,
        },
    };
    Ok(chunk.call::<()>(())?)
}
