//! Errors: the library's, as exceptions of `fastlua/errors.py`.

use fastlua::{
    CheckError, CompileError, Diagnostic, DumpError, Error, ExtractError, FirmwareError, FormError,
    ImageError, LfsError, NoChip, NoVariant, SbomError, SlotError, listed, printable,
    printable_name,
};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::to_python;

/// The exceptions. Their names are those of Python's classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Class {
    Error,
    OptionError,
    ModuleError,
    TooLargeError,
    FirmwareError,
    CheckError,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Error => "Error",
            Class::OptionError => "OptionError",
            Class::ModuleError => "ModuleError",
            Class::TooLargeError => "TooLargeError",
            Class::FirmwareError => "FirmwareError",
            Class::CheckError => "CheckError",
        }
    }
}

/// An error before it is an exception, which only the interpreter makes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    class: Class,
    /// All of it, with its places.
    text: String,
    diagnostics: Vec<Diagnostic>,
    hint: Option<String>,
}

impl Failure {
    /// About no file.
    pub(crate) fn new(class: Class, text: String) -> Failure {
        Failure {
            class,
            diagnostics: vec![Diagnostic::error(text.as_str())],
            text,
            hint: None,
        }
    }

    pub(crate) fn other(text: String) -> Failure {
        Failure::new(Class::Error, text)
    }

    pub(crate) fn option(text: impl ToString) -> Failure {
        Failure::new(Class::OptionError, text.to_string())
    }

    /// About a file, with whose name the text does not begin yet.
    fn of_file(class: Class, file: &str, text: &str) -> Failure {
        Failure {
            class,
            text: format!("{}: {text}", printable_name(file)),
            diagnostics: vec![Diagnostic::of_file(file, None, text)],
            hint: None,
        }
    }

    fn hint(self, hint: Option<&str>) -> Failure {
        let hint = hint.map(str::to_owned);
        Failure { hint, ..self }
    }

    /// Of firmware of this name.
    pub(crate) fn of_firmware(file: &str, error: &FirmwareError) -> Failure {
        let class = match error {
            FirmwareError::Variant(error) => return error.clone().into(),
            FirmwareError::WhichSlot(_) | FirmwareError::NoSuchSlot { .. } => Class::OptionError,
            FirmwareError::Bundle(error) if is_too_large(error) => Class::TooLargeError,
            _ => Class::FirmwareError,
        };
        let hint = match error {
            FirmwareError::NoSlot(_) => {
                Some("fastlua.build(..., slot=65536) makes sources with one")
            }
            FirmwareError::WhichSlot(_) => Some("pass slot=1 for the first one"),
            FirmwareError::Image(ImageError::Damaged(_)) => {
                Some("use an undamaged file, or pass fix_checksums=True to set them anyway")
            }
            FirmwareError::Elsewhere(_) => {
                Some("pass keep_damaged=True to leave that image as it is")
            }
            FirmwareError::Uncovered(_) => {
                Some("pass uncovered=True if you set its checksums yourself")
            }
            _ => None,
        };
        Failure::of_file(class, file, &error.to_string()).hint(hint)
    }

    /// Of bytecode of this name.
    pub(crate) fn of_check(file: &str, error: &CheckError) -> Failure {
        let hint = match error {
            CheckError::Read(error) => about_bytecode(error),
            _ => None,
        };
        let mut failure = Failure::of_file(Class::CheckError, file, &error.to_string());
        failure.diagnostics[0].code = error.rule().map(Into::into);
        Failure { hint, ..failure }
    }

    /// Of a source of this name.
    pub(crate) fn of_compile(file: &str, error: &CompileError, takers: &[String]) -> Failure {
        let hint = match error {
            CompileError::Reference { .. } => Some("pass line_info=\"shortest\"".into()),
            _ => other_variants(takers),
        };
        Failure {
            class: Class::ModuleError,
            text: error.to_string(),
            diagnostics: vec![error.diagnostic(file)],
            hint,
        }
    }

