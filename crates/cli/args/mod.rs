//! Options that several commands have, each described once.

pub mod line_info;
pub mod modules;
pub mod takers;
pub mod variants;
pub mod verbosity;
