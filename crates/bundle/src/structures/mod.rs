//! The core's structures: their layout on a 32-bit chip, what a slot's header says of them, and the strings that are
//! kept once.

mod layout;
mod record;
mod strings;

pub use layout::{CoreLayout, Field, Structure};
pub use record::Tags;
pub(crate) use record::{TAGS, expressions};
pub(crate) use strings::{SHORT_STRING, distinct, is_interned, no_source, source, table_bytes};
pub use strings::{Strings, Text};
