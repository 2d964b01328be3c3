//! Chunks to what a firmware takes in: every chunk compiled for every variant, each dump proved to
//! load back, its form chosen and its cost counted, then printed as C.
//!
//! [`Build`] makes a [`Bundle`] of [`Input`]s (`produce/`); [`Bundle::choose_forms`] decides where the
//! form is left open, and [`Bundle::check_flash`] whether it fits (`plan/`); [`Bundle::objects`] is the
//! graph of what is frozen (`objects/`); [`Bundle::c_header`] is the C text (`output/`).

mod bundle;
mod form;
mod name;
mod objects;
mod output;
mod plan;
mod produce;

pub use bundle::{Bundle, BundledChunk, Compiled, Dump};
pub use fastlua_bytecode::{is_obeyed, printable, printable_name};
pub use form::{Form, FormError};
pub use name::{NameError, check_each_once, check_names, identifier};
pub use objects::{
    CoreLayout, Field, FrozenChunk, FrozenFunction, Memory, Objects, Strings, Structure, Tags,
    Text, Value,
};
pub use output::{
    CHeader, Chip, Machine, NoChip, NoHeader, NoSlot, ObjectError, SlotError, TooLargeForSlot,
    form_of_number, module_header_name, shared,
};
pub use plan::{Amount, Budget, BudgetError, Costs, ESP8266_FLASH, Loads, TooLarge};
pub use produce::{
    Because, Build, Fault, InflateError, Input, Need, OTHER_VARIANT, Parts, Remark, Severity,
    SourceText, TextError, UnpackError, Warning, bare, inflated, listed, nodemcu, shared_places,
    shown, squash_proved, unpacked,
};

/// The one of `names` that `wrong` was probably meant to be.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name| strsim::jaro_winkler(wrong, name);
    names
        .into_iter()
        .filter(|name| likeness(name) > 0.7)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}
