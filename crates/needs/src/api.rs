//! What a branch of NodeMCU's firmware offers to Lua, as data: `api/*.toml`.
//!
//! A name is written as in Lua, without the module: `sta.getip` in the module `wifi`. A whole name has the module,
//! and a method a colon: `wifi.sta.getip`, `tmr.timer:alarm`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A branch of the firmware.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// `esp8266` or `esp32`: the chip, or the family of chips.
    pub chip: String,
    /// The branch of NodeMCU's repository.
    pub branch: String,
    /// The version that these facts are of.
    pub version: String,
    /// What stands before a module's macro to enable it: `LUA_USE_MODULES_`.
    pub switch: String,
    /// Libraries of Lua that it has beside those of the version.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// The modules by name.
    pub modules: BTreeMap<String, Module>,
    /// Names that it has not, and what to take instead.
    #[serde(default)]
    pub replaced: Vec<Replaced>,
}

/// A module, which is a global table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Module {
    /// Its macro, without [`Api::switch`].
    #[serde(rename = "macro")]
    pub macro_name: String,
    /// The first release with it, if that is known.
    pub since: Option<String>,
    /// The chips of the family that have it; empty for all.
    pub chips: Vec<String>,
    /// Macros of other modules without which it does not work.
    pub requires: Vec<String>,
    /// Its tables with further names than are known here; the empty name is the module itself.
    pub open: Vec<String>,
    /// The class of objects that functions with such further names make.
    pub others_make: Option<String>,
    /// Tables in it.
    pub tables: Vec<String>,
    /// Functions.
    pub functions: Vec<String>,
    /// Constants: numbers, in a few modules light userdata.
    pub constants: Vec<String>,
    /// Names that are there only if the firmware is built with a macro.
    pub only_with: BTreeMap<String, Vec<String>>,
    /// Names that came later than the module, by release.
    pub since_version: BTreeMap<String, Vec<String>>,
    /// Kinds of arguments that functions check, see [`Kinds`].
    pub arguments: BTreeMap<String, String>,
    /// Functions that make an object, and its class.
    pub makes: BTreeMap<String, String>,
    /// Functions that give an object to a callback as its first argument, and its class.
    pub gives: BTreeMap<String, String>,
    /// Classes of objects.
    pub objects: BTreeMap<String, Object>,
}

/// A class of objects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Object {
    /// Its methods.
    pub methods: Vec<String>,
    /// Methods that are there only if the firmware is built with a macro.
    pub only_with: BTreeMap<String, Vec<String>>,
    /// Kinds of arguments, without the object itself.
    pub arguments: BTreeMap<String, String>,
    /// Methods that give an object to a callback as its first argument, and its class.
    pub gives: BTreeMap<String, String>,
}

/// Names that are gone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    /// Whole names.
    pub names: Vec<String>,
    /// The first release without them; none if it never had them, or that is not known.
    pub removed: Option<String>,
    /// What to take instead.
    #[serde(rename = "use")]
    pub instead: String,
    /// Kinds of arguments that are gone, of a function that is still there.
    pub still: Option<String>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A module, which is a table.
    Module,
    /// A table in a module.
    Table,
    /// A function.
    Function,
    /// A constant.
    Constant,
    /// A method of an object.
    Method,
}

impl Kind {
    /// Its name, as reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::Constant => "constant",
            Kind::Method => "method",
        }
    }
}

impl Module {
    /// What `name` is in this module.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        let has = |names: &Vec<String>| names.iter().any(|known| known == name);
        match () {
            () if has(&self.functions) => Some(Kind::Function),
            () if has(&self.constants) => Some(Kind::Constant),
            () if has(&self.tables) => Some(Kind::Table),
            () => None,
        }
    }

    /// All its names with their kinds, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = (&str, Kind)> {
        let tables = self.tables.iter().map(|name| (&**name, Kind::Table));
        let functions = self.functions.iter().map(|name| (&**name, Kind::Function));
        let constants = self.constants.iter().map(|name| (&**name, Kind::Constant));
        tables.chain(functions).chain(constants)
    }

    /// Whether the table of `name` may have names that are not known here.
    pub fn is_open(&self, name: &str) -> bool {
        let table = name.rsplit_once('.').map_or("", |(table, _)| table);
        self.open.iter().any(|open| open == table)
    }

    /// The macro without which `name` is not there.
    pub fn only_with(&self, name: &str) -> Option<&str> {
        condition(&self.only_with, name)
    }

    /// The first release with `name`, if that is known.
    pub fn since(&self, name: &str) -> Option<&str> {
        condition(&self.since_version, name).or(self.since.as_deref())
    }
}

impl Object {
    /// The macro without which the method is not there.
    pub fn only_with(&self, method: &str) -> Option<&str> {
        condition(&self.only_with, method)
    }
}

/// The key whose list has `name`.
fn condition<'a>(lists: &'a BTreeMap<String, Vec<String>>, name: &str) -> Option<&'a str> {
    let mut lists = lists.iter();
    let found = lists.find(|(_, names)| names.iter().any(|known| known == name));
    found.map(|(key, _)| key.as_str())
}

