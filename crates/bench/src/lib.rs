//! What chunks cost in each form in which they can be carried: measured on an emulated processor,
//! the ESP8266's or the ESP32-C3's, or in relation to plain source on this machine; printed as a table or a page, compared
//! with figures of before, held against budgets.
//!
//! [`Bench::run`] gives [`Figures`], which are also the JSON ([`SCHEMA`]). What each figure is stands
//! at [`Cost`], [`LoadCost`] and [`Ratio`].

mod baseline;
mod budget;
mod built;
mod column;
mod emulated;
mod error;
mod figures;
mod headline;
mod host;
mod json;
mod limits;
mod measure;
mod metric;
mod page;
mod store;
mod table;
mod target;

pub use baseline::{Change, Comparison, Incomparable, Kind, compare};
pub use budget::{Budgets, Excess, Unmeasured, check};
pub use column::Column;
pub use emulated::Emulated;
pub use error::BenchError;
pub use figures::{
    ChunkFigures, Cost, Figures, LoadCost, LoadTotals, On, Pools, Ratio, RunCost, SCHEMA, Totals,
    VariantFigures,
};
pub use headline::headline;
pub use measure::{Bench, Machine};
pub use metric::Metric;
pub use page::page;
pub use table::{summary, table};
pub use target::{NoTarget, Target, usual};
