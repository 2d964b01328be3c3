//! Temporary files and folders. The command deletes them when it ends, normally, by an error or by a signal. A killed command leaves
//! them behind; after a day the next command that writes to the same folder deletes them. Only the age counts, since a
//! folder may be shared with other machines and containers, whose processes are not visible here.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::Builder;

use crate::io::replace;

/// The prefix of their names; random letters and digits follow.
const PREFIX: &str = ".fastlua-";

/// The number of random characters.
const RANDOM: usize = 12;

/// The age at which leftovers of a killed run are deleted.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The existing temporary files. The lock guards creation, renames and deletion.
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
        Temporary::file_with(folder, 0o666)
    }

    /// The same with at most the permissions of this file.
    pub fn file_like(folder: &Path, old: &Metadata) -> io::Result<(File, Temporary)> {
        #[cfg(unix)]
        let mode = std::os::unix::fs::MetadataExt::mode(old) & 0o666 | 0o600;
        #[cfg(not(unix))]
        let mode = (0o666, old).0;
        Temporary::file_with(folder, mode)
    }

    fn file_with(folder: &Path, mode: u32) -> io::Result<(File, Temporary)> {
        Temporary::add(|| {
            let mut builder = Builder::new();
            builder.prefix(PREFIX).rand_bytes(RANDOM);
            #[cfg(unix)]
            {
                use std::fs::Permissions;
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(Permissions::from_mode(mode));
            }
            #[cfg(not(unix))]
            let _ = mode;
            let file = builder.tempfile_in(folder)?;
            file.keep().map_err(|kept| kept.error)
        })
    }

    /// An empty folder in the system's temporary folder.
    pub fn folder() -> io::Result<Temporary> {
        let (_, temporary) =
            Temporary::add(|| Ok(((), Builder::new().prefix(PREFIX).tempdir()?.keep())))?;
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

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// A complete temporary file, and the file that it replaces.
#[derive(Debug)]
pub struct Replacement {
    pub temporary: Temporary,
    pub target: PathBuf,
    /// Whether the target is overwritten in place, not replaced by a rename.
    pub in_place: bool,
}

/// Renames files to their targets. A signal ends the command only after the last one.
///
/// # Errors
/// The index of the file that can't be renamed, and why. Those before it are renamed.
pub fn persist(files: Vec<Replacement>) -> Result<(), (usize, io::Error)> {
    let mut made = made();
    let mut give = |file: &Replacement| {
        let new = &file.temporary.0;
        if file.in_place {
            return replace::overwrite(new, &file.target);
        }
        if replace::rename(new, &file.target)? {
            made.remove(new);
        }
        Ok(())
    };
    let outcome = files
        .iter()
        .enumerate()
        .try_for_each(|(i, file)| give(file).map_err(|error| (i, error)));
    drop(made); // before the files are dropped
    outcome
}

/// The action on Ctrl-C; false if the command should end anyway.
pub type Interrupted = Box<dyn Fn() -> bool + Send>;

static INTERRUPTED: Mutex<Option<Interrupted>> = Mutex::new(None);

/// Sets the action on Ctrl-C, which then no longer ends the command. Unix only.
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

/// Deletes old leftovers in a folder; ignores errors.
pub fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(is_one);
        // the age of a link itself, not of its target
        let about = entry.metadata().ok().filter(|_| is_ours);
        let is_abandoned = |about: Metadata| {
            let age = about.modified().ok()?.elapsed().ok()?;
            Some((about.is_file() || about.is_dir()) && age > ABANDONED)
        };
        if about.and_then(is_abandoned) == Some(true) {
            let _ = remove(&entry.path());
        }
    }
}

/// The same in the folders of this one, too.
pub fn clear_below(folder: &Path) {
    clear(folder);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            clear(&entry.path());
        }
    }
}

/// Whether a file of this name is a temporary one.
pub fn is_one(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX).map(str::as_bytes);
    random.is_some_and(|r| r.len() == RANDOM && r.iter().all(u8::is_ascii_alphanumeric))
}

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::sync::{Arc, Once};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::{is_dealt_with, made, remove};

    /// Installs signal handlers that delete temporary files before the command ends.
    pub fn watch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // A file at its size limit is an ordinary error, not a signal.
            let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
            let ends = [SIGHUP, SIGINT, SIGTERM]
                .into_iter()
                .filter(|s| !is_ignored(*s));
            if let Ok(mut signals) = Signals::new(ends) {
                thread::spawn(move || {
                    let ends = |signal: &i32| *signal != SIGINT || !is_dealt_with();
                    if let Some(signal) = signals.forever().find(ends) {
                        let made = made(); // held for good: nothing is created after this
                        made.iter().for_each(|path| drop(remove(path)));
                        let _ = emulate_default_handler(signal);
                    }
                });
            }
        });
    }

    /// Whether the parent process set a signal to be ignored, as `nohup` does.
    fn is_ignored(signal: i32) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn names_of_temporary_files_are_known() {
        assert!(is_one(".fastlua-aB3dE6gH9jK2"));
        for name in [
            ".fastlua-",
            ".fastlua-notes",
            ".fastlua-aB3dE6gH9jK2x",
            ".fastlua-aB3dE6-H9jK2",
            "fastlua-aB3dE6gH9jK2",
        ] {
            assert!(!is_one(name), "{name}");
        }
    }
}
