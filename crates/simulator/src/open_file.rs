//! A file of the flash while it is open.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use bstr::ByteSlice;

use crate::flash::Flash;

pub(crate) struct OpenFile {
    file: File,
    is_append: bool,
    length: u64,
    /// How many files are open, this one among them.
    open: Rc<Cell<usize>>,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

impl OpenFile {
    /// Opens a file in a mode of C's `fopen`; None where the device would not.
    pub fn open(flash: &Flash, name: &[u8], mode: &str) -> Option<Self> {
        let path = flash.path_to_write(name)?;
        if flash.has_most_open() {
            return None;
        }
        let mut options = OpenOptions::new();
        match mode {
            "w" => options.write(true).create(true).truncate(true),
            "a" => options.append(true).create(true),
            "r+" => options.read(true).write(true),
            "w+" => options.read(true).write(true).create(true).truncate(true),
            "a+" => options.read(true).append(true).create(true),
            _ => options.read(true),
        };
        let file = options.open(path).ok()?;
        let length = file.metadata().ok()?.len();
        if length == 0 {
            flash.recount();
        }
        Some(Self {
            file,
            is_append: mode.starts_with('a'),
            length,
            open: flash.count_open(),
        })
    }

    /// Up to `length` bytes, or up to and with the byte `end`; None at the end of the file.
    pub fn read(&mut self, length: usize, end: Option<u8>) -> Option<Vec<u8>> {
        let start = self.file.stream_position().ok()?;
        let mut bytes = Vec::new();
        (&mut self.file)
            .take(length as u64)
            .read_to_end(&mut bytes)
            .ok()?;
        if bytes.is_empty() && length > 0 {
            return None;
        }
        if let Some(index) = end.and_then(|end| bytes.find_byte(end)) {
            bytes.truncate(index + 1);
            self.file
                .seek(SeekFrom::Start(start + bytes.len() as u64))
                .ok()?;
        }
        Some(bytes)
    }

    /// False where the flash is full or the PC refuses.
    pub fn write(&mut self, flash: &Flash, bytes: &[u8]) -> bool {
        let position = if self.is_append {
            Ok(self.length)
        } else {
            self.file.stream_position()
        };
        let Ok(position) = position else { return false };
        let growth = (position + bytes.len() as u64).saturating_sub(self.length);
        if !flash.has_room(growth) || self.file.write_all(bytes).is_err() {
            return false;
        }
        self.length += growth;
        flash.grow(growth);
        true
    }

    pub fn flush(&mut self) -> bool {
        self.file.flush().is_ok()
    }

    /// The new position, or None where it would be outside the file.
    pub fn seek(&mut self, whence: &str, offset: i64) -> Option<u64> {
        let base = match whence {
            "set" => 0,
            "end" => self.length,
            _ => self.file.stream_position().ok()?,
        };
        let position = base
            .checked_add_signed(offset)
            .filter(|position| *position <= self.length)?;
        self.file.seek(SeekFrom::Start(position)).ok()
    }
}
