//! The figures, which are also the JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use fastlua_emulator::Chip;
use serde::{Deserialize, Serialize};

use crate::{Column, Metric, json};

/// Name of the JSON's shape.
pub const SCHEMA: &str = "fastlua-bench/5";

/// That of before, which had the chips' processors for names and is read too.
const BEFORE: &str = "fastlua-bench/4";

/// All figures of a bench. The same modules and options give the same bytes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where they were measured, which says of what kind they are.
    pub on: On,
    /// The first line that the cross compiler says of its version. Other versions give other figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// In the order in which they were asked for.
    pub variants: Vec<VariantFigures>,
}

/// Where figures were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// On the ESP8266's emulated processor: instructions and bytes ([`Cost::load`], [`Cost::run`]).
    #[serde(alias = "lx106")]
    Esp8266,
    /// On the ESP32-C3's: the same, without [`LoadCost::narrow_reads`].
    #[serde(alias = "rv32")]
    Esp32c3,
    /// On the machine that ran fastlua: heap in relation to plain source ([`Cost::ratio`]).
    Host,
}

impl Display for On {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.chip().map_or("host", Chip::name))
    }
}

impl From<Chip> for On {
    fn from(chip: Chip) -> On {
        match chip {
            Chip::Esp8266 => On::Esp8266,
            Chip::Esp32c3 => On::Esp32c3,
        }
    }
}

impl On {
    /// The chip, if it is one.
    pub fn chip(self) -> Option<Chip> {
        match self {
            On::Esp8266 => Some(Chip::Esp8266),
            On::Esp32c3 => Some(Chip::Esp32c3),
            On::Host => None,
        }
    }

    /// Whether a figure can be measured there.
    pub fn has(self, metric: Metric) -> bool {
        match (self.chip(), metric) {
            (Some(chip), Metric::NarrowReads) => chip.counts_reads(),
            (Some(_), _) => true,
            (None, Metric::Load | Metric::NarrowReads | Metric::Table | Metric::Run) => false,
            (None, _) => true,
        }
    }

    /// A figure with its unit, where it has one.
    pub fn show(self, metric: Metric, value: i64) -> String {
        match self {
            On::Host if metric != Metric::Flash => format!("{:.1} %", value as f64 / 10.0),
            _ => value.to_string(),
        }
    }
}

/// The figures of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFigures {
    /// Its name. Bytes of flash are this variant's.
    pub variant: String,
    /// The variant of stock Lua with the same number model: it was loaded and measured.
    pub core: String,
    /// When its allocator collected ([`fastlua_emulator::Mode::name`]): 5.1's on a chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egc: Option<String>,
    /// Instructions to make an empty table with no chunk loaded ([`LoadCost::table`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<i64>,
    /// Its chunks, by name.
    pub chunks: Vec<ChunkFigures>,
    /// Over all chunks, for each form that all of them have.
    pub totals: BTreeMap<Column, Totals>,
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
    pub built: Column,
    /// What it costs in each form.
    pub forms: BTreeMap<Column, Cost>,
}

/// What a chunk costs in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Bytes of the dump or text, as `fastlua build` counts them: without its name and its entry in
    /// the bundle's index. Frozen, bytes of its functions and strings, and of the bytecode where that
    /// is carried as well. In LFS, bytes of its functions and strings.
    pub flash: i64,
    /// Of these, bytes of strings: frozen chunks share them, and those of LFS do, so that together they take less.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strings: i64,
    /// What its load costs on the emulated chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadCost>,
    /// What its load costs on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// Why it does not load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What the first run of its main function costs, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunCost>,
}

/// What `fast.load` of a chunk costs, the first time after a reset (with its checksum), in a Lua
/// state without libraries that has loaded an empty chunk before, after two full collections. From then on only 5.1's
/// allocator collects, as [`VariantFigures::egc`] says. Bytes of heap are those of the chip's allocator.
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
    /// Reads of one or two bytes from flash: an exception each on an ESP8266, which is not among the
    /// instructions. None on a chip that reads flash as it reads RAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow_reads: Option<i64>,
    /// Bytes of C stack.
    pub stack: i64,
    /// Instructions to make an empty table while its main function is alive. In the mode of a chip that boots 5.1 walks
    /// through all that is alive before each allocation; 5.3 never does.
    pub table: i64,
}

/// What a load in this process costs, in thousandths of what the load of the plain source costs.
/// Bytes are those that Lua asks its allocator for, without what a heap adds to each block; pointers
/// have the machine's width. The state is that of [`LoadCost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Most bytes over those before, garbage included.
    pub heap_peak: i64,
    /// Bytes more than before, after two full collections with the function alive.
    pub heap_kept: i64,
    /// Blocks that were asked for.
    pub allocations: i64,
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

/// Bytes of flash that chunks share: strings of frozen ones; tables and strings of packed ones; in LFS also what finds the
/// modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools {
    /// Where all chunks are in this form.
    pub of_all: BTreeMap<Column, i64>,
    /// Of the chunks that are built frozen or packed.
    pub built: i64,
}

/// Figures over all chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of bytes, with each string of frozen chunks once, and what packed ones have in common.
    pub flash: i64,
    /// What their loads cost on the emulated chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadTotals>,
    /// How many chunks do not load.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: i64,
}

/// Loads of all chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadTotals {
    /// Sum.
    pub instructions: i64,
    /// The largest of all loads.
    pub heap_peak: i64,
    /// Sum: what all chunks take if all are loaded and kept.
    pub heap_kept: i64,
    /// Sum.
    pub allocations: i64,
    /// Sum, where they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow_reads: Option<i64>,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Totals {
    /// Over these costs. `pool` is bytes of what they share.
    fn of<'a>(costs: impl IntoIterator<Item = &'a Cost>, pool: i64) -> Totals {
        let mut totals = Totals {
            flash: pool,
            ..Totals::default()
        };
        for cost in costs {
            totals.flash += cost.flash - cost.strings;
            totals.refused += i64::from(cost.refused.is_some());
            if let Some(load) = &cost.load {
                let loads = totals.load.get_or_insert_default();
                loads.instructions += load.instructions;
                loads.heap_peak = loads.heap_peak.max(load.heap_peak);
                loads.heap_kept += load.heap_kept;
                loads.allocations += load.allocations;
                if let Some(reads) = load.narrow_reads {
                    *loads.narrow_reads.get_or_insert_default() += reads;
                }
            }
        }
        totals
    }

    /// One of them; none for what is not added up, or was not measured.
    pub fn get(&self, metric: Metric) -> Option<i64> {
        let load = self.load.as_ref();
        match metric {
            Metric::Flash => Some(self.flash),
            Metric::Load => load.map(|l| l.instructions),
            Metric::HeapPeak => load.map(|l| l.heap_peak),
            Metric::HeapKept => load.map(|l| l.heap_kept),
            Metric::Allocations => load.map(|l| l.allocations),
            Metric::NarrowReads => load.and_then(|l| l.narrow_reads),
            Metric::Table | Metric::Run => None,
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
    /// With the totals over these chunks, not yet with what the machine does.
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
            egc: None,
            table: None,
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
            .map_err(|error| format!("not figures of `fastlua bench`: {error}"))?;
        if head.schema != SCHEMA && head.schema != BEFORE {
            return Err(format!(
                "its schema is {:?}, but this fastlua reads {SCHEMA:?}; measure again",
                head.schema
            ));
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
