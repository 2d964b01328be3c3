//! The report on an error.

use serde::Serialize;

use crate::Diagnostic;

/// What is printed in place of a command's report where it failed.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// What is wrong, each with its place.
    pub errors: Vec<Diagnostic>,
    /// What to do, if it is known.
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
