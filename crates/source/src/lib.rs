//! Lua text: lexer, SPLIT markers, number literals, squashing. Works on bytes and does no I/O.

pub mod lexer;
pub mod literals;
mod numeral;
pub mod place;
pub mod split;
pub mod squash;
mod strings;
pub mod token;

pub use fastlua_bytecode::{Dialect, NumberModel};
