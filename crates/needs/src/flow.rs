//! Follows the code of one function, and each way through it.

use std::collections::BTreeSet;

use fastlua_bytecode::{Dialect, Function, Instruction, Op, Operand, rk_constant};

use crate::analysis::Analysis;
use crate::program::Up;
use crate::values::{BOOLEAN, BOTTOM, GLOBALS, Id, NIL, NUMBER, Of, TEXT, UNKNOWN, Value};

/// What is known at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub registers: Vec<Id>,
    /// Paths that are not nil here, sorted.
    pub facts: Vec<Id>,
    /// Where the results of a call with any number of them begin.
    pub open: Option<usize>,
}

impl State {
    pub fn get(&self, register: usize) -> Id {
        self.registers.get(register).copied().unwrap_or(UNKNOWN)
    }

    fn add_fact(&mut self, path: Id) {
        if let Err(place) = self.facts.binary_search(&path) {
            self.facts.insert(place, path);
        }
    }
}

/// The places of a function where ways meet, with what is known there.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    /// For each instruction 0, or one more than the number of its state.
    places: Vec<u16>,
    states: Vec<Option<State>>,
}

impl Joins {
    pub fn of(function: &Function, dialect: Dialect) -> Joins {
        let code = &function.code;
        let mut joins = Joins {
            places: vec![0; code.len() + 3],
            states: Vec::new(),
        };
        let mut pc = 0;
        while let Some(&word) = code.get(pc) {
            let word = Instruction(word);
            if let Some(opcode) = word.opcode(dialect) {
                if opcode.b == Operand::Jump {
                    joins.add(target(pc, word));
                }
                if skips(dialect, opcode.op, word) {
                    joins.add(pc + 2);
                }
            }
            pc = after(function, dialect, pc);
        }
        joins
    }

    fn add(&mut self, pc: usize) {
        if let Some(place) = self.places.get_mut(pc)
            && *place == 0
            && self.states.len() < usize::from(u16::MAX)
        {
            self.states.push(None);
            *place = self.states.len() as u16;
        }
    }

    fn state(&mut self, pc: usize) -> Option<&mut Option<State>> {
        match self.places.get(pc) {
            Some(0) | None => None,
            Some(place) => self.states.get_mut(usize::from(*place) - 1),
        }
    }
}

fn target(pc: usize, word: Instruction) -> usize {
    usize::try_from(pc as i64 + 1 + i64::from(word.sbx())).unwrap_or(usize::MAX)
}

/// The instruction behind `pc`, without words that are data of another.
fn after(function: &Function, dialect: Dialect, pc: usize) -> usize {
    let word = Instruction(function.code[pc]);
    let op = word.opcode(dialect).map(|opcode| opcode.op);
    match (dialect, op) {
        (Dialect::Lua51, Some(Op::CLOSURE)) => {
            let made = function.functions.get(word.bx() as usize);
            pc + 1 + made.map_or(0, |made| made.upvalues.len())
        }
        (Dialect::Lua51, Some(Op::SETLIST)) if word.c() == 0 => pc + 2,
        _ => pc + 1,
    }
}

/// Whether it may go on behind the next instruction.
fn skips(dialect: Dialect, op: Op, word: Instruction) -> bool {
    match op {
        Op::EQ | Op::LT | Op::LE | Op::TEST | Op::TESTSET => true,
        Op::TFORLOOP => dialect == Dialect::Lua51,
        Op::LOADBOOL => word.c() == 1,
        _ => false,
    }
}

/// One run through a function.
pub(crate) struct Flow<'f, 'a> {
    pub all: &'f mut Analysis<'a>,
    /// The number of the function.
    pub number: usize,
    pub function: &'a Function,
    pub dialect: Dialect,
    pub pc: usize,
    pub state: State,
    /// Whether the call that is followed is one of pcall.
    pub is_caught: bool,
    joins: Joins,
    waiting: BTreeSet<usize>,
}

