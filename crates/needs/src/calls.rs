//! What calls do, and the notes on uses.

use crate::analysis::{Certainty, How, Noted};
use crate::flow::Flow;
use crate::values::{BOOLEAN, BOTTOM, GLOBALS, Id, NIL, Of, Path, TEXT, UNKNOWN, Value};
use crate::world::Known;

impl Flow<'_, '_> {
    /// A call; returns its first results. `is_whole` is false if there may be more arguments.
    pub(crate) fn call(&mut self, callee: Id, arguments: &[Id], is_whole: bool) -> Vec<Id> {
        let alternatives = self.all.values.each(callee);
        let is_certain = alternatives.iter().filter(|v| **v != NIL).count() == 1;
        let mut results: Option<Vec<Id>> = None;
        for one in alternatives {
            if one == NIL {
                continue;
            }
            let next = self.call_one(one, arguments, is_whole, is_certain);
            results = Some(match results {
                None => next,
                Some(mut known) => {
                    let count = known.len().max(next.len());
                    known.resize(count, UNKNOWN);
                    for (place, known) in known.iter_mut().enumerate() {
                        let value = next.get(place).copied().unwrap_or(UNKNOWN);
                        *known = self.all.values.join(*known, value);
                    }
                    known
                }
            });
        }
        results.unwrap_or_default()
    }

    fn call_one(
        &mut self,
        callee: Id,
        arguments: &[Id],
        is_whole: bool,
        is_certain: bool,
    ) -> Vec<Id> {
        match *self.all.values.get(callee) {
            Value::Function(function) => self.call_own(function as usize, arguments),
            Value::Path(path) => {
                if let Some(known) = self.all.world.known(path)
                    && let Some(results) = self.call_known(known, path, arguments, is_certain)
                {
                    return results;
                }
                let of = self.all.values.path(path).of;
                let given = match of {
                    // the object itself comes first
                    Of::Class(_) => arguments.get(1..).unwrap_or(&[]),
                    _ => arguments,
                };
                self.note(path, How::Call, is_certain, given, is_whole);
                self.call_path(path, arguments)
            }
            _ => {
                arguments.iter().for_each(|value| self.pass(*value));
                Vec::new()
            }
        }
    }

    /// A function of the chunks.
    fn call_own(&mut self, function: usize, arguments: &[Id]) -> Vec<Id> {
        for (place, &value) in arguments.iter().enumerate() {
            self.consume_unless_module(value);
            self.all.takes(function, place, value);
        }
        self.all.results(function, self.number)
    }

    /// A function of the firmware, or a global of which nothing is known.
    fn call_path(&mut self, path: Id, arguments: &[Id]) -> Vec<Id> {
        let given = self.all.world.gives(path);
        for &value in arguments {
            if let (Some(class), &Value::Function(function)) = (given, self.all.values.get(value)) {
                let object = self.all.values.value(Value::Object(class));
                self.all.takes(function as usize, 0, object);
            }
            self.pass(value);
        }
        match self.all.world.makes(path, self.all.values.path(path).of) {
            Some(class) => vec![self.all.values.value(Value::Object(class))],
            None => Vec::new(),
        }
    }

