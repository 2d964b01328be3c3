//! Output files, whole or not at all.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fastlua::{LARGEST_FILE, OutputReport};

use crate::io::changed::{Changed, STEP};
use crate::io::sources;
use crate::io::target::{Target, folder_of, is_stdout};
use crate::io::temporary::{self, Replacement};
use crate::report::print;

/// Files to be written together: each is completed under a temporary name beside its own before
/// the first gets its name, and a file that holds the same bytes already is not touched. What goes to standard output, a
/// device or a pipe is made before that, too, and written first.
#[derive(Default)]
pub struct Outputs<'a>(Vec<(PathBuf, Contents<'a>)>);

/// Writes the contents of a file.
pub type Contents<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// The result for a file.
pub struct Written {
    pub path: PathBuf,
    pub changed: bool,
}

impl Written {
    /// Its entry in a report.
    pub fn report(&self) -> OutputReport {
        OutputReport {
            path: self.path.display().to_string(),
            changed: self.changed,
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.changed { "written" } else { "unchanged" };
        write!(f, "{}: {state}", shown(&self.path))
    }
}

/// A path as messages show it.
fn shown(path: &Path) -> String {
    match is_stdout(path) {
        true => "standard output".into(),
        false => print::path(path),
    }
}

impl<'a> Outputs<'a> {
    pub fn add(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.add_written(path, Box::new(move |out| out.write_all(&bytes)));
    }

    /// A file whose bytes are produced while it is written.
    pub fn add_written(&mut self, path: impl Into<PathBuf>, contents: Contents<'a>) {
        self.0.push((path.into(), contents));
    }

    pub fn commit(self) -> Result<Vec<Written>> {
        let mut files = BTreeSet::new();
        let mut cleared = BTreeSet::new();
        let mut streams = Vec::new();
        let mut ready = Vec::new();
        let mut written = Vec::new();
        for (path, contents) in self.0 {
            let failed = || format!("{} can't be written", shown(&path));
            let changed = match Target::of(&path).with_context(failed)? {
                Target::File(target) => {
                    if !files.insert(target.clone()) {
                        bail!(
                            "{} is given for two outputs: give each its own file",
                            shown(&path)
                        );
                    }
                    refuse_source(&target, &shown(&path))?;
                    let file = prepare(target, &contents, &mut cleared).with_context(failed)?;
                    let changed = file.is_some();
                    ready.extend(file);
                    changed
                }
                stream => {
                    let mut bytes = Vec::new();
                    contents(&mut bytes).with_context(failed)?;
                    streams.push((stream, shown(&path), bytes));
                    true
                }
            };
            written.push(Written { path, changed });
        }
        let mut closed = None;
        for (stream, shown, bytes) in streams {
            match send(&stream, &bytes) {
                Ok(()) => {}
                // the reader closed the pipe; the files must be written all the same
                Err(error) if print::is_broken_pipe(&error) => closed = Some(error),
                Err(error) => return Err(error.context(format!("{shown} can't be written"))),
            }
        }
        let targets: Vec<String> = ready.iter().map(|file| print::path(&file.target)).collect();
        temporary::persist(ready).map_err(|(i, error)| {
            anyhow::Error::new(error).context(format!("{} can't be replaced", targets[i]))
        })?;
        closed.map_or(Ok(written), Err)
    }
}

/// Refuses an output that is also an input.
pub fn refuse_source(target: &Path, shown: &str) -> Result<()> {
    match sources::was_read(target) {
        true => {
            bail!("{shown} is an input and would be overwritten: give the output another name")
        }
        false => Ok(()),
    }
}

/// Writes to standard output, a device or a pipe.
fn send(target: &Target, bytes: &[u8]) -> Result<()> {
    match target {
        Target::Stdout => print::bytes(bytes),
        Target::Stream(path) | Target::File(path) => {
            let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
            file.write_all(bytes)?;
            Ok(file.flush()?)
        }
    }
}

/// The complete temporary file, closed, and its target; none if the target is up to date. `cleared` are the folders
/// whose old temporary files are deleted.
fn prepare(
    target: PathBuf,
    contents: &Contents,
    cleared: &mut BTreeSet<PathBuf>,
) -> Result<Option<Replacement>> {
    let folder = folder_of(&target);
    if cleared.insert(folder.to_owned()) {
        temporary::clear(folder);
    }
    let changed = Changed::new(target)?;
    let mut out = BufWriter::with_capacity(STEP, changed);
    contents(&mut out)?;
    let changed = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(changed.done()?)
}

/// Writes one file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut outputs = Outputs::default();
    outputs.add(path, bytes);
    outputs.commit().map(drop)
}

/// Registers outputs that go to standard output; messages then go to standard error.
///
/// # Errors
/// There are two of them, or one and the JSON of `--json`.
pub fn streams<'a>(
    outputs: impl IntoIterator<Item = Option<&'a PathBuf>>,
    json: bool,
) -> Result<()> {
    let outputs = outputs.into_iter().flatten();
    let count = outputs.filter(|path| is_stdout(path)).count();
    if count + usize::from(json) > 1 {
        let reason = "standard output can take only one output: give the others their own files";
        return Err(print::misused(reason));
    }
    if count > 0 {
        print::result_goes_out();
    }
    Ok(())
}

/// Creates the folder that an option names, if it does not exist.
///
/// # Errors
/// It is a file, or can't be made; or it is `-`, and no folder goes to standard output.
pub fn make_folder(option: &str, path: &Path) -> Result<()> {
    if path == Path::new("-") {
        let reason = "needs a folder, not standard output; write ./- for a folder of that name";
        return Err(print::misused(&format!("{option} {reason}")));
    }
    if path.exists() && !path.is_dir() {
        bail!(
            "{} is a file, but {option} needs a folder",
            print::path(path)
        );
    }
    fs::create_dir_all(path).with_context(|| format!("{} can't be made", print::path(path)))
}

/// Reads a regular file, with its name in the error.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_regular(path).map_err(|error| {
        print::of_file(
            path,
            format!("{} can't be read: {error}", print::path(path)),
        )
    })
}

/// Reads a regular file; anything else (a folder, a device, a pipe) is refused before it is opened.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        let what = if about.is_dir() {
            "it is a folder"
        } else {
            "it is not a regular file"
        };
        return Err(io::Error::other(what));
    }
    if about.len() > LARGEST_FILE {
        return Err(too_large());
    }
    let bytes = read_all(File::open(path)?)?;
    sources::note(path, &about);
    print::detail(|| format!("read: {}, {} bytes", print::path(path), bytes.len()));
    Ok(bytes)
}

/// Reads to the end, up to the size limit.
pub fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST_FILE {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

fn too_large() -> io::Error {
    let megabytes = LARGEST_FILE >> 20;
    io::Error::other(format!(
        "it is larger than {megabytes} MiB, the most that fastlua reads"
    ))
}
