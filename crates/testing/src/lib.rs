//! What tests and fuzz targets are made of: generated chunks and programs, mutants of them, and chunks joined as Lua's
//! own tools join them. The tables of packed chunks are trained here too.

pub mod generate;
pub mod luac;
pub mod mutate;
pub mod programs;
pub mod random;
pub mod tans;
pub mod train;
