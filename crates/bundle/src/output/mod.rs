//! What a bundle becomes: the text of C headers, the bytes of a slot, an object file for a linker.

mod c;
mod header;
mod objects;
mod region;
mod slot;

pub use header::{FrozenHeader, NoSlot};
pub use region::{Machine, form_of_number};
pub use slot::{SlotError, TooLargeForSlot};
