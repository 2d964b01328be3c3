//! The report on an error.

use serde::Serialize;

use crate::Diagnostic;

/// The output of a failed command, in place of its report.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// What is wrong, each with its place.
    pub errors: Vec<Diagnostic>,
    /// Advice, if there is any.
    pub help: Option<String>,
}

impl ErrorReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-error/2";

    /// Of these errors.
    pub fn new(errors: Vec<Diagnostic>, help: Option<String>) -> ErrorReport {
        ErrorReport {
            schema: ErrorReport::SCHEMA,
            errors,
            help,
        }
    }
}
