//! Finds the cross compiler, its C library and the emulator.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Chip;

/// The tools that build and run a chip's images.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub(crate) chip: Chip,
    pub(crate) gcc: PathBuf,
    pub(crate) qemu: PathBuf,
    pub(crate) picolibc: Picolibc,
    /// What the compiler says of its version: part of what an image depends on.
    pub(crate) version: String,
}

/// The C library's folders.
#[derive(Debug, Clone)]
pub(crate) struct Picolibc {
    pub(crate) include: PathBuf,
    pub(crate) lib: PathBuf,
}

/// What of the tools is not on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("missing: {}; on Debian or Ubuntu install it with: {}", .what.join(", "), .chip.install())]
pub struct Missing {
    /// The chip that they are for.
    pub chip: Chip,
    /// Each tool, with its package.
    pub what: Vec<String>,
}

impl Toolchain {
    /// Looks for a chip's tools on the path, and for picolibc where Debian keeps it beside the compiler.
    ///
    /// # Errors
    /// All that is missing.
    pub fn find(chip: Chip) -> Result<Toolchain, Missing> {
        Toolchain::find_in(chip, &env::var_os("PATH").unwrap_or_default())
    }

    /// The chip that they are for.
    pub fn chip(&self) -> Chip {
        self.chip
    }

    /// The first line that the cross compiler says of its version.
    pub fn version(&self) -> &str {
        self.version.lines().next().unwrap_or_default()
    }

    fn find_in(chip: Chip, path: &std::ffi::OsStr) -> Result<Toolchain, Missing> {
        let facts = chip.facts();
        let mut what = Vec::new();
        let gcc = on_path(path, facts.gcc);
        let qemu = on_path(path, facts.qemu);
        let picolibc = gcc.as_deref().and_then(|gcc| picolibc_beside(gcc, chip));
        let version = gcc.as_deref().and_then(|gcc| ask(gcc, &["--version"]));
        if version.is_none() {
            what.push(format!("{} (package {})", facts.gcc, facts.gcc_package));
        }
        if picolibc.is_none() {
            let package = facts.picolibc_package;
            what.push(format!("picolibc for the {chip} (package {package})"));
        }
        match qemu.as_deref().map(|qemu| ask(qemu, &["-cpu", "help"])) {
            Some(Some(cpus)) if cpus.split_whitespace().any(|cpu| cpu == facts.cpu) => {}
            Some(_) => what.push(format!(
                "the CPU {} in {} (QEMU 7 or later has it)",
                facts.cpu, facts.qemu
            )),
            None => what.push(format!("{} (package qemu-system-misc)", facts.qemu)),
        }
        match (gcc, qemu, picolibc, version) {
            (Some(gcc), Some(qemu), Some(picolibc), Some(version)) if what.is_empty() => {
                Ok(Toolchain {
                    chip,
                    gcc,
                    qemu,
                    picolibc,
                    version,
                })
            }
            _ => Err(Missing { chip, what }),
        }
    }
}

fn on_path(path: &std::ffi::OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The folder above the compiler's has it; its libraries are those for the CPU.
fn picolibc_beside(gcc: &Path, chip: Chip) -> Option<Picolibc> {
    let facts = chip.facts();
    let bin = gcc.parent()?.canonicalize().ok()?;
    let folder = bin.parent()?.join(facts.picolibc);
    let flags: Vec<&str> = facts
        .cpu_flags
        .iter()
        .copied()
        .chain(["-print-multi-directory"])
        .collect();
    let of_cpu = ask(gcc, &flags)?;
    let found = Picolibc {
        include: folder.join("include"),
        lib: folder.join(facts.libraries).join(of_cpu.trim()),
    };
    let whole = found.include.join("picolibc.h").is_file() && found.lib.join("libc.a").is_file();
    whole.then_some(found)
}

fn ask(tool: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_missing_and_how_to_get_it() {
        for chip in Chip::ALL {
            let missing = Toolchain::find_in(chip, "/no-such-folder".as_ref()).unwrap_err();
            assert_eq!(missing.what.len(), 3, "{missing:?}");
            let text = missing.to_string();
            let facts = chip.facts();
            for word in [facts.gcc, facts.qemu, "picolibc", &chip.install()] {
                assert!(text.contains(word), "{text}");
            }
        }
    }
}
