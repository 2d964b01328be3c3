use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::{Lua, LuaOptions, MultiValue, StdLib};

use crate::device::{Call, Completion, Device, Stop};
use crate::error::Error;
use crate::options::{Options, Restart};
use crate::{ImageChunk, base, image, input, modules};

/// When [`Simulator::run`] returns, unless the device stops before.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// When nothing can happen any more: no timer, task, socket or input is left.
    Idle,
    /// When standard input has ended and its lines have run.
    InputEnd,
    /// At this moment, or when idle.
    Time(Instant),
}

/// Why [`Simulator::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was left to wait for.
    Idle,
    /// The time was up.
    Time,
    /// Standard input has ended.
    InputEnd,
    /// The device restarted, with [`Restart::End`].
    Restart,
}

/// One simulated device.
pub struct Simulator {
    lua: Lua,
    device: Rc<Device>,
    extensions: Vec<Extension>,
    is_busy: bool,
    /// So many sockets and timers make a garbage collection due.
    crowd: usize,
}

/// Fewer objects than this are left to Lua's own collections.
const CROWD: usize = 64;

type Extension = Box<dyn Fn(&Lua) -> mlua::Result<()>>;

impl Simulator {
    /// A device that has just started and has run nothing yet.
    ///
    /// # Errors
    /// When the root is not a folder, or the settings file cannot be read.
    pub fn new(options: Options) -> Result<Self, Error> {
        let device = Device::new(options)?;
        let lua = start(&device)?;
        Ok(Self {
            lua,
            device,
            extensions: Vec::new(),
            is_busy: true,
            crowd: CROWD,
        })
    }

    /// The Lua state, for modules that are not the simulator's own. A restart replaces it: see
    /// [`extend`](Self::extend).
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Adds a module: `extension` is run now and in each fresh Lua state after a restart.
    ///
    /// # Errors
    /// What `extension` returns.
    pub fn extend(
        &mut self,
        extension: impl Fn(&Lua) -> mlua::Result<()> + 'static,
    ) -> Result<(), Error> {
        extension(&self.lua)?;
        self.extensions.push(Box::new(extension));
        Ok(())
    }

    /// Opens the module `fast`, the firmware's own, with these chunks as its image. `about` is what `fast.info()`
    /// tells: fastlua's version, the variant, the name of the bundle.
    ///
    /// # Errors
    /// A process has one image: when it was set before, or is built in (feature `frozen`) and `chunks` are given.
    pub fn open_fast(&mut self, chunks: Vec<ImageChunk>, about: [&str; 3]) -> Result<(), Error> {
        image::set(chunks, about)?;
        self.extend(image::open)
    }

