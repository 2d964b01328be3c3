//! The flash file system: a folder of the PC, flat and of limited size.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bstr::ByteSlice;

use crate::error::Error;

/// The longest name in bytes.
pub(crate) const NAME: usize = 31;
/// How many files can be open at once.
const OPEN: usize = 4;

pub(crate) struct Flash {
    root: PathBuf,
    size: u64,
    /// The bytes in use, once counted.
    used: Cell<Option<u64>>,
    open: Rc<Cell<usize>>,
}

impl Flash {
    pub fn new(root: &Path, size: u64) -> Result<Self, Error> {
        if !root.is_dir() {
            let missing = io::Error::new(io::ErrorKind::NotADirectory, "not a folder");
            return Err(Error::io("cannot use as the file system:", root, missing));
        }
        Ok(Self {
            root: root.to_owned(),
            size,
            used: Cell::default(),
            open: Rc::default(),
        })
    }

    /// The PC's path for a name, or None where the device could not have such a file.
    pub fn path(&self, name: &[u8]) -> Option<PathBuf> {
        let name = name.strip_prefix(b"/FLASH/").unwrap_or(name);
        if name.is_empty() || name.len() > NAME || name[0] == b'/' {
            return None;
        }
        Some(self.root.join(encode(name).to_path().ok()?))
    }

    /// The same, but also None if something else than a file of the device has that name.
    pub fn path_to_write(&self, name: &[u8]) -> Option<PathBuf> {
        let path = self.path(name)?;
        let is_ours = self.exists(name) || path.symlink_metadata().is_err();
        is_ours.then_some(path)
    }

    /// The size of a file, or None if there is none. Links and folders do not count as files of the device.
    pub fn size(&self, name: &[u8]) -> Option<u64> {
        let metadata = fs::symlink_metadata(self.path(name)?).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    pub fn exists(&self, name: &[u8]) -> bool {
        self.size(name).is_some()
    }

    pub fn read(&self, name: &[u8]) -> Option<Vec<u8>> {
        // A file larger than the device's flash is not its own, and would have to fit in memory.
        let size = self.size(name)?;
        if size > self.size {
            return None;
        }
        fs::read(self.path(name)?).ok()
    }

    /// Writes a whole file; false where the device could not.
    pub fn write(&self, name: &[u8], bytes: &[u8]) -> bool {
        let old = self.size(name).unwrap_or(0);
        let Some(path) = self.path_to_write(name) else {
            return false;
        };
        if self.used().saturating_sub(old) + bytes.len() as u64 > self.size {
            return false;
        }
        self.recount();
        fs::write(path, bytes).is_ok()
    }

    pub fn remove(&self, name: &[u8]) {
        if self.exists(name)
            && let Some(path) = self.path(name)
        {
            fs::remove_file(path).ok();
            self.recount();
        }
    }

    /// False where there is no such file, or one of the new name.
    pub fn rename(&self, old: &[u8], new: &[u8]) -> bool {
        let (Some(old_path), Some(new_path)) = (self.path(old), self.path(new)) else {
            return false;
        };
        let is_possible = self.exists(old) && fs::symlink_metadata(&new_path).is_err();
        is_possible && fs::rename(old_path, new_path).is_ok()
    }

    /// The names and sizes of all files, sorted by name.
    pub fn list(&self) -> Vec<(Vec<u8>, u64)> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let encoded = Vec::from(<[u8]>::from_os_str(&entry.file_name())?);
                let name = decode(&encoded);
                if name.len() > NAME
                    || encode(&name) != encoded
                    || !entry.file_type().ok()?.is_file()
                {
                    return None;
                }
                Some((name, entry.metadata().ok()?.len()))
            })
            .collect();
        files.sort();
        files
    }

    pub fn format(&self) {
        for (name, _) in self.list() {
            self.remove(&name);
        }
    }

    pub fn used(&self) -> u64 {
        let used = self
            .used
            .get()
            .unwrap_or_else(|| self.list().iter().map(|(_, size)| size).sum());
        self.used.set(Some(used));
        used
    }

    pub fn free(&self) -> u64 {
        self.size.saturating_sub(self.used())
    }

    /// Has the bytes in use counted again when they are next asked for.
    pub fn recount(&self) {
        self.used.take();
    }

    pub fn has_room(&self, growth: u64) -> bool {
        self.used() + growth <= self.size
    }

    /// A file has grown.
    pub fn grow(&self, growth: u64) {
        self.used.set(Some(self.used() + growth));
    }

    pub fn has_most_open(&self) -> bool {
        self.open.get() == OPEN
    }

    /// Counts one more open file, which counts itself out of what is returned.
    pub fn count_open(&self) -> Rc<Cell<usize>> {
        self.open.set(self.open.get() + 1);
        Rc::clone(&self.open)
    }
}

/// A name as it stands in the folder: bytes that would lead elsewhere are written as `%` and two digits.
fn encode(name: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(name.len());
    for &byte in name {
        let is_special = matches!(byte, b'/' | b'\\' | b'%' | b':' | 0..=31 | 127);
        if is_special || (byte == b'.' && (name == b"." || name == b"..")) {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            encoded.push(byte);
        }
    }
    encoded
}

fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits.to_str().ok()?, 16).ok());
        match digits {
            Some(value) if byte == b'%' => {
                name.push(value);
                rest = &tail[2..];
            }
            _ => {
                name.push(byte);
                rest = tail;
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn names_stay_in_the_folder() {
        for (name, encoded) in [
            (&b"init.lua"[..], &b"init.lua"[..]),
            (b"..", b"%2E%2E"),
            (b"../x", b"..%2Fx"),
            (b"a/b", b"a%2Fb"),
            (b"50%25", b"50%2525"),
            (b"\xC3\xA4\xFF", b"\xC3\xA4\xFF"),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded), name);
        }
    }
}
