//! What there is to say, with its place, and its JSON.

use std::borrow::Cow;

use fastlua_bundle::{Fault, Warning, bare, shown};
use serde::{Deserialize, Serialize};

use crate::Error;

/// An error, a warning or a note. `docs/machine-output.md` has its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error`, `warning`, or `note` where the chunk does what its source says.
    pub severity: Cow<'static, str>,
    /// The rule that is broken, where it has a name.
    #[serde(default)]
    pub code: Option<Cow<'static, str>>,
    /// What there is to say, without the place.
    pub message: String,
    /// The file, as the user gave it, if it is about one.
    pub file: Option<String>,
    /// The line, where there is one, from 1 on.
    pub line: Option<u32>,
    /// The column, where it is known, from 1 on.
    pub column: Option<u32>,
    /// Names of the variants that it concerns; none where it has nothing to do with them.
    pub variants: Vec<String>,
}

impl Diagnostic {
    /// An error that is about no file.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: "error".into(),
            code: None,
            message: message.into(),
            file: None,
            line: None,
            column: None,
            variants: Vec::new(),
        }
    }

    /// An error about a file, whose name and line the message may begin with.
    pub fn of_file(file: &str, line: Option<u32>, message: &str) -> Diagnostic {
        Diagnostic {
            file: Some(file.into()),
            line,
            ..Diagnostic::error(bare(message, file, line))
        }
    }

    /// Of a warning.
    pub fn of(warning: &Warning) -> Diagnostic {
        let severity = warning.severity.name().into();
        Diagnostic {
            severity,
            ..of_fault(&warning.fault)
        }
    }

    /// The message behind its file and line, and before the variants unless they are all of `variants`.
    pub fn shown(&self, variants: usize) -> String {
        let message = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: {}", self.message),
            (Some(file), None) => format!("{file}: {}", self.message),
            (None, _) => self.message.clone(),
        };
        match self.variants.is_empty() {
            true => message,
            false => shown(&message, &self.variants, variants),
        }
    }
}

fn of_fault(fault: &Fault) -> Diagnostic {
    let file = Some(fault.file.clone()).filter(|file| !file.is_empty());
    Diagnostic {
        file,
        line: fault.line,
        column: fault.column,
        variants: fault.variants.clone(),
        ..Diagnostic::error(fault.bare())
    }
}

impl Error {
    /// All that it says, each with its place.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let text = self.to_string();
        let one = |file: &str, line| vec![Diagnostic::of_file(file, line, &text)];
        match self {
            Error::Faults(faults) => {
                let all = faults.all.iter().map(|fault| {
                    let mut said = of_fault(fault);
                    if let Some(because) = fault.because {
                        let names: Vec<&str> = fault.variants.iter().map(String::as_str).collect();
                        said.message += &format!(": {}", because.said(&names, &[&fault.file]));
                    }
                    said
                });
                all.collect()
            }
            Error::Manifest { file, error } => {
                let (line, column) = error.place().unzip();
                vec![Diagnostic {
                    column,
                    ..Diagnostic::of_file(file, line, error.message())
                }]
            }
            Error::Split { file, error } => one(file, Some(error.line)),
            Error::Tree { file, line, reason } => {
                let place = line.map_or(String::new(), |line| format!("line {line}: "));
                let reason = reason.strip_prefix(&place).unwrap_or(reason);
                vec![Diagnostic::of_file(file, *line, reason)]
            }
            Error::File { file, error } => {
                vec![Diagnostic::of_file(
                    file,
                    None,
                    &format!("it can't be read: {error}"),
                )]
            }
            Error::Module { file, .. }
            | Error::SplitName { file }
            | Error::Shipped { file, .. } => one(file, None),
            _ => vec![Diagnostic::error(text)],
        }
    }
}
