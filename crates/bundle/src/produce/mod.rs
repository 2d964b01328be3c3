//! Texts to chunks: compiled for every variant, proved to load back, and counted.

mod because;
mod build;
mod compile;
mod deflated;
mod limits;
mod need;
mod packed;
mod squash;

pub use because::{Because, listed};
pub use build::{Build, Fault, Input, Warning, bare, shown};
pub use compile::{OTHER_VARIANT, Remark, Severity, SourceText, TextError};
pub use deflated::{InflateError, inflated};
pub use need::{Need, Parts};
pub use packed::{UnpackError, shared_places, unpacked};
pub use squash::{nodemcu, squash_proved};

pub(crate) use deflated::{WINDOW, window};
pub(crate) use need::ON_STACK;
