//! The names of every branch, by the numbers that values have.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::api::{self, Api};
use crate::values::{Id, Of, Value, Values};

/// A function of Lua itself, or of `fast`, that the analysis knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Require,
    DoFile,
    LoadFile,
    Load,
    Pcall,
    Assert,
    Type,
    RawGet,
    RawSet,
    SetMetatable,
    Text,
    GetEnvironment,
    SetEnvironment,
    DeclareModule,
    /// `fast.load`, `node.LFS.get`: the chunk of a name as a function.
    Chunk,
}

/// What the analysis knows of the firmware, of whatever branch.
#[derive(Debug)]
pub(crate) struct World {
    offered: HashSet<Id>,
    modules: HashSet<Id>,
    /// Global tables of today's firmware, which `require` finds.
    tables: HashSet<Id>,
    known: HashMap<Id, Known>,
    makes: HashMap<Id, Id>,
    gives: HashMap<Id, Id>,
    others_make: HashMap<Id, Id>,
    /// Tables whose members are chunks: `fast`, `LFS`, `node.LFS`.
    chunks: HashSet<Id>,
}

impl World {
    pub fn new(values: &mut Values) -> World {
        let mut world = World {
            offered: HashSet::default(),
            modules: HashSet::default(),
            tables: HashSet::default(),
            known: HashMap::default(),
            makes: HashMap::default(),
            gives: HashMap::default(),
            others_make: HashMap::default(),
            chunks: HashSet::default(),
        };
        for api in [api::esp8266(), api::esp32()] {
            world.add(api, values);
        }
        let languages = api::languages();
        for language in [&languages.lua51, &languages.lua53] {
            for name in language.globals.iter().chain(language.libraries.keys()) {
                let name = values.name(name.as_bytes());
                world.offered.insert(name);
            }
        }
        for name in languages
            .lua51
            .libraries
            .keys()
            .chain(languages.lua53.libraries.keys())
        {
            let name = values.name(name.as_bytes());
            world.tables.insert(name);
        }
        for (name, known) in [
            ("require", Known::Require),
            ("dofile", Known::DoFile),
            ("loadfile", Known::LoadFile),
            ("load", Known::Load),
            ("loadstring", Known::Load),
            ("pcall", Known::Pcall),
            ("xpcall", Known::Pcall),
            ("assert", Known::Assert),
            ("type", Known::Type),
            ("rawget", Known::RawGet),
            ("rawset", Known::RawSet),
            ("setmetatable", Known::SetMetatable),
            ("tostring", Known::Text),
            ("getfenv", Known::GetEnvironment),
            ("setfenv", Known::SetEnvironment),
            ("module", Known::DeclareModule),
            ("fast.load", Known::Chunk),
            ("node.LFS.get", Known::Chunk),
            ("node.flashindex", Known::Chunk),
        ] {
            let path = path(values, name);
            world.known.insert(path, known);
        }
        for name in ["fast", "LFS", "node.LFS"] {
            let path = path(values, name);
            world.chunks.insert(path);
        }
        world
    }

    fn add(&mut self, api: &Api, values: &mut Values) {
        let replaced = api.replaced.iter().flat_map(|replaced| &replaced.names);
        let gone = replaced.filter(|name| !name.contains('.'));
        for name in api.modules.keys() {
            let name = values.name(name.as_bytes());
            self.tables.insert(name);
            self.offered.insert(name);
            self.modules.insert(name);
        }
        for name in gone {
            let name = values.name(name.as_bytes());
            self.offered.insert(name);
            self.modules.insert(name);
        }
        for (module, facts) in &api.modules {
            let whole = |class: &str| match class.contains('.') {
                true => class.to_owned(),
                false => format!("{module}.{class}"),
            };
            for (function, class) in &facts.makes {
                let path = path(values, &format!("{module}.{function}"));
                let class = values.name(whole(class).as_bytes());
                self.makes.insert(path, class);
            }
            for (function, class) in &facts.gives {
                let path = path(values, &format!("{module}.{function}"));
                let class = values.name(whole(class).as_bytes());
                self.gives.insert(path, class);
            }
            if let Some(class) = &facts.others_make {
                let path = path(values, module);
                let class = values.name(whole(class).as_bytes());
                self.others_make.insert(path, class);
            }
            for (name, object) in &facts.objects {
                let of = values.name(whole(name).as_bytes());
                for (method, class) in &object.gives {
                    let method = values.name(method.as_bytes());
                    let path = number(values, Of::Class(of), method);
                    let class = values.name(whole(class).as_bytes());
                    self.gives.insert(path, class);
                }
            }
        }
    }

    /// Whether Lua or a firmware has, or once had, a global of this name.
    pub fn offers(&self, name: Id) -> bool {
        self.offered.contains(&name)
    }

    /// Whether it is a module of a firmware.
    pub fn is_module(&self, name: Id) -> bool {
        self.modules.contains(&name)
    }

    /// Whether it is a global table of today's firmware.
    pub fn is_table(&self, name: Id) -> bool {
        self.tables.contains(&name)
    }

    pub fn known(&self, path: Id) -> Option<Known> {
        self.known.get(&path).copied()
    }

    /// The class of the object that a function makes.
    pub fn makes(&self, path: Id, of: Of) -> Option<Id> {
        let others = match of {
            Of::Path(module) => self.others_make.get(&module),
            _ => None,
        };
        self.makes.get(&path).or(others).copied()
    }

    /// The class of the object that a function gives to callbacks.
    pub fn gives(&self, path: Id) -> Option<Id> {
        self.gives.get(&path).copied()
    }

    /// Whether the members of the table at `path` are chunks.
    pub fn has_chunks(&self, path: Id) -> bool {
        self.chunks.contains(&path)
    }
}

/// The number of the path of a whole name.
fn path(values: &mut Values, name: &str) -> Id {
    let mut of = Of::Globals;
    let mut last = 0;
    for part in name.split('.') {
        let part = values.name(part.as_bytes());
        last = number(values, of, part);
        of = Of::Path(last);
    }
    last
}

fn number(values: &mut Values, of: Of, name: Id) -> Id {
    let member = values.member(of, name);
    match values.get(member) {
        Value::Path(path) => *path,
        _ => unreachable!("known names are short"),
    }
}
