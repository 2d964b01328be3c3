//! The outputs of a bundle: the text of C headers, the bytes of a slot, an object file for a linker.

mod c;
mod chip;
mod fill;
mod frozen;
mod header;
mod lookup;
mod object_file;
mod packed;
mod region;
mod runtime;
mod text;

pub use chip::{Chip, NoChip};
pub use fill::{SlotError, TooLargeForSlot, fill_slot};
pub use header::{CHeader, NoSlot, bundle_name, c_header, c_header_with_slot, check_capacity};
pub use object_file::{ObjectError, object, object_for};
pub use region::{Machine, form_of_number};
pub use runtime::{NoHeader, module_header_name, module_headers};
