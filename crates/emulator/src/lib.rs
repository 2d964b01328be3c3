//! Stock Lua, with `fast.c` and a bundle, on the processors of the ESP8266 and the ESP32-C3 as QEMU
//! emulates them: builds images from sources that this crate carries, runs scripts in them, and
//! measures what a chunk's load costs.
//!
//! - [`Chip`] says which of them.
//! - [`Toolchain::find`] looks for Debian's cross compiler and emulator, or says what is missing.
//! - [`Image`] is a program for the emulated chip: one with a `main` of its own, or one that runs a
//!   Lua script with the library `chip` (heap, counts, failing allocations; `csrc/chip.c`).
//! - [`measure`] gives [`Load`], [`Reads`] and [`Run`] of a list of [`Job`]s.
//!
//! Counts are of instructions, and exact. They are not cycles: neither caches nor flash wait states
//! are emulated. The same image gives the same figures each time it runs.

mod chip;
mod compile;
mod file;
mod harness;
mod image;
mod record;
mod run;
mod sources;
mod toolchain;

pub use chip::Chip;
pub use fastlua_cores::emergency::Mode;
pub use file::{BuildError, File};
pub use harness::{Data, Job, Measure, MeasureError, measure, measure_patched};
pub use image::Image;
pub use record::{Load, Measured, Reads, Run};
pub use run::{Output, RunError};
pub use sources::{Core, fast_files, region_file, stock_layout};
pub use toolchain::{Missing, Toolchain};
