//! Why there are no figures.

use fastlua_bundle::Fault;
use fastlua_emulator::MeasureError;

use crate::Column;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Modules that do not compile, or not to the same chunk.
    #[error("{}", lines(.0))]
    Build(Vec<Fault>),
    /// The emulator, or one of its own checks.
    #[error("{variant}: {error}")]
    Measure {
        /// The stock variant.
        variant: String,
        /// Why.
        error: MeasureError,
    },
    /// An empty chunk does not cost the same wherever it stands: the figures can't be trusted.
    #[error(
        "{variant}, {form}: the self-check failed: an empty chunk costs {first} before all others and {last} after them"
    )]
    Check {
        /// The stock variant.
        variant: String,
        /// The form that was measured.
        form: Column,
        /// Its figures.
        first: String,
        /// Its figures, again.
        last: String,
    },
}

fn lines(faults: &[Fault]) -> String {
    let line = |f: &Fault| format!("{} [{}]", f.message, f.variants.join(", "));
    faults.iter().map(line).collect::<Vec<_>>().join("\n")
}
