//! Deflate streams (RFC 1951) for chips, which remember fewer bytes than a PC does.
//!
//! What is compressed is inflated by our own [`inflate`], which knows the limits of a chip's, not by what compressed it.

mod deflate;
mod inflate;

pub use deflate::{smallest, stored};
pub use inflate::{Wrong, inflate};

/// What a chip remembers of the contents while it inflates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The last so many bytes.
    pub window: usize,
    /// Whether it can give the very first byte again.
    pub first: bool,
}
