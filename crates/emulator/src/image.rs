//! Images: the caller's files, compiled and linked with what every image shares.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fastlua_bytecode::Layout;
use rayon::prelude::*;
use tempfile::TempDir;

use crate::compile::{self, Kit, compile, io_error, link, model_flags, write_all};
use crate::file::{BuildError, File};
use crate::run::{self, Output, RunError};
use crate::sources::{self, Core};
use crate::toolchain::Toolchain;

/// A program for the emulated chip.
#[derive(Debug, Clone)]
pub struct Image {
    tools: Toolchain,
    elf: PathBuf,
    /// Goes with the last clone.
    _folder: Arc<TempDir>,
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
    /// Builds an image whose `main` (without arguments) is in `files`, with stock Lua. The number
    /// model is that of `layout`; `work` is a folder in which objects are kept for the next time,
    /// safe to share.
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
        let core = Core::Stock;
        Objects::compile(tools, work, layout, core, files, &Program::Own)?.link(false)
    }

    /// Builds an image that runs `script` with Lua's libraries, `chip`, and `fast` where `files`
    /// have it ([`crate::fast_files`]). It exits with 1 and Lua's message where the script fails,
    /// and with 70 where something of the heap is left in the end.
    ///
    /// With `count_reads` the constants of `files` lie where `chip.reads` counts the reads of them,
    /// and while it does a write to them ends the run with status 70; instruction counts then mean
    /// nothing. Where the chip has no such reads ([`crate::Chip::counts_reads`]) it changes nothing: there
    /// a write to flash always ends the run.
    ///
    /// # Errors
    /// As for [`Image::build`].
    pub fn script(
        tools: &Toolchain,
        work: &Path,
        layout: &Layout,
        core: Core,
        files: &[File<'_>],
        script: &[u8],
        count_reads: bool,
    ) -> Result<Image, BuildError> {
        let program = Program::Script(script);
        Objects::compile(tools, work, layout, core, files, &program)?.link(count_reads)
    }

    /// Runs it, for `timeout` of real time at most.
    ///
    /// # Errors
    /// Time over, or an emulator that does not run. A program that fails is no error here.
    pub fn run(&self, timeout: Duration) -> Result<Output, RunError> {
        run::run(&self.tools, &self.elf, timeout)
    }

    /// An image whose ELF file is this one, changed as `patch` does.
    ///
    /// # Errors
    /// A file that can't be read or written.
    pub fn patched(&self, patch: &dyn Fn(&mut [u8])) -> Result<Image, BuildError> {
        let elf = self.elf.with_extension("patched.elf");
        let mut bytes = fs::read(&self.elf).map_err(io_error(&self.elf))?;
        patch(&mut bytes);
        fs::write(&elf, bytes).map_err(io_error(&elf))?;
        Ok(Image {
            elf,
            ..self.clone()
        })
    }

    /// The ELF file, which is there as long as this image or a clone is.
    pub fn path(&self) -> &Path {
        &self.elf
    }
}

/// What an image is linked of.
pub(crate) struct Objects {
    tools: Toolchain,
    objects: Vec<PathBuf>,
    script: PathBuf,
    core: Core,
    folder: Arc<TempDir>,
}

impl Objects {
    pub(crate) fn compile(
        tools: &Toolchain,
        work: &Path,
        layout: &Layout,
        core: Core,
        files: &[File<'_>],
        program: &Program<'_>,
    ) -> Result<Objects, BuildError> {
        let runtime = Kit::make(tools, work, "runtime", sources::runtime(tools.chip), &[])?;
        let lua = sources::lua(tools.chip, layout.dialect(), core)?;
        let model = Kit::make(
            tools,
            work,
            &layout.numbers().name(),
            lua.iter().map(|(name, text)| (*name, &**text)),
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
            Program::Harness(jobs) => (&["harness.o", "check.o", "known.o"], jobs.to_vec()),
        };
        if let Some((name, _)) = files.iter().find(|(name, _)| !is_plain(name, &extra)) {
            return Err(BuildError::Name((*name).into()));
        }
        let folder = compile::temporary_folder(&model.folder)?;
        let (built, texts): (Vec<File<'_>>, Vec<File<'_>>) =
            files.iter().partition(|(name, _)| name.ends_with(".o"));
        write_all(folder.path(), texts.iter().chain(&extra).copied())?;
        let built: Vec<(String, &[u8])> = built
            .iter()
            .map(|(name, bytes)| (format!("{name}{OF_FLASH}"), *bytes))
            .collect();
        write_all(
            folder.path(),
            built.iter().map(|(name, bytes)| (name.as_str(), *bytes)),
        )?;
        let built = built.iter().map(|(name, _)| folder.path().join(name));
        let flags: Vec<OsString> = ["-I".into(), model.folder.clone().into_os_string()]
            .into_iter()
            .chain(model.flags.iter().cloned())
            .chain(["-include".into(), "device.h".into()])
            .chain((core == Core::Hooked).then(|| "-DFAST_WRAP".into()))
            .collect();
        let units: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, _)| (*name, OF_FLASH))
            .chain(extra.iter().map(|(name, _)| (*name, ".o")))
            .filter(|(name, _)| is_unit(name))
            .collect();
        let image = units
            .par_iter()
            .map(|(name, suffix)| {
                let object = format!("{name}{suffix}");
                compile(tools, folder.path(), name, &object, &flags)?;
                Ok(folder.path().join(object))
            })
            .collect::<Result<Vec<_>, BuildError>>()?;
        let start = core.starts_apart().then_some(&"luan_init.o");
        let objects: Vec<PathBuf> = ["lua.o", "chip.o"]
            .iter()
            .chain(start)
            .chain(main)
            .map(|name| model.folder.join(name))
            .chain(runtime.objects())
            .chain(image)
            .chain(built)
            .collect();
        Ok(Objects {
            tools: tools.clone(),
            objects,
            script: runtime.folder.join("link.ld"),
            core,
            folder: Arc::new(folder),
        })
    }

    /// The image, with the constants of its files where reads of them are counted, or where flash is.
    pub(crate) fn link(&self, count_reads: bool) -> Result<Image, BuildError> {
        let folder = self.folder.path();
        let (name, place) = match count_reads && self.tools.chip.counts_reads() {
            true => ("reads.elf", Some("-Wl,--defsym=flash_origin=0x60000000")),
            false => ("image.elf", None),
        };
        let elf = folder.join(name);
        let wraps = (self.core == Core::Hooked).then_some("-Wl,--wrap=luaN_init");
        let flags: Vec<&str> = place.into_iter().chain(wraps).collect();
        link(
            &self.tools,
            folder,
            &self.script,
            &self.objects,
            &elf,
            &flags,
        )?;
        Ok(Image {
            tools: self.tools.clone(),
            elf,
            _folder: self.folder.clone(),
        })
    }
}

/// How the linker's script knows objects whose constants are chunks, and not the program's own.
const OF_FLASH: &str = ".flash.o";

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
        && !name.ends_with(".elf")
        && others.iter().all(|(other, _)| *other != name)
}

fn is_unit(name: &str) -> bool {
    name.ends_with(".c") || name.ends_with(".S")
}
