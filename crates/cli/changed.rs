//! Bytes that are to replace a file: written as they come, from the first one on that is another.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crate::temporary::Temporary;

/// Bytes that are compared or written at once.
pub const STEP: usize = 1 << 16;

/// A temporary file in the making. There is none as long as all bytes are the target's.
pub struct Changed<'a> {
    folder: &'a Path,
    target: PathBuf,
    /// The target, read as far as it is the same.
    old: Option<BufReader<File>>,
    same: u64,
    new: Option<(File, Temporary)>,
}

impl<'a> Changed<'a> {
    /// A target, and the folder that it is in.
    pub fn new(folder: &'a Path, target: PathBuf) -> io::Result<Changed<'a>> {
        let old = match target.exists() {
            true => Some(BufReader::with_capacity(STEP, File::open(&target)?)),
            false => None,
        };
        Ok(Changed {
            folder,
            target,
            old,
            same: 0,
            new: None,
        })
    }

    /// The complete temporary file, closed, and where it goes; none if the target is as it should be.
    pub fn done(mut self) -> io::Result<Option<(Temporary, PathBuf)>> {
        let is_longer = |old: &mut BufReader<File>| Ok::<_, io::Error>(old.read(&mut [0])? > 0);
        if self.new.is_none() && self.old.as_mut().map_or(Ok(true), is_longer)? {
            self.file()?;
        }
        let Some((file, temporary)) = self.new else {
            return Ok(None);
        };
        file.sync_all()?;
        Ok(Some((temporary, self.target)))
    }

    /// The temporary file, which begins with what is the same.
    fn file(&mut self) -> io::Result<&mut File> {
        if self.new.is_none() {
            let (mut file, temporary) = Temporary::file(self.folder)?;
            if self.old.take().is_some() {
                io::copy(&mut File::open(&self.target)?.take(self.same), &mut file)?;
            }
            self.new = Some((file, temporary));
        }
        match &mut self.new {
            Some((file, _)) => Ok(file),
            None => Err(io::Error::other("there is no temporary file")),
        }
    }
}

impl Write for Changed<'_> {
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
