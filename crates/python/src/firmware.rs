//! Finished firmware with other contents of its slot.

use fastlua::{Firmware, FirmwareError, PatchOptions, PatchReport, Slot};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::{Bytes, Modules};
use crate::cache::{self, Cache};
use crate::contents::{About, SlotContents, made, read, sbom};
use crate::error::Failure;
use crate::{options, to_python, work};

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

/// Puts modules into finished firmware.
#[pyfunction]
#[pyo3(signature = (image, modules, *, slot=None, fix_checksums=false, keep_damaged=false, uncovered=false, file="image", heap_limit=67108864, jobs=1, cache=None))]
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
    cache: Option<Bound<Cache>>,
) -> PyResult<Patched> {
    let slot = options::slot(slot)?;
    let options = PatchOptions {
        fix_checksums,
        keep_damaged,
        uncovered,
    };
    let bytes = image.as_slice();
    let cache = cache::of(cache.as_ref());
    let (changed, about) = work::run(py, options::jobs(jobs)?, |stop| {
        let mut firmware = read(bytes, file)?;
        let (contents, about) = made(&firmware, file, slot, modules, heap_limit, stop, cache)?;
        let changed = change(&mut firmware, bytes, slot, &Change::Put(&contents), options);
        Ok((
            changed.map_err(|error| Failure::of_firmware(file, &error))?,
            about,
        ))
    })?;
    Ok(changed.into_patched(py, file, Some(about)))
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
