//! Replaces a file by a complete temporary file: renames it, or, if the file must keep its identity, copies the
//! contents.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek};
use std::path::Path;

use crate::io::target::folder_of;

/// Gives a new file the mode, owner and group of the file that it replaces. False if that is not possible.
#[cfg(unix)]
pub fn keep(new: &File, old: &Metadata) -> io::Result<bool> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let about = new.metadata()?;
    let owner = (about.uid() != old.uid()).then(|| old.uid());
    let group = (about.gid() != old.gid()).then(|| old.gid());
    if (owner.is_some() || group.is_some()) && fchown(new, owner, group).is_err() {
        return Ok(false);
    }
    new.set_permissions(Permissions::from_mode(old.mode() & 0o777))?;
    Ok(true)
}

#[cfg(not(unix))]
pub fn keep(_: &File, _: &Metadata) -> io::Result<bool> {
    Ok(true)
}

/// Whether a file has other hard links, or attributes that a new one would not have, such as an access control list.
#[cfg(unix)]
pub fn has_more(path: &Path, about: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    about.nlink() > 1 || has_attributes(path)
}

#[cfg(not(unix))]
pub fn has_more(_: &Path, _: &Metadata) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn has_attributes(path: &Path) -> bool {
    let mut names = vec![0; 1 << 16];
    let Ok(length) = rustix::fs::listxattr(path, &mut names[..]) else {
        return false;
    };
    let names = names[..length].split(|byte| *byte == 0);
    // the system labels each new file itself
    names
        .filter(|name| !name.is_empty())
        .any(|name| !name.starts_with(b"security."))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn has_attributes(_: &Path) -> bool {
    false
}

/// Renames a file. Copies it if it is on another file system, or in use by the system. False if the temporary file
/// still exists.
pub fn rename(new: &Path, target: &Path) -> io::Result<bool> {
    match fs::rename(new, target) {
        Ok(()) => Ok(true),
        Err(error) if is_mount(&error) => overwrite(new, target).map(|()| false),
        Err(error) => Err(error),
    }
}

/// Whether a rename failed because a file system is mounted at the target.
fn is_mount(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices
    )
}

/// Overwrites a file in place. On failure the old contents are restored.
pub fn overwrite(new: &Path, target: &Path) -> io::Result<()> {
    let mut new = File::open(new)?;
    let length = new.metadata()?.len();
    let mut file = OpenOptions::new().read(true).write(true).open(target)?;
    let mut old = tempfile::tempfile_in(folder_of(target))?;
    let old_length = io::copy(&mut file, &mut old)?;
    reserve(&file, old_length, length)?;
    match put(&mut new, &mut file, length) {
        Ok(()) => Ok(()),
        Err(error) => {
            put(&mut old, &mut file, old_length)?;
            Err(error)
        }
    }
}

fn put(from: &mut File, file: &mut File, length: u64) -> io::Result<()> {
    from.rewind()?;
    file.rewind()?;
    io::copy(from, file)?;
    file.set_len(length)?;
    file.sync_all()
}

/// Reserves disk space for a file that grows, if the file system supports it.
#[cfg(target_os = "linux")]
fn reserve(file: &File, from: u64, to: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match to.checked_sub(from).filter(|more| *more > 0) {
        None => Ok(()),
        Some(more) => match fallocate(file, FallocateFlags::KEEP_SIZE, from, more) {
            Err(error @ (Errno::NOSPC | Errno::FBIG | Errno::DQUOT)) => Err(error.into()),
            _ => Ok(()),
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64, _: u64) -> io::Result<()> {
    Ok(())
}
