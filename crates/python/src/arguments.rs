//! Arguments: bytes, texts, modules.

use std::collections::BTreeMap;

use fastlua::{Form, LARGEST_FILE, Module, Overrides, Project};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMapping, PyMemoryView, PyString};

use crate::error::Failure;
use crate::options;

/// Bytes that the caller gave.
pub(crate) struct Bytes<'py>(Bound<'py, PyBytes>);

impl Bytes<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Bytes<'py>> {
        let bytes = match object.cast::<PyBytes>() {
            Ok(bytes) => bytes.to_owned(),
            Err(_)
                if object.is_instance_of::<PyByteArray>()
                    || object.is_instance_of::<PyMemoryView>() =>
            {
                let class = object.py().get_type::<PyBytes>();
                class.call1((object,))?.cast_into::<PyBytes>()?
            }
            Err(_) => return Err(wrong("bytes", &object)),
        };
        limited(bytes.as_bytes().len())?;
        Ok(Bytes(bytes))
    }
}

/// Bytes, or a text in UTF-8.
pub(crate) struct Text(pub(crate) Vec<u8>);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Text> {
        if let Ok(text) = object.cast::<PyString>() {
            let text = text.to_str()?;
            limited(text.len())?;
            return Ok(Text(text.into()));
        }
        match object.extract::<Bytes>() {
            Ok(bytes) => Ok(Text(bytes.as_slice().into())),
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                Err(wrong("bytes or str", &object))
            }
            Err(error) => Err(error),
        }
    }
}

fn limited(bytes: usize) -> Result<(), Failure> {
    match bytes as u64 > LARGEST_FILE {
        true => Err(Failure::option(format!(
            "an argument has {bytes} bytes: fastlua takes no more than {} MiB",
            LARGEST_FILE >> 20
        ))),
        false => Ok(()),
    }
}

fn wrong(wanted: &str, object: &Bound<PyAny>) -> PyErr {
    let found = object.get_type();
    let found = found
        .name()
        .map_or_else(|_| "it".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{wanted} expected, not {found}"))
}

/// Names, one as a text by itself.
pub(crate) struct Names(pub(crate) Vec<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for Names {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Names> {
        if let Ok(name) = object.cast::<PyString>() {
            return Ok(Names(vec![name.to_str()?.into()]));
        }
        let names = object.try_iter()?.map(|name| name?.extract());
        Ok(Names(names.collect::<PyResult<_>>()?))
    }
}

/// Files by name, in the order of the mapping.
fn files(object: &Bound<PyAny>) -> PyResult<Vec<(String, Vec<u8>)>> {
    let Ok(mapping) = object.cast::<PyMapping>() else {
        return Err(wrong("a mapping of names to bytes", object));
    };
    let mut files = Vec::new();
    for item in mapping.items()?.iter() {
        let (name, Text(bytes)): (String, Text) = item.extract()?;
        files.push((name, bytes));
    }
    Ok(files)
}

/// The modules of a bundle: a mapping of files, or what Python's `Modules` has.
pub(crate) struct Modules {
    files: Vec<(String, Vec<u8>)>,
    manifest: Option<String>,
    data: Vec<(String, Vec<u8>)>,
    shipped: Vec<String>,
    overrides: Overrides,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Modules {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Modules> {
        let class = object.py().import("fastlua.modules")?.getattr("Modules")?;
        let given = match object.is_instance(&class)? {
            true => object.to_owned(),
            false => class.call1((object,))?,
        };
        let form: Option<String> = given.getattr("form")?.extract()?;
        let strip: Option<i64> = given.getattr("strip")?.extract()?;
        let fallback: bool = given.getattr("fallback")?.extract()?;
        let Names(shipped) = given.getattr("shipped")?.extract()?;
        let overrides = Overrides {
            form: form
                .map(|name| name.parse::<Form>())
                .transpose()
                .map_err(Failure::from)?,
            strip: strip.map(options::strip).transpose()?,
            whole: given.getattr("whole")?.extract()?,
            replace: given.getattr("replace")?.extract()?,
            no_fallback: !fallback,
            ..Overrides::default()
        };
        Ok(Modules {
            files: files(&given.getattr("files")?)?,
            manifest: given.getattr("manifest")?.extract()?,
            data: files(&given.getattr("data")?)?,
            shipped,
            overrides,
        })
    }
}

impl Modules {
    /// As a project.
    pub(crate) fn project(self) -> Result<Project, Failure> {
        let overrides = self.overrides.clone();
        self.project_with(&overrides)
    }

    /// As a project of functions, for LFS.
    pub(crate) fn functions(self) -> Result<Project, Failure> {
        let overrides = self.overrides.clone().for_functions();
        self.project_with(&overrides)
    }

    fn project_with(self, overrides: &Overrides) -> Result<Project, Failure> {
        let mut project = match &self.manifest {
            Some(manifest) => {
                let files: BTreeMap<String, Vec<u8>> = self.files.into_iter().collect();
                Project::from_manifest(&files, manifest, overrides)?
            }
            None => {
                let mut project = Project::new();
                for (name, text) in self.files {
                    project.add(overrides.module(name, text))?;
                }
                project
            }
        };
        project.add_shipped(&self.shipped, overrides)?;
        for (name, bytes) in self.data {
            let data = Module::new(name.as_str(), bytes).name(name);
            project.add(data.form(Form::Data { frozen: false }))?;
        }
        Ok(project)
    }
}

/// The same, if there is any module.
pub(crate) fn some(project: Project) -> Result<Project, Failure> {
    match project.is_empty() {
        true => Err(Failure::option(
            "there is no module: give at least one file, or shipped=",
        )),
        false => Ok(project),
    }
}

/// Files as a dictionary.
pub(crate) fn dictionary<'py>(
    py: Python<'py>,
    files: &[(String, Vec<u8>)],
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (name, bytes) in files {
        all.set_item(name, PyBytes::new(py, bytes))?;
    }
    Ok(all)
}
