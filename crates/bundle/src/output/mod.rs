//! What a bundle becomes: the text of C headers, and the bytes of a slot.

mod c;
mod header;
mod objects;
mod slot;

pub use header::{FrozenHeader, NoSlot};
pub use slot::{SlotError, TooLargeForSlot, form_of_number};
