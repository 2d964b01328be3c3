//! The library as a Python module: `fastlua._native`. The package's other files are in `fastlua/`.
//!
//! Each function takes its arguments, does its work without the interpreter's lock (`work.rs`), and makes Python objects of
//! the result. Reports become dictionaries with the JSON's keys, since both come from the same types.

mod arguments;
mod bundle;
mod cache;
mod contents;
mod error;
mod file;
mod firmware;
mod lfs;
mod options;
mod work;

use pyo3::prelude::*;
use serde::Serialize;

#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::bundle::{Bundle, build};
    #[pymodule_export]
    use crate::cache::Cache;
    #[pymodule_export]
    use crate::contents::{SlotContents, slot_contents};
    #[pymodule_export]
    use crate::file::{Compiled, check, compile, extract, inspect, split, squash, variants};
    #[pymodule_export]
    use crate::firmware::{Patched, clear, patch, put};
    #[pymodule_export]
    use crate::lfs::{LfsImage, lfs};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", fastlua::VERSION)
    }
}

/// What a value's JSON is, as Python's own objects.
fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize::pythonize(py, value)?)
}
