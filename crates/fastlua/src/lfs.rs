//! A bundle as an image for the Lua Flash Store.

use std::fmt::Write;

use bstr::BString;
use fastlua_bundle::{BundledChunk, Input, SourceText};
use fastlua_bytecode::{
    Chunk, FunctionPath, Layout, PackedLines, Strip, is_bytecode, packed_lines, printable_name,
    read, write_as_reference,
};
use fastlua_compiler::line_notes;
use fastlua_lfs::{
    Image, Module, Place, Sizes, Unproved, WriteError, core_name, prove, write_with_line_info,
};

use crate::project::stem;
use crate::report::{LfsModule, LfsReport};
use crate::{Plan, hex};

/// Bytes of a page of flash, in which regions are counted.
const PAGE: u32 = 4096;

/// luac.cross's default size of a region.
const DEFAULT_REGION: u32 = 0x4_0000;

/// How an image is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct LfsOptions {
    /// Bytes of the region; 256 kB by default.
    pub region: Option<u32>,
    /// The address of the region, for an uncompressed image that is flashed directly. Only 5.1 has such images.
    pub address: Option<u32>,
    /// Seconds since 1970: the image's time on the chip.
    pub timestamp: u32,
    /// Whether line info is luac.cross's own, its wrong lines included; that of bytecode stays as it is. Else it is
    /// packed in the shortest way.
    pub reference_lines: bool,
}

/// A proved image.
#[derive(Debug, Clone)]
pub struct LfsImage {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its contents.
    pub report: LfsReport,
}

/// Why a bundle does not become an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LfsError {
    /// The bundle is for several variants.
    #[error("an image is for one variant, not for {}: choose one", .0.join(", "))]
    Variants(Vec<String>),
    /// A chunk is carried as source.
    #[error("{file}: {name} is source, but an image holds only functions", file = printable_name(.file))]
    Source {
        /// Its file.
        file: String,
        /// Its name.
        name: String,
    },
    /// Data that can't become a string.
    #[error("{0}")]
    Data(String),
    /// A size that no region can have.
    #[error("the size of a region is a multiple of {PAGE} bytes, not {0}")]
    Region(u32),
    /// Modules that no image can hold.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A module that no image can hold.
    #[error("{file}: {error}", file = printable_name(.file))]
    Module {
        /// Its file.
        file: String,
        /// Why.
        error: WriteError,
    },
    /// Two modules of one name.
    #[error(
        "{first} and {second}: both modules are named {name}; rename one with `name` in fast.toml", first = printable_name(.first), second = printable_name(.second))]
    Twice {
        /// The name.
        name: String,
        /// A file.
        first: String,
        /// The other one.
        second: String,
    },
    /// luac.cross has no line info for a module.
    #[error("{file}: module {module}: {error}", file = printable_name(.file))]
    Lines {
        /// Its file.
        file: String,
        /// The module.
        module: String,
        /// The function, and why.
        error: fastlua_bytecode::WriteError,
    },
    /// It takes more than the region has.
    #[error("the image takes {} bytes, more than the {} of the region:\n{}", .0.used, .0.region, .0.table())]
    TooLarge(Box<LfsReport>),
    /// A dump of the bundle can't be read, or the image is wrong: a fault of fastlua.
    #[error("bug in fastlua: {0}")]
    Proof(String),
}

impl LfsError {
    /// Whether the options can't be, whatever the modules are.
    pub fn is_misuse(&self) -> bool {
        matches!(
            self,
            LfsError::Region(_) | LfsError::Write(WriteError::Address(_) | WriteError::Stream)
        )
    }

    /// The file that it is about, if it is one.
    pub fn file(&self) -> Option<&str> {
        match self {
            LfsError::Source { file, .. }
            | LfsError::Module { file, .. }
            | LfsError::Lines { file, .. }
            | LfsError::Twice { first: file, .. } => Some(file),
            _ => None,
        }
    }
}

impl From<Unproved> for LfsError {
    fn from(error: Unproved) -> LfsError {
        LfsError::Proof(error.to_string())
    }
}

