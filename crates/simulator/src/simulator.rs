use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::{Lua, LuaOptions, MultiValue, StdLib};

#[cfg(feature = "lua51")]
use crate::collector;
use crate::device::{Call, Device, Job, Stop};
use crate::error::Error;
use crate::handle::Handle;
use crate::image::{self, Image};
use crate::modules::{self, Modules, base};
use crate::options::{Options, Restart};
use crate::stdin::{Stdin, Typed};
use crate::terminal::{self, Terminal};

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
    /// Who typed at the terminal left with Ctrl-D.
    Left,
    /// A [`Handle`] asked for it.
    Asked,
    /// The device restarted, with [`Restart::End`].
    Restart,
}

/// One simulated device.
pub struct Simulator {
    lua: Lua,
    device: Rc<Device>,
    modules: Modules,
    stdin: Option<Stdin>,
    extensions: Vec<Extension>,
    is_busy: bool,
    handle: Handle,
    /// Whether the image of this process is this device's.
    has_image: bool,
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
        let (lua, modules) = start(&device)?;
        let handle = Handle::new(device.sockets.borrow().waker());
        Ok(Self {
            lua,
            device,
            modules,
            stdin: None,
            extensions: Vec::new(),
            is_busy: true,
            handle,
            has_image: false,
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

    /// Opens the module `fast`, the firmware's own, with this image.
    ///
    /// # Errors
    /// A process has one image: when it was set before, or is built in (feature `frozen`) and chunks are given.
    pub fn open_fast(&mut self, image: Image) -> Result<(), Error> {
        image::set(image)?;
        self.has_image = true;
        self.extend(image::open)
    }

    /// Restarts the device as `node.restart()` does, whatever [`Options::restart`] says, with this image of `fast` from then on.
    ///
    /// # Errors
    /// When this device has not [opened](Self::open_fast) `fast`, and when the output is closed.
    pub fn restart_with(&mut self, image: Image) -> Result<(), Error> {
        if !self.has_image {
            return Err(Error::Image);
        }
        image::replace(image)?;
        self.device.take_stop();
        self.reboot()
    }

    /// What another thread can stop [`run`](Self::run) with.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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
        let results = chunk.call::<MultiValue>(());
        self.settle()?;
        self.device.flush();
        results?;
        Ok(())
    }

    /// Types bytes at the UART, as a terminal would.
    pub fn input(&mut self, bytes: &[u8]) {
        self.modules.input.feed(bytes);
    }

    /// Gives the prompt at standard input and runs until it ends. What is open then stays open: call
    /// [`run`](Self::run) to go on. Where standard input and output are a terminal, lines can be edited there.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn prompt(&mut self) -> Result<Ended, Error> {
        if self.stdin.is_none() {
            self.stdin = Some(self.attach()?);
        }
        self.modules.input.prompt(&self.lua);
        self.run(Until::InputEnd)
    }