    /// A function whose effect is known; none if it has no special one.
    fn call_known(
        &mut self,
        known: Known,
        path: Id,
        arguments: &[Id],
        is_certain: bool,
    ) -> Option<Vec<Id>> {
        let first = arguments.first().copied().unwrap_or(UNKNOWN);
        let text = self.all.values.constant(first);
        match known {
            Known::Require => Some(vec![self.required(text)]),
            Known::DoFile => Some(match text {
                Some(name) => match self.chunk(name) {
                    Some(main) => self.call_own(main, &[]),
                    None => Vec::new(),
                },
                None => {
                    self.note_dynamic("dofile of a name that is computed");
                    Vec::new()
                }
            }),
            Known::LoadFile => match text {
                Some(name) => Some(self.chunk_value(name)),
                None => {
                    self.note_dynamic("loadfile of a name that is computed");
                    Some(Vec::new())
                }
            },
            Known::Chunk => {
                self.note(path, How::Call, is_certain, arguments, true);
                match text {
                    Some(name) => Some(self.chunk_value(name)),
                    None => {
                        let shown = self.all.values.shown(path);
                        self.note_dynamic(&format!("{shown} of a name that is computed"));
                        Some(Vec::new())
                    }
                }
            }
            Known::Load => {
                self.note_dynamic("text that is compiled at run time");
                None
            }
            Known::Pcall => {
                let rest = arguments.get(1..).unwrap_or(&[]);
                self.protected(first);
                let was_caught = std::mem::replace(&mut self.is_caught, true);
                let results = self.call(first, rest, false);
                self.is_caught = was_caught;
                let mut all = vec![BOOLEAN];
                for value in results {
                    // or the message of the error
                    let value = self.all.values.join(value, TEXT);
                    all.push(value);
                }
                Some(all)
            }
            Known::Assert => {
                for value in self.all.values.each(first) {
                    if let Value::Path(path) = *self.all.values.get(value)
                        && let Err(place) = self.state.facts.binary_search(&path)
                    {
                        self.all.tested(value);
                        self.state.facts.insert(place, path);
                    }
                }
                Some(arguments.to_vec())
            }
            Known::Type => Some(vec![self.all.values.value(Value::TypeOf(first))]),
            Known::RawGet => {
                let key = arguments.get(1).map(|key| self.all.values.constant(*key));
                match (first, key.flatten()) {
                    (GLOBALS, Some(name)) => {
                        self.all.tested.insert(name);
                        Some(vec![self.all.global(name, self.number)])
                    }
                    _ => None,
                }
            }
            Known::RawSet => {
                let key = arguments.get(1).map(|key| self.all.values.constant(*key));
                match (first, key.flatten(), arguments.get(2)) {
                    (GLOBALS, Some(name), Some(&value)) => {
                        self.note_set(name);
                        self.all.set_global(name, value);
                        Some(vec![GLOBALS])
                    }
                    _ => None,
                }
            }
            Known::SetMetatable => {
                self.set_metatable(first, arguments.get(1).copied());
                Some(vec![first])
            }
            Known::Text => Some(vec![TEXT]),
            Known::GetEnvironment => {
                self.note_dynamic("the table of globals by getfenv");
                Some(Vec::new())
            }
            Known::SetEnvironment => {
                self.note_dynamic("other globals by setfenv");
                Some(vec![first])
            }
            Known::DeclareModule => {
                self.note_dynamic("other globals by module");
                Some(Vec::new())
            }
        }
    }

    /// What `require` returns.
    fn required(&mut self, name: Option<Id>) -> Id {
        let Some(name) = name else {
            self.note_dynamic("require of a name that is computed");
            return UNKNOWN;
        };
        // a global table of that name comes before all chunks, if the firmware has it
        let is_table = self.all.world.is_table(name);
        let own = match is_table && !self.has_chunk(name) {
            true => None,
            false => self.chunk(name),
        };
        let mut found = match own {
            Some(main) => {
                let results = self.all.results(main, self.number);
                results.first().copied().unwrap_or(UNKNOWN)
            }
            None if is_table => BOTTOM,
            None => UNKNOWN,
        };
        if is_table {
            let of = self.all.values.member(Of::Globals, name);
            if let Value::Path(path) = *self.all.values.get(of) {
                let is_certain = own.is_none() && !self.all.is_set(name);
                self.note_index(path, is_certain);
            }
            let global = self.all.global(name, self.number);
            found = self.all.values.join(found, global);
        }
        found
    }

    fn has_chunk(&self, name: Id) -> bool {
        self.all.program.by_name.contains_key(&name)
    }

    /// The main function of the chunk of this name, or of the file of this name.
    fn chunk(&mut self, name: Id) -> Option<usize> {
        let text = self.all.values.text(name).to_vec();
        let without_ending = [".lua", ".lc"]
            .iter()
            .find_map(|ending| text.strip_suffix(ending.as_bytes()))
            .unwrap_or(&text);
        let without_folder = match without_ending.iter().rposition(|b| *b == b'/') {
            Some(slash) => &without_ending[slash + 1..],
            None => without_ending,
        };
        let candidates = [&text[..], without_ending, without_folder];
        let found = candidates.iter().find_map(|name| {
            let name = self.all.values.find_name(name)?;
            self.all.program.by_name.get(&name)
        });
        match found {
            Some(&chunk) => Some(self.all.program.mains[chunk]),
            None => {
                if self.all.is_noting {
                    let name = String::from_utf8_lossy(without_ending).into_owned();
                    self.all.missing.push((self.number, self.pc, name));
                }
                None
            }
        }
    }

    fn chunk_value(&mut self, name: Id) -> Vec<Id> {
        match self.chunk(name) {
            Some(main) => vec![self.all.values.value(Value::Function(main as Id))],
            None => Vec::new(),
        }
    }

    /// Errors in this function are caught.
    fn protected(&mut self, value: Id) {
        if let Value::Function(function) = *self.all.values.get(value) {
            self.all.program.bodies[function as usize].is_protected = true;
        }
    }

