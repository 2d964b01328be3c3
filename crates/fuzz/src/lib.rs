//! Fuzz targets as ordinary functions: each takes any bytes, and panics where fastlua has a fault.
//!
//! `tests/smoke.rs` gives each target its seeds, what once found a fault (`regressions/`), and a thousand
//! mutants of these. `scripts/fuzz` runs them for as long as one likes with libFuzzer, guided by coverage.

mod images;
pub mod mutate;
mod seeds;
pub mod soundness;
mod targets;

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What is tested with some bytes.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = targets::ALL;

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
