//! Source to chunk, with what Lua's compiler does not say about numbers and the chip's limits.

use std::fmt;

use super::because;
use crate::model::{Because, Severity};
use fastlua_bytecode::{Chunk, Layout, candidates, printable_name, read};
use fastlua_compiler::{CompileError, compile};
use fastlua_source::literals::{self, Finding, Severity as Literal};
use fastlua_source::squash::CheckError;
use fastlua_variants::Variants;
use fastlua_verifier::{STACK_HOLE, has_stack_hole, verify};

/// The end of the reason why bytecode of another variant can't be used.
pub const OTHER_VARIANT: &str = "not for this variant";

/// Why a text does not become a chunk. Displays with its file, and the line if there is one.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Lua's compiler, in its own words.
    #[error("{error}")]
    Compile {
        /// Its error.
        error: CompileError,
        /// The column of the error, if it is known.
        column: Option<u32>,
        /// Why the variant refuses a text that another one accepts.
        because: Option<Because>,
    },
    /// Text that the compiler accepts and the chip would refuse or misunderstand.
    #[error("{0}")]
    Refused(Remark),
    /// It can't be squashed.
    #[error("{file}: {error}", file = printable_name(.file))]
    Squash {
        /// The file.
        file: String,
        /// Why.
        error: Box<CheckError<CompileError>>,
    },
    /// It is bytecode that can't be used.
    #[error("{file}: {reason}", file = printable_name(.file))]
    Given {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Its dump is different after loading, or is not safe: a fault of fastlua.
    #[error("{file}: bug in fastlua: {reason}", file = printable_name(.file))]
    Proof {
        /// The file.
        file: String,
        /// What went wrong.
        reason: String,
    },
}

impl TextError {
    /// The line, where the error has one.
    pub fn line(&self) -> Option<u32> {
        match self {
            TextError::Compile { error, .. } => error.line(),
            TextError::Refused(remark) => Some(remark.line),
            TextError::Squash { .. } | TextError::Given { .. } | TextError::Proof { .. } => None,
        }
    }

    /// The column, where it is known, from 1 on.
    pub fn column(&self) -> Option<u32> {
        match self {
            TextError::Compile { column, .. } => *column,
            TextError::Refused(remark) => remark.column,
            TextError::Squash { .. } | TextError::Given { .. } | TextError::Proof { .. } => None,
        }
    }

    /// Why the variant refuses a text that another one accepts.
    pub fn because(&self) -> Option<Because> {
        match self {
            TextError::Compile { because, .. } => *because,
            _ => None,
        }
    }
}

/// A message about a line of a text. Displays as `file:line: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The file, as the user gave it.
    pub file: String,
    /// The line, from 1 on.
    pub line: u32,
    /// The column, where it is known, from 1 on.
    pub column: Option<u32>,
    /// The message.
    pub message: String,
    /// Its severity.
    pub severity: Severity,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = printable_name(&self.file);
        write!(f, "{file}:{}: {}", self.line, self.message)
    }
}

/// A text to compile.
#[derive(Debug, Clone, Copy)]
pub struct SourceText<'a> {
    /// The chunk name for Lua: `@` and the path for a file.
    pub chunk_name: &'a [u8],
    /// The file, for messages.
    pub file: &'a str,
    /// The text itself.
    pub bytes: &'a [u8],
}

/// A layout by the name of a variant that has it.
fn name_of(layout: &Layout) -> String {
    let known = Variants::built_in();
    let variant = known.iter().find(|variant| variant.layout == *layout);
    variant.map_or_else(|| layout.to_string(), |variant| variant.name.clone())
}

impl SourceText<'_> {
    fn remark(&self, finding: Finding) -> Remark {
        Remark {
            file: self.file.into(),
            line: finding.line,
            column: Some(finding.column),
            message: finding.message,
            severity: Severity::Warning,
        }
    }

    /// Compiles it. Gives the chunk, with all debug data, and what there is to say about it.
    /// `heap_limit` is the heap that the compiler may take, in bytes.
    ///
    /// # Errors
    /// Lua's own, or that a literal would silently become another number.
    pub fn compile(
        &self,
        layout: &Layout,
        heap_limit: usize,
    ) -> Result<(Chunk, Vec<Remark>), TextError> {
        let compiled = compile(layout, self.chunk_name, self.bytes, heap_limit);
        let mut remarks = Vec::new();
        for finding in literals::check(self.bytes, &layout.numbers()) {
            let same_line = |error: &CompileError| error.line() == Some(finding.line);
            match (finding.severity, &compiled) {
                (Literal::Warning, _) => remarks.push(self.remark(finding)),
                (Literal::Error, Ok(_)) => return Err(TextError::Refused(self.remark(finding))),
                // the core stops there too, and calls the number malformed
                (Literal::Error, Err(error)) if same_line(error) => {
                    return Err(TextError::Refused(self.remark(finding)));
                }
                (Literal::Error, Err(_)) | (Literal::AsSource, _) => {}
            }
        }
        let chunk = compiled.map_err(|error| self.refused(error, layout, heap_limit))?;
        self.stack_holes(&chunk, &mut remarks);
        Ok((chunk, remarks))
    }

    /// An error of the compiler, with what is known of it.
    pub(super) fn refused(
        &self,
        error: CompileError,
        layout: &Layout,
        heap_limit: usize,
    ) -> TextError {
        TextError::Compile {
            column: because::column(self.bytes, &error, layout),
            because: because::because(self, &error, layout, heap_limit),
            error,
        }
    }

    /// Takes bytecode, if it is a dump of this layout and safe. Gives what [`compile`](Self::compile) does.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn undump(&self, layout: &Layout) -> Result<(Chunk, Vec<Remark>), TextError> {
        let given = |reason: String| TextError::Given {
            file: self.file.into(),
            reason,
        };
        let chunk = read(self.bytes, layout).map_err(|error| {
            let found = candidates(self.bytes).into_iter();
            let mut fits = found.filter(|layout| read(self.bytes, layout).is_ok());
            given(match fits.next() {
                None => error.to_string(),
                Some(of) => format!(
                    "build for {}, or recompile its source: it is bytecode for {of}, {OTHER_VARIANT}",
                    name_of(&of)
                ),
            })
        })?;
        verify(&chunk).map_err(|refusal| given(refusal.to_string()))?;
        let mut remarks = Vec::new();
        self.stack_holes(&chunk, &mut remarks);
        Ok((chunk, remarks))
    }

    /// Numbers that a device would read differently from the compilers here.
    pub(crate) fn misread_as_source(&self, layout: &Layout) -> Vec<Remark> {
        literals::check(self.bytes, &layout.numbers())
            .into_iter()
            .filter(|finding| finding.severity == Literal::AsSource)
            .map(|finding| self.remark(finding))
            .collect()
    }

    /// The functions that 5.1 may call beyond its stack.
    fn stack_holes(&self, chunk: &Chunk, remarks: &mut Vec<Remark>) {
        let dialect = chunk.layout.dialect();
        chunk.main.for_each(&mut |_, function| {
            if has_stack_hole(dialect, function) {
                remarks.push(Remark {
                    file: self.file.into(),
                    line: function.line_defined,
                    column: None,
                    message: STACK_HOLE.into(),
                    severity: Severity::Warning,
                });
            }
        });
    }
}
