//! What the page shows at a line, or in its list.

use fastlua::{Bundle, Error, Fault};
use serde::Serialize;

/// An error, a warning or a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Said {
    pub(crate) severity: &'static str,
    /// With file and line, as the command line has it.
    pub(crate) message: String,
    /// The file that it is about; empty where it is about none.
    pub(crate) file: String,
    pub(crate) line: Option<u32>,
}

impl Said {
    /// An error that is about no file.
    pub(crate) fn error(error: impl ToString) -> Said {
        Said {
            severity: "error",
            message: error.to_string(),
            file: String::new(),
            line: None,
        }
    }

    /// An error that is about a file.
    pub(crate) fn of_file(file: &str, error: impl ToString) -> Said {
        Said {
            file: file.into(),
            ..Said::error(error)
        }
    }

    fn of(fault: &Fault, severity: &'static str, variants: usize) -> Said {
        Said {
            severity,
            message: fault.shown(variants),
            file: fault.file.clone(),
            line: fault.line,
        }
    }
}

/// All that an error of the library says.
pub(crate) fn of_error(error: &Error) -> Vec<Said> {
    let file = match error {
        Error::Faults(faults, variants) => {
            let said = faults
                .iter()
                .map(|fault| Said::of(fault, "error", *variants));
            return said.collect();
        }
        Error::Split { file, error: split } => {
            return vec![Said {
                line: Some(split.line),
                ..Said::of_file(file, error)
            }];
        }
        Error::File { file, .. }
        | Error::Manifest { file, .. }
        | Error::Module { file, .. }
        | Error::SplitName { file }
        | Error::Shipped { file, .. } => file,
        _ => "",
    };
    vec![Said::of_file(file, error)]
}

/// What there is to say of a bundle.
pub(crate) fn of_bundle(bundle: &Bundle) -> Vec<Said> {
    let variants = bundle.variants.len();
    let warnings = bundle.warnings.iter();
    let said = warnings.map(|w| Said::of(&w.fault, w.severity.name(), variants));
    said.collect()
}
