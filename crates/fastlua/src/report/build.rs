//! The report on a bundle, and its JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use fastlua_bundle::{Bundle, BundledChunk, Costs, Dump, Form};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::OutputReport;
use crate::{Diagnostic, Plan, hex};

/// The report on a bundle. `docs/machine-output.md` has its JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuildReport {
    /// The JSON's shape.
    pub schema: Cow<'static, str>,
    /// The bundle's name: 16 hexadecimal digits that depend on its whole contents.
    pub bundle: String,
    /// Names of the variants.
    pub variants: Vec<String>,
    /// The chunks, by name.
    pub chunks: Vec<ChunkReport>,
    /// The strings of the frozen chunks, by variant.
    pub pools: BTreeMap<String, PoolReport>,
    /// The data that packed chunks share, by variant.
    pub packed: BTreeMap<String, PoolReport>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Diagnostic>,
    /// Files that were written: empty until the caller has done so.
    pub outputs: Vec<OutputReport>,
}

/// A chunk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChunkReport {
    /// Its name.
    pub name: String,
    /// The module that it is a part of.
    pub module: String,
    /// Its file, as the user gave it.
    pub file: String,
    /// Bytes of its source.
    pub source_bytes: usize,
    /// SHA-256 of its source, in hexadecimal.
    pub sha256: String,
    /// Its form.
    #[serde(rename = "as")]
    pub form: Cow<'static, str>,
    /// Its strip level.
    pub strip: u8,
    /// Its bytes, by variant.
    pub dumps: BTreeMap<String, DumpReport>,
}

/// The bytes of a chunk for a variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DumpReport {
    /// How many.
    pub bytes: usize,
    /// Their XXH32 with seed 0, in hexadecimal.
    pub xxh32: String,
    /// The costs of the chunk on the chip as bytecode and frozen; unknown for source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
}

/// The strings of a variant's frozen chunks, each once; or those that its packed chunks have in common.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PoolReport {
    /// How many.
    pub strings: usize,
    /// Bytes of flash that they take, with the table that finds them, or those that packed chunks are read by.
    pub flash: usize,
}

impl BuildReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-build/4";

    /// Of a bundle with this name.
    pub(crate) fn named(bundle: &Bundle, name: String) -> BuildReport {
        let variants: Vec<String> = bundle.variants.iter().map(|v| v.name.clone()).collect();
        let pools = variants.iter().enumerate().map(|(v, name)| {
            let (strings, flash) = bundle.pool(v);
            (name.clone(), PoolReport { strings, flash })
        });
        let packed = variants.iter().enumerate().map(|(v, name)| {
            let strings = bundle.common.get(v).map_or(0, |pool| pool.strings().len());
            let flash = bundle.shared_flash(v);
            (name.clone(), PoolReport { strings, flash })
        });
        BuildReport {
            schema: BuildReport::SCHEMA.into(),
            bundle: name,
            chunks: chunk_reports(bundle),
            pools: pools.filter(|(_, pool)| pool.strings > 0).collect(),
            packed: packed.filter(|(_, shared)| shared.flash > 0).collect(),
            warnings: bundle.warnings.iter().map(Diagnostic::of).collect(),
            outputs: Vec::new(),
            variants,
        }
    }

    /// As indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts always have a JSON")
    }
}

/// More than any figure of a bundle, and small enough that no sum overflows.
const TOO_MUCH: u64 = 1 << 40;

impl BuildReport {
    /// Whether a report that was kept somewhere can be on this plan: it has its variants and chunks, and figures that a bundle can
    /// have.
    pub fn is_of(&self, plan: &Plan) -> bool {
        let variants = plan.variants.iter().map(|variant| &variant.name);
        let names: BTreeSet<&String> = plan.inputs.iter().map(|input| &input.name).collect();
        let is_possible = serde_json::to_value(self).is_ok_and(|value| is_possible(&value));
        self.schema == BuildReport::SCHEMA
            && variants.eq(&self.variants)
            && names
                .into_iter()
                .eq(self.chunks.iter().map(|chunk| &chunk.name))
            && is_possible
    }
}

fn is_possible(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|number| number < TOO_MUCH),
        Value::Array(all) => all.iter().all(is_possible),
        Value::Object(all) => all.values().all(is_possible),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

impl ChunkReport {
    /// Its form, without the information whether a frozen chunk has bytecode too.
    pub fn is_as(&self) -> Form {
        self.form.parse().unwrap_or_default()
    }
}

/// Of all chunks of a bundle.
pub(crate) fn chunk_reports(bundle: &Bundle) -> Vec<ChunkReport> {
    let variants: Vec<String> = bundle.variants.iter().map(|v| v.name.clone()).collect();
    bundle.chunks.iter().map(|c| chunk(c, &variants)).collect()
}

fn chunk(chunk: &BundledChunk, variants: &[String]) -> ChunkReport {
    let dumps = variants.iter().zip(&chunk.dumps);
    let dumps = dumps.filter_map(|(name, found)| Some((name.clone(), dump(found.as_ref()?))));
    ChunkReport {
        name: chunk.name.clone(),
        module: chunk.module.clone(),
        file: chunk.file.clone(),
        source_bytes: chunk.source_len,
        sha256: hex(&chunk.sha256),
        form: chunk.form.name().into(),
        strip: chunk.strip as u8,
        dumps: dumps.collect(),
    }
}

fn dump(dump: &Dump) -> DumpReport {
    DumpReport {
        bytes: dump.bytes.len(),
        xxh32: format!("{:08x}", dump.xxh32),
        costs: dump.costs().copied(),
    }
}
