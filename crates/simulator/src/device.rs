//! What the modules of one device share.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::Write;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mlua::{AnyUserData, Function, IntoLuaMulti, Lua};

use crate::api::{Raise, raise};
use crate::error::{Error, message};
use crate::input::Input;
use crate::modules::file::Files;
use crate::modules::net::Net;
use crate::modules::node::Node;
use crate::modules::rtctime::Clock;
use crate::modules::tmr::Timers;
use crate::modules::wifi::Wifi;
use crate::modules::{net, pipe};
use crate::options::Options;
use crate::settings::Settings;

/// The firmware's task queues hold this many tasks each.
const QUEUE: usize = 8;

pub(crate) const LOW: usize = 0;
pub(crate) const MEDIUM: usize = 1;
pub(crate) const HIGH: usize = 2;

pub(crate) type Job = Box<dyn FnOnce(&Lua, &Rc<Device>) -> mlua::Result<()>>;

/// What a thread that waits for the PC has to say.
pub(crate) enum Completion {
    Dns(net::Resolved),
    Input(Vec<u8>),
    InputEnd,
}

/// Whether the firmware calls this callback protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Protected,
    Unprotected,
}

pub(crate) enum Stop {
    Restart,
    Failed(Error),
}

/// An object that Lua has collected: its Rust half is dropped between callbacks.
pub(crate) enum Garbage {
    Socket(usize),
    Timer(usize),
}

pub(crate) struct Device {
    pub options: Options,
    pub started: Cell<Instant>,
    pub settings: RefCell<Settings>,
    pub files: RefCell<Files>,
    pub net: RefCell<Net>,
    pub timers: RefCell<Timers>,
    pub wifi: RefCell<Wifi>,
    pub node: RefCell<Node>,
    pub clock: Cell<Clock>,
    pub input: RefCell<Input>,
    pub garbage: Rc<RefCell<Vec<Garbage>>>,
    /// How many threads have a completion to send.
    pub awaited: Cell<usize>,
    pub completions: (Sender<Completion>, Receiver<Completion>),
    tasks: RefCell<[VecDeque<Job>; 3]>,
    later: RefCell<Vec<(Instant, Job)>>,
    output: RefCell<Box<dyn Write>>,
    redirection: RefCell<Option<AnyUserData>>,
    is_serial: Cell<bool>,
    stop: RefCell<Option<Stop>>,
}

impl Device {
    pub fn new(mut options: Options) -> Result<Rc<Self>, Error> {
        if !options.root.is_dir() {
            let missing = std::io::Error::new(std::io::ErrorKind::NotADirectory, "not a folder");
            return Err(Error::io(
                "cannot use as the file system:",
                &options.root,
                missing,
            ));
        }
        let output = std::mem::replace(&mut options.output, Box::new(std::io::sink()));
        Ok(Rc::new(Self {
            started: Cell::new(Instant::now()),
            settings: RefCell::new(Settings::load(options.settings.as_deref())?),
            files: RefCell::default(),
            net: RefCell::new(Net::new()?),
            timers: RefCell::default(),
            wifi: RefCell::default(),
            node: RefCell::default(),
            clock: Cell::default(),
            input: RefCell::default(),
            garbage: Rc::default(),
            awaited: Cell::new(0),
            completions: channel(),
            tasks: RefCell::default(),
            later: RefCell::default(),
            output: RefCell::new(output),
            redirection: RefCell::default(),
            is_serial: Cell::new(true),
            stop: RefCell::default(),
            options,
        }))
    }

    /// Forgets all that a restart of the device forgets.
    pub fn reset(&self) {
        self.started.set(Instant::now());
        self.files.take();
        self.net.borrow_mut().reset();
        self.timers.borrow_mut().reset();
        self.wifi.take();
        self.node.take();
        self.input.borrow_mut().reset();
        self.tasks.take();
        self.later.take();
        self.redirection.take();
        self.is_serial.set(true);
    }