    /// Of a chunk that can't be extracted.
    pub(crate) fn of_extract(file: &str, error: &ExtractError) -> Failure {
        match error {
            ExtractError::Firmware(error) => Failure::of_firmware(file, error),
            ExtractError::Variant(error) => error.clone().into(),
            error => Failure::of_file(Class::FirmwareError, file, &error.to_string()),
        }
    }
}

fn is_too_large(error: &SlotError) -> bool {
    use SlotError::{Chunks, Functions, TooLarge};
    matches!(error, TooLarge(_) | Chunks { .. } | Functions { .. })
}

fn about_bytecode(error: &DumpError) -> Option<String> {
    match error {
        DumpError::NoDump => Some("if it is source, fastlua.compile makes bytecode of it".into()),
        DumpError::Ambiguous(_) => Some("pass variant=".into()),
        DumpError::OtherVariant { is, .. } => Some(format!("pass variant={is:?}")),
        DumpError::OtherImage { .. } => Some("leave out variant".into()),
        _ => None,
    }
}

/// Advice if other variants accept a text.
fn other_variants(takers: &[String]) -> Option<String> {
    let names: Vec<&str> = takers.iter().map(String::as_str).collect();
    let all = match names.len() {
        0 => return None,
        1 => "accepts it",
        _ => "accept it",
    };
    Some(format!("{} {all}", listed(&names)))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let class = match &error {
            Error::NoVariant(_)
            | Error::NoVariants
            | Error::NotShipped { .. }
            | Error::NoSlot(_)
            | Error::NoHeader(_)
            | Error::Object(_) => Class::OptionError,
            Error::TooLarge(_) => Class::TooLargeError,
            Error::Stopped => Class::Error,
            _ => Class::ModuleError,
        };
        let hint = match &error {
            Error::NoVariant(_) | Error::Variant { .. } => Some(LISTED.into()),
            Error::Shipped { .. } => Some("give yours another name, or pass replace=True".into()),
            Error::Faults(faults) => other_variants(&faults.takers),
            _ => None,
        };
        Failure {
            class,
            text: error.to_string(),
            diagnostics: error.diagnostics(),
            hint,
        }
    }
}

/// Where variants stand.
const LISTED: &str = "fastlua.variants() lists them";

impl From<NoVariant> for Failure {
    fn from(error: NoVariant) -> Failure {
        Failure::option(error).hint(Some(LISTED))
    }
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Failure {
        Failure::option(error)
    }
}

impl From<NoChip> for Failure {
    fn from(error: NoChip) -> Failure {
        Failure::option(error)
    }
}

impl From<SlotError> for Failure {
    fn from(error: SlotError) -> Failure {
        let class = match is_too_large(&error) {
            true => Class::TooLargeError,
            false => Class::FirmwareError,
        };
        Failure::new(class, error.to_string())
    }
}

impl From<SbomError> for Failure {
    fn from(error: SbomError) -> Failure {
        let text = error.to_string();
        let diagnostic = match &error {
            SbomError::License { file, .. } => Diagnostic::of_file(file, None, &text),
            _ => Diagnostic::error(text.as_str()),
        };
        Failure {
            class: Class::ModuleError,
            text,
            diagnostics: vec![diagnostic],
            hint: None,
        }
    }
}

impl From<LfsError> for Failure {
    fn from(error: LfsError) -> Failure {
        let class = match &error {
            error if error.is_misuse() => Class::OptionError,
            LfsError::TooLarge(_) => Class::TooLargeError,
            _ => Class::ModuleError,
        };
        let text = error.to_string().trim_end().to_owned();
        let diagnostic = match error.file() {
            Some(file) => Diagnostic::of_file(file, None, &text),
            None => Diagnostic::error(text.as_str()),
        };
        let hint =
            matches!(error, LfsError::Lines { .. }).then(|| "pass line_info=\"shortest\"".into());
        Failure {
            class,
            text,
            diagnostics: vec![diagnostic],
            hint,
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        Python::attach(|py| exception(py, &failure).map_or_else(|error| error, PyErr::from_value))
    }
}

fn exception<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("fastlua.errors")?.getattr(failure.class.name())?;
    let diagnostics = to_python(py, &failure.diagnostics)?;
    // names in it may come from others
    let text = printable(&failure.text);
    class.call1((text, diagnostics, &failure.hint))
}
