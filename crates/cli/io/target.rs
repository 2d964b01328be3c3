//! Where an output goes: a file, a device or pipe, or standard output.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::report::print;

/// The longest chain of links.
const LINKS: u32 = 40;

/// Where an output goes.
pub enum Target {
    /// Standard output.
    Stdout,
    /// A device, a pipe or another open file: it is written to as it is.
    Stream(PathBuf),
    /// A regular file, or none yet. Links are followed, so that a link stays a link.
    File(PathBuf),
}

impl Target {
    /// Determines the kind of a path.
    pub fn of(path: &Path) -> Result<Target> {
        if is_stdout(path) {
            return Ok(Target::Stdout);
        }
        let target = resolved(path, LINKS)?;
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => bail!("it is a folder"),
            Ok(about) if !about.is_file() => return Ok(Target::Stream(path.to_owned())),
            Ok(_) if is_open_file(path) => return Ok(Target::Stream(path.to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        if path.as_os_str().is_empty() || path.to_string_lossy().ends_with(['/', '\\']) {
            bail!("it is not a file name");
        }
        let folder = folder_of(&target);
        if !folder.is_dir() {
            bail!("the folder {} does not exist", print::path(folder));
        }
        Ok(Target::File(target))
    }
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Whether a path means standard output.
pub fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

/// Whether a path names a file descriptor of this process.
fn is_open_file(path: &Path) -> bool {
    path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

/// The file that a path leads to, which need not exist.
fn resolved(path: &Path, links: u32) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            Ok(_) if links == 0 => Err(error),
            Ok(next) => resolved(&folder_of(path).join(next), links - 1),
            Err(_) => Ok(path.to_owned()),
        },
        Err(error) => Err(error),
    }
}
