//! The report on an LFS image.

use std::fmt::Write;

use fastlua_bytecode::printable_name;
use serde::Serialize;

use super::OutputReport;
use crate::{Diagnostic, counted};

/// The report on an image. `docs/machine-output.md` has its JSON.
#[derive(Debug, Clone, Serialize)]
pub struct LfsReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// Name of the variant.
    pub variant: String,
    /// The address for which it is made; none if the chip's loader relocates it.
    pub address: Option<u32>,
    /// Its time stamp.
    pub timestamp: u32,
    /// Bytes of the file.
    pub bytes: usize,
    /// Bytes of the region.
    pub region: u32,
    /// Bytes that it takes of the region.
    pub used: usize,
    /// The part of it that is strings, which all modules share.
    pub strings: usize,
    /// The modules, in their order.
    pub modules: Vec<LfsModule>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Diagnostic>,
    /// Files that were written: empty until the caller has done so.
    pub outputs: Vec<OutputReport>,
}

/// A module of an image.
#[derive(Debug, Clone, Serialize)]
pub struct LfsModule {
    /// The name by which the chip finds it.
    pub name: String,
    /// Its file, as the user gave it.
    pub file: String,
    /// Bytes of the region that its functions take, without strings.
    pub bytes: usize,
    /// Its strip level.
    pub strip: u8,
    /// SHA-256 of its source, in hexadecimal.
    pub sha256: String,
}

impl LfsReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-lfs/2";

    /// As indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        format!(
            "{}, {}, {} of {} bytes of the region, {} in the file",
            self.variant,
            counted(self.modules.len(), "module"),
            self.used,
            self.region,
            self.bytes
        )
    }

    /// A line for each module, the largest first, and for what they share.
    pub fn table(&self) -> String {
        let functions: usize = self.modules.iter().map(|module| module.bytes).sum();
        let index = self.used.saturating_sub(functions + self.strings);
        let modules = self.modules.iter();
        let mut rows: Vec<(String, usize)> = modules
            .map(|m| (printable_name(&m.name), m.bytes))
            .collect();
        rows.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        rows.extend([
            ("shared strings".into(), self.strings),
            ("lookup of modules".into(), index),
        ]);
        rows.push(("total".into(), self.used));
        let width = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        rows.iter().fold(String::new(), |mut text, (name, bytes)| {
            let _ = writeln!(text, "{name:width$}  {bytes:>7}");
            text
        })
    }
}
