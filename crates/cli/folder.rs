//! A folder as the place of a project's files.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Error, Result};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use fastlua::Files;
use glob::Pattern;

use crate::output;

/// A path with `/` between its parts, where the system knows another character for that.
pub fn slashed(path: &str) -> Cow<'_, str> {
    match MAIN_SEPARATOR {
        '/' => path.into(),
        other => path.replace(other, "/").into(),
    }
}

/// A folder, whose files messages call by their path.
pub struct Folder {
    path: PathBuf,
    /// Whether no link may lead out of it.
    closed: bool,
    /// The folders in which files were looked for.
    listed: RefCell<BTreeSet<PathBuf>>,
}

impl Folder {
    /// Of a `fast.toml`: all that it names has to lie in its folder.
    pub fn of_manifest(manifest: &Path) -> Folder {
        Folder {
            path: manifest.parent().unwrap_or(Path::new("")).to_owned(),
            closed: true,
            listed: RefCell::default(),
        }
    }

    /// Of a source tree, which may have links to other places.
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

    /// The folders in which a new file could be one more.
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
                "it is outside the folder of fast.toml; name it on the command line, or move fast.toml",
            ));
        }
        output::read_regular(&path)
    }

    fn list(&self, pattern: &Pattern) -> Result<Vec<String>> {
        let is_plain = |part: &&str| !part.contains(['*', '?', '[']);
        let parts: Vec<&str> = pattern.as_str().split('/').collect();
        let above = parts[..parts.len() - 1]
            .iter()
            .copied()
            .take_while(is_plain);
        self.note_listed(&self.path.join(above.collect::<PathBuf>()));
        let folder = Pattern::escape(&self.path.to_string_lossy());
        let pattern = Path::new(&folder).join(pattern.as_str());
        let found = glob::glob(&pattern.to_string_lossy()).map_err(Error::other)?;
        let mut names = Vec::new();
        for path in found {
            let path = path.map_err(Error::other)?;
            if !path.is_file() {
                continue;
            }
            self.note_listed(path.parent().unwrap_or(Path::new("")));
            let name = path.strip_prefix(&self.path).unwrap_or(&path).to_str();
            let unreadable = || Error::other(format!("the name {path:?} is not UTF-8"));
            names.push(slashed(name.ok_or_else(unreadable)?).into_owned());
        }
        Ok(names)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}