impl<'f, 'a> Flow<'f, 'a> {
    /// Follows function `number` from its start.
    pub fn run(all: &'f mut Analysis<'a>, number: usize) {
        let body = &all.program.bodies[number];
        let (function, dialect) = (body.function, body.dialect);
        let mut registers = vec![UNKNOWN; usize::from(function.max_stack) + 1];
        for (register, &known) in registers.iter_mut().zip(&body.parameters) {
            if known != BOTTOM {
                *register = known;
            }
        }
        let mut joins = Joins::of(function, dialect);
        joins.states.iter_mut().for_each(|state| *state = None);
        let mut flow = Flow {
            state: State {
                registers,
                facts: Vec::new(),
                open: None,
            },
            all,
            number,
            function,
            dialect,
            pc: 0,
            is_caught: false,
            joins,
            waiting: BTreeSet::new(),
        };
        flow.follow(0);
        while let Some(pc) = flow.waiting.pop_first() {
            if let Some(Some(state)) = flow.joins.state(pc) {
                flow.state = state.clone();
                flow.follow(pc);
            }
        }
    }

    /// Follows the code from `pc` on until a place where ways meet, or its end.
    fn follow(&mut self, mut pc: usize) {
        while let Some(&word) = self.function.code.get(pc) {
            let word = Instruction(word);
            let Some(opcode) = word.opcode(self.dialect) else {
                return;
            };
            let op = opcode.op;
            self.pc = pc;
            self.step(op, word);
            let next = after(self.function, self.dialect, pc);
            let a = word.a() as usize;
            match op {
                Op::RETURN => return,
                Op::JMP | Op::FORPREP => return self.arrive(target(pc, word)),
                Op::FORLOOP => {
                    let kept = self.state.clone();
                    self.set(a + 3, NUMBER);
                    self.arrive_with(target(pc, word));
                    self.state = kept;
                }
                Op::TFORLOOP if self.dialect == Dialect::Lua53 => {
                    let kept = self.state.clone();
                    let first = self.get(a + 1);
                    self.set(a, first);
                    self.arrive_with(target(pc, word));
                    self.state = kept;
                }
                Op::TEST | Op::TESTSET => {
                    let tested = if op == Op::TEST { a } else { word.b() as usize };
                    let value = self.get(tested);
                    self.all.tested(value);
                    let is_true = word.c() != 0;
                    let kept = self.state.clone();
                    self.assume(value, !is_true);
                    self.arrive_with(pc + 2);
                    self.state = kept;
                    self.assume(value, is_true);
                    if op == Op::TESTSET {
                        self.set(a, value);
                    }
                }
                Op::EQ => {
                    let (b, c) = (self.rk(word.b()), self.rk(word.c()));
                    let is_equal = word.a() != 0;
                    let kept = self.state.clone();
                    self.assume_equal(b, c, !is_equal);
                    self.arrive_with(pc + 2);
                    self.state = kept;
                    self.assume_equal(b, c, is_equal);
                }
                Op::LOADBOOL if word.c() == 1 => return self.arrive(pc + 2),
                op if skips(self.dialect, op, word) => {
                    let kept = self.state.clone();
                    self.arrive_with(pc + 2);
                    self.state = kept;
                }
                _ => {}
            }
            if self.joins.state(next).is_some() {
                return self.arrive(next);
            }
            pc = next;
        }
    }

    /// What holds where `value` is true, or where it is not.
    fn assume(&mut self, value: Id, is_true: bool) {
        if !is_true {
            return;
        }
        for one in self.all.values.each(value) {
            if let Value::Path(path) | Value::TrueIf(path) = *self.all.values.get(one) {
                self.state.add_fact(path);
            }
        }
    }

    /// What holds where two values are equal, or where they are not.
    fn assume_equal(&mut self, a: Id, b: Id, is_equal: bool) {
        for (value, other) in [(a, b), (b, a)] {
            let values = &self.all.values;
            match (values.get(value), values.get(other)) {
                (_, Value::Nil) => {
                    self.all.tested(value);
                    self.assume(value, !is_equal);
                }
                (&Value::TypeOf(of), &Value::Text(Some(name))) => {
                    let is_nil = values.text(name) == b"nil";
                    self.all.tested(of);
                    self.assume(of, is_equal != is_nil);
                }
                _ => {}
            }
        }
    }

    fn arrive(&mut self, pc: usize) {
        self.arrive_with(pc);
    }

