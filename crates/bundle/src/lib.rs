//! Chunks for a firmware: every chunk compiled for every variant, each dump proved to load back, its
//! form chosen and its cost counted, then printed as C.
//!
//! The modules may use only modules before them in this order: `slot` is the format of slots and of build descriptors in images,
//! `structures` the core's structures, `model` the [`Bundle`]; `objects` makes the graph of frozen objects; `produce`
//! makes a bundle of [`Input`]s (`Build`); `plan` chooses open forms ([`choose_forms`]) and checks the size
//! ([`check_flash`]); `output` prints C ([`CHeader`]), fills slots and writes object files.
//!
//! Without the feature `compile` there are no Lua cores and no way to make a bundle; the rest reads slots.

// Without compilers what makes bundles has no user.
#![cfg_attr(not(feature = "compile"), allow(dead_code, unused_imports))]

mod model;
mod objects;
mod output;
mod plan;
#[cfg(feature = "compile")]
mod produce;
pub mod slot;
mod structures;

pub use fastlua_bytecode::{is_obeyed, printable, printable_name};
pub use model::{
    Because, Bundle, BundledChunk, Compiled, Costs, Dump, Fault, Form, FormError, InflateError,
    Input, NameError, Need, Parts, Severity, UnpackError, Warning, bare, check_each_once,
    check_names, closest, identifier, inflated, listed, pack, pack_without_pool, shared,
    shared_places, shown, unpacked,
};
pub use objects::{FrozenChunk, FrozenFunction, Memory, Objects, Value};
pub use output::{
    CHeader, Chip, Machine, NoChip, NoHeader, NoSlot, ObjectError, SlotError, TooLargeForSlot,
    bundle_name, c_header, c_header_with_slot, check_capacity, fill_slot, form_of_number,
    module_header_name, module_headers, object, object_for,
};
pub use plan::{
    Amount, Budget, BudgetError, ESP8266_FLASH, Loads, TooLarge, check_flash, choose_forms,
    too_large,
};
#[cfg(feature = "compile")]
pub use produce::{
    Build, InForm, Kept, NotBuilt, OTHER_VARIANT, Progress, Remark, SourceText, TextError,
    squash_proved,
};
pub use structures::{CoreLayout, Field, Strings, Structure, Tags, Text};
