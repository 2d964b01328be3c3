//! Builds images: compiles what every image shares once into the work folder, then the image's own
//! files, and links them.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastlua_bytecode::{Dialect, Layout};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::run::{self, Output, RunError};
use crate::sources::{self, RUNTIME, Source};
use crate::toolchain::Toolchain;

/// Name (without folders) and content of a file of an image. A name that ends in `.c` or `.S` is
/// compiled and linked; others lie beside them, to be included.
pub type File<'a> = (&'a str, &'a [u8]);

/// A program for the emulated chip.
#[derive(Debug, Clone)]
pub struct Image {
    tools: Toolchain,
    elf: PathBuf,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The compiler or linker refused something.
    #[error("{what} failed: {errors}")]
    Tool {
        /// What was compiled or linked.
        what: String,
        /// The tool's words.
        errors: String,
    },
    /// A file's name has folders, or is one of the image's own.
    #[error("{0:?} can't be the name of an image's file")]
    Name(String),
    /// A file or folder.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What is linked beside the caller's files.
pub(crate) enum Program<'a> {
    /// Only the runtime, Lua and the library `chip`.
    Own,
    /// The main program that runs this script.
    Script(&'a [u8]),
    /// The measuring program, with these files of jobs.
    Harness(&'a [File<'a>]),
}

