//! Output files, whole or not at all.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::changed::{Changed, STEP};
use crate::print;
use crate::temporary::{self, Temporary};

/// Files to be written together: each is completed under a temporary name beside its own before
/// the first is renamed, and a file that holds the same bytes already is not touched.
#[derive(Default)]
pub struct Outputs<'a>(Vec<(PathBuf, Contents<'a>)>);

/// Writes what a file is to hold.
pub type Contents<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// What became of a file.
pub struct Written {
    pub path: PathBuf,
    pub changed: bool,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.changed { "written" } else { "unchanged" };
        write!(f, "{}: {state}", print::path(&self.path))
    }
}

impl<'a> Outputs<'a> {
    pub fn add(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.add_written(path, Box::new(move |out| out.write_all(&bytes)));
    }

    /// A file whose bytes are made while it is written.
    pub fn add_written(&mut self, path: impl Into<PathBuf>, contents: Contents<'a>) {
        self.0.push((path.into(), contents));
    }

    pub fn commit(self) -> Result<Vec<Written>> {
        let mut cleared = BTreeSet::new();
        let mut ready = Vec::new();
        let mut written = Vec::new();
        for (path, contents) in self.0 {
            let file = prepare(&path, &contents, &mut cleared)
                .with_context(|| format!("{} can't be written", print::path(&path)))?;
            let changed = file.is_some();
            ready.extend(file);
            written.push(Written { path, changed });
        }
        let named = temporary::persist(ready);
        let mut changed = written.iter().filter(|file| file.changed);
        match named {
            Ok(()) => Ok(written),
            Err((i, error)) => {
                let path = changed
                    .nth(i)
                    .map_or(String::new(), |file| print::path(&file.path));
                Err(error).with_context(|| format!("{path} can't be replaced"))
            }
        }
    }
}

/// The complete temporary file, closed, and where it goes; none if the target is as it should be.
/// `cleared` are the folders in which nothing is left of others.
fn prepare(
    path: &Path,
    contents: &Contents,
    cleared: &mut BTreeSet<PathBuf>,
) -> Result<Option<(Temporary, PathBuf)>> {
    let target = match fs::canonicalize(path) {
        Ok(real) => real, // a link stays a link
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error.into()),
    };
    match fs::metadata(&target) {
        Ok(about) if !about.is_file() => bail!("it exists and is no regular file"),
        _ => {}
    }
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("there is no folder {}", print::path(folder));
    }
    if cleared.insert(folder.to_owned()) {
        temporary::clear(folder);
    }
    let changed = Changed::new(folder, target.clone())?;
    let mut out = BufWriter::with_capacity(STEP, changed);
    contents(&mut out)?;
    let changed = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(changed.done()?)
}

/// Makes a folder for output, if there is none.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        bail!("{} is a file, and -o takes a folder", print::path(path));
    }
    fs::create_dir_all(path).with_context(|| format!("{} can't be made", print::path(path)))
}

/// Reads a regular file, with its name in the error.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_regular(path).with_context(|| format!("{} can't be read", print::path(path)))
}

/// Reads a regular file; anything else (a folder, a device, a pipe) is refused before it is opened.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        let what = if about.is_dir() {
            "it is a folder"
        } else {
            "it is no regular file"
        };
        return Err(io::Error::other(what));
    }
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    print::detail(|| format!("read: {}, {} bytes", print::path(path), bytes.len()));
    Ok(bytes)
}
