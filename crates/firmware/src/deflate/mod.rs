//! Deflate streams (RFC 1951) for chips, whose inflater has a small window. `fast_inflate.h` is the inflater on the chip.
//!
//! What is compressed is inflated by our own [`inflate`], which knows the limits of a chip's, not by what compressed it.

mod compress;
mod inflate;

pub use compress::{smallest, stored};
pub use inflate::{Wrong, inflate};

/// The window of a chip: the part of the contents that it keeps while it inflates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The last so many bytes.
    pub window: usize,
    /// Whether it can give the very first byte again.
    pub first: bool,
}