    /// A way leads to `pc`, where others may.
    fn arrive_with(&mut self, pc: usize) {
        let Some(known) = self.joins.state(pc) else {
            return;
        };
        let Some(old) = known else {
            *known = Some(self.state.clone());
            self.waiting.insert(pc);
            return;
        };
        let mut is_new = false;
        for (old, new) in old.registers.iter_mut().zip(&self.state.registers) {
            if old != new {
                let joined = self.all.values.join(*old, *new);
                is_new |= joined != *old;
                *old = joined;
            }
        }
        let facts = old.facts.len();
        old.facts.retain(|fact| self.state.facts.contains(fact));
        is_new |= facts != old.facts.len();
        if is_new {
            self.waiting.insert(pc);
        }
    }

    /// What a register holds, with what functions that share it put there.
    pub fn get(&mut self, register: usize) -> Id {
        let own = self.state.get(register);
        let body = &self.all.program.bodies[self.number];
        if body.shared.is_empty() {
            return own;
        }
        let pc = self.pc;
        let covers = |shared: &&crate::program::Shared| {
            shared.register == register && shared.from < pc && pc < shared.to
        };
        match body.shared.iter().find(covers) {
            None => own,
            Some(shared) => {
                let inside = self.all.program.cells[shared.cell].from_inside;
                self.all.values.join(own, inside)
            }
        }
    }

    fn set(&mut self, register: usize, value: Id) {
        if let Some(place) = self.state.registers.get_mut(register) {
            *place = value;
        }
        let body = &self.all.program.bodies[self.number];
        if body.shared.is_empty() {
            return;
        }
        let pc = self.pc;
        let covers = |shared: &&crate::program::Shared| {
            shared.register == register && shared.from <= pc && pc < shared.to
        };
        if let Some(shared) = body.shared.iter().find(covers) {
            let cell = shared.cell;
            self.all.assign(cell, value);
        }
    }

    fn set_all(&mut self, registers: std::ops::Range<usize>, value: Id) {
        registers.for_each(|register| self.set(register, value));
    }

    fn constant(&self, index: u32) -> Id {
        let constants = &self.all.program.bodies[self.number].constants;
        constants.get(index as usize).copied().unwrap_or(UNKNOWN)
    }

    fn rk(&mut self, operand: u32) -> Id {
        match rk_constant(operand) {
            Some(index) => self.constant(index),
            None => self.get(operand as usize),
        }
    }

