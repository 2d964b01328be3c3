//! What Lua chunks need of a NodeMCU firmware, found by data flow over their bytecode.

mod analysis;
pub mod api;
mod calls;
mod flow;
mod judge;
mod program;
mod uses;
mod values;
mod world;

pub use analysis::{Certainty, How};
pub use judge::{Finding, Firmware, Rule, Severity, judge};
pub use program::Named;
pub use uses::{Given, Need, Needs, Remark, Use, needs_of};
