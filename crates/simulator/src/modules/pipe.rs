//! `pipe`: a queue of bytes with a reader task.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use mlua::{AnyUserData, BString, Function, Lua, Value};

use crate::api::{Args, Library};
use crate::collector;
use crate::device::{Device, Job, MEDIUM};
use crate::error::Raise;

/// The firmware's buffers have this size; `nrec` counts them.
const BUFFER: usize = 256;

pub(crate) struct Pipe {
    bytes: RefCell<VecDeque<u8>>,
    reader: Option<(Function, usize)>,
    /// Whether a task for the reader is on its way, and whether bytes came while the reader ran.
    is_posted: Cell<bool>,
    is_running: Cell<bool>,
    is_written: Cell<bool>,
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    open_pipe(lua, device)?;
    let library = Library::new(lua, "pipe.")?;
    library.function("create", |lua, args| {
        let reader = match args.value(1) {
            Value::Nil => None,
            _ => Some((args.function(1)?, priority(args, 2)?)),
        };
        Ok(create(lua, reader)?)
    })?;
    library.global("pipe")
}

pub(crate) fn create(lua: &Lua, reader: Option<(Function, usize)>) -> mlua::Result<AnyUserData> {
    let pipe = Pipe {
        bytes: RefCell::default(),
        reader,
        is_posted: Cell::new(false),
        is_running: Cell::new(false),
        is_written: Cell::new(false),
    };
    lua.create_any_userdata(pipe)
}

/// A task priority, medium where it is not given.
fn priority(args: &Args, index: usize) -> Result<usize, Raise> {
    match args.opt_integer(index, MEDIUM as i64)? {
        priority @ 0..=2 => Ok(priority as usize),
        _ => args.bad(index, "invalid priority"),
    }
}

fn open_pipe(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::methods(lua, "pipe:")?;
    library.with(device, "write", move |_, device, args| {
        drop(args.object::<Pipe>("pipe")?);
        let Some(object) = args.value(1).as_userdata() else {
            return Ok(());
        };
        write(device, object, &args.string(2)?.as_bytes())
    })?;
    library.function("read", |lua, args| {
        let end = End::of(args)?;
        args.object::<Pipe>("pipe")?.read(lua, end)
    })?;
    library.function("reader", |lua, args| {
        drop(args.object::<Pipe>("pipe")?);
        let (object, end) = (args.value(1).as_userdata().cloned(), End::of(args)?);
        Ok(lua.create_function(move |lua, ()| match &object {
            Some(object) => Ok(object.borrow::<Pipe>()?.read(lua, end)?),
            None => Ok(None),
        })?)
    })?;
    library.function("unread", |_, args| {
        let text = args.string(2)?;
        let pipe = args.object::<Pipe>("pipe")?;
        let mut bytes = pipe.bytes.borrow_mut();
        for &byte in text.as_bytes().iter().rev() {
            bytes.push_front(byte);
        }
        Ok(())
    })?;
    library.function("nrec", |_, args| {
        Ok(args
            .object::<Pipe>("pipe")?
            .bytes
            .borrow()
            .len()
            .div_ceil(BUFFER))
    })?;
    library.methods_of::<Pipe>()
}

/// What ends a record.
#[derive(Clone, Copy)]
enum End {
    Length(usize),
    Byte { byte: u8, is_kept: bool },
}

impl End {
    fn of(args: &Args) -> Result<Self, Raise> {
        if args.is_number(2) {
            return match usize::try_from(args.integer(2)?) {
                Ok(length) if length > 0 => Ok(Self::Length(length)),
                _ => args.bad(2, "invalid chunk size"),
            };
        }
        let Some(text) = args.opt_string(2)? else {
            return Ok(Self::Byte {
                byte: b'\n',
                is_kept: false,
            });
        };
        match *text.as_bytes() {
            [byte] => Ok(Self::Byte {
                byte,
                is_kept: false,
            }),
            [byte, b'+'] => Ok(Self::Byte {
                byte,
                is_kept: true,
            }),
            _ => args.bad(2, "invalid delimiter"),
        }
    }
}

impl Pipe {
    fn read(&self, lua: &Lua, end: End) -> Result<Option<BString>, Raise> {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.is_empty() {
            return Ok(None);
        }
        let (taken, kept) = match end {
            End::Length(length) => (length.min(bytes.len()), length),
            End::Byte { byte, is_kept } => match bytes.iter().position(|&other| other == byte) {
                Some(index) => (index + 1, index + usize::from(is_kept)),
                None => (bytes.len(), bytes.len()),
            },
        };
        let mut record: Vec<u8> = bytes.drain(..taken).collect();
        record.truncate(kept);
        collector::joined(lua, record).map(Some)
    }
}

/// Appends bytes and sees to it that the reader runs.
pub(crate) fn write(device: &Device, object: &AnyUserData, bytes: &[u8]) -> Result<(), Raise> {
    let pipe = object.borrow::<Pipe>()?;
    if bytes.is_empty() {
        return Ok(());
    }
    pipe.bytes.borrow_mut().extend(bytes);
    pipe.is_written.set(true);
    if pipe.is_running.get() {
        Ok(())
    } else {
        post(device, object, &pipe)
    }
}

fn post(device: &Device, object: &AnyUserData, pipe: &Pipe) -> Result<(), Raise> {
    let Some((_, priority)) = &pipe.reader else {
        return Ok(());
    };
    if pipe.is_posted.get() {
        return Ok(());
    }
    let kept = object.clone();
    let job: Job = Box::new(move |_, device| run(device, &kept));
    device.post(*priority, job)?;
    pipe.is_posted.set(true);
    Ok(())
}

/// Calls the reader. It runs again if it returns true and bytes are left, or if it returns nil and bytes were
/// written since it began; false leaves the pipe alone until the next write.
fn run(device: &Device, object: &AnyUserData) -> mlua::Result<()> {
    let pipe = object.borrow::<Pipe>()?;
    let Some((reader, _)) = &pipe.reader else {
        return Ok(());
    };
    pipe.is_posted.set(false);
    pipe.is_written.set(false);
    pipe.is_running.set(true);
    let result = reader.call::<Value>(object);
    pipe.is_running.set(false);
    let is_wanted = match result? {
        Value::Boolean(answer) => answer,
        _ => pipe.is_written.get(),
    };
    if is_wanted && !pipe.bytes.borrow().is_empty() {
        post(device, object, &pipe)?;
    }
    Ok(())
}
