//! The rules of an instruction by itself and with those around it.

use fastlua_bytecode::{Constant, Dialect, Instruction, Op, Operand, rk_constant};

use crate::function::{Context, Verdict};
use crate::refusal::Rule;

/// Most parts of a table that NEWTABLE or SETLIST may ask for.
const LARGEST: u64 = 1 << 26;

/// Items of a table that one SETLIST stores at the most (`LFIELDS_PER_FLUSH`).
const FLUSH: u64 = 50;

/// What a word of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Instruction,
    /// Part of the instruction before it.
    Data,
}

/// Checks every instruction; gives what each word is.
pub(crate) fn verify(context: &Context) -> Verdict<Vec<Kind>> {
    let mut kinds = vec![Kind::Instruction; context.code().len()];
    let mut pc = 0;
    while pc < kinds.len() {
        let data = data_words(context, pc)?;
        let end = pc + 1 + data;
        context.require(end < kinds.len() || data == 0, Rule::Companion, pc, || {
            format!("{data} words must follow it")
        })?;
        kinds[pc + 1..end].fill(Kind::Data);
        pc = end;
    }
    let checker = Checker { context, kinds };
    for pc in 0..checker.kinds.len() {
        if checker.kinds[pc] == Kind::Instruction {
            checker.instruction(pc)?;
        }
    }
    Ok(checker.kinds)
}

/// How many words behind an instruction belong to it.
fn data_words(context: &Context, pc: usize) -> Verdict<usize> {
    let word = context.at(pc);
    let Some(op) = context.op(pc) else {
        return context.refuse_at(Rule::Opcode, pc, "unknown opcode");
    };
    Ok(match (op, context.dialect) {
        (Op::SETLIST, _) => usize::from(word.c() == 0),
        (Op::LOADKX, _) => 1,
        (Op::CLOSURE, Dialect::Lua51) => {
            let child = context.function.functions.get(word.bx() as usize);
            child.map_or(0, |child| child.upvalues.len())
        }
        _ => 0,
    })
}

struct Checker<'a> {
    context: &'a Context<'a>,
    kinds: Vec<Kind>,
}

