//! Finished firmware: contents of slots, and images with them.

use fastlua::{ChunkReport, Diagnostic, Firmware, FirmwareError, PatchOptions, PatchReport, Slot};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use serde::{Deserialize, Serialize};

use crate::arguments::{Bytes, Modules, some};
use crate::error::Failure;
use crate::options::{self, KNOWN};
use crate::{to_python, work};

/// What is known of the bundle in a slot, beside the slot's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct About {
    /// The bill of materials, or why there is none.
    sbom: Result<String, Failure>,
    warnings: Vec<Diagnostic>,
    chunks: Vec<ChunkReport>,
}

/// The bytes of a filled slot, for every image with the same firmware.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct SlotContents {
    contents: fastlua::SlotContents,
    about: Option<About>,
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

fn sbom<'py>(py: Python<'py>, about: Option<&About>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Some(about) = about else { return Ok(None) };
    let text = about.sbom.clone()?;
    Ok(Some(PyBytes::new(py, text.as_bytes())))
}

/// An image with new contents of its slot.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct Patched {
    image: Py<PyBytes>,
    file: String,
    changed: bool,
    slot: Slot,
    patched: fastlua::Patched,
    about: Option<About>,
}

#[pymethods]
impl Patched {
    /// The file.
    #[getter]
    fn image(&self, py: Python) -> Py<PyBytes> {
        self.image.clone_ref(py)
    }

    /// The name of what is in the slot: 16 hexadecimal digits; none if it is empty.
    #[getter]
    fn bundle(&self) -> Option<String> {
        self.patched
            .contents
            .as_ref()
            .map(|contents| contents.name())
    }

    /// The checksums of the image that were set.
    #[getter]
    fn checksums(&self) -> Vec<String> {
        self.patched
            .checksums
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Warnings and notes for the user.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let warnings = self.about.as_ref().map(|about| &about.warnings);
        to_python(py, warnings.unwrap_or(&Vec::new()))
    }

    /// The report of `fastlua patch --json`. `output` is the file's new name.
    #[pyo3(signature = (output=None))]
    fn report<'py>(&self, py: Python<'py>, output: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let output = output.unwrap_or(&self.file);
        let mut report = PatchReport::new(&self.file, output, &self.slot, &self.patched);
        report.changed = self.changed;
        if let Some(about) = &self.about {
            report.warnings.clone_from(&about.warnings);
            report.chunks.clone_from(&about.chunks);
        }
        to_python(py, &report)
    }

    /// The bill of materials of the slot; none if it is empty, or its contents were made without it.
    fn sbom<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        sbom(py, self.about.as_ref())
    }

    fn __repr__(&self) -> String {
        format!("<fastlua.Patched {}>", self.patched.summary(&self.slot))
    }
}

/// What is done with a slot.
enum Change<'a> {
    Put(&'a fastlua::SlotContents),
    Clear,
}

/// Firmware that was changed, before Python has it.
struct Changed {
    bytes: Vec<u8>,
    is_new: bool,
    slot: Slot,
    patched: fastlua::Patched,
}

impl Changed {
    fn into_patched(self, py: Python, file: &str, about: Option<About>) -> Patched {
        Patched {
            image: PyBytes::new(py, &self.bytes).unbind(),
            file: file.into(),
            changed: self.is_new,
            slot: self.slot,
            patched: self.patched,
            about,
        }
    }
}

/// Changes a slot of firmware that was read from these bytes.
fn change(
    firmware: &mut Firmware,
    before: &[u8],
    slot: Option<usize>,
    change: &Change,
    options: PatchOptions,
) -> Result<Changed, FirmwareError> {
    let found = Slot::clone(&*firmware.slot(slot)?);
    let patched = match change {
        Change::Put(contents) => firmware.put(slot, contents, options)?,
        Change::Clear => firmware.clear(slot, options)?,
    };
    let bytes = firmware.to_file();
    Ok(Changed {
        is_new: bytes != before,
        bytes,
        slot: found,
        patched,
    })
}

