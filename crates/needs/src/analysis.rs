//! What is known of all chunks at once: globals, tables, shared variables, results of functions. Functions are followed
//! until nothing new is found; then once more, and their uses are noted.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::{BTreeMap, VecDeque};

use crate::flow::Flow;
use crate::program::{Named, Program};
use crate::values::{BOTTOM, GLOBALS, Id, NIL, Of, Path, UNKNOWN, Value, Values};
use crate::world::World;

/// How a name is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// A global that is read.
    Read,
    /// A global that is set.
    Set,
    /// Something in it is looked up.
    Index,
    /// It is called.
    Call,
    /// It is a value for something else: an argument, an operand.
    Value,
    /// A table that goes where it can't be followed, so what is used of it is not known.
    Passed,
}

/// Whether a use happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// The code does it, and fails if there is no such thing.
    Needed,
    /// Only if it is there, or something else takes its place.
    Optional,
}

/// A use as it is found.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    pub certainty: Certainty,
    pub arguments: Vec<Id>,
    pub is_whole: bool,
}

/// The function, the instruction, the path and how it is used.
pub(crate) type Place = (usize, usize, Id, How);

/// Something that can't be followed.
pub(crate) type Dynamic = (usize, usize, String);

#[derive(Debug, Default)]
struct Global {
    value: Id,
    readers: Vec<usize>,
}

#[derive(Debug, Default)]
struct Made {
    fields: HashMap<Id, Global>,
    /// Where it looks for what it has not.
    index: Id,
}

#[derive(Debug)]
pub(crate) struct Analysis<'a> {
    pub values: Values,
    pub program: Program<'a>,
    pub world: World,
    globals: HashMap<Id, Global>,
    tables: Vec<Made>,
    made_at: HashMap<(usize, usize), Id>,
    /// Globals that are compared with nil somewhere.
    pub tested: HashSet<Id>,
    waiting: VecDeque<usize>,
    is_waiting: Vec<bool>,
    pub is_noting: bool,
    pub noted: BTreeMap<Place, Noted>,
    pub dynamic: Vec<Dynamic>,
    /// Chunks that are loaded by name and are not among these, with the place.
    pub missing: Vec<Dynamic>,
}

