//! `file`: a folder as the flat flash file system.

use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{AnyUserData, BString, Function, Lua, Table, Value};

use crate::api::{Args, Library, Raise, raise};
use crate::device::Device;

/// The longest name in bytes.
const NAME: usize = 31;
/// How many files can be open at once.
const OPEN: usize = 4;
/// What `read` returns where it is not told.
const CHUNK: usize = 1024;

#[derive(Default)]
pub(crate) struct Files {
    open: Rc<Cell<usize>>,
    /// The file that `file.read` and the like use: the one opened last, until any file is closed.
    current: Option<AnyUserData>,
    /// The bytes in use, once counted.
    used: Option<u64>,
}

struct OpenFile {
    file: File,
    is_append: bool,
    length: u64,
    open: Rc<Cell<usize>>,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

/// The Lua object: empty once closed.
struct Handle(RefCell<Option<OpenFile>>);

/// The PC's path for a name, or None where the device could not have such a file.
fn path(device: &Device, name: &[u8]) -> Option<PathBuf> {
    let name = name.strip_prefix(b"/FLASH/").unwrap_or(name);
    if name.is_empty() || name.len() > NAME || name[0] == b'/' {
        return None;
    }
    Some(device.options.root.join(encode(name).to_path().ok()?))
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

/// The size of a file, or None where there is none. Links and folders are no files of the device.
fn size(device: &Device, name: &[u8]) -> Option<u64> {
    let metadata = fs::symlink_metadata(path(device, name)?).ok()?;
    metadata.is_file().then_some(metadata.len())
}

pub(crate) fn exists(device: &Device, name: &[u8]) -> bool {
    size(device, name).is_some()
}

pub(crate) fn read(device: &Device, name: &[u8]) -> Option<Vec<u8>> {
    size(device, name)?;
    fs::read(path(device, name)?).ok()
}

/// Writes a whole file; false where the device could not.
pub(crate) fn write(device: &Device, name: &[u8], bytes: &[u8]) -> bool {
    let old = size(device, name).unwrap_or(0);
    let Some(path) = path(device, name) else {
        return false;
    };
    if used(device).saturating_sub(old) + bytes.len() as u64 > device.options.flash_size {
        return false;
    }
    device.files.borrow_mut().used = None;
    fs::write(path, bytes).is_ok()
}

/// The names and sizes of all files, sorted by name.
fn list(device: &Device) -> Vec<(Vec<u8>, u64)> {
    let Ok(entries) = fs::read_dir(&device.options.root) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let encoded = Vec::from(<[u8]>::from_os_str(&entry.file_name())?);
            let name = decode(&encoded);
            if name.len() > NAME || encode(&name) != encoded || !entry.file_type().ok()?.is_file() {
                return None;
            }
            Some((name, entry.metadata().ok()?.len()))
        })
        .collect();
    files.sort();
    files
}

fn used(device: &Device) -> u64 {
    if let Some(used) = device.files.borrow().used {
        return used;
    }
    let used = list(device).iter().map(|(_, size)| size).sum();
    device.files.borrow_mut().used = Some(used);
    used
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "file.")?;
    let methods = Library::methods(lua, "file.obj:")?;
    add_object_functions(&library, device)?;
    add_object_functions(&methods, device)?;
    methods.methods_of::<Handle>()?;
    library.with(device, "open", move |lua, device, args| {
        let name = checked_name(args, 1)?;
        let mode = args
            .opt_string(2)?
            .map_or_else(|| "r".to_owned(), |mode| mode.to_string_lossy());
        device.files.borrow_mut().current = None;
        let Some(file) = open_file(device, &name, &mode) else {
            return Ok(None);
        };
        let object = lua.create_any_userdata(Handle(RefCell::new(Some(file))))?;
        device.files.borrow_mut().current = Some(object.clone());
        Ok(Some(object))
    })?;
    add_whole_files(&library, device)?;
    add_file_system(&library, device)?;
    library.global("file")
}

fn checked_name(args: &Args, index: usize) -> Result<Vec<u8>, Raise> {
    let name = args.string(index)?.as_bytes().to_vec();
    let base = name
        .rfind_byte(b'/')
        .map_or(name.as_slice(), |slash| &name[slash + 1..]);
    if base.len() > NAME || name.contains(&0) {
        args.bad(index, "filename invalid")
    } else {
        Ok(name)
    }
}

