//! The figures by name.

use crate::Cost;

/// A figure of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// [`Cost::flash`].
    Flash,
    /// Instructions to load.
    Load,
    /// [`crate::LoadCost::heap_peak`].
    HeapPeak,
    /// [`crate::LoadCost::heap_kept`].
    HeapKept,
    /// [`crate::LoadCost::allocations`].
    Allocations,
    /// [`crate::LoadCost::narrow_reads`].
    NarrowReads,
    /// [`crate::LoadCost::table`].
    Table,
    /// Instructions of the first run.
    Run,
}

impl Metric {
    /// All, in the order of columns.
    pub const ALL: [Metric; 8] = [
        Metric::Flash,
        Metric::Load,
        Metric::HeapPeak,
        Metric::HeapKept,
        Metric::Allocations,
        Metric::NarrowReads,
        Metric::Table,
        Metric::Run,
    ];

    /// Its name in messages and budgets.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Flash => "flash",
            Metric::Load => "load",
            Metric::HeapPeak => "heap-peak",
            Metric::HeapKept => "heap-kept",
            Metric::Allocations => "allocations",
            Metric::NarrowReads => "narrow-reads",
            Metric::Table => "new-table",
            Metric::Run => "run",
        }
    }

    /// What it counts, for a heading.
    pub fn title(self) -> &'static str {
        match self {
            Metric::Flash => "flash bytes",
            Metric::Load => "load instr.",
            Metric::HeapPeak => "heap peak",
            Metric::HeapKept => "heap kept",
            Metric::Allocations => "allocs",
            Metric::NarrowReads => "narrow reads",
            Metric::Table => "new table",
            Metric::Run => "run instr.",
        }
    }

    /// The figure of a chunk, in thousandths of plain source's where it is a [`crate::Ratio`]; none
    /// where it was not measured, or the chunk does not load.
    pub fn of(self, cost: &Cost) -> Option<i64> {
        let (load, ratio) = (cost.load.as_ref(), cost.ratio.as_ref());
        match self {
            Metric::Flash => Some(cost.flash),
            Metric::Load => load.map(|l| l.instructions),
            Metric::HeapPeak => load.map(|l| l.heap_peak).or(ratio.map(|r| r.heap_peak)),
            Metric::HeapKept => load.map(|l| l.heap_kept).or(ratio.map(|r| r.heap_kept)),
            Metric::Allocations => load.map(|l| l.allocations).or(ratio.map(|r| r.allocations)),
            Metric::NarrowReads => load.and_then(|l| l.narrow_reads),
            Metric::Table => load.map(|l| l.table),
            Metric::Run => cost.run.as_ref().map(|r| r.instructions),
        }
    }
}
