//! Images for the Lua Flash Store.

use fastlua::{LfsOptions, LfsReport, LineInfo};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::{Modules, some};
use crate::cache::{self, Cache};
use crate::{options, to_python, work};

/// An image for LFS, proved.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct LfsImage {
    image: Py<PyBytes>,
    report: LfsReport,
}

#[pymethods]
impl LfsImage {
    /// The file.
    #[getter]
    fn image(&self, py: Python) -> Py<PyBytes> {
        self.image.clone_ref(py)
    }

    /// Warnings and notes for the user.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.report.warnings)
    }

    /// The report of `fastlua lfs --json`.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.report)
    }

    fn __repr__(&self) -> String {
        format!("<fastlua.LfsImage {}>", self.report.summary())
    }
}

/// Makes an image for LFS.
#[pyfunction]
#[pyo3(signature = (modules, variant, *, region=None, address=None, timestamp=0, line_info="shortest", heap_limit=67108864, jobs=1, cache=None))]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
pub(crate) fn lfs(
    py: Python,
    modules: Modules,
    variant: String,
    region: Option<i64>,
    address: Option<i64>,
    timestamp: i64,
    line_info: &str,
    heap_limit: i64,
    jobs: i64,
    cache: Option<Bound<Cache>>,
) -> PyResult<LfsImage> {
    let lfs = LfsOptions {
        region: region
            .map(|bytes| options::word("region", bytes))
            .transpose()?,
        address: address.map(|at| options::word("address", at)).transpose()?,
        timestamp: options::word("timestamp", timestamp)?,
        reference_lines: options::line_info(line_info)? == LineInfo::Reference,
    };
    let plan = options::plan(Some(vec![variant]), heap_limit)?;
    let cache = cache::of(cache.as_ref());
    let image = work::run(py, options::jobs(jobs)?, |stop| {
        let plan = some(modules.functions()?)?.plan_for_lfs(&plan)?;
        Ok(plan.build_with(Some(stop), cache)?.lfs_image(&lfs)?)
    })?;
    Ok(LfsImage {
        image: PyBytes::new(py, &image.bytes).unbind(),
        report: image.report,
    })
}
