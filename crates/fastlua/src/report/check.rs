//! The report of `check`.

use serde::Serialize;

use crate::Diagnostic;
use crate::check::{CheckError, Checked};

/// The result for several files.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// Name of the variant that they must fit, if one was given.
    pub variant: Option<String>,
    /// The files, in the order in which they were named.
    pub files: Vec<CheckedFile>,
}

/// The result for one file.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedFile {
    /// The file, as the user gave it.
    pub file: String,
    /// Whether it can be used.
    pub ok: bool,
    /// Its contents, if it can be used.
    #[serde(flatten)]
    pub found: Option<Found>,
    /// Why it can't.
    pub errors: Vec<Diagnostic>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Diagnostic>,
}

/// The contents of a file that can be used.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Whether the verifier checked it.
    pub verified: bool,
    /// The number of functions.
    pub functions: usize,
    /// The number of instructions.
    pub instructions: usize,
    /// Names of its variants.
    pub variants: Vec<String>,
}

impl CheckReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-check/3";

    /// Of these files.
    pub fn new(variant: Option<String>, files: Vec<CheckedFile>) -> CheckReport {
        CheckReport {
            schema: CheckReport::SCHEMA,
            variant,
            files,
        }
    }
}

impl CheckedFile {
    /// Of a file that can't be read.
    pub fn unread(file: &str, reason: &str) -> CheckedFile {
        CheckedFile {
            file: file.into(),
            ok: false,
            found: None,
            errors: vec![Diagnostic::of_file(file, None, reason)],
            warnings: Vec::new(),
        }
    }

    /// Of one file.
    pub fn new(file: &str, outcome: &Result<Checked, CheckError>) -> CheckedFile {
        let warning = |text: &String| Diagnostic {
            severity: "warning".into(),
            ..Diagnostic::of_file(file, None, text)
        };
        let ok = CheckedFile {
            file: file.into(),
            ok: outcome.is_ok(),
            found: None,
            errors: Vec::new(),
            warnings: Vec::new(),
        };
        match outcome {
            Ok(checked) => CheckedFile {
                found: Some(Found {
                    verified: checked.verified,
                    functions: checked.functions,
                    instructions: checked.instructions,
                    variants: checked.variants.clone(),
                }),
                warnings: checked.warnings.iter().map(warning).collect(),
                ..ok
            },
            Err(error) => CheckedFile {
                errors: vec![Diagnostic {
                    code: error.rule().map(Into::into),
                    ..Diagnostic::of_file(file, None, &error.to_string())
                }],
                ..ok
            },
        }
    }
}