    fn step(&mut self, op: Op, word: Instruction) {
        let (a, b, c) = (word.a() as usize, word.b() as usize, word.c() as usize);
        match op {
            Op::MOVE => {
                let value = self.get(b);
                self.set(a, value);
            }
            Op::LOADK => {
                let value = self.constant(word.bx());
                self.set(a, value);
            }
            Op::LOADKX => {
                let next = self.function.code.get(self.pc + 1);
                let value = self.constant(next.map_or(u32::MAX, |word| Instruction(*word).ax()));
                self.set(a, value);
            }
            Op::LOADBOOL => {
                let value = match (b, self.state.facts.last()) {
                    (1, Some(&path)) => self.all.values.value(Value::TrueIf(path)),
                    _ => BOOLEAN,
                };
                self.set(a, value);
            }
            Op::LOADNIL => {
                let last = match self.dialect {
                    Dialect::Lua51 => b,
                    Dialect::Lua53 => a + b,
                };
                self.set_all(a..last + 1, NIL);
            }
            Op::GETUPVAL => {
                let value = self.upvalue(b);
                self.set(a, value);
            }
            Op::GETGLOBAL => {
                let name = self.constant(word.bx());
                let value = self.look_up(GLOBALS, name);
                self.set(a, value);
            }
            Op::GETTABUP => {
                let (of, key) = (self.upvalue(b), self.rk(word.c()));
                let value = self.look_up(of, key);
                self.set(a, value);
            }
            Op::GETTABLE => {
                let (of, key) = (self.get(b), self.rk(word.c()));
                let value = self.look_up(of, key);
                self.set(a, value);
            }
            Op::SELF => {
                let (of, key) = (self.get(b), self.rk(word.c()));
                let value = self.look_up(of, key);
                self.set(a + 1, of);
                self.set(a, value);
            }
            Op::SETGLOBAL => {
                let (name, value) = (self.constant(word.bx()), self.get(a));
                self.put(GLOBALS, name, value);
            }
            Op::SETTABUP => {
                let (of, key) = (self.upvalue(a), self.rk(word.b()));
                let value = self.rk(word.c());
                self.put(of, key, value);
            }
            Op::SETTABLE => {
                let (of, key, value) = (self.get(a), self.rk(word.b()), self.rk(word.c()));
                self.put(of, key, value);
            }
            Op::SETUPVAL => {
                let value = self.get(a);
                let up = self.all.program.bodies[self.number].upvalues.get(b);
                if let Some(&Up::Cell(cell)) = up {
                    self.all.assign_inside(cell, value);
                }
            }
            Op::NEWTABLE => {
                let value = self.all.table_made(self.number, self.pc);
                self.set(a, value);
            }
            Op::SETLIST => self.list(a, b),
            Op::CLOSURE => self.closure(a, word),
            Op::NOT => self.set(a, BOOLEAN),
            Op::LEN | Op::UNM | Op::BNOT => {
                let value = self.get(b);
                self.consume(value);
                self.set(a, NUMBER);
            }
            Op::CONCAT => {
                for register in b..=c {
                    let value = self.get(register);
                    self.consume(value);
                }
                self.set(a, TEXT);
            }
            Op::EQ | Op::LT | Op::LE => {
                let (x, y) = (self.rk(word.b()), self.rk(word.c()));
                if x != NIL && y != NIL {
                    self.consume(x);
                    self.consume(y);
                }
            }
            Op::FORPREP => {
                for register in a..a + 3 {
                    let value = self.get(register);
                    self.consume(value);
                }
                self.set_all(a..a + 4, NUMBER);
            }
            Op::TFORLOOP if self.dialect == Dialect::Lua51 => {
                self.set_all(a + 3..a + 3 + c, UNKNOWN);
            }
            Op::TFORCALL => self.set_all(a + 3..a + 3 + c, UNKNOWN),
            Op::VARARG => match b {
                0 => {
                    self.state.open = Some(a);
                    self.set(a, UNKNOWN);
                }
                b => self.set_all(a..a + b - 1, UNKNOWN),
            },
            Op::CALL | Op::TAILCALL => self.call_at(op, a, b, c),
            Op::RETURN => self.returned(a, b),
            Op::ADD
            | Op::SUB
            | Op::MUL
            | Op::DIV
            | Op::MOD
            | Op::POW
            | Op::IDIV
            | Op::BAND
            | Op::BOR
            | Op::BXOR
            | Op::SHL
            | Op::SHR => {
                let (x, y) = (self.rk(word.b()), self.rk(word.c()));
                self.consume(x);
                self.consume(y);
                self.set(a, NUMBER);
            }
            Op::TEST
            | Op::TESTSET
            | Op::JMP
            | Op::FORLOOP
            | Op::TFORLOOP
            | Op::CLOSE
            | Op::EXTRAARG => {}
        }
    }

    fn upvalue(&mut self, index: usize) -> Id {
        let up = self.all.program.bodies[self.number].upvalues.get(index);
        match up {
            Some(Up::Globals) => GLOBALS,
            Some(&Up::Cell(cell)) => match self.all.program.cells[cell].value {
                BOTTOM => UNKNOWN,
                value => value,
            },
            _ => UNKNOWN,
        }
    }

    fn closure(&mut self, a: usize, word: Instruction) {
        let body = &self.all.program.bodies[self.number];
        let Some(&child) = body.children.get(word.bx() as usize) else {
            return self.set(a, UNKNOWN);
        };
        let pc = self.pc;
        // the function may share the register that it comes into
        let value = self.all.values.value(Value::Function(child as Id));
        self.set(a, value);
        let upvalues = self.all.program.bodies[child].upvalues.clone();
        let body = &self.all.program.bodies[self.number];
        let mut taken = Vec::new();
        for up in upvalues {
            if let Up::Cell(cell) = up
                && let Some(shared) = body.shared.iter().find(|shared| shared.cell == cell)
                && shared.from <= pc
            {
                taken.push((cell, shared.register));
            }
        }
        for (cell, register) in taken {
            let value = self.state.get(register);
            self.all.assign(cell, value);
        }
    }

