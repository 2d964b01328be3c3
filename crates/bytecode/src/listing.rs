//! A chunk as text, in the manner of `luac -l -l`: instructions and constants count from 1, everything else
//! from 0. A constant as operand is its number, negated; behind `;` stands what the operands refer to.

use std::fmt::{self, Display, Formatter};

use bstr::{BStr, BString, ByteSlice};

use crate::is_obeyed;
use crate::layout::Layout;
use crate::model::{Chunk, Constant, Function, FunctionPath, Upvalue};
use crate::number_model::Dialect;
use crate::opcodes::{Instruction, Op, Opcode, Operand, rk_constant};

impl Chunk {
    /// The chunk's functions with their instructions, constants, locals and upvalues, outer functions
    /// first. Whatever the chunk holds can be listed: a bad operand has no comment, an unknown opcode
    /// is shown as a word.
    pub fn listing(&self) -> impl Display {
        Listing(self)
    }
}

/// The instruction of `function` at `pc` as [`Chunk::listing`] shows it, without the comment: name and
/// operands. Empty where there is none.
pub fn instruction_text(layout: &Layout, function: &Function, pc: usize) -> String {
    let text = |word: &u32| match Instruction(*word).opcode(layout.dialect()) {
        Some(opcode) => format!("{} {}", opcode.name(), Operands(opcode, Instruction(*word))),
        None => format!("{word:08x}"),
    };
    function.code.get(pc).map(text).unwrap_or_default()
}

struct Listing<'a>(&'a Chunk);

impl Display for Listing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0.layout)?;
        function(
            f,
            &self.0.layout,
            &self.0.main,
            None,
            &mut FunctionPath::default(),
        )
    }
}

/// One function, and those inside it. `source` is the enclosing function's.
fn function(
    f: &mut Formatter<'_>,
    layout: &Layout,
    function: &Function,
    source: Option<&BString>,
    path: &mut FunctionPath,
) -> fmt::Result {
    let source = function.source.as_ref().or(source);
    let lister = Lister {
        layout,
        function,
        path,
    };
    lister.heading(f, source)?;
    lister.code(f)?;
    lister.constants(f)?;
    lister.locals(f)?;
    lister.upvalues(f)?;
    for (index, child) in function.functions.iter().enumerate() {
        path.0.push(index as u32);
        self::function(f, layout, child, source, path)?;
        path.0.pop();
    }
    Ok(())
}

struct Lister<'a> {
    layout: &'a Layout,
    function: &'a Function,
    path: &'a FunctionPath,
}

