//! The rules of a function, and the walk over all of them.

use fastlua_bytecode::{
    Chunk, Dialect, Function, FunctionPath, Instruction, Layout, Local, MAX_NESTING, Op,
    instruction_text,
};

use crate::refusal::{Refusal, Rule};
use crate::{code, flow};

/// A function that is looked at.
pub(crate) struct Context<'a> {
    pub dialect: Dialect,
    pub function: &'a Function,
    layout: &'a Layout,
    path: &'a FunctionPath,
}

/// What a rule says.
pub(crate) type Verdict<T = ()> = Result<T, Box<Refusal>>;

pub(crate) fn verify(chunk: &Chunk) -> Verdict {
    walk(
        &chunk.layout,
        &chunk.main,
        None,
        &mut FunctionPath::default(),
    )
}

/// `parent` is the function around it.
fn walk(
    layout: &Layout,
    function: &Function,
    parent: Option<&Function>,
    path: &mut FunctionPath,
) -> Verdict {
    let context = Context {
        dialect: layout.dialect(),
        function,
        layout,
        path,
    };
    context.shape()?;
    context.upvalues(parent)?;
    context.debug()?;
    let kinds = code::verify(&context)?;
    flow::verify(&context, &kinds)?;
    for (index, child) in function.functions.iter().enumerate() {
        path.0.push(index as u32);
        walk(layout, child, Some(function), path)?;
        path.0.pop();
    }
    Ok(())
}

impl Context<'_> {
    /// The function's instructions.
    pub fn code(&self) -> &[u32] {
        &self.function.code
    }

    /// The instruction at `pc`.
    pub fn at(&self, pc: usize) -> Instruction {
        Instruction(self.function.code[pc])
    }

    /// What it does; none if unknown opcode.
    pub fn op(&self, pc: usize) -> Option<Op> {
        self.at(pc).opcode(self.dialect).map(|opcode| opcode.op)
    }

    /// How many registers it has.
    pub fn registers(&self) -> usize {
        self.function.max_stack.into()
    }

    fn refuse(&self, rule: Rule, reason: String) -> Verdict {
        Err(Box::new(Refusal {
            rule,
            function: self.path.clone(),
            pc: None,
            instruction: String::new(),
            reason,
        }))
    }

    /// Refuses the instruction at `pc`.
    pub fn refuse_at<T>(&self, rule: Rule, pc: usize, reason: impl Into<String>) -> Verdict<T> {
        Err(Box::new(Refusal {
            rule,
            function: self.path.clone(),
            pc: Some(pc),
            instruction: instruction_text(self.layout, self.function, pc),
            reason: reason.into(),
        }))
    }

    /// Refuses the instruction at `pc` unless `holds`.
    pub fn require(
        &self,
        holds: bool,
        rule: Rule,
        pc: usize,
        reason: impl FnOnce() -> String,
    ) -> Verdict {
        match holds {
            true => Ok(()),
            false => self.refuse_at(rule, pc, reason()),
        }
    }

    fn shape(&self) -> Verdict {
        let function = self.function;
        if self.path.0.len() > MAX_NESTING {
            return self.refuse(
                Rule::Nesting,
                format!("nested more than {MAX_NESTING} levels deep"),
            );
        }
        let most = match self.dialect {
            Dialect::Lua51 => 250,
            Dialect::Lua53 => 255,
        };
        let least = if self.only_calls() { 1 } else { 2 };
        if !(least..=most).contains(&function.max_stack) {
            let count = function.max_stack;
            return self.refuse(
                Rule::Registers,
                format!("it has {count} registers, not {least} to {most}"),
            );
        }
        let flags: &[u8] = match self.dialect {
            Dialect::Lua51 => &[0, 2, 3, 7],
            Dialect::Lua53 => &[0, 1],
        };
        if !flags.contains(&function.vararg) {
            return self.refuse(
                Rule::Vararg,
                format!("invalid vararg flags {}", function.vararg),
            );
        }
        let has_arg = self.dialect == Dialect::Lua51 && function.vararg & 1 != 0;
        if usize::from(function.params) + usize::from(has_arg) > self.registers() {
            return self.refuse(
                Rule::Parameters,
                format!(
                    "{} parameters, but only {} registers",
                    function.params, function.max_stack
                ),
            );
        }
        match function.code.len().checked_sub(1).map(|last| self.op(last)) {
            Some(Some(Op::RETURN)) => Ok(()),
            Some(_) => self.refuse(Rule::End, "its last instruction is not RETURN".into()),
            None => self.refuse(Rule::End, "it has no instructions".into()),
        }
    }

    /// Whether it does no more than to call the functions in it, as what `luac` puts around several files.
    fn only_calls(&self) -> bool {
        let mut code = 0..self.function.code.len();
        code.all(|pc| matches!(self.op(pc), Some(Op::CLOSURE | Op::CALL | Op::RETURN)))
    }

    /// Whoever loads a main function makes its upvalues, so they refer to nothing.
    fn upvalues(&self, parent: Option<&Function>) -> Verdict {
        let upvalues = &self.function.upvalues;
        match (self.dialect, parent) {
            (Dialect::Lua51, _) | (Dialect::Lua53, None) => Ok(()),
            (Dialect::Lua53, Some(parent)) => {
                let exists = |u: &fastlua_bytecode::Upvalue| match u.in_stack {
                    true => u.index < parent.max_stack,
                    false => usize::from(u.index) < parent.upvalues.len(),
                };
                match upvalues.iter().position(|u| !exists(u)) {
                    None => Ok(()),
                    Some(number) => self.refuse(
                        Rule::Upvalues,
                        format!("upvalue {number} does not exist in the enclosing function"),
                    ),
                }
            }
        }
    }

    fn debug(&self) -> Verdict {
        let Function {
            lines,
            code,
            locals,
            upvalues,
            ..
        } = self.function;
        if !lines.is_empty() && lines.len() != code.len() {
            let (lines, code) = (lines.len(), code.len());
            return self.refuse(
                Rule::Debug,
                format!("{lines} lines for {code} instructions"),
            );
        }
        if let Some(local) = locals.iter().position(|local| local.name.is_none()) {
            return self.refuse(Rule::Debug, format!("local variable {local} has no name"));
        }
        let active = most_active(locals, code.len());
        if active > self.registers() {
            let registers = self.registers();
            return self.refuse(
                Rule::Debug,
                format!("{active} local variables are active at once in {registers} registers"),
            );
        }
        let named = upvalues.iter().filter(|u| u.name.is_some()).count();
        if self.dialect == Dialect::Lua51 && named != 0 && named != upvalues.len() {
            return self.refuse(Rule::Debug, "only some of its upvalues have names".into());
        }
        Ok(())
    }
}

/// How many local variables are active at the same of `code` instructions: `debug.getlocal` takes each for a
/// register.
fn most_active(locals: &[Local], code: usize) -> usize {
    let place = |pc: u32| (pc as usize).min(code);
    let mut change = vec![0; code + 1];
    for local in locals.iter().filter(|l| l.start_pc < l.end_pc) {
        change[place(local.start_pc)] += 1;
        change[place(local.end_pc)] -= 1;
    }
    let active = change.iter().scan(0, |active: &mut isize, change| {
        *active += change;
        Some(*active)
    });
    active.max().unwrap_or(0).unsigned_abs()
}
