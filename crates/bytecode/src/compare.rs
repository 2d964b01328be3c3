//! The first difference between two functions.

use std::fmt::{self, Debug};

use crate::model::{Function, FunctionPath};

/// The first difference of two functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("function {function}: {part} is {left} in one and {right} in the other")]
pub struct Difference {
    /// The function, from the one that was compared.
    pub function: FunctionPath,
    /// Which part of it.
    pub part: Part,
    /// The part of the first function.
    pub left: String,
    /// The part of the second function.
    pub right: String,
}

/// A part of a function. Indices count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The source name.
    Source,
    /// The line of the `function` keyword.
    FirstLine,
    /// The line of the closing `end`.
    LastLine,
    /// The number of fixed parameters.
    Params,
    /// The vararg flags.
    Vararg,
    /// The number of registers.
    MaxStack,
    /// An item of a list.
    Item(List, usize),
    /// The length of a list whose items are the same as far as there are any.
    Length(List),
}

/// A list in a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Instructions.
    Code,
    /// Constants.
    Constants,
    /// Upvalues.
    Upvalues,
    /// Lines of the instructions.
    Lines,
    /// Local variables.
    Locals,
    /// Functions defined inside.
    Functions,
}

/// In the numbering of a listing, where instructions and constants count from 1.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Source => f.write_str("source name"),
            Part::FirstLine => f.write_str("first line"),
            Part::LastLine => f.write_str("last line"),
            Part::Params => f.write_str("number of parameters"),
            Part::Vararg => f.write_str("vararg flags"),
            Part::MaxStack => f.write_str("stack size"),
            Part::Item(List::Code, index) => write!(f, "instruction {}", index + 1),
            Part::Item(List::Constants, index) => write!(f, "constant {}", index + 1),
            Part::Item(List::Upvalues, index) => write!(f, "upvalue {index}"),
            Part::Item(List::Lines, index) => write!(f, "line of instruction {}", index + 1),
            Part::Item(List::Locals, index) => write!(f, "local {index}"),
            Part::Item(List::Functions, index) => write!(f, "function {index}"),
            Part::Length(List::Code) => f.write_str("number of instructions"),
            Part::Length(List::Constants) => f.write_str("number of constants"),
            Part::Length(List::Upvalues) => f.write_str("number of upvalues"),
            Part::Length(List::Lines) => f.write_str("number of lines"),
            Part::Length(List::Locals) => f.write_str("number of locals"),
            Part::Length(List::Functions) => f.write_str("number of functions"),
        }
    }
}

/// Compares two functions and all functions in them, everything about them.
///
/// # Errors
/// The first difference, outer functions before inner ones.
pub fn compare(a: &Function, b: &Function) -> Result<(), Difference> {
    Comparison::default().functions(a, b)
}

#[derive(Default)]
struct Comparison {
    path: FunctionPath,
}

impl Comparison {
    fn functions(&mut self, a: &Function, b: &Function) -> Result<(), Difference> {
        self.part(Part::Source, &a.source, &b.source)?;
        self.part(Part::FirstLine, &a.line_defined, &b.line_defined)?;
        self.part(Part::LastLine, &a.last_line_defined, &b.last_line_defined)?;
        self.part(Part::Params, &a.params, &b.params)?;
        self.part(Part::Vararg, &a.vararg, &b.vararg)?;
        self.part(Part::MaxStack, &a.max_stack, &b.max_stack)?;
        self.list(List::Code, &a.code, &b.code, |word| format!("{word:08x}"))?;
        self.list(List::Constants, &a.constants, &b.constants, shown)?;
        self.list(List::Upvalues, &a.upvalues, &b.upvalues, shown)?;
        self.list(List::Lines, &a.lines, &b.lines, shown)?;
        self.list(List::Locals, &a.locals, &b.locals, shown)?;
        self.part(
            Part::Length(List::Functions),
            &a.functions.len(),
            &b.functions.len(),
        )?;
        for (index, (a, b)) in a.functions.iter().zip(&b.functions).enumerate() {
            self.path.0.push(index as u32);
            self.functions(a, b)?;
            self.path.0.pop();
        }
        Ok(())
    }

    fn list<T: PartialEq>(
        &self,
        list: List,
        a: &[T],
        b: &[T],
        show: fn(&T) -> String,
    ) -> Result<(), Difference> {
        if let Some(index) = a.iter().zip(b).position(|(a, b)| a != b) {
            return self.differ(Part::Item(list, index), show(&a[index]), show(&b[index]));
        }
        self.part(Part::Length(list), &a.len(), &b.len())
    }

    fn part<T: PartialEq + Debug>(&self, part: Part, a: &T, b: &T) -> Result<(), Difference> {
        if a == b {
            Ok(())
        } else {
            self.differ(part, shown(a), shown(b))
        }
    }

    fn differ(&self, part: Part, left: String, right: String) -> Result<(), Difference> {
        Err(Difference {
            function: self.path.clone(),
            part,
            left,
            right,
        })
    }
}

fn shown<T: Debug>(value: &T) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Constant, Local, Upvalue};

    fn whole() -> Function {
        let inner = Function {
            code: vec![7, 8],
            constants: vec![Constant::Nil, Constant::Float(0.0)],
            upvalues: vec![Upvalue::default()],
            lines: vec![1, 1],
            locals: vec![Local {
                name: None,
                start_pc: 0,
                end_pc: 1,
            }],
            ..Function::default()
        };
        let middle = Function {
            functions: vec![inner],
            ..Function::default()
        };
        Function {
            functions: vec![Function::default(), middle],
            ..Function::default()
        }
    }

    type Change = fn(&mut Function);

    /// What `compare` says of a function whose `main.1.0` is changed by `change`.
    fn after(change: Change) -> String {
        let mut other = whole();
        change(&mut other.functions[1].functions[0]);
        compare(&whole(), &other).unwrap_err().to_string()
    }

    #[test]
    fn equal_functions_have_no_difference() {
        assert_eq!(compare(&whole(), &whole()), Ok(()));
    }

    #[test]
    fn every_part_counts() {
        let changes: [(Change, &str); 14] = [
            (
                |f| f.source = Some("x".into()),
                "source name is None in one and Some(\"x\")",
            ),
            (|f| f.line_defined = 1, "first line is 0 in one and 1"),
            (|f| f.last_line_defined = 1, "last line is 0 in one and 1"),
            (|f| f.params = 1, "number of parameters is 0 in one and 1"),
            (|f| f.vararg = 1, "vararg flags is 0 in one and 1"),
            (|f| f.max_stack = 1, "stack size is 0 in one and 1"),
            (
                |f| f.code[1] = 9,
                "instruction 2 is 00000008 in one and 00000009",
            ),
            (
                |f| f.code.push(9),
                "number of instructions is 2 in one and 3",
            ),
            (
                |f| f.constants[1] = Constant::Float(-0.0),
                "constant 2 is Float(0.0) in one and Float(-0.0)",
            ),
            (|f| f.upvalues[0].in_stack = true, "upvalue 0 is "),
            (
                |f| f.lines[1] = 2,
                "line of instruction 2 is 1 in one and 2",
            ),
            (|f| f.lines.clear(), "number of lines is 2 in one and 0"),
            (|f| f.locals[0].end_pc = 2, "local 0 is "),
            (
                |f| f.functions.push(Function::default()),
                "number of functions is 0 in one and 1",
            ),
        ];
        for (change, expected) in changes {
            let message = after(change);
            let start = format!("function main.1.0: {expected}");
            assert!(message.starts_with(&start), "{message}\n{start}");
        }
    }
}