fn open_file(device: &Device, name: &[u8], mode: &str) -> Option<OpenFile> {
    let path = path(device, name)?;
    let old = size(device, name);
    if device.files.borrow().open.get() == OPEN
        || (old.is_none() && fs::symlink_metadata(&path).is_ok())
    {
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
    let mut files = device.files.borrow_mut();
    if length == 0 {
        files.used = None;
    }
    files.open.set(files.open.get() + 1);
    Some(OpenFile {
        file,
        is_append: mode.starts_with('a'),
        length,
        open: Rc::clone(&files.open),
    })
}

/// What `file.read` and `object:read` are both: the object is the first argument or the file opened last.
fn add_object_functions(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "close", move |_, device, args| {
        let object = match args.value(1).as_userdata() {
            Some(object) => Some(object.clone()),
            None => device.files.borrow().current.clone(),
        };
        if let Some(object) = object {
            object.borrow::<Handle>()?.0.take();
        }
        device.files.borrow_mut().current = None;
        Ok(())
    })?;
    library.with(device, "read", move |_, device, args| {
        let (object, index) = target(device, args)?;
        let (length, end) = match args.value(index) {
            Value::Integer(_) | Value::Number(_) => {
                (usize::try_from(args.integer(index)?).unwrap_or(0), None)
            }
            Value::String(end) => match *end.as_bytes() {
                [end] => (CHUNK, Some(end)),
                _ => return raise("wrong arg range"),
            },
            _ => (CHUNK, None),
        };
        with_file(&object, |file| file.read(length, end))
    })?;
    library.with(device, "readline", move |_, device, args| {
        let (object, _) = target(device, args)?;
        with_file(&object, |file| file.read(CHUNK, Some(b'\n')))
    })?;
    for (name, ending) in [("write", &b""[..]), ("writeline", b"\n")] {
        library.with(device, name, move |_, device, args| {
            let (object, index) = target(device, args)?;
            let text = args.string(index)?;
            with_file(&object, |file| {
                let is_written = file.write(device, &text.as_bytes()) && file.write(device, ending);
                is_written.then_some(true)
            })
        })?;
    }
    library.with(device, "flush", move |_, device, args| {
        let (object, _) = target(device, args)?;
        with_file(&object, |file| file.file.flush().is_ok().then_some(true))
    })?;
    library.with(device, "seek", move |_, device, args| {
        let (object, index) = target(device, args)?;
        let whence = args
            .opt_string(index)?
            .map_or_else(|| "cur".to_owned(), |whence| whence.to_string_lossy());
        let offset = args.opt_integer(index + 1, 0)?;
        if !["set", "cur", "end"].contains(&whence.as_str()) {
            return args.bad(index, &format!("invalid option '{whence}'"));
        }
        with_file(&object, |file| file.seek(&whence, offset))
    })?;
    Ok(())
}

fn target(device: &Device, args: &Args) -> Result<(AnyUserData, usize), Raise> {
    if let Some(object) = args.value(1).as_userdata() {
        drop(args.object::<Handle>("file.obj")?);
        return Ok((object.clone(), 2));
    }
    match device.files.borrow().current.clone() {
        Some(object) => Ok((object, 1)),
        None => raise("open a file first"),
    }
}

fn with_file<R>(object: &AnyUserData, work: impl FnOnce(&mut OpenFile) -> R) -> Result<R, Raise> {
    let handle = object.borrow::<Handle>()?;
    let mut file = handle.0.borrow_mut();
    match file.as_mut() {
        Some(file) => Ok(work(file)),
        None => raise("open a file first"),
    }
}

impl OpenFile {
    /// Up to `length` bytes, or up to and with the byte `end`; None at the end of the file.
    fn read(&mut self, length: usize, end: Option<u8>) -> Option<BString> {
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
        Some(bytes.into())
    }

    fn write(&mut self, device: &Device, bytes: &[u8]) -> bool {
        let position = if self.is_append {
            Ok(self.length)
        } else {
            self.file.stream_position()
        };
        let Ok(position) = position else { return false };
        let growth = (position + bytes.len() as u64).saturating_sub(self.length);
        let used = used(device) + growth;
        if used > device.options.flash_size || self.file.write_all(bytes).is_err() {
            return false;
        }
        self.length += growth;
        device.files.borrow_mut().used = Some(used);
        true
    }