impl<'a> Analysis<'a> {
    pub fn of(chunks: &[Named<'a>]) -> Analysis<'a> {
        let mut values = Values::new();
        let program = Program::new(chunks, &mut values);
        let world = World::new(&mut values);
        let count = program.bodies.len();
        let mut all = Analysis {
            values,
            program,
            world,
            globals: HashMap::default(),
            tables: Vec::new(),
            made_at: HashMap::default(),
            tested: HashSet::default(),
            waiting: (0..count).collect(),
            is_waiting: vec![true; count],
            is_noting: false,
            noted: BTreeMap::new(),
            dynamic: Vec::new(),
            missing: Vec::new(),
        };
        while let Some(number) = all.waiting.pop_front() {
            all.is_waiting[number] = false;
            Flow::run(&mut all, number);
        }
        all.is_noting = true;
        (0..count).for_each(|number| Flow::run(&mut all, number));
        all
    }

    /// Something that `number` has read is new.
    fn wake(&mut self, number: usize) {
        if !self.is_noting && !self.is_waiting[number] {
            self.is_waiting[number] = true;
            self.waiting.push_back(number);
        }
    }

    fn wake_all(&mut self, numbers: &[usize]) {
        numbers.iter().for_each(|number| self.wake(*number));
    }

    pub fn is_main(&self, number: usize) -> bool {
        let chunk = self.program.bodies[number].chunk;
        self.program.mains.get(chunk) == Some(&number)
    }

    /// A value is assigned to a shared variable.
    pub fn assign(&mut self, cell: usize, value: Id) {
        let joined = self.values.join(self.program.cells[cell].value, value);
        if joined != self.program.cells[cell].value {
            self.program.cells[cell].value = joined;
            let readers = self.program.cells[cell].readers.clone();
            self.wake_all(&readers);
        }
    }

    /// The same by a function that shares it.
    pub fn assign_inside(&mut self, cell: usize, value: Id) {
        self.assign(cell, value);
        let joined = self
            .values
            .join(self.program.cells[cell].from_inside, value);
        if joined != self.program.cells[cell].from_inside {
            self.program.cells[cell].from_inside = joined;
            self.wake(self.program.cells[cell].owner);
        }
    }

    /// The value of a global.
    pub fn global(&mut self, name: Id, reader: usize) -> Id {
        if self.values.text(name) == b"_G" {
            return GLOBALS;
        }
        let own = match self.globals.get_mut(&name) {
            Some(global) => {
                if !self.is_noting && !global.readers.contains(&reader) {
                    global.readers.push(reader);
                }
                global.value
            }
            None => {
                let readers = vec![reader];
                let value = BOTTOM;
                self.globals.insert(name, Global { value, readers });
                BOTTOM
            }
        };
        let path = self.values.member(Of::Globals, name);
        match own {
            BOTTOM => path,
            // others may set it, too
            NIL => UNKNOWN,
            own if self.world.offers(name) => self.values.join(own, path),
            own => own,
        }
    }

    pub fn set_global(&mut self, name: Id, value: Id) {
        let value = if value == BOTTOM { UNKNOWN } else { value };
        let global = self.globals.entry(name).or_default();
        let joined = self.values.join(global.value, value);
        if joined != global.value {
            global.value = joined;
            let readers = global.readers.clone();
            self.wake_all(&readers);
        }
    }

    /// Whether a chunk sets this global.
    pub fn is_set(&self, name: Id) -> bool {
        let global = self.globals.get(&name);
        global.is_some_and(|global| global.value != BOTTOM)
    }

    /// The table that is made at this place.
    pub fn table_made(&mut self, function: usize, pc: usize) -> Id {
        let count = self.tables.len() as Id;
        let table = *self.made_at.entry((function, pc)).or_insert(count);
        if table == count {
            self.tables.push(Made::default());
        }
        self.values.value(Value::Table(table))
    }

    /// What is under `name` in a table.
    pub fn field(&mut self, table: Id, name: Id, reader: usize) -> Id {
        let mut table = table;
        for _ in 0..4 {
            let made = &mut self.tables[table as usize];
            let field = made.fields.entry(name).or_default();
            if !field.readers.contains(&reader) {
                field.readers.push(reader);
            }
            let (value, index) = (field.value, made.index);
            match (value, self.values.get(index)) {
                (BOTTOM, &Value::Table(next)) => table = next,
                (BOTTOM, &Value::Path(path)) => return self.member_of(path, name),
                // others may set it, too
                (BOTTOM | NIL, _) => return UNKNOWN,
                (value, _) => return value,
            }
        }
        UNKNOWN
    }

    /// What tables hold, once they go where they can't be followed.
    pub fn contents(&self, table: Id) -> Vec<Id> {
        let fields = self.tables[table as usize].fields.values();
        fields.map(|field| field.value).collect()
    }

    /// What is under `name` in something of the firmware.
    pub fn member_of(&mut self, path: Id, name: Id) -> Id {
        self.values.member(Of::Path(path), name)
    }

    pub fn set_field(&mut self, table: Id, name: Id, value: Id) {
        self.method_of(table, value);
        let field = self.tables[table as usize].fields.entry(name).or_default();
        let joined = self.values.join(field.value, value);
        if joined != field.value {
            field.value = joined;
            let readers = field.readers.clone();
            self.wake_all(&readers);
        }
    }

    /// A function in a table that takes `self` is called with this table.
    fn method_of(&mut self, table: Id, value: Id) {
        if let Value::Function(function) = *self.values.get(value) {
            let body = &self.program.bodies[function as usize];
            let first = body.function.locals.first();
            let is_method = body.function.params > 0
                && first.is_some_and(|local| local.name.as_ref().is_some_and(|n| n == "self"));
            if is_method {
                let of = self.values.value(Value::Table(table));
                self.takes(function as usize, 0, of);
            }
        }
    }

    /// `table` looks into `index` for what it has not.
    pub fn set_index(&mut self, table: Id, index: Id) {
        let made = &mut self.tables[table as usize];
        if made.index == BOTTOM && index != BOTTOM {
            made.index = index;
            let fields = made.fields.values();
            let readers: Vec<usize> = fields.flat_map(|f| f.readers.iter().copied()).collect();
            self.wake_all(&readers);
        }
    }

    /// A function is called with this argument.
    pub fn takes(&mut self, function: usize, place: usize, value: Id) {
        let Some(&known) = self.program.bodies[function].parameters.get(place) else {
            return;
        };
        let joined = self.values.join(known, value);
        if joined != known {
            self.program.bodies[function].parameters[place] = joined;
            self.wake(function);
        }
    }

    /// A function returns this value.
    pub fn returns(&mut self, function: usize, place: usize, value: Id) {
        const MOST: usize = 4;
        if place >= MOST {
            return;
        }
        let body = &mut self.program.bodies[function];
        if body.returned.len() <= place {
            body.returned.resize(place + 1, BOTTOM);
        }
        let joined = self.values.join(body.returned[place], value);
        if joined != body.returned[place] {
            body.returned[place] = joined;
            let callers = body.callers.clone();
            self.wake_all(&callers);
        }
    }

    /// The results of a function, for `caller`.
    pub fn results(&mut self, function: usize, caller: usize) -> Vec<Id> {
        let body = &mut self.program.bodies[function];
        if !body.callers.contains(&caller) {
            body.callers.push(caller);
        }
        let unknown = |value: &Id| if *value == BOTTOM { UNKNOWN } else { *value };
        body.returned.iter().map(unknown).collect()
    }

    /// A value is compared with nil.
    pub fn tested(&mut self, value: Id) {
        for one in self.values.each(value) {
            if let Value::Path(path) = *self.values.get(one)
                && let Path {
                    of: Of::Globals,
                    name,
                } = self.values.path(path)
            {
                self.tested.insert(name);
            }
        }
    }
}
