//! Bundles.

use std::sync::{Arc, OnceLock};

use fastlua::{Chip, OutputFile, Plan, check_capacity};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arguments::{Modules, Names, dictionary, some};
use crate::cache::{self, Cache};
use crate::error::Failure;
use crate::{options, to_python, work};

/// What `outputs` makes.
#[derive(Debug, Clone, Copy)]
enum Emit {
    Module,
    Slot(u32),
    Object(Chip),
    Headers,
}

impl Emit {
    fn of(emit: &str, slot: Option<i64>, chip: Option<&str>) -> Result<Emit, Failure> {
        let chip = chip.map(str::parse).transpose()?;
        match (emit, slot, chip) {
            ("module", None, None) => Ok(Emit::Module),
            ("module", Some(bytes), None) => {
                let bytes = options::word("slot", bytes)?;
                check_capacity(bytes).map_err(Failure::option)?;
                Ok(Emit::Slot(bytes))
            }
            ("object", None, Some(chip)) => Ok(Emit::Object(chip)),
            ("object", None, None) => Err(Failure::option(
                "emit=\"object\" is for one chip: pass chip=, such as \"esp8266\"",
            )),
            ("header", None, None) => Ok(Emit::Headers),
            ("module" | "header", _, Some(_)) => {
                Err(Failure::option("chip is for emit=\"object\""))
            }
            ("object" | "header", Some(_), _) => {
                Err(Failure::option("slot is for emit=\"module\""))
            }
            (emit, ..) => Err(Failure::option(format!(
                "emit={emit:?}, not \"module\", \"object\" or \"header\""
            ))),
        }
    }

    fn plan(self, plan: Plan) -> Result<Plan, Failure> {
        match self {
            Emit::Headers => Ok(plan.for_c_modules()),
            Emit::Object(chip) => {
                chip.one_of(&plan.variants).map_err(fastlua::Error::from)?;
                Ok(plan)
            }
            Emit::Module | Emit::Slot(_) => Ok(plan),
        }
    }

    fn files(self, bundle: &fastlua::Bundle) -> Result<Vec<OutputFile<'_>>, Failure> {
        Ok(match self {
            Emit::Module => bundle.c_module().to_vec(),
            Emit::Slot(bytes) => bundle.c_module_with_slot(bytes)?.to_vec(),
            Emit::Object(chip) => bundle.c_module_with_object(chip)?.to_vec(),
            Emit::Headers => bundle.module_headers()?,
        })
    }
}

/// Every chunk for every variant, proved to load back.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct Bundle {
    bundle: Arc<fastlua::Bundle>,
    emit: Emit,
    name: OnceLock<String>,
}

#[pymethods]
impl Bundle {
    /// 16 hexadecimal digits that depend on its whole contents.
    #[getter]
    fn name(&self, py: Python) -> PyResult<String> {
        if let Some(name) = self.name.get() {
            return Ok(name.clone());
        }
        let name = work::run(py, 1, |_| Ok(self.bundle.name()))?;
        Ok(self.name.get_or_init(|| name).clone())
    }

    /// Names of its variants.
    #[getter]
    fn variants(&self) -> Vec<String> {
        self.bundle
            .variants
            .iter()
            .map(|v| v.name.clone())
            .collect()
    }

    /// Warnings and notes for the user.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.bundle.diagnostics())
    }

    /// The files that the command writes, by name.
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let files = work::run(py, 1, |_| {
            let files = self.emit.files(&self.bundle)?.into_iter();
            Ok(files
                .map(|file| (file.name.clone(), file.bytes()))
                .collect::<Vec<_>>())
        })?;
        dictionary(py, &files)
    }

    /// The report of `fastlua build --json`.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = self.name(py)?;
        to_python(
            py,
            &work::run(py, 1, |_| Ok(self.bundle.report_named(name)))?,
        )
    }

    /// The bill of materials, CycloneDX in JSON.
    fn sbom<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let name = self.name(py)?;
        let text = work::run(py, 1, |_| Ok(self.bundle.cyclonedx(&name, true)?))?;
        Ok(PyBytes::new(py, text.as_bytes()))
    }

    fn __repr__(&self, py: Python) -> PyResult<String> {
        Ok(format!(
            "<fastlua.Bundle {}, {} chunks>",
            self.name(py)?,
            self.bundle.chunks.len()
        ))
    }
}

/// Compiles modules for variants.
#[pyfunction]
#[pyo3(signature = (modules, *, variants=None, emit="module", slot=None, chip=None, heap_limit=67108864, jobs=1, cache=None))]
#[allow(clippy::too_many_arguments)] // each is an argument in Python, with a name
pub(crate) fn build(
    py: Python,
    modules: Modules,
    variants: Option<Names>,
    emit: &str,
    slot: Option<i64>,
    chip: Option<&str>,
    heap_limit: i64,
    jobs: i64,
    cache: Option<Bound<Cache>>,
) -> PyResult<Bundle> {
    let emit = Emit::of(emit, slot, chip)?;
    let variants = variants.map(|Names(names)| names);
    let options = options::plan(variants, heap_limit)?;
    let cache = cache::of(cache.as_ref());
    let bundle = work::run(py, options::jobs(jobs)?, |stop| {
        let project = modules.project()?;
        let project = match emit {
            Emit::Slot(_) => project,
            _ => some(project)?,
        };
        let plan = emit.plan(project.plan(&options)?)?;
        Ok(plan.build_with(Some(stop), cache)?)
    })?;
    Ok(Bundle {
        bundle: Arc::new(bundle),
        emit,
        name: OnceLock::new(),
    })
}
