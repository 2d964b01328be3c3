//! Replaces a file: bytes are compared with the old ones, and written from the first difference on.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;

use crate::io::replace;
use crate::io::target::folder_of;
use crate::io::temporary::{Replacement, Temporary};

/// Bytes that are compared or written at once.
pub const STEP: usize = 1 << 16;

/// A temporary file being written. It is created at the first byte that differs from the target.
pub struct Changed {
    target: PathBuf,
    /// The target, read while it is equal.
    old: Option<BufReader<File>>,
    same: u64,
    new: Option<(File, Temporary)>,
}

impl Changed {
    pub fn new(target: PathBuf) -> io::Result<Changed> {
        let old = match target.exists() {
            true => Some(BufReader::with_capacity(STEP, File::open(&target)?)),
            false => None,
        };
        Ok(Changed {
            target,
            old,
            same: 0,
            new: None,
        })
    }

    /// The complete temporary file, closed, and its target; none if the target is up to date.
    pub fn done(mut self) -> io::Result<Option<Replacement>> {
        let is_longer = |old: &mut BufReader<File>| Ok::<_, io::Error>(old.read(&mut [0])? > 0);
        if self.new.is_none() && self.old.as_mut().map_or(Ok(true), is_longer)? {
            self.file()?;
        }
        let Some((file, temporary)) = self.new else {
            return Ok(None);
        };
        let old = fs::metadata(&self.target).ok();
        let is_kept = match &old {
            Some(old) => replace::keep(&file, old)? && !replace::has_more(&self.target, old),
            None => true,
        };
        file.sync_all()?;
        Ok(Some(Replacement {
            temporary,
            target: self.target,
            in_place: !is_kept,
        }))
    }

    /// An empty file beside the target, with at most the target's read permissions.
    fn temporary(&self) -> io::Result<(File, Temporary)> {
        let folder = folder_of(&self.target);
        match fs::metadata(&self.target) {
            Ok(old) => Temporary::file_like(folder, &old),
            Err(_) => Temporary::file(folder),
        }
    }

    /// The temporary file, which begins with the equal bytes.
    fn file(&mut self) -> io::Result<&mut File> {
        if self.new.is_none() {
            let (mut file, temporary) = self.temporary()?;
            if self.old.take().is_some() {
                io::copy(&mut File::open(&self.target)?.take(self.same), &mut file)?;
            }
            self.new = Some((file, temporary));
        }
        match &mut self.new {
            Some((file, _)) => Ok(file),
            None => Err(io::Error::other("no temporary file")),
        }
    }
}

impl Write for Changed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(old) = &mut self.old {
            let mut there = Vec::with_capacity(bytes.len());
            old.take(bytes.len() as u64).read_to_end(&mut there)?;
            if there == bytes {
                self.same += bytes.len() as u64;
                return Ok(bytes.len());
            }
        }
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
