//! `file`: the flash file system.

use std::cell::RefCell;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{AnyUserData, BString, Function, Lua, Table, Value};

use crate::api::{Args, Library};
use crate::collector;
use crate::device::Device;
use crate::error::{Raise, raise};
use crate::flash::NAME;
use crate::open_file::OpenFile;

/// The default size of `read`.
const CHUNK: usize = 1024;

struct Files {
    device: Rc<Device>,
    /// The file that `file.read` and the like use: the one opened last, until any file is closed.
    current: RefCell<Option<AnyUserData>>,
}

/// The Lua object: empty once closed.
struct Handle(RefCell<Option<OpenFile>>);

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let files = &Rc::new(Files {
        device: Rc::clone(device),
        current: RefCell::default(),
    });
    let library = Library::new(lua, "file.")?;
    let methods = Library::methods(lua, "file.obj:")?;
    add_object_functions(&library, files)?;
    add_object_functions(&methods, files)?;
    methods.methods_of::<Handle>()?;
    library.with(files, "open", move |lua, files, args| {
        let name = checked_name(args, 1)?;
        let mode = args
            .opt_string(2)?
            .map_or_else(|| "r".to_owned(), |mode| mode.to_string_lossy());
        files.current.take();
        let Some(file) = OpenFile::open(&files.device.flash, &name, &mode) else {
            return Ok(None);
        };
        let object = lua.create_any_userdata(Handle(RefCell::new(Some(file))))?;
        files.current.replace(Some(object.clone()));
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

/// What `file.read` and `object:read` are both: the object is the first argument or the file opened last.
fn add_object_functions(library: &Library, files: &Rc<Files>) -> mlua::Result<()> {
    library.with(files, "close", move |_, files, args| {
        let object = match args.value(1).as_userdata() {
            Some(object) => Some(object.clone()),
            None => files.current.borrow().clone(),
        };
        if let Some(object) = object {
            object.borrow::<Handle>()?.0.take();
        }
        files.current.take();
        Ok(())
    })?;
    library.with(files, "read", move |lua, files, args| {
        let (object, index) = target(files, args)?;
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
        read(lua, &object, length, end)
    })?;
    library.with(files, "readline", move |lua, files, args| {
        let (object, _) = target(files, args)?;
        read(lua, &object, CHUNK, Some(b'\n'))
    })?;
    for (name, ending) in [("write", &b""[..]), ("writeline", b"\n")] {
        library.with(files, name, move |_, files, args| {
            let (object, index) = target(files, args)?;
            let text = args.string(index)?;
            with_file(&object, |file| {
                let flash = &files.device.flash;
                let is_written = file.write(flash, &text.as_bytes()) && file.write(flash, ending);
                is_written.then_some(true)
            })
        })?;
    }
    library.with(files, "flush", move |_, files, args| {
        let (object, _) = target(files, args)?;
        with_file(&object, |file| file.flush().then_some(true))
    })?;
    library.with(files, "seek", move |_, files, args| {
        let (object, index) = target(files, args)?;
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

/// Up to `length` bytes, or up to and with the byte `end`; nil at the end of the file.
fn read(
    lua: &Lua,
    object: &AnyUserData,
    length: usize,
    end: Option<u8>,
) -> Result<Option<BString>, Raise> {
    let bytes = with_file(object, |file| file.read(length, end))?;
    bytes.map(|bytes| collector::joined(lua, bytes)).transpose()
}

fn target(files: &Files, args: &Args) -> Result<(AnyUserData, usize), Raise> {
    if let Some(object) = args.value(1).as_userdata() {
        drop(args.object::<Handle>("file.obj")?);
        return Ok((object.clone(), 2));
    }
    match files.current.borrow().clone() {
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

fn add_whole_files(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "exists", move |_, device, args| {
        Ok(device.flash.exists(&checked_name(args, 1)?))
    })?;
    library.with(device, "getcontents", move |lua, device, args| {
        let bytes = device.flash.read(&checked_name(args, 1)?);
        // As on the device, an empty file has no contents.
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        bytes.map(|bytes| collector::joined(lua, bytes)).transpose()
    })?;
    library.with(device, "putcontents", move |_, device, args| {
        let (name, contents) = (checked_name(args, 1)?, args.string(2)?);
        Ok(device
            .flash
            .write(&name, &contents.as_bytes())
            .then_some(true))
    })?;
    library.with(device, "remove", move |_, device, args| {
        device.flash.remove(&checked_name(args, 1)?);
        Ok(())
    })?;
    library.with(device, "rename", move |_, device, args| {
        let (old, new) = (checked_name(args, 1)?, checked_name(args, 2)?);
        Ok(device.flash.rename(&old, &new))
    })?;
    library.with(device, "stat", move |lua, device, args| {
        let name = checked_name(args, 1)?;
        let Some(size) = device.flash.size(&name) else {
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
        for (name, size) in device.flash.list() {
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
        let flash = &device.flash;
        Ok((flash.free(), flash.used(), device.options.flash_size))
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
        device.flash.format();
        Ok(())
    })?;
    Ok(())
}