impl Checker<'_> {
    fn instruction(&self, pc: usize) -> Verdict {
        let context = self.context;
        let word = context.at(pc);
        let Some(opcode) = word.opcode(context.dialect) else {
            return context.refuse_at(Rule::Opcode, pc, "unknown opcode");
        };
        for ((kind, value), letter) in opcode.operands(word).into_iter().zip(["A", "B", "C"]) {
            match kind {
                Operand::Jump => self.target(pc, value)?,
                kind if self.holds(kind, value) => {}
                kind => return self.refuse_operand(pc, kind, value, letter),
            }
        }
        self.beside(pc, opcode.op, word)?;
        self.companions(pc, opcode.op, word)
    }

    /// Whether an operand of this kind, but a jump, may have this value, which is not negative.
    fn holds(&self, kind: Operand, value: i64) -> bool {
        let function = self.context.function;
        let index = value as usize;
        match kind {
            Operand::Unused => index == 0,
            Operand::Register => index < self.context.registers(),
            Operand::Constant => index < function.constants.len(),
            Operand::Rk => match rk_constant(value as u32) {
                Some(k) => (k as usize) < function.constants.len(),
                None => index < self.context.registers(),
            },
            Operand::Upvalue => index < function.upvalues.len(),
            Operand::Function => index < function.functions.len(),
            Operand::Flag => index <= 1,
            Operand::Jump | Operand::Count => true,
        }
    }

    #[cold]
    fn refuse_operand(&self, pc: usize, kind: Operand, value: i64, letter: &str) -> Verdict {
        let function = self.context.function;
        let register = |value: i64| {
            let count = self.context.registers();
            let reason = format!("{letter} is register {value}, but the function has {count}");
            (Rule::Register, reason)
        };
        let constant = || {
            (
                Rule::Constant,
                format!("{letter} is a constant that does not exist"),
            )
        };
        let (rule, reason) = match kind {
            Operand::Unused => (Rule::Unused, format!("{letter} is unused, but not 0")),
            Operand::Flag => (Rule::Flag, format!("{letter} is not 0 or 1")),
            Operand::Constant => constant(),
            Operand::Rk if rk_constant(value as u32).is_some() => constant(),
            Operand::Rk | Operand::Register => register(value),
            Operand::Upvalue => {
                let count = function.upvalues.len();
                (
                    Rule::Upvalue,
                    format!("{letter} is upvalue {value}, but the function has {count}"),
                )
            }
            Operand::Function | Operand::Jump | Operand::Count => {
                let count = function.functions.len();
                (
                    Rule::Function,
                    format!("{letter} is function {value}, but the function has {count}"),
                )
            }
        };
        self.context.refuse_at(rule, pc, reason)
    }

    fn target(&self, pc: usize, distance: i64) -> Verdict {
        let target = pc as i64 + 1 + distance;
        let kind = usize::try_from(target).ok().and_then(|t| self.kinds.get(t));
        let holds = kind == Some(&Kind::Instruction);
        self.context.require(holds, Rule::Target, pc, || {
            format!("jump target {} is not an instruction", target + 1)
        })
    }

    /// Registers `first` to `last` exist.
    fn registers(&self, pc: usize, last: usize) -> Verdict {
        let count = self.context.registers();
        self.context.require(last < count, Rule::Register, pc, || {
            format!("it uses register {last}, but the function has {count}")
        })
    }

    /// What an instruction uses beside its operands.
    fn beside(&self, pc: usize, op: Op, word: Instruction) -> Verdict {
        let context = self.context;
        let is_51 = context.dialect == Dialect::Lua51;
        let (a, b, c) = (word.a() as usize, word.b() as usize, word.c() as usize);
        match op {
            Op::LOADNIL if is_51 => {
                let reason = || "B is less than A".into();
                context.require(a <= b, Rule::Register, pc, reason)
            }
            Op::LOADNIL => self.registers(pc, a + b),
            Op::LOADBOOL if c == 1 => self.target(pc, 1),
            Op::GETGLOBAL | Op::SETGLOBAL => {
                let name = &context.function.constants[word.bx() as usize];
                let reason = || "the name of the global variable is not a string".into();
                let is_string = matches!(name, Constant::String(_));
                context.require(is_string, Rule::Constant, pc, reason)
            }
            Op::NEWTABLE => {
                let reason = || {
                    format!(
                        "table too large: {} array and {} hash slots",
                        parts(b),
                        parts(c)
                    )
                };
                let small = parts(b) <= LARGEST && parts(c) <= LARGEST;
                context.require(small, Rule::Size, pc, reason)
            }
            Op::SELF => self.registers(pc, a + 1),
            Op::CONCAT => {
                let reason = || "B is not less than C".into();
                context.require(b < c, Rule::Register, pc, reason)
            }
            Op::CALL | Op::TAILCALL => {
                let last = a + b.max(1) - 1;
                let results = if c >= 2 { a + c - 2 } else { a };
                self.registers(pc, last.max(results))
            }
            Op::RETURN | Op::VARARG if b >= 2 => self.registers(pc, a + b - 2),
            Op::FORPREP | Op::FORLOOP => self.registers(pc, a + 3),
            Op::TFORLOOP if !is_51 => self.registers(pc, a + 1),
            Op::TFORLOOP | Op::TFORCALL => {
                let reason = || "the loop has no variable".into();
                context.require(c >= 1, Rule::Register, pc, reason)?;
                self.registers(pc, (a + 2 + c).max(a + 5))
            }
            Op::SETLIST => {
                self.registers(pc, a + b)?;
                let count = match c {
                    0 => self.wide_count(pc),
                    c => c as u64,
                };
                let reason = || "it stores items before index 1".into();
                context.require(count >= 1, Rule::Size, pc, reason)?;
                let reason = || {
                    format!(
                        "list too large: it stores items after {} others",
                        (count - 1) * FLUSH
                    )
                };
                context.require(count <= LARGEST / FLUSH, Rule::Size, pc, reason)
            }
            Op::JMP if a > 0 => {
                let reason = || format!("A closes from register {}, which does not exist", a - 1);
                context.require(a <= context.registers(), Rule::Register, pc, reason)
            }
            _ => Ok(()),
        }?;
        let variadic = match is_51 {
            true => context.function.vararg & 6 == 2,
            false => context.function.vararg != 0,
        };
        context.require(op != Op::VARARG || variadic, Rule::Variadic, pc, || {
            "not a vararg function".into()
        })
    }

    /// The count of a SETLIST whose C is 0.
    fn wide_count(&self, pc: usize) -> u64 {
        let word = self.context.at(pc + 1);
        match self.context.dialect {
            Dialect::Lua51 => word.0.into(),
            Dialect::Lua53 => word.ax().into(),
        }
    }

    /// What has to stand behind an instruction, or where it leads.
    fn companions(&self, pc: usize, op: Op, word: Instruction) -> Verdict {
        let context = self.context;
        let is_51 = context.dialect == Dialect::Lua51;
        let belongs =
            |holds, what: &'static str| context.require(holds, Rule::Companion, pc, || what.into());
        let is = |at: usize, op| {
            self.kinds.get(at) == Some(&Kind::Instruction) && context.op(at) == Some(op)
        };
        let behind = |op| is(pc + 1, op);
        match op {
            Op::EQ | Op::LT | Op::LE | Op::TEST | Op::TESTSET => {
                belongs(behind(Op::JMP), "no JMP follows")?;
                self.target(pc, 1)
            }
            Op::TFORLOOP if is_51 => {
                belongs(behind(Op::JMP), "no JMP follows")?;
                self.target(pc, 1)
            }
            Op::TFORCALL => belongs(
                behind(Op::TFORLOOP) && context.at(pc + 1).a() == word.a() + 2,
                "no TFORLOOP of the same loop follows",
            ),
            Op::FORPREP => {
                let target = (pc as i64 + 1 + i64::from(word.sbx())) as usize;
                let holds = is(target, Op::FORLOOP) && context.at(target).a() == word.a();
                belongs(holds, "jump target is not its FORLOOP")
            }
            Op::TAILCALL => {
                belongs(word.c() == 0, "C is not 0")?;
                let next = pc + 1;
                let holds = behind(Op::RETURN)
                    && (context.at(next).a(), context.at(next).b()) == (word.a(), 0);
                belongs(holds, "no RETURN of its results follows")
            }
            Op::LOADKX => {
                belongs(
                    context.op(pc + 1) == Some(Op::EXTRAARG),
                    "no EXTRAARG follows",
                )?;
                let k = context.at(pc + 1).ax() as usize;
                let reason = || "its constant does not exist".into();
                let exists = k < context.function.constants.len();
                context.require(exists, Rule::Constant, pc, reason)
            }
            Op::SETLIST if !is_51 && word.c() == 0 => belongs(
                context.op(pc + 1) == Some(Op::EXTRAARG),
                "no EXTRAARG follows",
            ),
            Op::EXTRAARG => belongs(false, "no instruction before it needs it"),
            Op::CLOSURE if is_51 => self.captures(pc, word),
            _ => Ok(()),
        }
    }

    /// 5.1: a word behind CLOSURE for each upvalue.
    fn captures(&self, pc: usize, closure: Instruction) -> Verdict {
        let context = self.context;
        let child = &context.function.functions[closure.bx() as usize];
        for at in pc + 1..=pc + child.upvalues.len() {
            let word = context.at(at);
            let b = word.b() as usize;
            let exists = match context.op(at) {
                Some(Op::MOVE) => b < context.registers(),
                Some(Op::GETUPVAL) => b < context.function.upvalues.len(),
                _ => false,
            };
            let holds = exists && (word.a(), word.c()) == (0, 0);
            context.require(holds, Rule::Companion, pc, || {
                format!(
                    "word {} does not describe an upvalue of the new function",
                    at + 1
                )
            })?;
        }
        Ok(())
    }
}

/// The size that an operand of NEWTABLE stands for (`luaO_fb2int`): the low three bits and an
/// implied fourth, shifted by the others.
fn parts(operand: usize) -> u64 {
    match operand >> 3 {
        0 => operand as u64,
        exponent @ 1..=32 => (operand as u64 & 7 | 8) << (exponent - 1),
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn sizes_of_tables() {
        let pairs = [
            (0, 0),
            (7, 7),
            (8, 8),
            (15, 15),
            (16, 16),
            (17, 18),
            (24, 32),
        ];
        for (operand, size) in pairs {
            assert_eq!(parts(operand), size);
        }
        assert_eq!(parts(511), u64::MAX);
    }
}
