//! What a bundle becomes: the text of C headers, the bytes of a slot, an object file for a linker.

mod c;
mod chip;
mod header;
mod lookup;
mod object;
mod objects;
mod packed;
mod region;
mod runtime;
mod slot;
mod text;

pub use chip::{Chip, NoChip};
pub use header::{CHeader, NoSlot};
pub use object::ObjectError;
pub use packed::shared;
pub use region::{Machine, form_of_number};
pub use runtime::{NoHeader, module_header_name};
pub use slot::{SlotError, TooLargeForSlot};
