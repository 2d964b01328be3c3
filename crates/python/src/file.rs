//! Single files.

use fastlua::{
    CheckOptions, CheckReport, CheckedFile, CompileOptions, Diagnostic, Loader, Source, Variant,
    VariantsReport, takers,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arguments::{Bytes, Names, Text, dictionary};
use crate::error::Failure;
use crate::options::{self, KNOWN};
use crate::{to_python, work};

/// A compiled file.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct Compiled {
    dump: Py<PyBytes>,
    warnings: Vec<Diagnostic>,
}

#[pymethods]
impl Compiled {
    /// The `.lc` file.
    #[getter]
    fn dump(&self, py: Python) -> Py<PyBytes> {
        self.dump.clone_ref(py)
    }

    /// Warnings and notes for the user.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.warnings)
    }
}

/// Compiles one file for a variant.
#[pyfunction]
#[pyo3(signature = (text, variant, *, file="input.lua", chunk_name=None, strip=1, line_info="shortest", heap_limit=67108864))]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
pub(crate) fn compile(
    py: Python,
    text: Text,
    variant: &str,
    file: &str,
    chunk_name: Option<String>,
    strip: i64,
    line_info: &str,
    heap_limit: i64,
) -> PyResult<Compiled> {
    let variant = options::variant(variant)?;
    let options = CompileOptions {
        strip: options::strip(strip)?,
        line_info: options::line_info(line_info)?,
        heap_limit: options::heap(heap_limit)?,
    };
    let chunk_name = chunk_name.unwrap_or_else(|| format!("@{file}"));
    let compiled = work::run(py, 1, |_| {
        let source = Source {
            file,
            chunk_name: &chunk_name,
            text: &text.0,
        };
        fastlua::compile(&source, variant, &options).map_err(|error| {
            let takers = match error.because() {
                Some(_) => takers(&source, &KNOWN, options.heap_limit),
                None => Vec::new(),
            };
            Failure::of_compile(file, &error, &takers)
        })
    })?;
    let warnings = compiled.remarks.iter().map(|remark| Diagnostic {
        severity: remark.severity.name().into(),
        column: remark.column,
        ..Diagnostic::of_file(file, Some(remark.line), &remark.message)
    });
    Ok(Compiled {
        dump: PyBytes::new(py, &compiled.bytes).unbind(),
        warnings: warnings.collect(),
    })
}

/// Checks bytecode or an LFS image.
#[pyfunction]
#[pyo3(signature = (data, *, variant=None, verify=true, file="chunk", heap_limit=67108864))]
pub(crate) fn check<'py>(
    py: Python<'py>,
    data: Bytes,
    variant: Option<&str>,
    verify: bool,
    file: &str,
    heap_limit: i64,
) -> PyResult<Bound<'py, PyAny>> {
    let options = CheckOptions {
        known: KNOWN.clone(),
        variant: variant.map(options::variant).transpose()?.cloned(),
        verify,
        heap_limit: options::heap(heap_limit)?,
    };
    let data = data.as_slice();
    let checked = work::run(py, 1, |_| {
        fastlua::check(data, &options).map_err(|error| Failure::of_check(file, &error))
    })?;
    let variant = options.variant.map(|variant| variant.name);
    let files = vec![CheckedFile::new(file, &Ok(checked))];
    to_python(py, &CheckReport::new(variant, files))
}

/// Finds what a file has.
#[pyfunction]
#[pyo3(signature = (data, *, file="image"))]
pub(crate) fn inspect<'py>(
    py: Python<'py>,
    data: Bytes,
    file: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let data = data.as_slice();
    let found = work::run(py, 1, |_| {
        let found = fastlua::inspect(data.to_vec(), &KNOWN);
        found.map_err(|error| Failure::of_firmware(file, &error))
    })?;
    to_python(py, &found.report(file))
}

/// A chunk of firmware or of an LFS image: a name for its file, and its bytes.
#[pyfunction]
#[pyo3(signature = (data, name, *, file="image"))]
pub(crate) fn extract<'py>(
    py: Python<'py>,
    data: Bytes,
    name: &str,
    file: &str,
) -> PyResult<(String, Bound<'py, PyBytes>)> {
    let data = data.as_slice();
    let found = work::run(py, 1, |_| {
        let found = fastlua::extract(data.to_vec(), name, &KNOWN);
        found.map_err(|error| Failure::of_extract(file, &error))
    })?;
    Ok((found.file, PyBytes::new(py, &found.bytes)))
}

/// The shortest text of the same chunk.
#[pyfunction]
#[pyo3(signature = (text, *, variants=None, file="input.lua", heap_limit=67108864))]
pub(crate) fn squash<'py>(
    py: Python<'py>,
    text: Text,
    variants: Option<Names>,
    file: &str,
    heap_limit: i64,
) -> PyResult<Bound<'py, PyBytes>> {
    let variants: Vec<Variant> = match variants {
        None => KNOWN.nodemcu(),
        Some(Names(names)) if names.is_empty() => {
            return Err(Failure::from(fastlua::Error::NoVariants).into());
        }
        Some(Names(names)) => {
            let found = names.iter().map(|name| options::variant(name).cloned());
            found.collect::<Result<_, _>>()?
        }
    };
    let heap_limit = options::heap(heap_limit)?;
    let squashed = work::run(py, 1, |_| {
        let source = Source {
            file,
            chunk_name: &format!("@{file}"),
            text: &text.0,
        };
        let squashed = fastlua::squash(&source, &variants, heap_limit);
        squashed.map_err(|error| Failure::of_compile(file, &error, &[]))
    })?;
    Ok(PyBytes::new(py, &squashed))
}

/// The chunks between SPLIT markers; none if there is no marker.
#[pyfunction]
#[pyo3(signature = (text, *, loader="fast", file="input.lua"))]
pub(crate) fn split<'py>(
    py: Python<'py>,
    text: Text,
    loader: &str,
    file: &str,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let loader = match loader {
        "fast" => Loader::Fast,
        "spiffs" => Loader::Spiffs,
        name => {
            let text = format!("loader={name:?}, not \"fast\" or \"spiffs\"");
            return Err(Failure::option(text).into());
        }
    };
    let pieces = work::run(py, 1, |_| {
        fastlua::split(&text.0, loader).map_err(|error| {
            let file = file.to_owned();
            fastlua::Error::Split { file, error }.into()
        })
    })?;
    let files = pieces.map(|pieces| {
        let files = pieces.into_iter();
        let files = files.map(|piece| (format!("{}.lua", piece.name), piece.text));
        files.collect::<Vec<_>>()
    });
    files.map(|files| dictionary(py, &files)).transpose()
}

/// All variants.
#[pyfunction]
pub(crate) fn variants(py: Python) -> PyResult<Bound<PyAny>> {
    to_python(py, &VariantsReport::of(&KNOWN))
}
