//! Texts to chunks: compiled for every variant, proved to load back, and counted.

mod because;
mod build;
mod compile;
mod forms;
mod kept;
mod limits;
mod made;
mod squash;

pub use build::{Build, NotBuilt, Progress};
pub use compile::{OTHER_VARIANT, Remark, SourceText, TextError};
pub use forms::InForm;
pub use kept::Kept;
pub use squash::squash_proved;
