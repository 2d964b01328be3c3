//! The model of a bundle: its chunks in their forms, their bytes for each variant, what they need and cost, and what is to
//! be said of them.

mod bundle;
mod costs;
mod deflated;
mod fault;
mod form;
mod input;
mod name;
mod need;
mod pack;
mod packed;

pub use bundle::{Bundle, BundledChunk, Compiled, Dump};
pub use costs::Costs;
pub(crate) use deflated::deflated;
pub use deflated::{InflateError, inflated};
pub(crate) use deflated::{WINDOW, window};
pub(crate) use fault::other;
pub use fault::{Because, Fault, Severity, Warning, bare, listed, shown};
pub use form::{Form, FormError};
pub use input::Input;
pub(crate) use name::LONGEST;
pub use name::{NameError, check_each_once, check_names, identifier};
pub(crate) use name::{identifiers, is_hidden};
pub(crate) use need::ON_STACK;
pub use need::{Need, Parts};
pub use pack::{pack, pack_without_pool};
pub(crate) use pack::{packed, pool_of_packed};
pub use packed::{UnpackError, shared, shared_places, unpacked};

/// The one of `names` that `wrong` probably means.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name| strsim::jaro_winkler(wrong, name);
    names
        .into_iter()
        .filter(|name| likeness(name) > 0.7)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}
