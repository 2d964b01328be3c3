//! What flows: every way through the code, with what is known of the registers on it.

use std::collections::BTreeSet;

use fastlua_bytecode::{Constant, Dialect, Instruction, Op, Operand, rk_constant};

use crate::code::Kind;
use crate::function::{Context, Verdict};
use crate::refusal::Rule;
use crate::registers::Registers;

/// What holds before an instruction, whichever way led there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// Registers that have a value of this function.
    set: Registers,
    /// Of these: numbers that FORPREP made.
    numbers: Registers,
    /// Tables.
    tables: Registers,
    /// Strings.
    strings: Registers,
    /// Registers that an open upvalue may change.
    captured: Registers,
    /// Where values of an open number begin, if the top is open.
    open: Option<usize>,
}

impl State {
    fn start(context: &Context) -> State {
        let set = match context.dialect {
            Dialect::Lua51 => context.registers(),
            Dialect::Lua53 => context.function.params.into(),
        };
        State {
            set: Registers::below(set),
            numbers: Registers::default(),
            tables: Registers::default(),
            strings: Registers::default(),
            captured: Registers::default(),
            open: None,
        }
    }

    /// Keeps what holds in both. `None` where only one has an open top.
    fn meet(&self, other: &State) -> Option<State> {
        let open = match (self.open, other.open) {
            (None, None) => None,
            (Some(a), Some(b)) => Some(a.min(b)),
            _ => return None,
        };
        Some(State {
            set: self.set.and(&other.set),
            numbers: self.numbers.and(&other.numbers),
            tables: self.tables.and(&other.tables),
            strings: self.strings.and(&other.strings),
            captured: self.captured.or(&other.captured),
            open,
        })
    }

    /// `register` gets a value of which nothing is known.
    fn write(&mut self, register: usize) {
        self.set.insert(register);
        self.forget(register);
    }

    fn write_all(&mut self, registers: std::ops::Range<usize>) {
        registers.for_each(|register| self.write(register));
    }

    /// Nothing is known any more of what the register holds.
    fn forget(&mut self, register: usize) {
        self.numbers.remove(register);
        self.tables.remove(register);
        self.strings.remove(register);
    }

    /// There is garbage in `start` and all above it.
    fn spoil(&mut self, start: usize) {
        self.set.cut(start);
        self.numbers.cut(start);
        self.tables.cut(start);
        self.strings.cut(start);
    }

    /// The register becomes an upvalue.
    fn capture(&mut self, register: usize) {
        self.captured.insert(register);
        self.forget(register);
    }
}

/// Follows every way through the code. `kinds` is what each word is.
pub(crate) fn verify(context: &Context, kinds: &[Kind]) -> Verdict {
    let mut flow = Flow {
        context,
        kinds,
        joins: Joins::of(context, kinds),
        waiting: BTreeSet::new(),
    };
    flow.follow(0, State::start(context))?;
    while let Some(pc) = flow.waiting.pop_first() {
        if let Some(state) = flow.joins.known(pc).clone() {
            flow.follow(pc, state)?;
        }
    }
    Ok(())
}

/// The instructions to which more than the one before them may lead, and what holds at each; none where
/// no way has come yet.
struct Joins {
    /// For each word: 0, or one more than the place of its state.
    places: Vec<u32>,
    states: Vec<Option<State>>,
}

impl Joins {
    fn of(context: &Context, kinds: &[Kind]) -> Joins {
        let mut places = vec![0; kinds.len()];
        let mut count = 0;
        let mut join = |pc: usize| {
            if places[pc] == 0 {
                count += 1;
                places[pc] = count;
            }
        };
        for pc in (0..kinds.len()).filter(|&pc| kinds[pc] == Kind::Instruction) {
            let word = context.at(pc);
            let Some(opcode) = word.opcode(context.dialect) else {
                continue;
            };
            if opcode.b == Operand::Jump {
                join(target(pc, word));
            }
            if skips(context, opcode.op, word) {
                join(pc + 2);
            }
        }
        Joins {
            places,
            states: vec![None; count as usize],
        }
    }

