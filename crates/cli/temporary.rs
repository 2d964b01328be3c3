//! Temporary files and folders. They go with the command, whether it ends by itself, by an error or by a signal. What one
//! left behind that was killed goes when the next one writes to the same folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::Builder;

/// Before the process's number in the name of each.
const PREFIX: &str = ".fastlua-";

/// What there is now. Whoever holds it makes, renames and deletes.
static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn made() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is deleted when this is dropped.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// An empty file in a folder, with the permissions that any new file gets.
    pub fn file(folder: &Path) -> io::Result<(File, Temporary)> {
        Temporary::add(|| {
            let mut builder = Builder::new();
            #[cfg(unix)]
            {
                use std::fs::Permissions;
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(Permissions::from_mode(0o666));
            }
            let file = builder.prefix(&prefix()).tempfile_in(folder)?;
            file.keep().map_err(|kept| kept.error)
        })
    }

    /// An empty folder where the system keeps temporary ones.
    pub fn folder() -> io::Result<Temporary> {
        let (_, temporary) =
            Temporary::add(|| Ok(((), Builder::new().prefix(&prefix()).tempdir()?.keep())))?;
        Ok(temporary)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn add<T>(make: impl FnOnce() -> io::Result<(T, PathBuf)>) -> io::Result<(T, Temporary)> {
        #[cfg(unix)]
        signals::watch();
        let mut made = made();
        let (value, path) = make()?;
        made.insert(path.clone());
        Ok((value, Temporary(path)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut made = made();
        if made.remove(&self.0) {
            let _ = remove(&self.0);
        }
    }
}

fn prefix() -> String {
    format!("{PREFIX}{}-", process::id())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Gives files their names, all before a signal ends the command.
///
/// # Errors
/// The number of the file that can't have its name, and why. Those before it have theirs.
pub fn persist(files: Vec<(Temporary, PathBuf)>) -> Result<(), (usize, io::Error)> {
    let mut made = made();
    let rename = |(i, (file, target)): (usize, &(Temporary, PathBuf))| {
        fs::rename(&file.0, target).map_err(|error| (i, error))?;
        made.remove(&file.0);
        Ok(())
    };
    let outcome = files.iter().enumerate().try_for_each(rename);
    drop(made); // before the files are dropped
    outcome
}

/// What to do on Ctrl-C; false where the command is to end after all.
pub type Interrupted = Box<dyn Fn() -> bool + Send>;

static INTERRUPTED: Mutex<Option<Interrupted>> = Mutex::new(None);

/// From now on Ctrl-C does this and no longer ends the command. Elsewhere than on Unix it still does.
pub fn on_interrupt(interrupted: Interrupted) {
    #[cfg(unix)]
    signals::watch();
    let mut place = INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner);
    *place = Some(interrupted);
}

#[cfg(unix)]
fn is_dealt_with() -> bool {
    let interrupted = INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner);
    interrupted
        .as_ref()
        .is_some_and(|interrupted| interrupted())
}

/// Deletes what processes that are gone have left in a folder, as well as it can.
#[cfg(unix)]
pub fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && owner.is_some_and(signals::is_gone) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(not(unix))]
pub fn clear(_: &Path) {}

/// Whether a file of this name is a temporary one.
pub fn is_one(name: &str) -> bool {
    owner(name).is_some()
}

/// The number of the process that made a temporary file of this name.
fn owner(name: &str) -> Option<i32> {
    let (number, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    number.parse().ok().filter(|number| *number > 0)
}

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::sync::{Arc, Once};
    use std::thread;

    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::{is_dealt_with, made, remove};

    /// Sees to it that a signal deletes what there is before it ends the command.
    pub fn watch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // A file that may not grow any more is an error like others.
            let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
            let ends = [SIGHUP, SIGINT, SIGTERM]
                .into_iter()
                .filter(|s| !is_ignored(*s));
            if let Ok(mut signals) = Signals::new(ends) {
                thread::spawn(move || {
                    let ends = |signal: &i32| *signal != SIGINT || !is_dealt_with();
                    if let Some(signal) = signals.forever().find(ends) {
                        let made = made(); // for good: nothing is made after this
                        made.iter().for_each(|path| drop(remove(path)));
                        let _ = emulate_default_handler(signal);
                    }
                });
            }
        });
    }

    /// Whether whoever started the command wanted it to ignore a signal, as `nohup` does.
    fn is_ignored(signal: i32) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    /// Whether there is no process of this number.
    pub fn is_gone(process: i32) -> bool {
        let process = Pid::from_raw(process);
        process.is_some_and(|process| test_kill_process(process) == Err(Errno::SRCH))
    }
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn names_say_whose_they_are() {
        for (name, process) in [
            (".fastlua-12-aB3", Some(12)),
            (".fastlua-12", None),
            (".fastlua-aB3dE6", None),
            (".fastlua-0-x", None),
            (".fastlua--1-x", None),
            ("fastlua-12-x", None),
        ] {
            assert_eq!(owner(name), process, "{name}");
        }
    }
}
