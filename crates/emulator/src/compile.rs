//! Compiles and links. What every image shares is compiled once and kept in the work folder.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastlua_bytecode::Layout;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use crate::Chip;
use crate::file::{BuildError, File};
use crate::toolchain::Toolchain;

/// Objects that many images share, in a folder whose name identifies all that they depend on.
pub(crate) struct Kit {
    pub(crate) folder: PathBuf,
    pub(crate) flags: Vec<OsString>,
    units: Vec<&'static str>,
}

/// Units of [`crate::sources::lua`] and [`crate::sources::runtime`] that are compiled; the others are
/// included.
const UNITS: &[&str] = &[
    "arith.c",
    "blocks.c",
    "check.c",
    "chip.c",
    "emulator.c",
    "harness.c",
    "heap.c",
    "known.c",
    "lua.c",
    "luan_init.c",
    "script.c",
    "softfloat.c",
    "start.S",
    "system.c",
    "trap.c",
];

impl Kit {
    /// Compiles what is not there yet. Several may do so at once.
    pub(crate) fn make<'a>(
        tools: &Toolchain,
        work: &Path,
        name: &str,
        files: impl Iterator<Item = File<'a>> + Clone,
        flags: &[String],
    ) -> Result<Kit, BuildError> {
        let mut parts: Vec<&str> = flags.iter().map(String::as_str).collect();
        parts.push(&tools.version);
        parts.extend(all_flags(tools.chip));
        // gcc finds what it includes by name, wherever it runs
        let work = fs::canonicalize(create(work)?).map_err(io_error(work))?;
        let folder = work.join(format!("{name}-{}", digest(files.clone(), &parts)));
        let kit = Kit {
            flags: flags.iter().map(OsString::from).collect(),
            units: UNITS
                .iter()
                .copied()
                .filter(|unit| files.clone().any(|(name, _)| name == *unit))
                .collect(),
            folder,
        };
        let missing: Vec<&str> = kit
            .units
            .iter()
            .copied()
            .filter(|unit| !kit.object(unit).exists())
            .collect();
        if !missing.is_empty() {
            write_all(&kit.folder, files)?;
            missing.par_iter().try_for_each(|unit| {
                let object = kit.object(unit);
                let object = object.file_name().unwrap_or_default().to_string_lossy();
                compile(tools, &kit.folder, unit, &object, &kit.flags)
            })?;
        }
        Ok(kit)
    }

    fn object(&self, unit: &str) -> PathBuf {
        self.folder.join(unit).with_extension("o")
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = PathBuf> {
        self.units.iter().map(|unit| self.object(unit))
    }
}

/// What all chips have in common. `malloc` is ours, and changes counters that gcc would else believe
/// untouched.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    "-fno-builtin-realloc",
    "-fno-builtin-free",
    "-w",
];

fn all_flags(chip: Chip) -> Vec<&'static str> {
    let facts = chip.facts();
    [FLAGS, facts.cpu_flags, facts.flags].concat()
}

/// The compiler flags that set the number model.
pub(crate) fn model_flags(layout: &Layout) -> Vec<String> {
    let flags = layout.numbers().flags().into_iter();
    flags
        .chain(["-include".into(), "packed.h".into()])
        .collect()
}

/// Compiles `folder`'s `unit` to `object` beside it, which appears whole or not at all.
pub(crate) fn compile(
    tools: &Toolchain,
    folder: &Path,
    unit: &str,
    object: &str,
    flags: &[OsString],
) -> Result<(), BuildError> {
    let made = temporary(folder)?;
    let mut command = Command::new(&tools.gcc);
    command
        .current_dir(folder)
        .args(all_flags(tools.chip))
        .arg("-isystem")
        .arg(&tools.picolibc.include)
        .arg("-I.");
    if unit.ends_with(".c") {
        command.args(flags);
    }
    finish(command.arg("-c").arg(unit).arg("-o").arg(made.path()), unit)?;
    persist(made, &folder.join(object))
}

/// Links `objects`, in this order, with picolibc and libgcc.
pub(crate) fn link(
    tools: &Toolchain,
    folder: &Path,
    script: &Path,
    objects: &[PathBuf],
    elf: &Path,
    flags: &[&str],
) -> Result<(), BuildError> {
    let made = temporary(folder)?;
    let mut command = Command::new(&tools.gcc);
    command
        .current_dir(folder)
        .args(tools.chip.facts().cpu_flags)
        .args(["-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-T"])
        .arg(script)
        .arg("-L")
        .arg(&tools.picolibc.lib)
        .args(flags)
        .args(objects)
        .args([
            "-Wl,--start-group",
            "-lc",
            "-lm",
            "-lgcc",
            "-Wl,--end-group",
        ])
        .arg("-o")
        .arg(made.path());
    finish(&mut command, "linking")?;
    persist(made, elf)
}

fn finish(command: &mut Command, what: &str) -> Result<(), BuildError> {
    let output = command
        .output()
        .map_err(io_error(Path::new(command.get_program())))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(BuildError::Tool {
            what: what.into(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

/// A hash of names, contents and other parts: the first 12 digits are enough for a folder's name.
fn digest<'a>(files: impl Iterator<Item = File<'a>>, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for (name, content) in files {
        add(name.as_bytes());
        add(content);
    }
    parts.iter().for_each(|part| add(part.as_bytes()));
    let hash = hash.finalize();
    base16ct::lower::encode_string(&hash[..6])
}

pub(crate) fn io_error(path: &Path) -> impl Fn(io::Error) -> BuildError {
    let path = path.to_owned();
    move |error| BuildError::Io {
        path: path.clone(),
        error,
    }
}

/// What the names of temporary files and folders begin with; as many letters and digits follow.
const TEMPORARY: &str = ".fastlua-";
/// How many.
const TEMPORARY_RANDOM: usize = 12;

fn create(folder: &Path) -> Result<&Path, BuildError> {
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    Ok(folder)
}

/// A folder in `folder` that goes when it is dropped.
pub(crate) fn temporary_folder(folder: &Path) -> Result<TempDir, BuildError> {
    named().tempdir_in(folder).map_err(io_error(folder))
}

/// Names that whoever owns the folder knows as those of temporary files, should a run be killed.
fn named() -> tempfile::Builder<'static, 'static> {
    let mut named = tempfile::Builder::new();
    named.prefix(TEMPORARY).rand_bytes(TEMPORARY_RANDOM);
    named
}

fn temporary(folder: &Path) -> Result<NamedTempFile, BuildError> {
    named().tempfile_in(folder).map_err(io_error(folder))
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), BuildError> {
    file.persist(path)
        .map(drop)
        .map_err(|error| io_error(path)(error.error))
}

/// Writes files into a folder, which is made where it is missing.
pub(crate) fn write_all<'a>(
    folder: &Path,
    files: impl Iterator<Item = File<'a>>,
) -> Result<(), BuildError> {
    create(folder)?;
    for (name, content) in files {
        let path = folder.join(name);
        let file = temporary(folder)?;
        fs::write(file.path(), content).map_err(io_error(&path))?;
        persist(file, &path)?;
    }
    Ok(())
}