    fn has(&self, pc: usize) -> bool {
        self.places[pc] != 0
    }

    /// What holds at `pc`, which is one of them.
    fn known(&mut self, pc: usize) -> &mut Option<State> {
        &mut self.states[self.places[pc] as usize - 1]
    }
}

/// Where a jump at `pc` leads; `code` has made sure that this is in the code.
fn target(pc: usize, word: Instruction) -> usize {
    (pc as i64 + 1 + i64::from(word.sbx())) as usize
}

/// Whether it may go on behind the next instruction.
fn skips(context: &Context, op: Op, word: Instruction) -> bool {
    match op {
        Op::EQ | Op::LT | Op::LE | Op::TEST | Op::TESTSET => true,
        Op::TFORLOOP => context.dialect == Dialect::Lua51,
        Op::LOADBOOL => word.c() == 1,
        _ => false,
    }
}

struct Flow<'a> {
    context: &'a Context<'a>,
    kinds: &'a [Kind],
    joins: Joins,
    /// Places of which less is known than when they were followed.
    waiting: BTreeSet<usize>,
}

impl Flow<'_> {
    /// Follows the code from `pc` on until a place where ways meet, or its end.
    fn follow(&mut self, mut pc: usize, mut state: State) -> Verdict {
        loop {
            let word = self.context.at(pc);
            let Some(op) = self.context.op(pc) else {
                return Ok(()); // there is none such: `code` has seen to that
            };
            Step {
                context: self.context,
                pc,
                word,
                state: &mut state,
            }
            .run(op)?;
            let mut next = pc + 1;
            while self.kinds.get(next) == Some(&Kind::Data) {
                next += 1;
            }
            match op {
                Op::RETURN => return Ok(()),
                Op::JMP | Op::FORPREP => return self.arrive(pc, target(pc, word), state),
                Op::FORLOOP => {
                    let mut again = state.clone();
                    again.write(word.a() as usize + 3);
                    self.arrive(pc, target(pc, word), again)?;
                }
                Op::TFORLOOP if self.context.dialect == Dialect::Lua53 => {
                    let mut again = state.clone();
                    again.write(word.a() as usize);
                    self.arrive(pc, target(pc, word), again)?;
                }
                Op::TESTSET => {
                    self.arrive(pc, pc + 2, state.clone())?;
                    state.write(word.a() as usize);
                }
                Op::LOADBOOL if word.c() == 1 => return self.arrive(pc, pc + 2, state),
                op if skips(self.context, op, word) => {
                    self.arrive(pc, pc + 2, state.clone())?;
                }
                _ => {}
            }
            if self.joins.has(next) {
                return self.arrive(pc, next, state);
            }
            pc = next;
        }
    }

    /// A way from `from` leads to `pc`, where others may.
    fn arrive(&mut self, from: usize, pc: usize, state: State) -> Verdict {
        let known = self.joins.known(pc);
        let met = match known {
            None => Some(state),
            Some(known) => known.meet(&state),
        };
        let Some(met) = met else {
            let reason = "the top is open on one path to it, but not on another";
            return self.context.refuse_at(Rule::Open, from, reason);
        };
        if known.as_ref() != Some(&met) {
            *known = Some(met);
            self.waiting.insert(pc);
        }
        Ok(())
    }
}

/// One instruction, and what it makes of a state.
struct Step<'a> {
    context: &'a Context<'a>,
    pc: usize,
    word: Instruction,
    state: &'a mut State,
}

