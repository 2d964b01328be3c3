//! Diagnostics: messages with a place, and their JSON.

use std::borrow::Cow;

use fastlua_bundle::{Fault, Warning, bare, shown};
use serde::{Deserialize, Serialize};

/// An error, a warning or a note. `docs/machine-output.md` has its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error`, `warning`, or `note` if the chunk works as its source says.
    pub severity: Cow<'static, str>,
    /// The broken rule, if it has a name.
    #[serde(default)]
    pub code: Option<Cow<'static, str>>,
    /// The message, without the place.
    pub message: String,
    /// The file, as the user gave it, if it is about one.
    pub file: Option<String>,
    /// The line, where there is one, from 1 on.
    pub line: Option<u32>,
    /// The column, where it is known, from 1 on.
    pub column: Option<u32>,
    /// Names of the variants to which it applies; none if it does not depend on variants.
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
        let message = bare(message, file, line);
        let rest = message
            .strip_prefix(file)
            .filter(|rest| !file.is_empty() && rest.starts_with(" can't be "));
        Diagnostic {
            file: Some(file.into()),
            line,
            ..Diagnostic::error(rest.map_or_else(|| message.to_owned(), |rest| format!("it{rest}")))
        }
    }

    /// An error at an offset of a file's text.
    #[cfg(feature = "compile")]
    pub fn at(file: &str, text: &str, offset: usize, message: &str) -> Diagnostic {
        let before = text.get(..offset).unwrap_or(text);
        let line = u32::try_from(1 + before.matches('\n').count()).ok();
        Diagnostic {
            column: Some(fastlua_source::place::column(text.as_bytes(), offset)),
            ..Diagnostic::of_file(file, line, message)
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

/// Of a fault.
pub(crate) fn of_fault(fault: &Fault) -> Diagnostic {
    let file = Some(fault.file.clone()).filter(|file| !file.is_empty());
    Diagnostic {
        file,
        line: fault.line,
        column: fault.column,
        variants: fault.variants.clone(),
        ..Diagnostic::error(fault.bare())
    }
}
