//! The inputs of a run. No output may replace them.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Identifies a file, whatever its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity(
    #[cfg(unix)] (u64, u64),
    #[cfg(not(unix))] std::path::PathBuf,
);

impl Identity {
    #[cfg(unix)]
    fn of(_: &Path, about: &Metadata) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        about
            .is_file()
            .then(|| Identity((about.dev(), about.ino())))
    }

    #[cfg(not(unix))]
    fn of(path: &Path, about: &Metadata) -> Option<Identity> {
        let path = about.is_file().then(|| fs::canonicalize(path).ok())?;
        path.map(Identity)
    }
}

fn read() -> MutexGuard<'static, BTreeSet<Identity>> {
    static READ: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());
    READ.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a file that was read.
pub fn note(path: &Path, about: &Metadata) {
    read().extend(Identity::of(path, about));
}

/// Registers standard input, which may be a file.
pub fn note_stdin() {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        let about = stdin.and_then(|fd| fs::File::from(fd).metadata());
        if let Ok(about) = about {
            note(Path::new("-"), &about);
        }
    }
}

/// Allows a file that was read to be replaced, because the command is meant to change it.
pub fn may_be_replaced(path: &Path) {
    if let Ok(about) = fs::metadata(path)
        && let Some(identity) = Identity::of(path, &about)
    {
        read().remove(&identity);
    }
}

/// Whether a file was read.
pub fn was_read(path: &Path) -> bool {
    let about = fs::metadata(path).ok();
    let identity = about.and_then(|about| Identity::of(path, &about));
    identity.is_some_and(|identity| read().contains(&identity))
}
