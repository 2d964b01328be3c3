//! A folder as the place of a project's files.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Error, Result};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use fastlua::{Files, Pattern};
use walkdir::WalkDir;

use crate::io::output;
use crate::report::print;

/// A path with `/` as separator, on systems with another one.
pub fn slashed(path: &str) -> Cow<'_, str> {
    match MAIN_SEPARATOR {
        '/' => path.into(),
        other => path.replace(other, "/").into(),
    }
}

/// Limits of a glob: depth, and number of files and folders.
const DEEPEST: usize = 100;
const MOST: usize = 1_000_000;

/// Splits a glob into its leading folders without wildcards and the rest.
fn parts(pattern: &str) -> (&str, &str) {
    let pattern = pattern.trim_start_matches("./");
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let end = pattern[..wild].rfind('/').map_or(0, |end| end + 1);
    pattern.split_at(end)
}

/// A folder. Messages show its files by their path.
pub struct Folder {
    path: PathBuf,
    /// Whether no link may lead out of it.
    closed: bool,
    /// The folders in which files were looked for.
    listed: RefCell<BTreeSet<PathBuf>>,
}

impl Folder {
    /// For a `fast.toml`: all files that it names must lie in its folder.
    pub fn of_manifest(manifest: &Path) -> Folder {
        Folder {
            path: manifest.parent().unwrap_or(Path::new("")).to_owned(),
            closed: true,
            listed: RefCell::default(),
        }
    }

    /// For a source tree, which may have links to other places.
    pub fn of_tree(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
            closed: false,
            listed: RefCell::default(),
        }
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        match name {
            "" => self.path.clone(),
            name => self.path.join(name),
        }
    }

    /// The folders in which a new file could match.
    pub fn listed(&self) -> Vec<PathBuf> {
        self.listed.borrow().iter().cloned().collect()
    }

    fn note_listed(&self, folder: &Path) {
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        self.listed.borrow_mut().insert(folder.to_owned());
    }

    /// The folder itself, resolved; an empty path is the working folder.
    fn real(&self) -> Result<PathBuf> {
        match self.path.as_os_str().is_empty() {
            true => fs::canonicalize("."),
            false => fs::canonicalize(&self.path),
        }
    }
}

impl Files for Folder {
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path(name);
        if self.closed && !fs::canonicalize(&path)?.starts_with(self.real()?) {
            return Err(Error::other(
                "it is outside the folder of fast.toml; give it on the command line, or move fast.toml",
            ));
        }
        output::read_regular(&path)
    }

    fn list(&self, pattern: &Pattern) -> Result<Vec<String>> {
        let (above, below) = parts(pattern.as_str());
        // without the trailing slash, which messages would show; the root keeps it
        let start = match above.trim_end_matches('/') {
            "" if above.is_empty() => self.path.clone(),
            "" => PathBuf::from("/"),
            folder => self.path.join(folder),
        };
        self.note_listed(&start);
        let pattern = Pattern::new(below).map_err(Error::other)?;
        let depth = match below.contains("**") {
            true => DEEPEST + 1,
            false => below.split('/').count(),
        };
        let shown = start.clone();
        let start = match start.as_os_str().is_empty() {
            true => Path::new("."),
            false => &start,
        };
        let mut names = Vec::new();
        // Links to folders are not followed: they may form a cycle, or lead to another project.
        for (count, entry) in WalkDir::new(start).max_depth(depth).into_iter().enumerate() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 && !start.exists() => break,
                Err(error) => return Err(error.into()),
            };
            if count > MOST {
                return Err(Error::other(format!(
                    "{} has more than {MOST} files and folders: name a folder further down",
                    print::path(start)
                )));
            }
            if entry.depth() > DEEPEST && entry.file_type().is_dir() {
                return Err(Error::other(format!(
                    "folders in {} are nested more than {DEEPEST} deep: name a folder further down",
                    print::path(start)
                )));
            }
            let path = entry.path().strip_prefix(start).unwrap_or(entry.path());
            let is_wanted = |path: &str| pattern.matches(&slashed(path));
            if path.as_os_str().is_empty() || !path.to_str().is_some_and(is_wanted) {
                continue;
            }
            if entry.path_is_symlink() && !entry.path().exists() {
                return Err(Error::other(format!(
                    "{} is a link to a missing file",
                    print::path(entry.path())
                )));
            }
            if !entry.path().is_file() {
                continue;
            }
            let path = shown.join(path);
            self.note_listed(path.parent().unwrap_or(Path::new("")));
            let name = path.strip_prefix(&self.path).unwrap_or(&path).to_str();
            let unreadable = || Error::other(format!("the name {path:?} is not UTF-8"));
            names.push(slashed(name.ok_or_else(unreadable)?).into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}