impl Image {
    /// Builds an image whose `main` (without arguments) is in `files`. The number model is that of
    /// `layout`; `work` is a folder in which objects are kept for the next time, safe to share.
    ///
    /// The files are compiled with Lua's headers, `runtime.h` and `chip.h` at hand.
    ///
    /// # Errors
    /// The compiler's words, or a file that can't be written.
    pub fn build(
        tools: &Toolchain,
        work: &Path,
        layout: &Layout,
        files: &[File<'_>],
    ) -> Result<Image, BuildError> {
        Image::with(tools, work, layout, files, &Program::Own, false)
    }

    /// Builds an image that runs `script` with Lua's libraries, `chip`, and `fast` where `files`
    /// have it ([`crate::fast_files`]). It exits with 1 and Lua's message where the script fails,
    /// and with 70 where something of the heap is left in the end.
    ///
    /// With `count_reads` the constants of `files` lie where `chip.reads` counts the reads of them;
    /// instruction counts then mean nothing.
    ///
    /// # Errors
    /// As for [`Image::build`].
    pub fn script(
        tools: &Toolchain,
        work: &Path,
        layout: &Layout,
        files: &[File<'_>],
        script: &[u8],
        count_reads: bool,
    ) -> Result<Image, BuildError> {
        let program = Program::Script(script);
        Image::with(tools, work, layout, files, &program, count_reads)
    }

    /// Runs it, for `timeout` of real time at most.
    ///
    /// # Errors
    /// Time over, or an emulator that does not run. A program that fails is no error here.
    pub fn run(&self, timeout: Duration) -> Result<Output, RunError> {
        run::run(&self.tools, &self.elf, timeout)
    }

    /// The ELF file.
    pub fn path(&self) -> &Path {
        &self.elf
    }

    pub(crate) fn with(
        tools: &Toolchain,
        work: &Path,
        layout: &Layout,
        files: &[File<'_>],
        program: &Program<'_>,
        count_reads: bool,
    ) -> Result<Image, BuildError> {
        let runtime_sources = RUNTIME.iter().chain(sources::softfloat()).copied();
        let runtime = Kit::make(tools, work, "runtime", runtime_sources, &[])?;
        let model = Kit::make(
            tools,
            work,
            &sources::model_name(layout),
            sources::lua(layout.dialect()),
            &model_flags(layout),
        )?;
        let (main, extra): (&[&str], Vec<File<'_>>) = match program {
            Program::Own => (&[], vec![]),
            Program::Script(text) => (
                &["script.o"],
                vec![
                    ("script-data.S", SCRIPT_DATA.as_bytes()),
                    ("script.lua", text),
                ],
            ),
            Program::Harness(jobs) => (&["harness.o", "check.o"], jobs.to_vec()),
        };
        if let Some((name, _)) = files.iter().find(|(name, _)| !is_plain(name, &extra)) {
            return Err(BuildError::Name((*name).into()));
        }
        let all: Vec<File<'_>> = files.iter().chain(&extra).copied().collect();
        let runtime_name = runtime.folder.file_name().unwrap_or_default();
        let parts = [&*runtime_name.to_string_lossy(), &count_reads.to_string()];
        let name = format!("image-{}", digest(all.iter().copied(), &parts));
        let folder = model.folder.join(name);
        let elf = folder.join("image.elf");
        if !elf.exists() {
            write_all(&folder, all.iter().copied())?;
            let flags: Vec<OsString> = ["-I".into(), model.folder.clone().into_os_string()]
                .into_iter()
                .chain(model.flags.iter().cloned())
                .chain(["-include".into(), "device.h".into()])
                .collect();
            let object = |name: &str, suffix: &str| {
                let object = format!("{name}{suffix}");
                compile(tools, &folder, name, &object, &flags).map(|()| folder.join(object))
            };
            let units: Vec<(&str, &str)> = files
                .iter()
                .map(|(name, _)| (*name, ".flash.o"))
                .chain(extra.iter().map(|(name, _)| (*name, ".o")))
                .filter(|(name, _)| is_unit(name))
                .collect();
            let mut objects = units
                .par_iter()
                .map(|(name, suffix)| object(name, suffix))
                .collect::<Result<Vec<_>, _>>()?;
            objects.extend(main.iter().map(|name| model.folder.join(name)));
            objects.extend(["chip.o", "lua.o"].map(|name| model.folder.join(name)));
            objects.extend(runtime.objects());
            let script = runtime.folder.join("link.ld");
            link(tools, &folder, &script, &objects, &elf, count_reads)?;
        }
        Ok(Image {
            tools: tools.clone(),
            elf,
        })
    }
}

const SCRIPT_DATA: &str = "\
\t.section .flash, \"a\"\n\t.global script_start, script_end\n\t.balign 4\n\
script_start:\n\t.incbin \"script.lua\"\nscript_end:\n\t.balign 4\n";

fn is_plain(name: &str, others: &[File<'_>]) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    name.bytes().all(allowed)
        && name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric())
        && name != "image.elf"
        && others.iter().all(|(other, _)| *other != name)
}

fn is_unit(name: &str) -> bool {
    name.ends_with(".c") || name.ends_with(".S")
}

/// Objects that many images share, in a folder whose name tells all that they depend on.
struct Kit {
    folder: PathBuf,
    flags: Vec<OsString>,
    units: Vec<&'static str>,
}

/// Units of [`sources::lua`] and the runtime that are compiled; the others are included.
const UNITS: &[&str] = &[
    "arith.c",
    "check.c",
    "chip.c",
    "harness.c",
    "heap.c",
    "lua.c",
    "script.c",
    "softfloat.c",
    "start.S",
    "system.c",
    "trap.c",
];

impl Kit {
    fn make(
        tools: &Toolchain,
        work: &Path,
        name: &str,
        files: impl Iterator<Item = Source> + Clone,
        flags: &[String],
    ) -> Result<Kit, BuildError> {
        let mut parts: Vec<&str> = flags.iter().map(String::as_str).collect();
        parts.push(&tools.version);
        parts.extend(FLAGS);
        // gcc finds what it includes by name, wherever it runs
        let work = fs::canonicalize(create(work)?).map_err(io_error(work))?;
        let folder = work.join(format!("{name}-{}", digest(files.clone(), &parts)));
        let kit = Kit {
            flags: flags.iter().map(OsString::from).collect(),
            units: files
                .clone()
                .map(|(name, _)| name)
                .filter(|name| UNITS.contains(name))
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

    fn objects(&self) -> impl Iterator<Item = PathBuf> {
        self.units.iter().map(|unit| self.object(unit))
    }
}

/// What NodeMCU's makefile (branch release) compiles with, as far as it decides what a load costs.
/// `malloc` is ours, and changes counters that gcc would else believe untouched.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-O2",
    "-fno-inline-functions",
    "-mlongcalls",
    "-mtext-section-literals",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    "-fno-builtin-realloc",
    "-fno-builtin-free",
    "-w",
];

fn model_flags(layout: &Layout) -> Vec<String> {
    let lua = match layout.dialect() {
        Dialect::Lua51 => 51,
        Dialect::Lua53 => 53,
    };
    vec![
        format!("-DFASTLUA_LUA={lua}"),
        format!("-DFASTLUA_INTEGER={}", layout.integer),
        format!("-DFASTLUA_FLOAT={}", layout.float),
        "-include".into(),
        "packed.h".into(),
    ]
}

/// Compiles `folder`'s `unit` to `object` beside it, which appears whole or not at all.
fn compile(
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
        .args(FLAGS)
        .arg("-isystem")
        .arg(tools.picolibc.join("include"))
        .arg("-I.");
    if unit.ends_with(".c") {
        command.args(flags);
    }
    finish(command.arg("-c").arg(unit).arg("-o").arg(made.path()), unit)?;
    persist(made, &folder.join(object))
}

fn link(
    tools: &Toolchain,
    folder: &Path,
    script: &Path,
    objects: &[PathBuf],
    elf: &Path,
    count_reads: bool,
) -> Result<(), BuildError> {
    let made = temporary(folder)?;
    let mut command = Command::new(&tools.gcc);
    command
        .current_dir(folder)
        .args(["-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-T"])
        .arg(script)
        .arg("-L")
        .arg(tools.picolibc.join("lib"));
    if count_reads {
        command.arg("-Wl,--defsym=flash_origin=0x60000000");
    }
    command
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
    hash[..6].iter().map(|b| format!("{b:02x}")).collect()
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> BuildError {
    let path = path.to_owned();
    move |error| BuildError::Io {
        path: path.clone(),
        error,
    }
}

fn create(folder: &Path) -> Result<&Path, BuildError> {
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    Ok(folder)
}

fn temporary(folder: &Path) -> Result<NamedTempFile, BuildError> {
    NamedTempFile::new_in(folder).map_err(io_error(folder))
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), BuildError> {
    file.persist(path)
        .map(drop)
        .map_err(|error| io_error(path)(error.error))
}

fn write_all<'a>(folder: &Path, files: impl Iterator<Item = File<'a>>) -> Result<(), BuildError> {
    create(folder)?;
    for (name, content) in files {
        let path = folder.join(name);
        let file = temporary(folder)?;
        fs::write(file.path(), content).map_err(io_error(&path))?;
        persist(file, &path)?;
    }
    Ok(())
}
