//! Figures against budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use fastlua_bundle::Budget;

use crate::{ChunkFigures, Cost, Figures, Metric, On, VariantFigures};

/// What may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budgets {
    /// By all modules: flash together, the rest by each chunk.
    pub all: Budget,
    /// By a module: flash by its chunks together, those that are frozen with all strings of their
    /// own; the rest by each of them.
    pub modules: BTreeMap<String, Budget>,
}

/// Budgets of what was not measured: figures of a PC hold no bytes of heap and no instructions, those of
/// an ESP32-C3 no narrow reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the budget of {} can't be checked: {on} has no such figures",
    .metric.name()
)]
pub struct Unmeasured {
    /// Where the figures were measured.
    pub on: On,
    /// The first such budget.
    pub metric: Metric,
}

/// A figure over its budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The variant.
    pub variant: String,
    /// The chunk; or the module or `all modules` where the sum is too large.
    pub of: String,
    /// Which figure.
    pub metric: Metric,
    /// The figure; none where the chunk does not load.
    pub value: Option<i64>,
    /// What it may be.
    pub budget: u64,
}

impl Display for Excess {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Excess {
            variant,
            of,
            metric,
            value,
            budget,
        } = self;
        write!(f, "{variant}: {of}: {} ", metric.name())?;
        match value {
            Some(value) => write!(f, "{value}, the budget is {budget}"),
            None => write!(
                f,
                "unknown, because it does not load or is not measured; the budget is {budget}"
            ),
        }
    }
}

impl Budgets {
    /// Whether figures that are measured there can be held against them.
    ///
    /// # Errors
    /// They are of other figures.
    pub fn fit(&self, on: On) -> Result<(), Unmeasured> {
        match self.unmeasured(on).first() {
            Some(&metric) => Err(Unmeasured { on, metric }),
            None => Ok(()),
        }
    }

    /// Takes out what no figures that are measured there can be held against, and gives what that is of, each once.
    pub fn leave_measured(&mut self, on: On) -> Vec<Metric> {
        let unmeasured = self.unmeasured(on);
        for budget in [&mut self.all].into_iter().chain(self.modules.values_mut()) {
            for metric in &unmeasured {
                match metric {
                    Metric::Flash => budget.flash = None,
                    Metric::Load => budget.load = None,
                    Metric::HeapPeak => budget.heap_peak = None,
                    Metric::HeapKept => budget.heap_kept = None,
                    Metric::Allocations => budget.allocations = None,
                    Metric::NarrowReads => budget.narrow_reads = None,
                    Metric::Table | Metric::Run => {}
                }
            }
        }
        unmeasured
    }

    fn unmeasured(&self, on: On) -> Vec<Metric> {
        let all = [&self.all].into_iter().chain(self.modules.values());
        let limited = all.flat_map(limits).map(|(metric, _)| metric);
        let is_ratio = |metric: Metric| on.chip().is_none() && metric != Metric::Flash;
        let unmeasured = limited.filter(|metric| is_ratio(*metric) || !on.has(*metric));
        let unmeasured: BTreeSet<Metric> = unmeasured.collect();
        unmeasured.into_iter().collect()
    }
}

/// What is over its budget as it is built, variant by variant. The budgets have to be for such figures:
/// [`Budgets::fit`] or [`Budgets::leave_measured`] comes before.
pub fn check(figures: &Figures, budgets: &Budgets) -> Vec<Excess> {
    let mut excesses = Vec::new();
    for variant in &figures.variants {
        check_one(
            variant,
            "all modules",
            &budgets.all,
            |_| true,
            &mut excesses,
        );
        for (module, budget) in &budgets.modules {
            check_one(variant, module, budget, |m| m == module, &mut excesses);
        }
    }
    excesses
}

fn check_one(
    variant: &VariantFigures,
    sum: &str,
    budget: &Budget,
    is_in: impl Fn(&str) -> bool,
    excesses: &mut Vec<Excess>,
) {
    let chunks: Vec<&ChunkFigures> = variant.chunks.iter().filter(|c| is_in(&c.module)).collect();
    for (metric, limit) in limits(budget) {
        let mut add = |of: &str, value: Option<i64>| {
            if value.is_none_or(|value| value > 0 && value.unsigned_abs() > limit) {
                excesses.push(Excess {
                    variant: variant.variant.clone(),
                    of: of.into(),
                    metric,
                    value,
                    budget: limit,
                });
            }
        };
        match metric {
            Metric::Flash => {
                let costs: Option<Vec<&Cost>> = chunks.iter().map(|c| c.as_built()).collect();
                let all = chunks.len() == variant.chunks.len();
                add(
                    sum,
                    costs.map(|costs| match all {
                        true => variant.built.flash,
                        false => costs.iter().map(|cost| cost.flash).sum(),
                    }),
                );
            }
            _ => chunks.iter().for_each(|chunk| {
                add(
                    &chunk.name,
                    chunk.as_built().and_then(|cost| metric.of(cost)),
                );
            }),
        }
    }
}

fn limits(budget: &Budget) -> impl Iterator<Item = (Metric, u64)> {
    [
        (Metric::Flash, budget.flash),
        (Metric::Load, budget.load),
        (Metric::HeapPeak, budget.heap_peak),
        (Metric::HeapKept, budget.heap_kept),
        (Metric::Allocations, budget.allocations),
        (Metric::NarrowReads, budget.narrow_reads),
    ]
    .into_iter()
    .filter_map(|(metric, limit)| Some((metric, limit?.0)))
}
