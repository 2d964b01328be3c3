//! What tests of `pipelines/` share: copies of its examples, and the built command as one that is installed.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::root;

/// A command that finds the built fastlua, as one that is installed.
pub fn with_fastlua(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let built = Path::new(env!("CARGO_BIN_EXE_fastlua")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [built.to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    let path: OsString = env::join_paths(folders).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder).env("PATH", path);
    command
}

/// A copy of `pipelines` and of an example beside each other's places in the repository.
pub fn example(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for part in ["pipelines", &format!("examples/{name}")] {
        copy(&root().join(part), &folder.path().join(part));
    }
    let example = folder.path().join("examples").join(name);
    (folder, example)
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}