    pub fn post(&self, priority: usize, job: Job) -> Result<(), Raise> {
        let queue = &mut self.tasks.borrow_mut()[priority];
        if queue.len() == QUEUE {
            return raise("Task queue overflow. Task not posted");
        }
        queue.push_back(job);
        Ok(())
    }

    pub fn next_task(&self) -> Option<Job> {
        self.tasks
            .borrow_mut()
            .iter_mut()
            .rev()
            .find_map(VecDeque::pop_front)
    }

    pub fn has_tasks(&self) -> bool {
        self.tasks.borrow().iter().any(|queue| !queue.is_empty())
    }

    /// Runs a job of the device itself, as the firmware's own timers do.
    pub fn after(&self, delay: Duration, job: Job) {
        self.later.borrow_mut().push((Instant::now() + delay, job));
    }

    pub fn next_later(&self) -> Option<Instant> {
        self.later.borrow().iter().map(|(due, _)| *due).min()
    }

    pub fn take_later(&self, now: Instant) -> Option<Job> {
        let mut later = self.later.borrow_mut();
        let index = (0..later.len())
            .filter(|&i| later[i].0 <= now)
            .min_by_key(|&i| later[i].0)?;
        Some(later.remove(index).1)
    }

    pub fn call(&self, call: Call, function: &Function, args: impl IntoLuaMulti) {
        if let Err(error) = function.call::<()>(args) {
            self.failed(call, &error);
        }
    }

    pub fn failed(&self, call: Call, error: &mlua::Error) {
        let text = message(error);
        if call == Call::Unprotected {
            self.stop(Stop::Failed(Error::Panic(text)));
            return;
        }
        let job: Job = Box::new(move |_, device| {
            let handler = device.node.borrow().on_error.clone();
            match handler {
                Some(handler) => handler.call(text),
                None => {
                    device.stop(Stop::Failed(Error::Callback(text)));
                    Ok(())
                }
            }
        });
        if self.post(HIGH, job).is_err() {
            self.stop(Stop::Failed(Error::Callback(message(error))));
        }
    }

    /// Ends the run after the present callback. The first reason counts.
    pub fn stop(&self, stop: Stop) {
        self.stop.borrow_mut().get_or_insert(stop);
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    pub fn take_stop(&self) -> Option<Stop> {
        self.stop.take()
    }

    pub fn save_settings(&self) -> Result<(), Raise> {
        let result = self.settings.borrow().save();
        result.or_else(|error| match error {
            Error::Io { what, source } => raise(format!("{what}: {source}")),
            other => raise(other.to_string()),
        })
    }

    /// Sends bytes to the UART.
    pub fn uart(&self, bytes: &[u8]) {
        if let Err(source) = self.output.borrow_mut().write_all(bytes) {
            self.stop(Stop::Failed(Error::Io {
                what: "cannot write the output".to_owned(),
                source,
            }));
        }
    }

    pub fn flush(&self) {
        if let Err(source) = self.output.borrow_mut().flush() {
            self.stop(Stop::Failed(Error::Io {
                what: "cannot write the output".to_owned(),
                source,
            }));
        }
    }

    /// Sends bytes where `print` goes: to the UART, to the pipe that `node.output` set, or both.
    pub fn print(&self, bytes: &[u8]) -> Result<(), Raise> {
        let pipe = self.redirection.borrow().clone();
        let Some(pipe) = pipe else {
            self.uart(bytes);
            return Ok(());
        };
        if self.is_serial.get() {
            self.uart(bytes);
        }
        pipe::write(self, &pipe, bytes)
    }

    pub fn redirect(&self, pipe: Option<AnyUserData>, is_serial: bool) {
        self.is_serial.set(is_serial || pipe.is_none());
        self.redirection.replace(pipe);
    }

    pub fn reap(&self) {
        let garbage = self.garbage.take();
        for object in garbage {
            match object {
                Garbage::Socket(id) => self.net.borrow_mut().delete(id),
                Garbage::Timer(id) => self.timers.borrow_mut().delete(id),
            }
        }
    }
}