    fn set_metatable(&mut self, of: Id, with: Option<Id>) {
        if of == GLOBALS {
            return self.note_dynamic("a metatable of the table of globals");
        }
        let Some(with) = with else { return };
        let (Value::Table(of), Value::Table(with)) = (
            self.all.values.get(of).clone(),
            self.all.values.get(with).clone(),
        ) else {
            return;
        };
        let name = self.all.values.name(b"__index");
        let index = self.all.field(with, name, self.number);
        if index != UNKNOWN {
            self.all.set_index(of, index);
        }
    }

    /// What is under `name` in something of the firmware.
    pub(crate) fn member(&mut self, path: Id, name: Id) -> Id {
        if self.all.world.has_chunks(path)
            && let Some(&chunk) = self.all.program.by_name.get(&name)
        {
            let main = self.all.program.mains[chunk];
            return self.all.values.value(Value::Function(main as Id));
        }
        self.all.member_of(path, name)
    }

    /// A value is used as such: an operand, a result.
    pub(crate) fn consume(&mut self, value: Id) {
        if !self.all.is_noting {
            return;
        }
        let alternatives = self.all.values.each(value);
        let is_certain = alternatives.iter().filter(|v| **v != NIL).count() == 1;
        for one in alternatives {
            if let Value::Path(path) = *self.all.values.get(one) {
                self.note(path, How::Value, is_certain, &[], true);
            }
        }
    }

    /// A value goes to a function of the chunks, which is followed.
    pub(crate) fn consume_unless_module(&mut self, value: Id) {
        if let Some(&Value::Path(path)) = self.all.values.only(value)
            && self.all.values.path(path).of == Of::Globals
        {
            return;
        }
        self.consume(value);
    }

    /// A value goes where it can't be followed.
    pub(crate) fn pass(&mut self, value: Id) {
        if !self.all.is_noting {
            return;
        }
        let alternatives = self.all.values.each(value);
        let is_certain = alternatives.iter().filter(|v| **v != NIL).count() == 1;
        for one in alternatives {
            match *self.all.values.get(one) {
                Value::Path(path) => self.note_passed(path, is_certain),
                Value::Globals => self.note_dynamic("the table of globals is passed on"),
                Value::Table(table) => {
                    for held in self.all.contents(table) {
                        if let Value::Path(path) = *self.all.values.get(held) {
                            self.note_passed(path, is_certain);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn note_passed(&mut self, path: Id, is_certain: bool) {
        let is_module = match self.all.values.path(path) {
            Path {
                of: Of::Globals,
                name,
            } => self.all.world.is_module(name),
            _ => false,
        };
        let how = if is_module { How::Passed } else { How::Value };
        self.note(path, how, is_certain, &[], true);
    }

    /// Something in `path` is looked up.
    pub(crate) fn note_index(&mut self, path: Id, is_certain: bool) {
        self.note(path, How::Index, is_certain, &[], true);
    }

    pub(crate) fn note_read(&mut self, name: Id) {
        let path = self.all.values.member(Of::Globals, name);
        if let Value::Path(path) = *self.all.values.get(path) {
            self.note(path, How::Read, true, &[], true);
        }
    }

    pub(crate) fn note_set(&mut self, name: Id) {
        let path = self.all.values.member(Of::Globals, name);
        if let Value::Path(path) = *self.all.values.get(path) {
            self.note(path, How::Set, true, &[], true);
        }
    }

    /// A member of something of the firmware is set.
    pub(crate) fn note_member_set(&mut self, of: Id, name: Id) {
        let member = self.all.member_of(of, name);
        if let Value::Path(path) = *self.all.values.get(member) {
            self.note(path, How::Set, true, &[], true);
        }
    }

    pub(crate) fn note_dynamic(&mut self, what: &str) {
        if self.all.is_noting {
            let place = (self.number, self.pc, what.to_owned());
            if !self.all.dynamic.contains(&place) {
                self.all.dynamic.push(place);
            }
        }
    }

    fn note(&mut self, path: Id, how: How, is_certain: bool, arguments: &[Id], is_whole: bool) {
        if !self.all.is_noting {
            return;
        }
        let values = &self.all.values;
        let mut facts = self.state.facts.iter();
        let is_known = facts.any(|&fact| values.is_within(fact, path));
        let body = &self.all.program.bodies[self.number];
        let certainty = match is_certain && !is_known && !body.is_protected && !self.is_caught {
            true => Certainty::Needed,
            false => Certainty::Optional,
        };
        let noted = Noted {
            certainty,
            arguments: arguments.to_vec(),
            is_whole,
        };
        self.all
            .noted
            .insert((self.number, self.pc, path, how), noted);
    }
}
