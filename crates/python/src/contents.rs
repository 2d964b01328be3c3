//! Contents of slots.

use fastlua::{ChunkCache, ChunkReport, Diagnostic, Firmware};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use serde::{Deserialize, Serialize};

use crate::arguments::{Bytes, Modules, some};
use crate::cache::{self, Cache};
use crate::error::Failure;
use crate::options::{self, KNOWN};
use crate::{to_python, work};

/// What is known of the bundle in a slot, beside the slot's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    /// The bill of materials, or why there is none.
    pub(crate) sbom: Result<String, Failure>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) chunks: Vec<ChunkReport>,
}

/// The bytes of a filled slot, for every image with the same firmware.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct SlotContents {
    pub(crate) contents: fastlua::SlotContents,
    pub(crate) about: Option<About>,
}

#[pymethods]
impl SlotContents {
    #[new]
    #[pyo3(signature = (contents, about=None))]
    fn new(py: Python, contents: Bytes, about: Option<&str>) -> PyResult<SlotContents> {
        let bytes = contents.as_slice();
        let read = || fastlua::SlotContents::from_bytes(bytes.to_vec());
        let failed = |error| Failure::of_firmware("contents", &error);
        let contents = work::run(py, 1, |_| read().map_err(failed))?;
        let about = about.map(serde_json::from_str).transpose();
        let wrong =
            |error| Failure::option(format!("about is not that of other contents: {error}"));
        let about = about.map_err(wrong)?;
        Ok(SlotContents { contents, about })
    }

    /// The name of what is in it: 16 hexadecimal digits.
    #[getter]
    fn bundle(&self) -> String {
        let contents = self.contents.slot().contents.as_ref();
        contents.map_or(String::new(), |contents| contents.name())
    }

    /// The firmware's variant.
    #[getter]
    fn variant(&self) -> &str {
        &self.contents.slot().head.variant
    }

    /// Bytes of the slot.
    #[getter]
    fn capacity(&self) -> u32 {
        self.contents.slot().head.capacity
    }

    /// Bytes of it that are used.
    #[getter]
    fn used(&self) -> u32 {
        let contents = self.contents.slot().contents.as_ref();
        contents.map_or(0, |contents| contents.used)
    }

    /// Warnings and notes for the user.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let warnings = self.about.as_ref().map(|about| &about.warnings);
        to_python(py, warnings.unwrap_or(&Vec::new()))
    }

    /// What is known of the bundle, as a text for the constructor.
    #[getter]
    fn about(&self) -> PyResult<Option<String>> {
        let about = self.about.as_ref().map(serde_json::to_string).transpose();
        Ok(about.map_err(|error| Failure::other(error.to_string()))?)
    }

    /// The bill of materials; none if the contents were made without it.
    fn sbom<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        sbom(py, self.about.as_ref())
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.contents.as_bytes())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let class = py.get_type::<SlotContents>();
        Ok((class, (self.__bytes__(py), self.about()?)))
    }

    fn __repr__(&self) -> String {
        let (used, capacity) = (self.used(), self.capacity());
        format!(
            "<fastlua.SlotContents {}, {used} of {capacity} bytes>",
            self.bundle()
        )
    }
}

/// The class and its arguments.
type Pickled<'py> = (Bound<'py, PyType>, (Bound<'py, PyBytes>, Option<String>));

/// The bill of materials of what is known, as Python has it.
pub(crate) fn sbom<'py>(
    py: Python<'py>,
    about: Option<&About>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Some(about) = about else { return Ok(None) };
    let text = about.sbom.clone()?;
    Ok(Some(PyBytes::new(py, text.as_bytes())))
}

/// The contents of a slot with these modules.
pub(crate) fn made(
    firmware: &Firmware,
    file: &str,
    slot: Option<usize>,
    modules: Modules,
    heap_limit: i64,
    stop: &work::Stop,
    cache: Option<&dyn ChunkCache>,
) -> Result<(fastlua::SlotContents, About), Failure> {
    let failed = |error| Failure::of_firmware(file, &error);
    let slot = firmware.slot(slot).map_err(failed)?;
    let variant = slot.variant(&KNOWN).map_err(failed)?;
    let options = options::plan(Some(vec![variant.name.clone()]), heap_limit)?;
    let plan = some(modules.project()?)?.plan(&options)?.for_slot(&slot);
    let bundle = plan.build_with(Some(stop), cache)?;
    let contents = bundle.slot_contents(&slot);
    let contents = contents.map_err(|error| Failure::of_firmware(file, &error.into()))?;
    let name = contents
        .slot()
        .contents
        .as_ref()
        .map_or(String::new(), |c| c.name());
    let about = About {
        sbom: bundle.cyclonedx(&name, false).map_err(Failure::from),
        warnings: bundle.diagnostics(),
        chunks: bundle.chunk_reports(),
    };
    Ok((contents, about))
}

/// Reads firmware of this name.
pub(crate) fn read(image: &[u8], file: &str) -> Result<Firmware, Failure> {
    Firmware::read(image.to_vec()).map_err(|error| Failure::of_firmware(file, &error))
}

/// Makes the contents of a slot, once for all images with the same firmware.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
#[pyo3(signature = (image, modules, *, slot=None, file="image", heap_limit=67108864, jobs=1, cache=None))]
pub(crate) fn slot_contents(
    py: Python,
    image: Bytes,
    modules: Modules,
    slot: Option<i64>,
    file: &str,
    heap_limit: i64,
    jobs: i64,
    cache: Option<Bound<Cache>>,
) -> PyResult<SlotContents> {
    let slot = options::slot(slot)?;
    let bytes = image.as_slice();
    let cache = cache::of(cache.as_ref());
    let (contents, about) = work::run(py, options::jobs(jobs)?, |stop| {
        made(
            &read(bytes, file)?,
            file,
            slot,
            modules,
            heap_limit,
            stop,
            cache,
        )
    })?;
    Ok(SlotContents {
        contents,
        about: Some(about),
    })
}
