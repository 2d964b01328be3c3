//! Options about variants that several commands have.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fastlua::{Diagnostic, Variant, VariantError, Variants};

use crate::args::values;
use crate::io::output;
use crate::report::print;

/// The known variants.
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
fn find<'a>(variants: &'a Variants, name: &str) -> Result<&'a Variant> {
    fastlua::find_variant(variants, name).map_err(print::usage)
}

/// `--variant`, once.
#[derive(clap::Args)]
pub struct OneVariant {
    /// Variant of the firmware, such as lua51-float; `fastlua variants` lists them
    #[arg(long, value_name = "V", value_parser = values::variant(), hide_possible_values = true)]
    variant: Option<String>,
}

impl OneVariant {
    /// The given variant, if any.
    pub fn find<'a>(&self, known: &'a Variants) -> Result<Option<&'a Variant>> {
        let named = self.variant.as_ref();
        named.map(|name| find(known, name)).transpose()
    }
}

/// `--variant`, any number of times.
#[derive(clap::Args)]
pub struct SomeVariants {
    /// Variant of the firmware, such as lua51-float (may be given several times); `fastlua variants` lists them
    #[arg(long, value_name = "V", value_parser = values::variant(), hide_possible_values = true)]
    variant: Vec<String>,
}

impl SomeVariants {
    /// The names, each of a known variant; none if none is given.
    pub fn names(&self, known: &Variants) -> Result<Option<Vec<String>>> {
        for name in &self.variant {
            find(known, name)?;
        }
        Ok((!self.variant.is_empty()).then(|| self.variant.clone()))
    }
}

/// The firmware's source tree, in place of `--variant`.
#[derive(clap::Args)]
pub struct Tree {
    /// NodeMCU tree: use its variant
    ///
    /// fastlua reads user_config.h or sdkconfig, and takes the size of the region for LFS from there too.
    #[arg(long, value_name = "DIR", conflicts_with = "variant")]
    pub firmware: Option<PathBuf>,
    /// Lua version of the firmware's make, as in LUA=53 [ESP8266 default: 51]
    #[arg(long, value_name = "51|53", requires = "firmware", value_parser = ["51", "53"])]
    pub lua: Option<String>,
}

/// Whether the modules are compared with the firmware's tree.
#[derive(clap::Args)]
pub struct Compare {
    /// Do not compare what the modules need with the firmware's tree, as `fastlua needs` does
    #[arg(long, requires = "firmware")]
    pub no_needs: bool,
}

/// The heap limit of a compiler.
#[derive(clap::Args)]
pub struct Heap {
    /// Heap limit for compiling or loading one chunk, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    heap_limit: u16,
}

impl Heap {
    /// In bytes.
    pub fn bytes(&self) -> usize {
        usize::from(self.heap_limit) << 20
    }
}
