//! What the page shows at a line, or in its list.

use fastlua::{Bundle, Error, Fault, Faults, listed};
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
        Error::Faults(faults) => {
            let variants = faults.variants.len();
            let said = faults.all.iter();
            let said = said.map(|fault| Said::of(fault, "error", variants));
            return said.chain(of_variants(faults)).collect();
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
        | Error::Variant { file, .. }
        | Error::SplitName { file }
        | Error::Shipped { file, .. } => file,
        _ => "",
    };
    vec![Said::of_file(file, error)]
}

/// Why some variants refuse what others take, and what to choose.
fn of_variants(faults: &Faults) -> Option<Said> {
    let mut parts = faults.reasons();
    if !faults.takers.is_empty() {
        let names: Vec<&str> = faults.takers.iter().map(String::as_str).collect();
        let names = listed(&names);
        parts.push(match faults.some_take() {
            true => format!("choose your firmware, in place of all variants: {names}"),
            false => format!("other firmware takes it: {names}"),
        });
    }
    let is_some = !parts.is_empty();
    is_some.then(|| Said {
        severity: "note",
        ..Said::error(parts.join("; "))
    })
}

/// What there is to say of a bundle.
pub(crate) fn of_bundle(bundle: &Bundle) -> Vec<Said> {
    let variants = bundle.variants.len();
    let warnings = bundle.warnings.iter();
    let said = warnings.map(|w| Said::of(&w.fault, w.severity.name(), variants));
    said.collect()
}
