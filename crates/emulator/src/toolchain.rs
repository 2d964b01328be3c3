//! Finds the cross compiler, its C library and the emulator.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The command that installs what is needed on Debian and Ubuntu.
pub const INSTALL: &str =
    "apt-get install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf qemu-system-misc";

const GCC: &str = "xtensa-lx106-elf-gcc";
const QEMU: &str = "qemu-system-xtensa";
const CPU: &str = "lx106";

/// The tools that build and run images.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub(crate) gcc: PathBuf,
    pub(crate) qemu: PathBuf,
    /// picolibc's folder, with `include` and `lib`.
    pub(crate) picolibc: PathBuf,
    /// What the compiler says of its version: part of what an image depends on.
    pub(crate) version: String,
}

/// What of the tools is not on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("missing: {}; on Debian or Ubuntu install it with: {INSTALL}", .0.join(", "))]
pub struct Missing(pub Vec<String>);

impl Toolchain {
    /// Looks for the tools on the path, and for picolibc where Debian keeps it beside the compiler.
    ///
    /// # Errors
    /// All that is missing.
    pub fn find() -> Result<Toolchain, Missing> {
        Toolchain::find_in(&env::var_os("PATH").unwrap_or_default())
    }

    /// The first line that the cross compiler says of its version.
    pub fn version(&self) -> &str {
        self.version.lines().next().unwrap_or_default()
    }

    fn find_in(path: &std::ffi::OsStr) -> Result<Toolchain, Missing> {
        let mut missing = Vec::new();
        let gcc = on_path(path, GCC);
        let qemu = on_path(path, QEMU);
        let picolibc = gcc.as_deref().and_then(picolibc_beside);
        let version = gcc.as_deref().and_then(|gcc| ask(gcc, &["--version"]));
        if version.is_none() {
            missing.push(format!("{GCC} (package gcc-xtensa-lx106)"));
        }
        if picolibc.is_none() {
            missing.push("picolibc for the lx106 (package picolibc-xtensa-lx106-elf)".into());
        }
        match qemu.as_deref().map(|qemu| ask(qemu, &["-cpu", "help"])) {
            Some(Some(cpus)) if cpus.split_whitespace().any(|cpu| cpu == CPU) => {}
            Some(_) => missing.push(format!("the CPU {CPU} in {QEMU} (QEMU 7 or later has it)")),
            None => missing.push(format!("{QEMU} (package qemu-system-misc)")),
        }
        match (gcc, qemu, picolibc, version) {
            (Some(gcc), Some(qemu), Some(picolibc), Some(version)) if missing.is_empty() => {
                Ok(Toolchain {
                    gcc,
                    qemu,
                    picolibc,
                    version,
                })
            }
            _ => Err(Missing(missing)),
        }
    }
}

fn on_path(path: &std::ffi::OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// `../lib/xtensa-lx106-elf`, seen from the compiler.
fn picolibc_beside(gcc: &Path) -> Option<PathBuf> {
    let bin = gcc.parent()?.canonicalize().ok()?;
    let folder = bin.parent()?.join("lib/xtensa-lx106-elf");
    let whole = folder.join("include/picolibc.h").is_file() && folder.join("lib/libc.a").is_file();
    whole.then_some(folder)
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
        let missing = Toolchain::find_in("/no-such-folder".as_ref()).unwrap_err();
        assert_eq!(missing.0.len(), 3, "{missing:?}");
        let text = missing.to_string();
        for word in [GCC, QEMU, "picolibc", INSTALL] {
            assert!(text.contains(word), "{text}");
        }
    }
}
