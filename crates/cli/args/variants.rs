//! Options about variants that several commands have.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fastlua::{Diagnostic, Variant, VariantError, Variants};

use crate::io::output;
use crate::report::print;

/// The variants to know of.
#[derive(clap::Args)]
pub struct Known {
    /// Folder of TOML files that add variants, or override those of the same name
    #[arg(long, value_name = "DIR")]
    variants: Option<PathBuf>,
}

impl Known {
    /// The built-in ones and the folder's.
    pub fn load(&self) -> Result<Variants> {
        let mut variants = Variants::built_in();
        for path in self.files()? {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let text = String::from_utf8(output::read(&path)?)
                .with_context(|| format!("{} is not UTF-8", print::path(&path)))?;
            variants
                .add(&file, &text)
                .map_err(|error| wrong(&path, &text, &error))?;
        }
        Ok(variants)
    }

    /// The folder's files, sorted.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let Some(folder) = &self.variants else {
            return Ok(Vec::new());
        };
        let shown = || format!("{} can't be read", print::path(folder));
        let mut files = Vec::new();
        let failed = |error| print::of_file(folder, format!("{}: {error}", shown()));
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// An error of a variant's file.
fn wrong(path: &Path, text: &str, error: &VariantError) -> anyhow::Error {
    let file = path.display().to_string();
    let shown = error.to_string();
    let entry = match error {
        VariantError::Toml {
            reason,
            span: Some(span),
            ..
        } => Diagnostic::at(&file, text, span.start, reason),
        VariantError::Toml { reason, .. } | VariantError::Value { reason, .. } => {
            Diagnostic::of_file(&file, None, reason)
        }
        _ => Diagnostic::of_file(&file, None, &shown),
    };
    print::said(shown.trim_end().to_owned(), vec![entry], None)
}

/// The variant of a name on the command line, or an error that names the closest.
pub fn find<'a>(variants: &'a Variants, name: &str) -> Result<&'a Variant> {
    fastlua::find_variant(variants, name).map_err(print::usage)
}

/// How much heap a compiler may take.
#[derive(clap::Args)]
pub struct Heap {
    /// Heap that compiling or loading one chunk may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    heap_limit: u16,
}

impl Heap {
    /// In bytes.
    pub fn bytes(&self) -> usize {
        usize::from(self.heap_limit) << 20
    }
}