impl Step<'_> {
    fn run(&mut self, op: Op) -> Verdict {
        self.top(op)?;
        let word = self.word;
        let is_51 = self.context.dialect == Dialect::Lua51;
        let (a, b, c) = (word.a() as usize, word.b() as usize, word.c() as usize);
        match op {
            Op::MOVE | Op::UNM | Op::NOT | Op::LEN | Op::BNOT => {
                self.read(b)?;
                self.state.write(a);
            }
            Op::LOADK => self.load(a, word.bx()),
            Op::LOADKX => {
                let k = self.context.at(self.pc + 1).ax();
                self.load(a, k);
            }
            Op::LOADBOOL | Op::GETUPVAL | Op::GETGLOBAL => self.state.write(a),
            Op::LOADNIL => {
                let last = if is_51 { b } else { a + b };
                self.state.write_all(a..last + 1);
            }
            Op::SETGLOBAL | Op::SETUPVAL | Op::TEST => self.read(a)?,
            Op::GETTABUP => {
                self.read_rk(c)?;
                self.state.write(a);
            }
            Op::SETTABUP => {
                self.read_rk(b)?;
                self.read_rk(c)?;
            }
            Op::GETTABLE => {
                self.read(b)?;
                self.read_rk(c)?;
                self.state.write(a);
            }
            Op::SETTABLE => {
                self.read(a)?;
                self.read_rk(b)?;
                self.read_rk(c)?;
            }
            Op::NEWTABLE => {
                self.state.write(a);
                if !self.state.captured.contains(a) {
                    self.state.tables.insert(a);
                }
                self.collected(a + 1)?;
            }
            Op::SELF => {
                self.read(b)?;
                self.key(c)?;
                self.state.write_all(a..a + 2);
            }
            Op::CONCAT => {
                self.read_all(b..c + 1)?;
                // partial results are stored there
                (b..c + 1).for_each(|register| self.state.forget(register));
                if !is_51 {
                    self.calls(b + 1)?;
                }
                self.collected(c + 1)?;
                self.state.write(a);
                self.collected(a.max(b) + 1)?;
            }
            Op::JMP => {
                if a > 0 {
                    self.state.captured.cut(a - 1);
                }
            }
            Op::CLOSE => self.state.captured.cut(a),
            Op::EQ | Op::LT | Op::LE => {
                self.read_rk(b)?;
                self.read_rk(c)?;
            }
            Op::TESTSET => self.read(b)?,
            Op::CALL | Op::TAILCALL => {
                self.read_all(a..a + b)?;
                self.calls(a)?;
                self.state.spoil(a);
                match (op, c) {
                    (Op::CALL, 1..) => self.state.write_all(a..a + c - 1),
                    _ => self.state.open = Some(a),
                }
            }
            Op::RETURN => self.read_all(a..a + b.saturating_sub(1))?,
            Op::FORPREP => {
                self.read_all(a..a + 3)?;
                for register in a..a + 3 {
                    self.state.write(register);
                    if !self.state.captured.contains(register) {
                        self.state.numbers.insert(register);
                    }
                }
            }
            Op::FORLOOP => {
                let is_number = |&register: &usize| !self.state.numbers.contains(register);
                if let Some(register) = (a..a + 3).find(is_number) {
                    let reason = format!("register {register} may not hold a number of this loop");
                    return self.context.refuse_at(Rule::Loop, self.pc, reason);
                }
            }
            Op::TFORLOOP if !is_51 => self.read(a + 1)?,
            Op::TFORLOOP | Op::TFORCALL => {
                self.read_all(a..a + 3)?;
                self.calls(a + 3)?;
                self.state.spoil(a + 3);
                self.state.write_all(a + 3..a + 3 + c);
                if is_51 {
                    self.state.write(a + 2);
                }
            }
            Op::SETLIST => {
                self.read_all(a..a + b + 1)?;
                if !is_51 && !self.state.tables.contains(a) {
                    let reason = format!("register {a} may not hold a table");
                    return self.context.refuse_at(Rule::Table, self.pc, reason);
                }
                if b == 0 {
                    self.state.spoil(a + 1);
                }
            }
            Op::CLOSURE => self.closure(a)?,
            Op::VARARG => match b {
                0 => {
                    self.state.spoil(a);
                    self.state.open = Some(a);
                }
                b => self.state.write_all(a..a + b - 1),
            },
            Op::EXTRAARG => {}
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
                self.read_rk(b)?;
                self.read_rk(c)?;
                self.state.write(a);
            }
        }
        Ok(())
    }

    /// An open top is taken by this instruction, and there is one if it takes one. Then the registers
    /// up to it are read here.
    fn top(&mut self, op: Op) -> Verdict {
        let takes =
            matches!(op, Op::CALL | Op::TAILCALL | Op::RETURN | Op::SETLIST) && self.word.b() == 0;
        match (takes, self.state.open.take()) {
            (false, None) => Ok(()),
            (false, Some(_)) => self.refuse(Rule::Open, "the open top before it is not used"),
            (true, None) => self.refuse(Rule::Open, "it uses an open top, but there is none"),
            (true, Some(start)) => {
                let first = self.word.a() as usize + usize::from(op != Op::RETURN);
                if start < first {
                    let reason = format!("the open values begin at register {start}");
                    return self.context.refuse_at(Rule::Open, self.pc, reason);
                }
                self.read_all(self.word.a() as usize..start)
            }
        }
    }

    fn read(&self, register: usize) -> Verdict {
        match self.state.set.contains(register) {
            true => Ok(()),
            false => {
                let reason = format!("register {register} may be unset");
                self.context.refuse_at(Rule::Unset, self.pc, reason)
            }
        }
    }

    fn read_all(&self, mut registers: std::ops::Range<usize>) -> Verdict {
        registers.try_for_each(|register| self.read(register))
    }

    fn read_rk(&self, rk: usize) -> Verdict {
        match rk_constant(rk as u32) {
            Some(_) => Ok(()),
            None => self.read(rk),
        }
    }

    /// The key of SELF.
    fn key(&self, rk: usize) -> Verdict {
        self.read_rk(rk)?;
        let is_string = match rk_constant(rk as u32) {
            Some(k) => self.is_string(k),
            None => self.state.strings.contains(rk),
        };
        match is_string || self.context.dialect == Dialect::Lua51 {
            true => Ok(()),
            false => self.refuse(Rule::Method, "the name of the method may not be a string"),
        }
    }

    fn is_string(&self, k: u32) -> bool {
        let constant = self.context.function.constants.get(k as usize);
        matches!(constant, Some(Constant::String(_)))
    }

    fn load(&mut self, register: usize, k: u32) {
        self.state.write(register);
        if self.is_string(k) && !self.state.captured.contains(register) {
            self.state.strings.insert(register);
        }
    }

    /// CLOSURE: it may capture the register that it sets.
    fn closure(&mut self, a: usize) -> Verdict {
        let context = self.context;
        let child = &context.function.functions[self.word.bx() as usize];
        let mut captured = Vec::new();
        for (number, upvalue) in child.upvalues.iter().enumerate() {
            let word = match context.dialect {
                Dialect::Lua51 => Some(context.at(self.pc + 1 + number)),
                Dialect::Lua53 => None,
            };
            match word {
                Some(word) if context.op(self.pc + 1 + number) == Some(Op::MOVE) => {
                    captured.push(word.b() as usize);
                }
                None if upvalue.in_stack => captured.push(upvalue.index.into()),
                _ => {}
            }
        }
        for &register in captured.iter().filter(|&&register| register != a) {
            self.read(register)?;
        }
        self.state.write(a);
        captured.iter().for_each(|&r| self.state.capture(r));
        self.collected(a + 1)
    }

    /// 5.3's collector may clear `start` and all above it while the instruction runs, and call finalizers there.
    fn collected(&mut self, start: usize) -> Verdict {
        if self.context.dialect == Dialect::Lua53 {
            self.calls(start)?;
            self.state.spoil(start);
        }
        Ok(())
    }

    /// A call puts its function into `start`, or behind it, and its registers behind that.
    fn calls(&self, start: usize) -> Verdict {
        match self.state.captured.first_from(start) {
            None => Ok(()),
            Some(register) => {
                let reason =
                    format!("register {register}, which the call uses, is an open upvalue");
                self.context.refuse_at(Rule::Shared, self.pc, reason)
            }
        }
    }

    fn refuse(&self, rule: Rule, reason: &str) -> Verdict {
        self.context.refuse_at(rule, self.pc, reason)
    }
}