    /// The new position, or None where it would be outside the file.
    fn seek(&mut self, whence: &str, offset: i64) -> Option<u64> {
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

fn add_whole_files(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "exists", move |_, device, args| {
        Ok(exists(device, &checked_name(args, 1)?))
    })?;
    library.with(device, "getcontents", move |_, device, args| {
        // As on the device, an empty file has no contents.
        Ok(read(device, &checked_name(args, 1)?)
            .filter(|bytes| !bytes.is_empty())
            .map(BString::from))
    })?;
    library.with(device, "putcontents", move |_, device, args| {
        let (name, contents) = (checked_name(args, 1)?, args.string(2)?);
        Ok(write(device, &name, &contents.as_bytes()).then_some(true))
    })?;
    library.with(device, "remove", move |_, device, args| {
        let name = checked_name(args, 1)?;
        if exists(device, &name)
            && let Some(path) = path(device, &name)
        {
            fs::remove_file(path).ok();
            device.files.borrow_mut().used = None;
        }
        Ok(())
    })?;
    library.with(device, "rename", move |_, device, args| {
        let (old, new) = (checked_name(args, 1)?, checked_name(args, 2)?);
        let (Some(old_path), Some(new_path)) = (path(device, &old), path(device, &new)) else {
            return Ok(false);
        };
        let is_possible = exists(device, &old) && fs::symlink_metadata(&new_path).is_err();
        Ok(is_possible && fs::rename(old_path, new_path).is_ok())
    })?;
    library.with(device, "stat", move |lua, device, args| {
        let name = checked_name(args, 1)?;
        let Some(size) = size(device, &name) else {
            return Ok(None);
        };
        let table = lua.create_table()?;
        table.raw_set("size", size)?;
        table.raw_set(
            "name",
            BString::from(name.strip_prefix(b"/FLASH/").unwrap_or(&name)),
        )?;
        for flag in ["is_dir", "is_rdonly", "is_hidden", "is_sys", "is_arch"] {
            table.raw_set(flag, false)?;
        }
        // The flash file system keeps no times.
        let time = [
            ("year", 1970),
            ("mon", 1),
            ("day", 1),
            ("hour", 0),
            ("min", 0),
            ("sec", 0),
        ];
        table.raw_set("time", lua.create_table_from(time)?)?;
        Ok(Some(table))
    })?;
    Ok(())
}

fn add_file_system(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "list", move |lua, device, args| {
        let pattern = args.opt_string(1)?;
        let find = lua
            .globals()
            .get::<Table>("string")?
            .get::<Function>("match")?;
        let table = lua.create_table()?;
        for (name, size) in list(device) {
            let name = lua.create_string(name)?;
            let is_listed = match &pattern {
                Some(pattern) => !find.call::<Value>((&name, pattern))?.is_nil(),
                None => true,
            };
            if is_listed {
                table.raw_set(name, size)?;
            }
        }
        Ok(table)
    })?;
    library.with(device, "fsinfo", move |_, device, _| {
        let (used, total) = (used(device), device.options.flash_size);
        Ok((total.saturating_sub(used), used, total))
    })?;
    library.with(device, "fscfg", move |_, device, _| {
        let partitions = device.settings.borrow().partitions;
        Ok((partitions.spiffs_addr, partitions.spiffs_size))
    })?;
    library.function("on", |_, args| match args.text(1)?.as_str() {
        // The flash file system takes no time from it.
        "rtc" if args.value(2).is_nil() || args.value(2).is_function() => Ok(()),
        "rtc" => raise("Callback should be function or nil"),
        event => args.bad(1, &format!("invalid option '{event}'")),
    })?;
    library.with(device, "format", move |_, device, _| {
        if !device.options.allow_format {
            return raise(format!(
                "file.format is refused: it would delete every file in {}",
                device.options.root.display()
            ));
        }
        for (name, _) in list(device) {
            if let Some(path) = path(device, &name) {
                fs::remove_file(path).ok();
            }
        }
        device.files.borrow_mut().used = None;
        Ok(())
    })?;
    Ok(())
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
