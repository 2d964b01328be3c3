//! Builds Lua modules for NodeMCU firmware: bytecode for each kind of firmware, as a C module that the
//! firmware's own build picks up.
//!
//! A [`Project`] is a set of modules. A [`Plan`] is a project for a certain firmware. The plan builds a
//! [`Bundle`], and a [`BuildReport`] lists its contents. Everything happens in memory: a project reads
//! through the trait [`Files`], and nothing is written.
//!
//! ```
//! use fastlua::{Module, Options, Project};
//!
//! fn main() -> Result<(), fastlua::Error> {
//!     let mut project = Project::new();
//!     project.add(Module::new("hello.lua", "print('Hello, ' .. (... or 'NodeMCU'))"))?;
//!     project.add(Module::new("led.lua", "return function(pin) gpio.write(pin, 1) end"))?;
//!     let bundle = project.plan(&Options::default())?.build(None)?;
//!     for file in bundle.c_module() {
//!         println!("{}: {} bytes", file.name, file.bytes().len());
//!     }
//!     println!("{}", bundle.report().to_json());
//!     # assert_eq!(bundle.chunks.len(), 2);
//!     Ok(())
//! }
//! ```
//!
//! The modules and options of a `fast.toml` are read by [`Project::from_manifest`]:
//!
//! ```
//! use std::collections::BTreeMap;
//! use fastlua::{Form, Options, Overrides, Project};
//!
//! let files = BTreeMap::from([
//!     ("fast.toml".to_owned(), b"as = \"frozen\"\n[[module]]\npath = \"lua/*.lua\"".to_vec()),
//!     ("lua/a.lua".to_owned(), b"return 1".to_vec()),
//!     ("lua/b.lua".to_owned(), b"return 2".to_vec()),
//! ]);
//! let project = Project::from_manifest(&files, "fast.toml", &Overrides::default())?;
//! let bundle = project.plan(&Options::default())?.build(None)?;
//! let names: Vec<&str> = bundle.chunks.iter().map(|chunk| chunk.name.as_str()).collect();
//! assert_eq!(names, ["a", "b"]);
//! assert_eq!(bundle.chunks[0].form, Form::Frozen { fallback: true });
//! # Ok::<(), fastlua::Error>(())
//! ```
//!
//! The same modules and options give the same bytes, on any machine and with any number of threads:
//! a plan is built in rayon's current thread pool, which may have one thread.

#[cfg(feature = "compile")]
mod bundle;
#[cfg(feature = "compile")]
mod check;
#[cfg(feature = "compile")]
mod compile;
mod diagnostic;
mod dump;
#[cfg(feature = "compile")]
mod error;
#[cfg(feature = "compile")]
mod faults;
mod files;
mod firmware;
mod inspect;
#[cfg(feature = "compile")]
mod lfs;
#[cfg(feature = "compile")]
mod needs;
#[cfg(feature = "compile")]
mod plan;
#[cfg(feature = "compile")]
mod project;
mod report;
#[cfg(feature = "compile")]
mod sbom;
mod variant;

#[cfg(feature = "compile")]
pub use bundle::{Bundle, OutputFile, module_header_names};
#[cfg(feature = "compile")]
pub use check::{CheckError, CheckOptions, Checked, check};
#[cfg(feature = "compile")]
pub use compile::{
    CompileError, CompileOptions, Compiled, LineInfo, Source, compile, parse, squash, takers,
};
pub use diagnostic::Diagnostic;
pub use dump::{DumpError, Listing, list};
#[cfg(feature = "compile")]
pub use error::Error;
#[cfg(feature = "compile")]
pub use faults::Faults;
pub use files::{Files, LARGEST_FILE, Pattern, PatternError};
pub use firmware::{
    CheckState, Checks, CompiledIn, Firmware, FirmwareError, FirmwareSlot, OtherFormat,
    PatchOptions, Patched, SlotContents, Uncovered, form_of,
};
pub use inspect::{ExtractError, Extracted, Inspection, extract, inspect};
#[cfg(feature = "compile")]
pub use lfs::{LfsError, LfsImage, LfsOptions};
#[cfg(feature = "compile")]
pub use needs::{NeedsOptions, NoModule, Target, configuration};
#[cfg(feature = "compile")]
pub use plan::{
    ChunkCache, ComparedChunk, FirmwareTree, FormCost, Options, Plan, firmware_tree,
    packed_tables_flash,
};
#[cfg(feature = "compile")]
pub use project::{
    Manifest, ManifestError, ManifestModule, Module, ModuleFacts, Overrides, Project, data_name,
    provisioning_names, shipped_names,
};
#[cfg(feature = "compile")]
pub use report::{
    BuildReport, CheckReport, CheckedFile, ChunkReport, DumpReport, LfsModule, LfsReport,
    NeededModule, NeededName, NeedsFirmware, NeedsPlace, NeedsRemark, NeedsReport, PoolReport,
};
pub use report::{
    ChecksumReport, ErrorReport, FoundChunk, InspectReport, OutputReport, PatchReport, PatchedSlot,
    Place, SignatureReport, VariantReport, VariantsReport,
};
#[cfg(feature = "compile")]
pub use sbom::SbomError;
pub use variant::{NoVariant, find_variant, host_variant};

pub use fastlua_bundle::slot::{Contents, Descriptor, Entry, Head, Slot};
pub use fastlua_bundle::{
    Amount, Because, Budget, BudgetError, BundledChunk, Chip, Costs, Dump, Fault, Form, FormError,
    Input, NoChip, NoSlot, ObjectError, Severity, SlotError, TooLarge, Warning, check_capacity,
    identifier, listed,
};
#[cfg(feature = "compile")]
pub use fastlua_bundle::{OTHER_VARIANT, Progress, Remark, TextError};
pub use fastlua_bytecode::{Dialect, Strip, is_obeyed, printable, printable_name};
#[cfg(feature = "compile")]
pub use fastlua_compiler::HEAP_LIMIT;
pub use fastlua_image::{
    Broken, Checksum, Error as ImageError, Image, Kind as ImageKind, Protection,
};
pub use fastlua_lfs::{
    Found as FoundLfs, Part as LfsPart, Place as LfsPlace, ReadError as LfsReadError,
    is_image as is_lfs_image, read as read_lfs,
};
#[cfg(feature = "compile")]
pub use fastlua_source::split::{Loader, Piece, SplitError, split};
pub use fastlua_variants::{Variant, VariantError, Variants};

/// So many things, as a sentence has them: `1 chunk`, `2 chunks`.
pub fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// fastlua's version, which is part of its outputs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The licence of what fastlua puts into a firmware, as an SPDX expression: `fast.c`, its headers, the modules that it ships.
pub const LICENSE: &str = "MIT";

/// The programs of `docs/library.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct DocsOfTheLibrary;