/// The contents of a slot with these modules.
fn made(
    firmware: &Firmware,
    file: &str,
    slot: Option<usize>,
    modules: Modules,
    heap_limit: i64,
    stop: &work::Stop,
) -> Result<(fastlua::SlotContents, About), Failure> {
    let failed = |error| Failure::of_firmware(file, &error);
    let slot = firmware.slot(slot).map_err(failed)?;
    let variant = slot.variant(&KNOWN).map_err(failed)?;
    let options = options::plan(Some(vec![variant.name.clone()]), heap_limit)?;
    let plan = some(modules.project()?)?.plan(&options)?.for_slot(&slot);
    let bundle = plan.build(Some(stop))?;
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

fn read(image: &[u8], file: &str) -> Result<Firmware, Failure> {
    Firmware::read(image.to_vec()).map_err(|error| Failure::of_firmware(file, &error))
}

/// Puts modules into finished firmware.
#[pyfunction]
#[pyo3(signature = (image, modules, *, slot=None, fix_checksums=false, keep_damaged=false, uncovered=false, file="image", heap_limit=67108864, jobs=1))]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
pub(crate) fn patch(
    py: Python,
    image: Bytes,
    modules: Modules,
    slot: Option<i64>,
    fix_checksums: bool,
    keep_damaged: bool,
    uncovered: bool,
    file: &str,
    heap_limit: i64,
    jobs: i64,
) -> PyResult<Patched> {
    let slot = options::slot(slot)?;
    let options = PatchOptions {
        fix_checksums,
        keep_damaged,
        uncovered,
    };
    let bytes = image.as_slice();
    let (changed, about) = work::run(py, options::jobs(jobs)?, |stop| {
        let mut firmware = read(bytes, file)?;
        let (contents, about) = made(&firmware, file, slot, modules, heap_limit, stop)?;
        let changed = change(&mut firmware, bytes, slot, &Change::Put(&contents), options);
        Ok((
            changed.map_err(|error| Failure::of_firmware(file, &error))?,
            about,
        ))
    })?;
    Ok(changed.into_patched(py, file, Some(about)))
}

/// Makes the contents of a slot, once for all images with the same firmware.
#[pyfunction]
#[pyo3(signature = (image, modules, *, slot=None, file="image", heap_limit=67108864, jobs=1))]
pub(crate) fn slot_contents(
    py: Python,
    image: Bytes,
    modules: Modules,
    slot: Option<i64>,
    file: &str,
    heap_limit: i64,
    jobs: i64,
) -> PyResult<SlotContents> {
    let slot = options::slot(slot)?;
    let bytes = image.as_slice();
    let (contents, about) = work::run(py, options::jobs(jobs)?, |stop| {
        made(&read(bytes, file)?, file, slot, modules, heap_limit, stop)
    })?;
    Ok(SlotContents {
        contents,
        about: Some(about),
    })
}

/// Puts contents that were made before into an image. It compiles nothing.
#[pyfunction]
#[pyo3(signature = (image, contents, *, slot=None, fix_checksums=false, keep_damaged=false, uncovered=false, file="image"))]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
pub(crate) fn put(
    py: Python,
    image: Bytes,
    contents: &SlotContents,
    slot: Option<i64>,
    fix_checksums: bool,
    keep_damaged: bool,
    uncovered: bool,
    file: &str,
) -> PyResult<Patched> {
    let options = PatchOptions {
        fix_checksums,
        keep_damaged,
        uncovered,
    };
    let what = Change::Put(&contents.contents);
    let changed = changed(py, image.as_slice(), slot, &what, options, file)?;
    Ok(changed.into_patched(py, file, contents.about.clone()))
}

/// Removes all modules from a slot.
#[pyfunction]
#[pyo3(signature = (image, *, slot=None, fix_checksums=false, keep_damaged=false, uncovered=false, file="image"))]
pub(crate) fn clear(
    py: Python,
    image: Bytes,
    slot: Option<i64>,
    fix_checksums: bool,
    keep_damaged: bool,
    uncovered: bool,
    file: &str,
) -> PyResult<Patched> {
    let options = PatchOptions {
        fix_checksums,
        keep_damaged,
        uncovered,
    };
    let changed = changed(py, image.as_slice(), slot, &Change::Clear, options, file)?;
    Ok(changed.into_patched(py, file, None))
}

fn changed(
    py: Python,
    image: &[u8],
    slot: Option<i64>,
    what: &Change,
    options: PatchOptions,
    file: &str,
) -> PyResult<Changed> {
    let slot = options::slot(slot)?;
    work::run(py, 1, |_| {
        let mut firmware = read(image, file)?;
        let changed = change(&mut firmware, image, slot, what, options);
        changed.map_err(|error| Failure::of_firmware(file, &error))
    })
}