impl Lister<'_> {
    fn heading(&self, f: &mut Formatter<'_>, source: Option<&BString>) -> fmt::Result {
        let function = self.function;
        let kind = if self.path.0.is_empty() {
            ""
        } else {
            "function "
        };
        let source = Source(source.map(|source| source.as_bstr()));
        let (first, last) = (function.line_defined, function.last_line_defined);
        let instructions = Count(function.code.len(), "instruction");
        writeln!(
            f,
            "\n{kind}{} <{source}:{first},{last}> ({instructions})",
            self.path
        )?;
        let more = if function.vararg != 0 { "+" } else { "" };
        writeln!(
            f,
            "{}{more} param{}, {}, {}, {}, {}, {}",
            function.params,
            if function.params == 1 { "" } else { "s" },
            Count(function.max_stack.into(), "slot"),
            Count(function.upvalues.len(), "upvalue"),
            Count(function.locals.len(), "local"),
            Count(function.constants.len(), "constant"),
            Count(function.functions.len(), "function"),
        )
    }

    fn code(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dialect = self.layout.dialect();
        let mut data = false;
        for (pc, &word) in self.function.code.iter().enumerate() {
            write!(f, "\t{}\t", pc + 1)?;
            match self.function.lines.get(pc) {
                Some(line) => write!(f, "[{line}]\t")?,
                None => f.write_str("[-]\t")?,
            }
            let instruction = Instruction(word);
            match instruction.opcode(dialect) {
                _ if data => write!(f, "{word}")?,
                Some(opcode) => {
                    write!(f, "{:<9}\t{}", opcode.name(), Operands(opcode, instruction))?;
                    self.comment(f, opcode, instruction, pc)?;
                }
                None => write!(f, "{word:08x}")?,
            }
            f.write_str("\n")?;
            // In 5.1 the count of such a SETLIST is the next word.
            data = !data && dialect == Dialect::Lua51 && is_wide_setlist(dialect, instruction);
        }
        Ok(())
    }

    fn comment(
        &self,
        f: &mut Formatter<'_>,
        opcode: &Opcode,
        word: Instruction,
        pc: usize,
    ) -> fmt::Result {
        let code = &self.function.code;
        let [_, b, c] = opcode.operands(word);
        match (opcode.op, b.0) {
            (Op::SETLIST, _) if word.c() != 0 => write!(f, "\t; {}", word.c()),
            (Op::SETLIST, _) => match code.get(pc + 1) {
                Some(&next) if self.layout.dialect() == Dialect::Lua51 => write!(f, "\t; {next}"),
                Some(&next) => write!(f, "\t; {}", Instruction(next).ax()),
                None => Ok(()),
            },
            (Op::LOADKX, _) => match code.get(pc + 1) {
                Some(&next) => write!(f, "\t; {}", self.constant(Instruction(next).ax().into())),
                None => Ok(()),
            },
            (Op::SETTABUP, _) => {
                write!(f, "\t; {}", self.upvalue(word.a()))?;
                self.constants_among(f, [b], " ")?;
                self.constants_among(f, [c], " ")
            }
            (_, Operand::Jump) => write!(f, "\t; to {}", pc as i64 + b.1 + 2),
            (_, Operand::Function) => write!(f, "\t; {}.{}", self.path, b.1),
            (_, Operand::Constant) => write!(f, "\t; {}", self.constant(b.1)),
            (_, Operand::Upvalue) => {
                write!(f, "\t; {}", self.upvalue(b.1 as u32))?;
                self.constants_among(f, [c], " ")
            }
            (_, Operand::Rk) => self.constants_among(f, [b, c], "\t; "),
            _ => self.constants_among(f, [c], "\t; "),
        }
    }

    /// Those of `operands` that are constants, with a dash for the others; nothing where none is.
    fn constants_among<const N: usize>(
        &self,
        f: &mut Formatter<'_>,
        operands: [(Operand, i64); N],
        before: &str,
    ) -> fmt::Result {
        let constants = operands.map(|(kind, value)| match kind {
            Operand::Rk => rk_constant(value as u32),
            _ => None,
        });
        if constants.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut between = before;
        for constant in constants {
            match constant {
                Some(constant) => write!(f, "{between}{}", self.constant(constant.into()))?,
                None => write!(f, "{between}-")?,
            }
            between = " ";
        }
        Ok(())
    }

    fn constants(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.list(f, "constants", self.function.constants.len(), |f, index| {
            write!(f, "\t{}\t{}", index + 1, self.constant(index as i64))
        })
    }

    fn locals(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.list(f, "locals", self.function.locals.len(), |f, index| {
            let local = &self.function.locals[index];
            let (start, end) = (u64::from(local.start_pc) + 1, u64::from(local.end_pc) + 1);
            write!(
                f,
                "\t{index}\t{}\t{start}\t{end}",
                Name(local.name.as_ref())
            )
        })
    }

    fn upvalues(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.list(f, "upvalues", self.function.upvalues.len(), |f, index| {
            let Upvalue {
                name,
                in_stack,
                index: place,
            } = &self.function.upvalues[index];
            write!(f, "\t{index}\t{}", Name(name.as_ref()))?;
            match self.layout.dialect() {
                Dialect::Lua51 => Ok(()),
                Dialect::Lua53 => write!(f, "\t{}\t{place}", u8::from(*in_stack)),
            }
        })
    }

    fn list(
        &self,
        f: &mut Formatter<'_>,
        what: &str,
        count: usize,
        item: impl Fn(&mut Formatter<'_>, usize) -> fmt::Result,
    ) -> fmt::Result {
        writeln!(f, "{what} ({count}) of {}:", self.path)?;
        for index in 0..count {
            item(f, index)?;
            f.write_str("\n")?;
        }
        Ok(())
    }

    fn constant(&self, index: i64) -> ConstantText<'_> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        ConstantText(self.function.constants.get(index), self.layout)
    }

    fn upvalue(&self, index: u32) -> Name<'_> {
        let upvalue = self.function.upvalues.get(index as usize);
        Name(upvalue.and_then(|upvalue| upvalue.name.as_ref()))
    }
}