    fn list(&mut self, a: usize, b: usize) {
        let last = match (b, self.state.open.take()) {
            (0, Some(open)) => open + 1,
            (b, _) => a + 1 + b,
        };
        for register in a + 1..last {
            let value = self.get(register);
            self.pass(value);
        }
    }

    /// The values in the registers from `start` on, for an instruction with this count.
    fn values_from(&mut self, start: usize, count: Option<usize>) -> (Vec<Id>, bool) {
        let open = self.state.open.take();
        match count {
            Some(count) => ((start..start + count).map(|r| self.get(r)).collect(), true),
            None => {
                let end = open.map_or(start, |open| open + 1);
                ((start..end).map(|r| self.get(r)).collect(), false)
            }
        }
    }

    fn call_at(&mut self, op: Op, a: usize, b: usize, c: usize) {
        let callee = self.get(a);
        let (arguments, is_whole) = self.values_from(a + 1, b.checked_sub(1));
        let results = self.call(callee, &arguments, is_whole);
        let result = |number: usize| results.get(number).copied().unwrap_or(UNKNOWN);
        // a call uses the registers above it
        for register in a..self.state.registers.len() {
            if let Some(place) = self.state.registers.get_mut(register) {
                *place = UNKNOWN;
            }
        }
        match (op, c) {
            (Op::CALL, 1..) => {
                for number in 0..c - 1 {
                    self.set(a + number, result(number));
                }
            }
            _ => {
                self.set(a, result(0));
                self.state.open = Some(a);
            }
        }
    }

    fn returned(&mut self, a: usize, b: usize) {
        let (values, _) = self.values_from(a, b.checked_sub(1));
        let is_main = self.all.is_main(self.number);
        for (place, value) in values.into_iter().enumerate() {
            match is_main {
                true => self.pass(value),
                false => self.consume_unless_module(value),
            }
            self.all.returns(self.number, place, value);
        }
    }

    /// The value under `key` in `of`.
    fn look_up(&mut self, of: Id, key: Id) -> Id {
        let mut found = BOTTOM;
        let alternatives = self.all.values.each(of);
        let is_certain = alternatives.iter().filter(|v| **v != NIL).count() == 1;
        for one in alternatives {
            let next = self.look_up_in(one, key, is_certain);
            found = self.all.values.join(found, next);
        }
        match found {
            BOTTOM => UNKNOWN,
            found => found,
        }
    }

    fn look_up_in(&mut self, of: Id, key: Id, is_certain: bool) -> Id {
        let name = self.all.values.constant(key);
        match (self.all.values.get(of).clone(), name) {
            (Value::Globals, Some(name)) => {
                self.note_read(name);
                self.all.global(name, self.number)
            }
            (Value::Globals, None) => {
                self.note_dynamic("a global whose name is computed");
                UNKNOWN
            }
            (Value::Path(path), Some(name)) => {
                self.note_index(path, is_certain);
                self.member(path, name)
            }
            (Value::Path(path), None) => {
                self.note_index(path, is_certain);
                self.note_passed(path, is_certain);
                UNKNOWN
            }
            (Value::Object(class), Some(name)) => self.all.values.member(Of::Class(class), name),
            (Value::Table(table), Some(name)) => self.all.field(table, name, self.number),
            (Value::Nil, _) => BOTTOM,
            _ => UNKNOWN,
        }
    }

    /// Puts a value under `key` into `of`.
    fn put(&mut self, of: Id, key: Id, value: Id) {
        let name = self.all.values.constant(key);
        let alternatives = self.all.values.each(of);
        let is_certain = alternatives.iter().filter(|v| **v != NIL).count() == 1;
        for one in alternatives {
            match (self.all.values.get(one).clone(), name) {
                (Value::Globals, Some(name)) => {
                    self.note_set(name);
                    self.all.set_global(name, value);
                }
                (Value::Globals, None) => {
                    self.note_dynamic("a global whose name is computed is set");
                    self.pass(value);
                }
                (Value::Table(table), Some(name)) => self.all.set_field(table, name, value),
                (Value::Path(path), name) => {
                    self.note_index(path, is_certain);
                    if let Some(name) = name {
                        self.note_member_set(path, name);
                    }
                    self.pass(value);
                }
                _ => self.pass(value),
            }
        }
    }
}
