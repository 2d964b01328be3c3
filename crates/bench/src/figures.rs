//! The figures, which are also the JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Form, Metric, json};

/// Name of the JSON's shape.
pub const SCHEMA: &str = "fastlua-bench/2";

/// All figures of a bench. The same modules and options give the same bytes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where they were measured: `lx106`.
    pub on: String,
    /// In the order in which they were asked for.
    pub variants: Vec<VariantFigures>,
}

/// The figures of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFigures {
    /// Its name. Bytes of flash are this variant's.
    pub variant: String,
    /// The variant of stock Lua with the same number model: it was loaded and measured.
    pub core: String,
    /// Its chunks, by name.
    pub chunks: Vec<ChunkFigures>,
    /// Over all chunks, for each form that all of them have.
    pub totals: BTreeMap<Form, Totals>,
    /// Over all chunks, each as it is built.
    pub built: Totals,
}

/// The figures of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkFigures {
    /// Its name.
    pub name: String,
    /// The module that it is a part of.
    pub module: String,
    /// The form in which `fastlua build` carries it.
    pub built: Form,
    /// What it costs in each form.
    pub forms: BTreeMap<Form, Cost>,
}

/// What a chunk costs in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Bytes of the dump or text, as `fastlua build` counts them: without its name and its entry in
    /// the bundle's index. Frozen, bytes of its functions and strings, and of the bytecode where that
    /// is carried as well.
    pub flash: i64,
    /// Of these, bytes of strings: frozen chunks share them, so that together they take less.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strings: i64,
    /// What its first load costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadCost>,
    /// Why it does not load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What the first run of its main function costs, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunCost>,
}

/// What `fast.load` of a chunk costs, the first time after a reset (with its checksum), in a Lua
/// state without libraries that has loaded an empty chunk before, after two full collections and
/// with the collector stopped. Bytes of heap are those of the ESP8266's allocator: 16 for each
/// block, and steps of 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadCost {
    /// Instructions, less those of an empty call.
    pub instructions: i64,
    /// Most bytes of heap over those before, garbage included.
    pub heap_peak: i64,
    /// Bytes of heap more than before, after two full collections with the function alive.
    pub heap_kept: i64,
    /// Of these, bytes of line numbers and other debug data as stock Lua holds them: 4 for each
    /// instruction where NodeMCU's core packs them to about one.
    pub heap_debug: i64,
    /// Of `heap_kept`, bytes by which the core's table of strings grew: it doubles now and then.
    pub string_table: i64,
    /// Blocks that were asked for.
    pub allocations: i64,
    /// Reads of one or two bytes from flash: an exception each on the chip, which is not among the
    /// instructions.
    pub narrow_reads: i64,
    /// Bytes of C stack.
    pub stack: i64,
}

/// What the first run of a chunk's main function costs, without arguments, in a state with Lua's
/// libraries, `fast` and a working collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCost {
    /// Instructions, less those of an empty call.
    pub instructions: i64,
    /// Most bytes of heap over those before.
    pub heap_peak: i64,
    /// Blocks that were asked for.
    pub allocations: i64,
    /// The message where it ended with an error: most often that a module of the firmware is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Bytes of flash of the strings that frozen chunks share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools {
    /// Where all chunks are in this form.
    pub of_all: BTreeMap<Form, i64>,
    /// Of the chunks that are built frozen.
    pub built: i64,
}

/// Figures over all chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of bytes, with each string of frozen chunks once.
    pub flash: i64,
    /// Sum of instructions to load.
    pub load: i64,
    /// The largest of all loads.
    pub heap_peak: i64,
    /// Sum: what all chunks take if all are loaded and kept.
    pub heap_kept: i64,
    /// Sum.
    pub allocations: i64,
    /// Sum.
    pub narrow_reads: i64,
    /// How many chunks do not load.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: i64,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Totals {
    /// Over these costs. `pool` is bytes of the strings that their frozen chunks have together.
    fn of<'a>(costs: impl IntoIterator<Item = &'a Cost>, pool: i64) -> Totals {
        let mut totals = Totals {
            flash: pool,
            ..Totals::default()
        };
        for cost in costs {
            totals.flash += cost.flash - cost.strings;
            totals.refused += i64::from(cost.load.is_none());
            if let Some(load) = &cost.load {
                totals.load += load.instructions;
                totals.heap_peak = totals.heap_peak.max(load.heap_peak);
                totals.heap_kept += load.heap_kept;
                totals.allocations += load.allocations;
                totals.narrow_reads += load.narrow_reads;
            }
        }
        totals
    }

    /// One of them; none for what is not added up.
    pub fn get(&self, metric: Metric) -> Option<i64> {
        match metric {
            Metric::Flash => Some(self.flash),
            Metric::Load => Some(self.load),
            Metric::HeapPeak => Some(self.heap_peak),
            Metric::HeapKept => Some(self.heap_kept),
            Metric::Allocations => Some(self.allocations),
            Metric::NarrowReads => Some(self.narrow_reads),
            Metric::Run => None,
        }
    }
}

impl ChunkFigures {
    /// What it costs as it is built.
    pub fn as_built(&self) -> Option<&Cost> {
        self.forms.get(&self.built)
    }
}

impl VariantFigures {
    /// With the totals over these chunks.
    pub fn new(
        variant: String,
        core: String,
        chunks: Vec<ChunkFigures>,
        pools: &Pools,
    ) -> VariantFigures {
        let mut totals = BTreeMap::new();
        for form in chunks.iter().flat_map(|chunk| chunk.forms.keys()) {
            let costs = chunks.iter().map(|chunk| chunk.forms.get(form));
            if let Some(costs) = costs.collect::<Option<Vec<_>>>() {
                let pool = pools.of_all.get(form).copied().unwrap_or_default();
                totals
                    .entry(*form)
                    .or_insert_with(|| Totals::of(costs, pool));
            }
        }
        let built = Totals::of(
            chunks.iter().filter_map(ChunkFigures::as_built),
            pools.built,
        );
        VariantFigures {
            variant,
            core,
            chunks,
            totals,
            built,
        }
    }
}

impl Figures {
    /// As JSON, indented, a form of a chunk in one line so that a change of it is one as well.
    ///
    /// # Errors
    /// None that could happen: numbers and texts always have a JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        json::lines(self)
    }

    /// Reads [`Figures::to_json`].
    ///
    /// # Errors
    /// No JSON, or of another shape.
    pub fn from_json(text: &str) -> Result<Figures, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|error| format!("no figures of `fastlua bench`: {error}"))?;
        if head.schema != SCHEMA {
            return Err(format!(
                "its shape is {:?}, and this fastlua reads {SCHEMA:?}; measure it anew",
                head.schema
            ));
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
