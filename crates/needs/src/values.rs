//! What may stand in a register: constants, names of the firmware and what it makes, functions and tables of the
//! chunks themselves. Each value has a number, so that states are small and compare fast.

use rustc_hash::FxHashMap as HashMap;
use std::hash::Hash;

use bstr::BStr;

/// The number of a thing in its table.
pub(crate) type Id = u32;

/// Gives equal things one number.
#[derive(Debug)]
pub(crate) struct Table<T> {
    list: Vec<T>,
    numbers: HashMap<T, Id>,
}

impl<T: Hash + Eq + Clone> Table<T> {
    pub fn new() -> Table<T> {
        Table {
            list: Vec::new(),
            numbers: HashMap::default(),
        }
    }

    pub fn number(&mut self, thing: T) -> Id {
        if let Some(number) = self.numbers.get(&thing) {
            return *number;
        }
        let number = self.list.len() as Id;
        self.list.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }

    pub fn get(&self, number: Id) -> &T {
        &self.list[number as usize]
    }

    pub fn find(&self, thing: &T) -> Option<Id> {
        self.numbers.get(thing).copied()
    }
}

/// A name that is looked up: a global, a member of one, or a member of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    pub of: Of,
    /// The number of its text.
    pub name: Id,
}

/// In what a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    Globals,
    Path(Id),
    /// An object of this class.
    Class(Id),
}

/// What a register holds, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// Nothing has come there yet.
    Bottom,
    Unknown,
    /// One of too many: whatever is added, it stays this.
    Any,
    Nil,
    Boolean,
    /// True, and then this path is not nil.
    TrueIf(Id),
    Number,
    /// A string; its text if it is constant.
    Text(Option<Id>),
    /// The table of globals.
    Globals,
    Path(Id),
    /// An object that the firmware has made.
    Object(Id),
    /// A function of a chunk.
    Function(Id),
    /// A table that a chunk has made: the place where.
    Table(Id),
    /// The name of the type of another value.
    TypeOf(Id),
    /// One of several, sorted.
    OneOf(Box<[Id]>),
}

/// More alternatives than these are unknown.
const MOST: usize = 8;
/// A longer chain of members is unknown.
const DEEPEST: usize = 6;

pub(crate) const BOTTOM: Id = 0;
pub(crate) const UNKNOWN: Id = 1;
pub(crate) const NIL: Id = 2;
pub(crate) const BOOLEAN: Id = 3;
pub(crate) const NUMBER: Id = 4;
pub(crate) const TEXT: Id = 5;
pub(crate) const GLOBALS: Id = 6;
pub(crate) const ANY: Id = 7;

/// All values, names and paths of a program.
#[derive(Debug)]
pub(crate) struct Values {
    values: Table<Value>,
    names: Table<Box<[u8]>>,
    paths: Table<Path>,
    joined: HashMap<(Id, Id), Id>,
}

impl Values {
    pub fn new() -> Values {
        let mut values = Table::new();
        for (number, value) in [
            (BOTTOM, Value::Bottom),
            (UNKNOWN, Value::Unknown),
            (NIL, Value::Nil),
            (BOOLEAN, Value::Boolean),
            (NUMBER, Value::Number),
            (TEXT, Value::Text(None)),
            (GLOBALS, Value::Globals),
            (ANY, Value::Any),
        ] {
            assert_eq!(values.number(value), number);
        }
        Values {
            values,
            names: Table::new(),
            paths: Table::new(),
            joined: HashMap::default(),
        }
    }

    pub fn value(&mut self, value: Value) -> Id {
        self.values.number(value)
    }

    pub fn get(&self, value: Id) -> &Value {
        self.values.get(value)
    }

    pub fn name(&mut self, text: &[u8]) -> Id {
        match self.names.numbers.get(text) {
            Some(number) => *number,
            None => self.names.number(text.into()),
        }
    }

    pub fn find_name(&self, text: &[u8]) -> Option<Id> {
        self.names.find(&text.into())
    }

    pub fn text(&self, name: Id) -> &[u8] {
        self.names.get(name)
    }

    pub fn path(&self, path: Id) -> Path {
        *self.paths.get(path)
    }

    /// The value that is found under `name` in `of`.
    pub fn member(&mut self, of: Of, name: Id) -> Id {
        let mut deep = 0;
        let mut at = of;
        while let Of::Path(path) = at {
            at = self.path(path).of;
            deep += 1;
        }
        if deep >= DEEPEST {
            return UNKNOWN;
        }
        let path = self.paths.number(Path { of, name });
        self.value(Value::Path(path))
    }

    /// The alternatives of a value; a value alone is the only one.
    pub fn each(&self, value: Id) -> Vec<Id> {
        match self.get(value) {
            Value::Bottom => Vec::new(),
            Value::OneOf(all) => all.to_vec(),
            _ => vec![value],
        }
    }

    /// One of the two.
    pub fn join(&mut self, a: Id, b: Id) -> Id {
        if a == b || b == BOTTOM {
            return a;
        }
        if a == BOTTOM {
            return b;
        }
        if a == ANY || b == ANY {
            return ANY;
        }
        let key = (a.min(b), a.max(b));
        if let Some(joined) = self.joined.get(&key) {
            return *joined;
        }
        let mut all = self.each(a);
        all.extend(self.each(b));
        all.sort_unstable();
        all.dedup();
        let texts = |values: &Values, all: &[Id]| {
            let is_text = |v: &&Id| matches!(values.get(**v), Value::Text(_));
            all.iter().filter(is_text).count()
        };
        if texts(self, &all) > 1 {
            all.retain(|v| !matches!(self.get(*v), Value::Text(_)));
            all.push(TEXT);
            all.sort_unstable();
        }
        let joined = match all.len() {
            1 => all[0],
            n if n > MOST => ANY,
            _ => self.value(Value::OneOf(all.into())),
        };
        self.joined.insert(key, joined);
        joined
    }

    /// The only alternative that is not nil.
    pub fn only(&self, value: Id) -> Option<&Value> {
        match self.get(value) {
            Value::OneOf(all) => {
                let mut all = all.iter().filter(|v| **v != NIL);
                match (all.next(), all.next()) {
                    (Some(one), None) => Some(self.get(*one)),
                    _ => None,
                }
            }
            value => Some(value),
        }
    }

    /// The constant text of a value.
    pub fn constant(&self, value: Id) -> Option<Id> {
        match self.get(value) {
            Value::Text(Some(name)) => Some(*name),
            _ => None,
        }
    }

    /// The first name of a path; none in an object.
    pub fn root(&self, path: Id) -> Option<Id> {
        let mut path = self.path(path);
        loop {
            match path.of {
                Of::Globals => return Some(path.name),
                Of::Path(of) => path = self.path(of),
                Of::Class(_) => return None,
            }
        }
    }

    /// A path as reports have it: `wifi.sta.getip`, `tmr.timer:alarm`.
    pub fn shown(&self, path: Id) -> String {
        let Path { of, name } = self.path(path);
        let name = BStr::new(self.text(name)).to_string();
        match of {
            Of::Globals => name,
            Of::Path(of) => format!("{}.{name}", self.shown(of)),
            Of::Class(class) => format!("{}:{name}", BStr::new(self.text(class))),
        }
    }

    /// Whether `path` is `of` or something in it.
    pub fn is_within(&self, mut path: Id, of: Id) -> bool {
        loop {
            if path == of {
                return true;
            }
            match self.path(path).of {
                Of::Path(next) => path = next,
                _ => return false,
            }
        }
    }
}