    fn attach(&self) -> Result<Stdin, Error> {
        let waker = self.device.sockets.borrow().waker();
        let Options {
            history, interrupt, ..
        } = &self.device.options;
        if terminal::is_there()
            && let Some((terminal, typed)) =
                Terminal::attach(waker.clone(), history.as_deref(), interrupt.clone())?
        {
            self.device.terminal.replace(Some(terminal));
            return Ok(Stdin::new(typed));
        }
        Stdin::attach(waker)
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
            if self.handle.take() {
                break Ok(Ended::Asked);
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
        self.device.trace("restart");
        self.device.reset();
        (self.lua, self.modules) = start(&self.device)?;
        for extension in &self.extensions {
            extension(&self.lua)?;
        }
        self.boot()?;
        if self.is_typed_at() {
            self.modules.input.prompt(&self.lua);
        }
        Ok(())
    }

    /// Whether more may come from standard input.
    fn is_typed_at(&self) -> bool {
        self.stdin.as_ref().is_some_and(|stdin| !stdin.has_ended())
    }

    fn is_over(&self, until: Until) -> Option<Ended> {
        let device = &self.device;
        let has_ended = self.stdin.as_ref().is_some_and(Stdin::has_ended);
        match until {
            Until::Time(end) if Instant::now() >= end => return Some(Ended::Time),
            Until::InputEnd if has_ended && !device.has_tasks() => {
                return Some(match device.terminal.borrow().is_some() {
                    true => Ended::Left,
                    false => Ended::InputEnd,
                });
            }
            _ => {}
        }
        let is_idle = !self.is_busy
            && !device.has_tasks()
            && self.next_due().is_none()
            && self.modules.net.is_idle()
            && self.modules.sntp.is_idle()
            && !self.is_typed_at();
        is_idle.then_some(Ended::Idle)
    }

    /// Waits for something to happen and runs its callbacks.
    fn turn(&mut self, until: Until) -> Result<(), Error> {
        self.collect()?;
        self.device.flush();
        self.settle()?;
        if let Some(prompt) = self.modules.input.awaits() {
            self.device.ask_for_line(&prompt);
        }
        let clock = &self.device.clock;
        let timeout = if self.is_busy || self.device.has_tasks() || clock.is_asked_to_skip() {
            Some(Duration::ZERO)
        } else {
            self.wait(until)
        };
        self.device.sockets.borrow_mut().poll(timeout)?;

        let mut is_busy = self.take_typed()?;
        if !self.device.is_stopped() {
            is_busy |= self.modules.net.step(&self.lua);
        }
        if !self.device.is_stopped() {
            is_busy |= self.modules.sntp.step(&self.lua);
        }
        is_busy |= self.run_due();
        if !self.device.is_stopped()
            && let Some(job) = self.device.next_task()
        {
            is_busy = true;
            self.job(job);
        }
        if !is_busy {
            self.device.clock.skip(self.next_due());
        }
        self.is_busy = is_busy;
        Ok(())
    }

    /// Hands on what was typed at standard input; true if there was anything.
    fn take_typed(&mut self) -> Result<bool, Error> {
        let mut is_busy = false;
        while !self.device.is_stopped()
            && let Some(typed) = self.stdin.as_mut().and_then(Stdin::next)
        {
            is_busy = true;
            if let Some(terminal) = &mut *self.device.terminal.borrow_mut() {
                terminal.answered();
            }
            match typed {
                Typed::Bytes(bytes) => self.modules.input.feed(&bytes),
                Typed::Abandoned => {
                    self.settle()?;
                    self.device.uart(b"Ctrl-D exits\n");
                    self.modules.input.abandon(&self.lua);
                }
                Typed::End => {}
            }
        }
        Ok(is_busy)
    }

    /// Forgets an interrupt, since what it was for has ended.
    fn settle(&self) -> Result<(), Error> {
        match &self.device.options.interrupt {
            Some(interrupt) => Ok(interrupt.settle(&self.lua)?),
            None => Ok(()),
        }
    }

    /// Runs what is due by now; true if anything was.
    fn run_due(&self) -> bool {
        let mut is_busy = false;
        let now = self.device.clock.now();
        while !self.device.is_stopped()
            && let Some(job) = self.device.take_later(now)
        {
            is_busy = true;
            self.job(job);
        }
        self.modules.timers.step(now) || is_busy
    }

    /// Drops what Lua no longer uses. Lua sees only the small object of a socket, so its own collections come too
    /// late for sockets in large numbers; the firmware collects at every allocation.
    fn collect(&mut self) -> Result<(), Error> {
        self.modules.reap();
        let count = || self.modules.net.count() + self.modules.timers.count();
        if count() > self.crowd {
            self.lua.gc_collect()?;
            self.modules.reap();
            self.crowd = CROWD.max(2 * count());
        }
        Ok(())
    }

    fn job(&self, job: Job) {
        if let Err(error) = job(&self.lua, &self.device) {
            self.device.failed(Call::Protected, &error);
        }
    }

    /// When the device's next timer is due, by its clock.
    fn next_due(&self) -> Option<Instant> {
        let times = [self.device.next_later(), self.modules.timers.next_due()];
        times.into_iter().flatten().min()
    }

    fn wait(&self, until: Until) -> Option<Duration> {
        let end = match until {
            Until::Time(end) => Some(end),
            _ => None,
        };
        let in_time = |due: Instant| due.saturating_duration_since(Instant::now());
        let waits = [
            end.map(in_time),
            self.device.sockets.borrow().next_due().map(in_time),
            self.next_due().map(|due| self.device.clock.until(due)),
        ];
        waits.into_iter().flatten().min()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Jobs that wait hold what holds them.
        self.device.reset();
    }
}

fn start(device: &Rc<Device>) -> Result<(Lua, Modules), Error> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::PACKAGE;
    #[cfg(feature = "lua53")]
    let libraries = libraries | StdLib::COROUTINE | StdLib::UTF8;
    let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
    let modules = modules::open(&lua, device)?;
    if let Some(interrupt) = &device.options.interrupt {
        interrupt.watch(&lua)?;
    }
    device.base_memory.set(lua.used_memory());
    #[cfg(feature = "lua51")]
    collector::boot(&lua, device)?;
    Ok((lua, modules))
}