impl Api {
    /// The module of this name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.get(name)
    }

    /// The class of a whole name such as `tmr.timer`.
    pub fn object(&self, class: &str) -> Option<&Object> {
        let (module, class) = class.split_once('.')?;
        self.modules.get(module)?.objects.get(class)
    }

    /// What a whole name stands for; `class:method` for a method.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        if let Some((class, method)) = name.split_once(':') {
            let methods = &self.object(class)?.methods;
            return methods
                .iter()
                .any(|known| known == method)
                .then_some(Kind::Method);
        }
        match name.split_once('.') {
            None => self.modules.get(name).map(|_| Kind::Module),
            Some((module, name)) => self.modules.get(module)?.kind(name),
        }
    }

    /// What replaced a whole name or the module or table that it is in.
    pub fn replaced(&self, name: &str) -> Option<&Replaced> {
        let mut name = name;
        loop {
            let has = |gone: &&Replaced| {
                gone.still.is_none() && gone.names.iter().any(|known| known == name)
            };
            if let Some(gone) = self.replaced.iter().find(has) {
                return Some(gone);
            }
            name = name.rsplit_once('.')?.0;
        }
    }

    /// Arguments of a function that is still there which are gone.
    pub fn replaced_arguments(&self, name: &str) -> Option<(&Replaced, Kinds)> {
        self.replaced.iter().find_map(|gone| {
            let still = gone.still.as_deref()?;
            let is_named = gone.names.iter().any(|known| known == name);
            is_named.then(|| (gone, Kinds::new(still)))
        })
    }

    /// The kinds of arguments of a whole name, if they are known.
    pub fn arguments(&self, name: &str) -> Option<Kinds> {
        let kinds = match name.split_once(':') {
            Some((class, method)) => self.object(class)?.arguments.get(method)?,
            None => {
                let (module, name) = name.split_once('.')?;
                self.modules.get(module)?.arguments.get(name)?
            }
        };
        Some(Kinds::new(kinds))
    }
}

/// The kinds of a function's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(pub Vec<Argument>);

/// The kind of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its type.
    pub kind: ArgumentKind,
    /// Whether nil, or nothing, does as well.
    pub optional: bool,
}

/// A type that C code checks. A number does for a string, and a string of digits for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Whatever it is.
    Any,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A boolean.
    Boolean,
    /// A table.
    Table,
    /// A function.
    Function,
}

impl ArgumentKind {
    /// Its name in Lua; none for any.
    pub fn name(self) -> &'static str {
        match self {
            ArgumentKind::Any => "any",
            ArgumentKind::Number => "number",
            ArgumentKind::Text => "string",
            ArgumentKind::Boolean => "boolean",
            ArgumentKind::Table => "table",
            ArgumentKind::Function => "function",
        }
    }
}

impl Kinds {
    /// Reads words such as `number string?`, one for each argument; `?` marks an optional one.
    pub fn new(text: &str) -> Kinds {
        let argument = |word: &str| {
            let plain = word.trim_end_matches('?');
            let kind = match plain {
                "number" => ArgumentKind::Number,
                "string" => ArgumentKind::Text,
                "boolean" => ArgumentKind::Boolean,
                "table" => ArgumentKind::Table,
                "function" => ArgumentKind::Function,
                _ => ArgumentKind::Any,
            };
            Argument {
                kind,
                optional: plain.len() != word.len() || kind == ArgumentKind::Any,
            }
        };
        Kinds(text.split_whitespace().map(argument).collect())
    }
}

/// What Lua itself offers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Global functions and values.
    pub globals: Vec<String>,
    /// Libraries and their names.
    pub libraries: BTreeMap<String, Vec<String>>,
}

impl Language {
    /// Whether it has this global.
    pub fn has(&self, name: &str) -> bool {
        self.libraries.contains_key(name) || self.globals.iter().any(|known| known == name)
    }
}

/// The languages by version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Languages {
    /// Lua 5.1.
    pub lua51: Language,
    /// Lua 5.3.
    pub lua53: Language,
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the built-in data are right")
}

static ESP8266: LazyLock<Api> = LazyLock::new(|| read(include_str!("../api/esp8266.toml")));
static ESP32: LazyLock<Api> = LazyLock::new(|| read(include_str!("../api/esp32.toml")));
static LANGUAGES: LazyLock<Languages> = LazyLock::new(|| read(include_str!("../api/lua.toml")));

/// The branch for the ESP8266.
pub fn esp8266() -> &'static Api {
    &ESP8266
}

/// The branch for the ESP32 family.
pub fn esp32() -> &'static Api {
    &ESP32
}

/// Lua itself.
pub fn languages() -> &'static Languages {
    &LANGUAGES
}

/// The name that was probably meant: it differs in case, or by few letters.
pub fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (wrong.chars().count() / 4).clamp(1, 3);
    let far = |name: &str| match name.eq_ignore_ascii_case(wrong) {
        true => 0,
        false => strsim::osa_distance(wrong, name),
    };
    let near = names
        .filter(|name| *name != wrong && name.len().abs_diff(wrong.len()) <= most)
        .map(|name| (far(name), name))
        .filter(|(far, name)| *far <= most && *far < name.len().min(wrong.len()).div_ceil(2));
    near.min_by_key(|(far, _)| *far).map(|(_, name)| name)
}