/// Those that the opcode has; a constant is its number, negated, from -1 on.
struct Operands<'a>(&'a Opcode, Instruction);

impl Display for Operands<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (kind, value) in self.0.operands(self.1) {
            let constant = match kind {
                Operand::Unused => continue,
                Operand::Constant => Some(value),
                Operand::Rk => rk_constant(value as u32).map(i64::from),
                _ => None,
            };
            let value = constant.map_or(value, |constant| -1 - constant);
            write!(f, "{between}{value}")?;
            between = " ";
        }
        Ok(())
    }
}

fn is_wide_setlist(dialect: Dialect, word: Instruction) -> bool {
    word.c() == 0
        && word
            .opcode(dialect)
            .is_some_and(|opcode| opcode.op == Op::SETLIST)
}

/// `1 slot`, `2 slots`.
struct Count(usize, &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Count(count, what) = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}

/// A source name: `@` and `=` say that it is to be shown as it is.
struct Source<'a>(Option<&'a BStr>);

impl Display for Source<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.map(|source| source.as_bytes()) {
            None => f.write_str("?"),
            Some([b'@' | b'=', name @ ..]) => escaped(f, name),
            Some([0x1b, ..]) => f.write_str("(bstring)"),
            Some(_) => f.write_str("(string)"),
        }
    }
}

/// A name, or a dash.
struct Name<'a>(Option<&'a BString>);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => escaped(f, name),
            None => f.write_str("-"),
        }
    }
}

/// A constant as Lua source. Numbers have as many digits as tell them from their neighbours.
struct ConstantText<'a>(Option<&'a Constant>, &'a Layout);

impl Display for ConstantText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("?"),
            Some(Constant::Nil) => f.write_str("nil"),
            Some(Constant::Boolean(value)) => write!(f, "{value}"),
            Some(Constant::Integer(value)) => write!(f, "{value}"),
            Some(Constant::Float(value)) => {
                let text = match self.1.float {
                    4 => format!("{:?}", *value as f32),
                    _ => format!("{value:?}"),
                };
                // In 5.1 all numbers are floats, and 1 is not written 1.0.
                let short = (self.1.dialect() == Dialect::Lua51).then(|| text.strip_suffix(".0"));
                f.write_str(short.flatten().unwrap_or(&text))
            }
            Some(Constant::String(string)) => quoted(f, string),
        }
    }
}

/// A name, in which nothing can disturb a terminal.
fn escaped(f: &mut Formatter<'_>, name: &[u8]) -> fmt::Result {
    for (start, end, char) in name.char_indices() {
        match name[start..end].to_str() {
            Ok(text) if !is_obeyed(char) && !matches!(char, '\n' | '\t') => f.write_str(text)?,
            _ => name[start..end]
                .iter()
                .try_for_each(|byte| write!(f, "\\{byte:03}"))?,
        }
    }
    Ok(())
}

fn quoted(f: &mut Formatter<'_>, string: &[u8]) -> fmt::Result {
    f.write_str("\"")?;
    for &byte in string {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            0x07 => f.write_str("\\a")?,
            0x08 => f.write_str("\\b")?,
            0x0c => f.write_str("\\f")?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            0x0b => f.write_str("\\v")?,
            b' '..=b'~' => write!(f, "{}", char::from(byte))?,
            _ => write!(f, "\\{byte:03}")?,
        }
    }
    f.write_str("\"")
}
