//! Reads and writes files. Outputs are written whole or not at all, and never replace an input.

pub mod cache;
pub mod changed;
pub mod chunks;
pub mod depfile;
pub mod file_names;
pub mod folder;
pub mod output;
pub mod replace;
pub mod sources;
pub mod target;
pub mod temporary;
