//! The uses that an analysis has found, by name and line.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BStr;

use crate::analysis::{Analysis, Certainty, How};
use crate::api;
use crate::program::Named;
use crate::values::{Id, Of, Value};

/// A use of a name by a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The number of the chunk.
    pub chunk: usize,
    /// The line; none without debug data.
    pub line: Option<u32>,
    /// How many uses of this name by the same line come before it.
    pub nth: usize,
    /// The whole name: `tmr`, `wifi.sta.getip`, `tmr.timer:alarm` for a method.
    pub name: String,
    /// How it is used.
    pub how: How,
    /// Whether the code depends on it.
    pub certainty: Certainty,
    /// The arguments of a call, as far as they are known.
    pub arguments: Vec<Given>,
    /// Whether these are all.
    pub is_whole: bool,
}

impl Use {
    /// The first part of the name.
    pub fn root(&self) -> &str {
        let end = self.name.find(['.', ':']);
        &self.name[..end.unwrap_or(self.name.len())]
    }
}

/// An argument, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Nothing is known.
    Unknown,
    /// Nil.
    Nil,
    /// A boolean.
    Boolean,
    /// A number.
    Number,
    /// A string, and its bytes if it is constant.
    Text(Option<Vec<u8>>),
    /// A table.
    Table,
    /// A function.
    Function,
}

/// How much chunks need a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// They fail without it.
    Needed,
    /// They use it only if it is there, or take something else in its place.
    Optional,
    /// It only goes where it can't be followed.
    Passed,
}

impl Need {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Need::Needed => "needed",
            Need::Optional => "optional",
            Need::Passed => "passed on",
        }
    }
}

/// Something of a chunk that can't be followed, or a chunk that it loads and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The number of the chunk.
    pub chunk: usize,
    /// The line; none without debug data.
    pub line: Option<u32>,
    /// What it is.
    pub what: String,
}

/// What chunks need.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The uses of names of the firmware, of Lua and of globals that are nowhere set, by chunk and place.
    pub uses: Vec<Use>,
    /// Places where it is not known what is used.
    pub unknown: Vec<Remark>,
    /// Chunks that are loaded by name and are not among these.
    pub missing: Vec<Remark>,
    /// Globals that some chunk compares with nil or false.
    pub tested: BTreeSet<String>,
    /// Globals that some chunk sets.
    pub set: BTreeSet<String>,
}

impl Needs {
    /// The modules of firmware that the chunks use, and how much they need them.
    pub fn modules(&self) -> BTreeMap<&str, Need> {
        let mut modules = BTreeMap::new();
        for one in self.uses.iter().filter(|one| self.is_of_module(one)) {
            let need = match (&one.how, one.certainty) {
                _ if one.name != one.root() => continue,
                (How::Read | How::Passed | How::Value, _) => {
                    match self.tested.contains(&one.name) {
                        true => Need::Optional,
                        false => Need::Passed,
                    }
                }
                (_, Certainty::Needed) => Need::Needed,
                (_, Certainty::Optional) => Need::Optional,
            };
            let known = modules.entry(one.root()).or_insert(need);
            *known = need.min(*known);
        }
        modules
    }

    /// Whether a use is one of a module of firmware, or of something in it, and not of a global of the chunks.
    pub fn is_of_module(&self, one: &Use) -> bool {
        let root = one.root();
        let apis = [api::esp8266(), api::esp32()];
        let has = |name: &str| apis.iter().any(|api| api.modules.contains_key(name));
        let had = |name: &str| {
            let gone = apis.iter().flat_map(|api| &api.replaced);
            gone.flat_map(|gone| &gone.names).any(|gone| gone == name)
        };
        let is_library = apis
            .iter()
            .any(|api| api.libraries.iter().any(|l| l == root));
        one.how != How::Set && (has(root) || had(root) && !is_library && !self.set.contains(root))
    }
}

/// Finds what chunks need. They are taken as one program: a global that one of them sets is there for all.
pub fn needs_of(chunks: &[Named]) -> Needs {
    let all = Analysis::of(chunks);
    let line = |function: usize, pc: usize| {
        let line = all.program.bodies[function].function.lines.get(pc).copied();
        line.and_then(|line| u32::try_from(line).ok())
    };
    let chunk = |function: usize| all.program.bodies[function].chunk;
    let remark = |(function, pc, what): &(usize, usize, String)| Remark {
        chunk: chunk(*function),
        line: line(*function, *pc),
        what: what.clone(),
    };
    let remarks = |list: &[(usize, usize, String)]| {
        let set: BTreeSet<Remark> = list.iter().map(remark).collect();
        set.into_iter().collect()
    };
    let mut needs = Needs {
        unknown: remarks(&all.dynamic),
        missing: remarks(&all.missing),
        ..Needs::default()
    };
    for &name in &all.tested {
        needs
            .tested
            .insert(BStr::new(all.values.text(name)).to_string());
    }
    for ((function, pc, path, how), noted) in &all.noted {
        let root = all.values.root(*path);
        let is_offered = root.is_none_or(|root| all.world.offers(root));
        match how {
            How::Set => {
                needs.set.insert(all.values.shown(*path));
            }
            How::Read => {
                let is_set = root.is_some_and(|root| all.is_set(root));
                if is_set && !is_offered {
                    continue;
                }
            }
            _ if !is_offered => continue,
            _ => {}
        }
        needs.uses.push(Use {
            chunk: chunk(*function),
            line: line(*function, *pc),
            nth: 0,
            name: all.values.shown(*path),
            how: how.clone(),
            certainty: noted.certainty,
            arguments: noted.arguments.iter().map(|v| given(&all, *v)).collect(),
            is_whole: noted.is_whole,
        });
    }
    count(&mut needs.uses);
    needs
}

/// Orders the uses by place, and counts those of one name in one line.
fn count(uses: &mut [Use]) {
    uses.sort_by_key(|one| (one.chunk, one.line));
    let mut start = 0;
    while start < uses.len() {
        let place = (uses[start].chunk, uses[start].line);
        let mut end = start;
        while end < uses.len() && (uses[end].chunk, uses[end].line) == place {
            let same = uses[start..end].iter();
            let same = same.filter(|one| one.name == uses[end].name && one.how == uses[end].how);
            uses[end].nth = same.count();
            end += 1;
        }
        start = end;
    }
}

fn given(all: &Analysis, value: Id) -> Given {
    match all.values.get(value) {
        Value::Nil => Given::Nil,
        Value::Boolean | Value::TrueIf(_) => Given::Boolean,
        Value::Number => Given::Number,
        Value::Text(text) => Given::Text(text.map(|name| all.values.text(name).to_vec())),
        Value::TypeOf(_) => Given::Text(None),
        Value::Table(_) | Value::Globals => Given::Table,
        Value::Function(_) => Given::Function,
        Value::Path(path) if matches!(all.values.path(*path).of, Of::Globals) => {
            match all.world.is_module(all.values.path(*path).name) {
                true => Given::Table,
                false => Given::Unknown,
            }
        }
        _ => Given::Unknown,
    }
}
