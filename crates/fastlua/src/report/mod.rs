//! The JSON that the commands print, as types. `docs/machine-output.md` has their shapes.

#[cfg(feature = "compile")]
mod build;
#[cfg(feature = "compile")]
mod check;
mod error;
mod inspect;
#[cfg(feature = "compile")]
mod lfs;
#[cfg(feature = "compile")]
mod needs;
mod patch;
#[cfg(feature = "compile")]
mod sarif;
mod variants;

#[cfg(feature = "compile")]
pub(crate) use build::chunk_reports;
#[cfg(feature = "compile")]
pub use build::{BuildReport, ChunkReport, DumpReport, PoolReport};
#[cfg(feature = "compile")]
pub use check::{CheckReport, CheckedFile};
pub use error::ErrorReport;
pub use inspect::{ChecksumReport, FoundChunk, InspectReport, Place, SignatureReport};
#[cfg(feature = "compile")]
pub use lfs::{LfsModule, LfsReport};
#[cfg(feature = "compile")]
pub use needs::{NeededModule, NeededName, NeedsFirmware, NeedsPlace, NeedsRemark, NeedsReport};
pub use patch::{PatchReport, PatchedSlot};
pub use variants::{VariantReport, VariantsReport};

use serde::{Deserialize, Serialize};

/// A file that was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputReport {
    /// Its path.
    pub path: String,
    /// Whether it changed.
    pub changed: bool,
}
