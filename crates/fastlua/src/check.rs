//! Whether bytecode and LFS images are whole, load, and are safe to run.

use fastlua_bytecode::{Chunk, Function, WriteError, printable_name, write};
use fastlua_compiler::{HEAP_LIMIT, LoadBackError, load_back};
use fastlua_lfs::{is_image as is_lfs_image, read as read_lfs};
use fastlua_variants::{Variant, Variants};
use fastlua_verifier::{Refusal, STACK_HOLE, has_stack_hole, verify};

use crate::dump::{DumpError, chunk_of, dump_of, names_of};

/// Options of a check.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The known variants.
    pub known: Variants,
    /// The variant that each file must fit; none if the file determines it.
    pub variant: Option<Variant>,
    /// Whether the verifier checks the memory safety of chunks.
    pub verify: bool,
    /// Heap limit for loading one chunk, in bytes.
    pub heap_limit: usize,
}

impl Default for CheckOptions {
    fn default() -> CheckOptions {
        CheckOptions {
            known: Variants::built_in(),
            variant: None,
            verify: true,
            heap_limit: HEAP_LIMIT,
        }
    }
}

/// The result for a file that can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Whether the verifier checked it.
    pub verified: bool,
    /// The number of its functions.
    pub functions: usize,
    /// The number of instructions.
    pub instructions: usize,
    /// Names of its variants.
    pub variants: Vec<String>,
    /// Warnings and notes for the user.
    pub warnings: Vec<String>,
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// It can't be read, or is for another variant.
    #[error(transparent)]
    Read(#[from] DumpError),
    /// It is not safe to run.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The Lua core does not load it.
    #[error(transparent)]
    Load(#[from] LoadBackError),
    /// A module of an LFS image has no dump.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A module of an LFS image can't be used.
    #[error("module {name}: {error}")]
    Module {
        /// Its name.
        name: String,
        /// Why.
        error: Box<CheckError>,
    },
}

impl CheckError {
    /// The name of the broken rule of the verifier.
    pub fn rule(&self) -> Option<&'static str> {
        match self {
            CheckError::Refused(refusal) => Some(refusal.rule.name()),
            CheckError::Module { error, .. } => error.rule(),
            _ => None,
        }
    }
}

/// Checks the bytes of a file, bytecode or an LFS image: a strict read, the verifier, then the Lua core's own undump.
///
/// # Errors
/// It is damaged, for another variant, or not safe.
pub fn check(file: &[u8], options: &CheckOptions) -> Result<Checked, CheckError> {
    let variant = options.variant.as_ref();
    if is_lfs_image(file) {
        return check_image(file, options);
    }
    let dump = dump_of(file)?;
    let chunk = chunk_of(file, dump, variant, &options.known)?;
    let mut checked = check_chunk(&chunk, dump, options)?;
    checked.variants = names_of(&chunk.layout, &options.known);
    Ok(checked)
}

/// Checks a chunk that was read of a dump.
fn check_chunk(chunk: &Chunk, dump: &[u8], options: &CheckOptions) -> Result<Checked, CheckError> {
    let layout = &chunk.layout;
    if options.verify {
        verify(chunk)?;
    }
    load_back(dump, layout, options.heap_limit)?;
    let (functions, instructions) = count(&chunk.main);
    let mut warnings = Vec::new();
    chunk.main.for_each(&mut |path, function| {
        if has_stack_hole(layout.dialect(), function) {
            warnings.push(format!("function {path}: {STACK_HOLE}"));
        }
    });
    Ok(Checked {
        verified: options.verify,
        functions,
        instructions,
        variants: Vec::new(),
        warnings,
    })
}

/// Checks each module of an image as a chunk.
fn check_image(file: &[u8], options: &CheckOptions) -> Result<Checked, CheckError> {
    let image = read_lfs(file).map_err(DumpError::Lfs)?.image;
    let variants = names_of(&image.layout, &options.known);
    let variant = options.variant.as_ref();
    if let Some(asked) = variant.filter(|variant| variant.layout != image.layout) {
        return Err(CheckError::Read(DumpError::OtherImage {
            are: variants,
            asked: asked.name.clone(),
        }));
    }
    let mut all = Checked {
        verified: options.verify,
        variants,
        ..Checked::default()
    };
    for module in &image.modules {
        let name = printable_name(&module.name.to_string());
        let checked = write(&module.chunk)
            .map_err(CheckError::from)
            .and_then(|dump| check_chunk(&module.chunk, &dump, options))
            .map_err(|error| CheckError::Module {
                name: name.clone(),
                error: Box::new(error),
            })?;
        all.functions += checked.functions;
        all.instructions += checked.instructions;
        let warnings = checked.warnings.into_iter();
        all.warnings
            .extend(warnings.map(|warning| format!("module {name}, {warning}")));
    }
    Ok(all)
}

fn count(function: &Function) -> (usize, usize) {
    function
        .functions
        .iter()
        .map(count)
        .fold((1, function.code.len()), |a, b| (a.0 + b.0, a.1 + b.1))
}
