//! What a firmware's build takes in.

mod c;
mod header;
mod objects;

pub use header::FrozenHeader;