/// [`Bundle::lfs_image`](crate::Bundle::lfs_image).
pub(crate) fn image(bundle: &crate::Bundle, options: &LfsOptions) -> Result<LfsImage, LfsError> {
    let plan = bundle.plan();
    let [variant] = &bundle.variants[..] else {
        let names = bundle.variants.iter().map(|v| v.name.clone());
        return Err(LfsError::Variants(names.collect()));
    };
    let region = options.region.unwrap_or(DEFAULT_REGION);
    if region == 0 || !region.is_multiple_of(PAGE) {
        return Err(LfsError::Region(region));
    }
    let mut carried_all = Vec::new();
    for input in plan.inputs.iter().filter(|input| input.is_for(variant)) {
        let chunk = bundle.chunks.iter().find(|chunk| chunk.name == input.name);
        let Some((carried, dump)) = chunk.and_then(|c| Some((c, c.dumps[0].as_ref()?))) else {
            continue;
        };
        let name = BString::from(name_of(plan, input));
        let mut packed = PackedLines::new();
        let mut chunk = match &dump.compiled {
            Some(_) => {
                let dump = carried.unpacked(dump).map_err(fault)?;
                read(&dump, &variant.layout).map_err(fault)?
            }
            None if carried.form.is_data() => constant(input, &variant.layout, plan.heap_limit)?,
            None => {
                let (file, name) = (carried.file.clone(), carried.name.clone());
                return Err(LfsError::Source { file, name });
            }
        };
        if options.reference_lines && !carried.form.is_data() {
            (chunk, packed) = as_reference(chunk, input, &name, plan.heap_limit)?;
        }
        carried_all.push((Module { name, chunk }, packed, carried));
    }
    carried_all.sort_by_key(|(module, ..)| module.rank());
    let mut modules = Vec::new();
    let mut chunks = Vec::new();
    let mut packed = PackedLines::new();
    for ((module, lines, carried), number) in carried_all.into_iter().zip(0..) {
        let place = |path: FunctionPath| FunctionPath([&[number], &path.0[..]].concat());
        packed.extend(lines.into_iter().map(|(path, bytes)| (place(path), bytes)));
        modules.push(module);
        chunks.push(carried);
    }
    let image = Image {
        layout: variant.layout,
        place: options.address.map_or(Place::Anywhere, Place::At),
        aligned: false,
        timestamp: options.timestamp,
        seed: None,
        modules,
    };
    let written = write_with_line_info(&image, &packed);
    let (bytes, sizes) = written.map_err(|error| with_file(error, &image.modules, &chunks))?;
    let mut report = report(&bytes, &sizes, &chunks, options, region, &variant.name);
    report.warnings = bundle.diagnostics();
    if sizes.total > region as usize {
        return Err(LfsError::TooLarge(Box::new(report)));
    }
    prove(&bytes, &image)?;
    Ok(LfsImage { bytes, report })
}

/// The error with the files of the modules that it is about.
fn with_file(error: WriteError, modules: &[Module], chunks: &[&BundledChunk]) -> LfsError {
    let name = match &error {
        WriteError::Twice(name)
        | WriteError::Mixed(name)
        | WriteError::Name(name)
        | WriteError::Hidden(name) => name,
        WriteError::Function { module, .. } => module,
        _ => return error.into(),
    };
    let named = modules
        .iter()
        .zip(chunks)
        .filter(|(module, _)| module.name == *name);
    let mut files = named.map(|(_, chunk)| chunk.file.clone());
    match (&error, files.next(), files.next()) {
        (WriteError::Twice(name), Some(first), Some(second)) => {
            let name = name.to_string();
            LfsError::Twice {
                name,
                first,
                second,
            }
        }
        (_, Some(file), _) => LfsError::Module { file, error },
        _ => error.into(),
    }
}

/// The chunk with the lines that luac.cross gives it, and its line info as luac.cross packs it. Bytecode keeps its
/// own.
fn as_reference(
    chunk: Chunk,
    input: &Input,
    name: &BString,
    heap_limit: usize,
) -> Result<(Chunk, PackedLines), LfsError> {
    let layout = chunk.layout;
    if is_bytecode(&input.text) {
        let packed = packed_lines(&input.text, &layout).map_err(fault)?;
        return Ok((chunk, packed));
    }
    let chunk_name = format!("@{}", input.file);
    let notes = line_notes(&layout, chunk_name.as_bytes(), &input.text, heap_limit);
    let bytes = write_as_reference(&chunk, &notes.map_err(fault)?).map_err(|error| {
        let module = name.to_string();
        let file = input.file.clone();
        LfsError::Lines {
            file,
            module,
            error,
        }
    })?;
    // its wrong lines are what the image has to come back with
    let chunk = read(&bytes, &layout).map_err(fault)?;
    let packed = packed_lines(&bytes, &layout).map_err(fault)?;
    Ok((chunk, packed))
}

fn fault(error: impl std::error::Error) -> LfsError {
    LfsError::Proof(error.to_string())
}

/// Data as a function that returns it: a string constant of the image.
fn constant(data: &Input, layout: &Layout, heap_limit: usize) -> Result<Chunk, LfsError> {
    let mut text = String::from("return \"");
    for byte in &data.text {
        let _ = write!(text, "\\{byte:03}");
    }
    text.push('"');
    let text = SourceText {
        chunk_name: b"=data",
        file: &data.file,
        bytes: text.as_bytes(),
    };
    let compiled = text.compile(layout, heap_limit);
    let (mut chunk, _) = compiled.map_err(|error| LfsError::Data(error.to_string()))?;
    chunk.strip(Strip::Lines);
    Ok(chunk)
}

/// The name of a chunk in an image.
fn name_of<'a>(plan: &Plan, input: &'a Input) -> &'a str {
    let named = plan.modules.get(&input.module).is_some_and(|m| m.named);
    match core_name(&input.file) {
        Some(name) if !named && input.name == stem(&input.file) => name,
        _ => &input.name,
    }
}

fn report(
    bytes: &[u8],
    sizes: &Sizes,
    chunks: &[&BundledChunk],
    options: &LfsOptions,
    region: u32,
    variant: &str,
) -> LfsReport {
    let module = |(chunk, part): (&&BundledChunk, &fastlua_lfs::Part)| LfsModule {
        name: part.name.to_string(),
        file: chunk.file.clone(),
        bytes: part.bytes,
        strip: chunk.strip as u8,
        sha256: hex(&chunk.sha256),
    };
    LfsReport {
        schema: LfsReport::SCHEMA,
        variant: variant.into(),
        address: options.address,
        timestamp: options.timestamp,
        bytes: bytes.len(),
        region,
        used: sizes.total,
        strings: sizes.strings,
        modules: chunks.iter().zip(&sizes.parts).map(module).collect(),
        warnings: Vec::new(),
        outputs: Vec::new(),
    }
}