    /// Runs the boot command that `node.startup` set, or else `init.lua` where there is one. As on the device, an
    /// error is printed and the device goes on.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn boot(&mut self) -> Result<(), Error> {
        let command = self.device.settings.borrow().startup.command.clone();
        base::boot(&self.lua, &self.device, command.as_deref()).or_else(|error| match error {
            Error::Lua(text) => self
                .device
                .print(format!("{text}\n").as_bytes())
                .map_err(|_| Error::Lua(text)),
            other => Err(other),
        })
    }

    /// Loads and runs a chunk: source, or bytecode of the Lua that the simulator is built with. `chunk_name` is as
    /// in Lua: `=name`, `@file`, or the source itself.
    ///
    /// # Errors
    /// Lua's message with a traceback.
    pub fn exec(&mut self, chunk_name: &str, source: &[u8]) -> Result<(), Error> {
        let chunk = base::load(&self.lua, source, chunk_name)?;
        chunk.call::<MultiValue>(())?;
        self.device.flush();
        Ok(())
    }

    /// Types bytes at the UART, as a terminal would.
    pub fn input(&mut self, bytes: &[u8]) {
        input::feed(&self.device, bytes);
    }

    /// Gives the prompt at standard input and runs until it ends. What is open then stays open: call
    /// [`run`](Self::run) to go on.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn prompt(&mut self) -> Result<Ended, Error> {
        input::attach(&self.device)?;
        input::prompt(&self.lua, &self.device);
        self.run(Until::InputEnd)
    }

    /// Runs the event loop.
    ///
    /// # Errors
    /// When a callback raises an error that nothing catches, and when the output is closed.
    pub fn run(&mut self, until: Until) -> Result<Ended, Error> {
        let ended = loop {
            match self.device.take_stop() {
                Some(Stop::Restart) if self.device.options.restart == Restart::End => {
                    break Ok(Ended::Restart);
                }
                Some(Stop::Restart) => {
                    self.reboot()?;
                    continue;
                }
                Some(Stop::Failed(error)) => break Err(error),
                None => {}
            }
            if let Some(ended) = self.is_over(until) {
                break Ok(ended);
            }
            if let Err(error) = self.turn(until) {
                break Err(error);
            }
        };
        self.device.flush();
        ended
    }

    fn reboot(&mut self) -> Result<(), Error> {
        self.device.reset();
        self.lua = start(&self.device)?;
        for extension in &self.extensions {
            extension(&self.lua)?;
        }
        self.boot()?;
        if self.device.input.borrow().is_open() {
            input::prompt(&self.lua, &self.device);
        }
        Ok(())
    }

    fn is_over(&self, until: Until) -> Option<Ended> {
        let device = &self.device;
        match until {
            Until::Time(end) if Instant::now() >= end => return Some(Ended::Time),
            Until::InputEnd if device.input.borrow().has_ended() && !device.has_tasks() => {
                return Some(Ended::InputEnd);
            }
            _ => {}
        }
        let is_idle = !self.is_busy
            && !device.has_tasks()
            && device.next_later().is_none()
            && device.timers.borrow().next_due().is_none()
            && device.net.borrow().is_idle()
            && device.awaited.get() == 0
            && !device.input.borrow().is_open();
        is_idle.then_some(Ended::Idle)
    }

    /// Waits for something to happen and runs its callbacks.
    fn turn(&mut self, until: Until) -> Result<(), Error> {
        self.collect()?;
        let Self { lua, device, .. } = &*self;
        device.flush();
        let timeout = if self.is_busy || device.has_tasks() {
            Some(Duration::ZERO)
        } else {
            self.wait(until)
        };
        device.net.borrow_mut().poll(timeout)?;

        let mut is_busy = false;
        while let Ok(completion) = device.completions.1.try_recv() {
            is_busy = true;
            self.complete(completion);
            if device.is_stopped() {
                return Ok(());
            }
        }
        is_busy |= modules::net::step(lua, device);
        let now = Instant::now();
        while !device.is_stopped() {
            let Some(job) = device.take_later(now) else {
                break;
            };
            is_busy = true;
            self.job(job);
        }
        is_busy |= modules::tmr::step(device, now);
        if !device.is_stopped()
            && let Some(job) = device.next_task()
        {
            is_busy = true;
            self.job(job);
        }
        self.is_busy = is_busy;
        Ok(())
    }

    /// Drops what Lua no longer uses. Lua sees only the small object of a socket, so its own collections come too
    /// late for sockets in large numbers; the firmware collects at every allocation.
    fn collect(&mut self) -> Result<(), Error> {
        self.device.reap();
        let count = || self.device.net.borrow().count() + self.device.timers.borrow().count();
        if count() > self.crowd {
            self.lua.gc_collect()?;
            self.device.reap();
            self.crowd = CROWD.max(2 * count());
        }
        Ok(())
    }

    fn job(&self, job: crate::device::Job) {
        if let Err(error) = job(&self.lua, &self.device) {
            self.device.failed(Call::Protected, &error);
        }
    }

    fn complete(&self, completion: Completion) {
        let device = &self.device;
        match completion {
            Completion::Dns(resolved) => {
                device.awaited.set(device.awaited.get() - 1);
                modules::net::resolved(device, resolved);
            }
            Completion::Input(bytes) => input::feed(device, &bytes),
            Completion::InputEnd => device.input.borrow_mut().end(),
        }
    }

    fn wait(&self, until: Until) -> Option<Duration> {
        let device = &self.device;
        let end = match until {
            Until::Time(end) => Some(end),
            _ => None,
        };
        let times = [
            end,
            device.next_later(),
            device.timers.borrow().next_due(),
            device.net.borrow().next_due(),
        ];
        let next = times.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }
}

fn start(device: &Rc<Device>) -> Result<Lua, Error> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::PACKAGE;
    #[cfg(feature = "lua53")]
    let libraries = libraries | StdLib::COROUTINE | StdLib::UTF8;
    let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
    base::open(&lua, device)?;
    modules::open(&lua, device)?;
    device.node.borrow_mut().base_memory = lua.used_memory();
    Ok(lua)
}
