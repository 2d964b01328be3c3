//! Single files: source to bytecode, to shorter source, to its chunks.

use fastlua_bundle::{Because, Remark, SourceText, TextError, squash_proved};
use fastlua_bytecode::{Strip, WriteError, WriteErrorKind, write, write_as_reference};
use fastlua_compiler::{CompileError as CoreError, HEAP_LIMIT, line_notes};
use fastlua_variants::{Variant, Variants};
use fastlua_verifier::{Refusal, verify};

use crate::Diagnostic;

/// A source file.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name in messages.
    pub file: &'a str,
    /// The chunk name for Lua: `@` and the path for a file.
    pub chunk_name: &'a str,
    /// Its bytes.
    pub text: &'a [u8],
}

impl<'a> Source<'a> {
    fn text(&self) -> SourceText<'a> {
        SourceText {
            chunk_name: self.chunk_name.as_bytes(),
            file: self.file,
            bytes: self.text,
        }
    }
}

/// How line numbers are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineInfo {
    /// In the shortest way.
    #[default]
    Shortest,
    /// As luac.cross packs them, including its wrong lines.
    Reference,
}

/// How a file is compiled.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// The debug data to drop.
    pub strip: Strip,
    /// How line numbers are packed.
    pub line_info: LineInfo,
    /// Heap limit of the compiler, in bytes.
    pub heap_limit: usize,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions {
            strip: Strip::Names,
            line_info: LineInfo::Shortest,
            heap_limit: HEAP_LIMIT,
        }
    }
}

/// Why a file is not compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The text does not become a chunk.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The result is not safe: a fault of fastlua.
    #[error("{file}: bug in fastlua: {error}")]
    Refused {
        /// The file.
        file: String,
        /// The verifier's error.
        error: Box<Refusal>,
    },
    /// luac.cross has no line info for it.
    #[error("{file}: {error}")]
    Reference {
        /// The file.
        file: String,
        /// The function, and why.
        error: WriteError,
    },
    /// The chunk has no dump of this layout.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The compiler gives no lines.
    #[error(transparent)]
    Lines(#[from] CoreError),
}

impl CompileError {
    /// Why the variant refuses a text that another one accepts, if that is the reason.
    pub fn because(&self) -> Option<Because> {
        match self {
            CompileError::Text(error) => error.because(),
            _ => None,
        }
    }

    /// The error with its place.
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let (line, column) = match self {
            CompileError::Text(error) => (error.line(), error.column()),
            _ => (None, None),
        };
        Diagnostic {
            column,
            ..Diagnostic::of_file(file, line, &self.to_string())
        }
    }
}

/// A compiled file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The `.lc` file.
    pub bytes: Vec<u8>,
    /// Warnings and notes about the source.
    pub remarks: Vec<Remark>,
}

/// Compiles a file for a variant, as `luac.cross` does.
///
/// # Errors
/// The compiler's own, or that a literal would silently become another number.
pub fn compile(
    source: &Source,
    variant: &Variant,
    options: &CompileOptions,
) -> Result<Compiled, CompileError> {
    let layout = &variant.layout;
    let (mut chunk, remarks) = source.text().compile(layout, options.heap_limit)?;
    chunk.strip(options.strip);
    verify(&chunk).map_err(|error| CompileError::Refused {
        file: source.file.into(),
        error,
    })?;
    let bytes = match options.line_info {
        LineInfo::Shortest => write(&chunk)?,
        LineInfo::Reference => {
            let name = source.chunk_name.as_bytes();
            let notes = line_notes(layout, name, source.text, options.heap_limit)?;
            write_as_reference(&chunk, &notes).map_err(|error| match error.kind {
                WriteErrorKind::ReferenceFails => CompileError::Reference {
                    file: source.file.into(),
                    error,
                },
                _ => error.into(),
            })?
        }
    };
    Ok(Compiled { bytes, remarks })
}

/// Checks whether a file compiles for a variant, and returns warnings and notes about it.
///
/// # Errors
/// As [`compile`].
pub fn parse(
    source: &Source,
    variant: &Variant,
    heap_limit: usize,
) -> Result<Vec<Remark>, CompileError> {
    let (_, remarks) = source.text().compile(&variant.layout, heap_limit)?;
    Ok(remarks)
}

/// The shortest text that compiles to the same chunk for those of `variants` that compile the file; both texts are compiled and
/// compared.
///
/// # Errors
/// No variant compiles it.
pub fn squash(
    source: &Source,
    variants: &[Variant],
    heap_limit: usize,
) -> Result<Vec<u8>, CompileError> {
    Ok(squash_proved(source.text, source.file, variants, heap_limit)?.text)
}

/// Names of NodeMCU's variants that compile a file.
pub fn takers(source: &Source, known: &Variants, heap_limit: usize) -> Vec<String> {
    let takes = |v: &Variant| source.text().compile(&v.layout, heap_limit).is_ok();
    let all = known.nodemcu().into_iter();
    all.filter(takes).map(|v| v.name).collect()
}
