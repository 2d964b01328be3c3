//! Output to standard output and standard error.

pub mod build;
pub mod print;
pub mod table;
