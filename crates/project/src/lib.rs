//! Builds Lua modules into what a NodeMCU firmware takes in: bytecode for each kind of firmware, as a
//! C module that the firmware's own build picks up.
//!
//! A [`Project`] is a set of modules. It becomes a [`Plan`] once it is known which firmware it is for;
//! the plan builds a [`Bundle`], and a [`Report`] says what is in it. Everything happens in memory: a
//! project reads through the trait [`Files`], and nothing is written.
//!
//! ```
//! use fastlua::{Module, Options, Project, Report, c_module};
//!
//! fn main() -> Result<(), fastlua::Error> {
//!     let mut project = Project::new();
//!     project.add(Module::new("hello.lua", "print('Hello, ' .. (... or 'NodeMCU'))"))?;
//!     project.add(Module::new("led.lua", "return function(pin) gpio.write(pin, 1) end"))?;
//!     let bundle = project.plan(&Options::default())?.build(|| {})?;
//!     for file in c_module(&bundle) {
//!         println!("{}: {} bytes", file.name, file.bytes().len());
//!     }
//!     println!("{}", Report::of(&bundle).to_json());
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
//! let bundle = project.plan(&Options::default())?.build(|| {})?;
//! let names: Vec<&str> = bundle.chunks.iter().map(|chunk| chunk.name.as_str()).collect();
//! assert_eq!(names, ["a", "b"]);
//! assert_eq!(bundle.chunks[0].form, Form::Frozen { fallback: true });
//! # Ok::<(), fastlua::Error>(())
//! ```
//!
//! The same modules and options give the same bytes, on any machine and with any number of threads:
//! a plan is built in rayon's current thread pool, which may have one thread.

mod checks;
mod cover;
mod diagnostic;
mod digest;
mod error;
mod faults;
mod files;
mod firmware;
mod format;
mod lfs;
mod manifest;
mod module;
mod output;
mod plan;
mod project;
mod report;
mod shared_name;
mod tree;

pub use checks::{CheckState, Checks};
pub use cover::Uncovered;
pub use diagnostic::Diagnostic;
pub use error::Error;
pub use faults::Faults;
pub use files::Files;
pub use firmware::{Firmware, FirmwareError, PatchOptions, Patched, form_of, variant_of};
pub use format::OtherFormat;
pub use lfs::{LfsError, LfsImage, LfsModule, LfsOptions, LfsReport, lfs_image};
pub use manifest::{Manifest, ManifestError, ManifestModule};
pub use module::{Module, ModuleFacts, Overrides};
pub use output::{
    OutputFile, c_module, c_module_with_object, c_module_with_slot, module_header_names,
    module_headers,
};
pub use plan::{Options, Plan, find_variant};
pub use project::{Project, data_name, shipped_names};
pub use report::{ChunkReport, DumpReport, OutputReport, PoolReport, Report};
pub use tree::{FirmwareTree, firmware_tree};

pub use fastlua_bundle::{
    Amount, Because, Budget, BudgetError, Bundle, BundledChunk, Chip, Costs, Dump, Fault, Form,
    FormError, Input, NoChip, NoSlot, ObjectError, Severity, SlotError, TooLarge, Warning,
    identifier, squash_proved,
};
pub use fastlua_bytecode::Strip;
pub use fastlua_compiler::HEAP_LIMIT;
pub use fastlua_image::{Broken, Error as ImageError, Guard, Image, Kind as ImageKind, Seal};
pub use fastlua_lfs::{
    Found as FoundLfs, Part as LfsPart, Place as LfsPlace, ReadError as LfsReadError,
    is_image as is_lfs_image, read as read_lfs,
};
pub use fastlua_slot::{Contents, Entry, Head, Label, Slot};
pub use fastlua_source::split::SplitError;
pub use fastlua_variants::{Variant, Variants};

/// fastlua's version, which stands in what it writes.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The licence of what fastlua puts into a firmware, as an SPDX expression: `fast.c`, its headers, the modules that it ships.
pub const LICENSE: &str = "MIT";

/// The programs of `docs/library.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct DocsOfTheLibrary;
