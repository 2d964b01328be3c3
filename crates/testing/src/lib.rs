//! What tests and fuzz targets are made of: chunks and programs that nobody wrote, mutants of them, and what Lua's own tools
//! make of chunks. The tables of packed chunks are trained here too.

pub mod generate;
pub mod luac;
pub mod mutate;
pub mod programs;
pub mod random;
pub mod tans;
pub mod train;
