//! What every module of one device uses: its hardware, its task queues, and what becomes of errors.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::{Function, IntoLuaMulti, Lua};

use crate::clock::Clock;
use crate::error::{Error, Raise, message, raise};
use crate::flash::Flash;
use crate::interrupt::Interrupt;
use crate::options::Options;
use crate::pins::Pins;
use crate::settings::Settings;
use crate::sockets::Sockets;
use crate::terminal::Terminal;

/// The firmware's task queues hold this many tasks each.
const QUEUE: usize = 8;

pub(crate) const LOW: usize = 0;
pub(crate) const MEDIUM: usize = 1;
pub(crate) const HIGH: usize = 2;

pub(crate) type Job = Box<dyn FnOnce(&Lua, &Rc<Device>) -> mlua::Result<()>>;

/// A job that waits for its time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alarm(usize);

struct Later {
    due: Instant,
    alarm: Alarm,
    job: Job,
}

/// Receives the printed text in place of the UART.
pub(crate) type Sink = Rc<dyn Fn(&Device, &[u8]) -> Result<(), Raise>>;

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

pub(crate) struct Device {
    pub options: Options,
    pub clock: Clock,
    pub flash: Flash,
    pub pins: Pins,
    /// Whether the converter is connected to the supply, and will be after the next start.
    pub measures_supply: Cell<bool>,
    pub will_measure_supply: Cell<bool>,
    pub settings: RefCell<Settings>,
    pub sockets: RefCell<Sockets>,
    /// What is called with the message of an error that a protected callback raised.
    pub on_error: RefCell<Option<Function>>,
    /// What Lua used when the device had started, in bytes.
    pub base_memory: Cell<usize>,
    tasks: RefCell<[VecDeque<Job>; 3]>,
    later: RefCell<Vec<Later>>,
    last_alarm: Cell<usize>,
    output: RefCell<Box<dyn Write>>,
    /// Where lines are edited, once the prompt was given at a terminal.
    pub terminal: RefCell<Option<Terminal>>,
    /// Where `print` goes, and whether it goes to the UART too.
    redirection: RefCell<Option<(Sink, bool)>>,
    stop: RefCell<Option<Stop>>,
}

impl Device {
    pub fn new(mut options: Options) -> Result<Rc<Self>, Error> {
        let output = std::mem::replace(&mut options.output, Box::new(std::io::sink()));
        let pins = Pins::new(options.pin_trace.take()).map_err(trace_error)?;
        Ok(Rc::new(Self {
            pins,
            measures_supply: Cell::default(),
            will_measure_supply: Cell::default(),
            clock: Clock::new(),
            flash: Flash::new(&options.root, options.flash_size)?,
            settings: RefCell::new(Settings::load(options.settings.as_deref())?),
            sockets: RefCell::new(Sockets::new()?),
            on_error: RefCell::default(),
            base_memory: Cell::default(),
            tasks: RefCell::default(),
            later: RefCell::default(),
            last_alarm: Cell::default(),
            output: RefCell::new(output),
            terminal: RefCell::default(),
            redirection: RefCell::default(),
            stop: RefCell::default(),
            options,
        }))
    }

    /// Resets the state that a restart of the device resets.
    pub fn reset(&self) {
        self.pins.outside.take();
        self.measures_supply.set(self.will_measure_supply.get());
        self.clock.restart();
        self.flash.recount();
        self.sockets.borrow_mut().reset();
        self.on_error.take();
        self.tasks.take();
        self.later.take();
        self.redirection.take();
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
    pub fn after(&self, delay: Duration, job: Job) -> Alarm {
        let alarm = Alarm(self.last_alarm.get() + 1);
        self.last_alarm.set(alarm.0);
        let due = self.clock.now() + delay;
        self.later.borrow_mut().push(Later { due, alarm, job });
        alarm
    }

    /// Has a job that has not run be run so much later than now.
    pub fn put_off(&self, alarm: Alarm, delay: Duration) {
        let mut later = self.later.borrow_mut();
        if let Some(later) = later.iter_mut().find(|later| later.alarm == alarm) {
            later.due = self.clock.now() + delay;
        }
    }

    /// Forgets a job that has not run.
    pub fn cancel(&self, alarm: Alarm) {
        let mut later = self.later.borrow_mut();
        let place = later.iter().position(|later| later.alarm == alarm);
        let cancelled = place.map(|place| later.remove(place));
        drop(later);
        drop(cancelled); // which may own what looks at the others
    }

    pub fn next_later(&self) -> Option<Instant> {
        self.later.borrow().iter().map(|later| later.due).min()
    }

    pub fn take_later(&self, now: Instant) -> Option<Job> {
        let mut later = self.later.borrow_mut();
        let index = (0..later.len())
            .filter(|&i| later[i].due <= now)
            .min_by_key(|&i| later[i].due)?;
        Some(later.remove(index).job)
    }

    pub fn call(&self, call: Call, function: &Function, args: impl IntoLuaMulti) {
        if let Err(error) = function.call::<()>(args) {
            self.failed(call, &error);
        }
    }

    pub fn failed(&self, call: Call, error: &mlua::Error) {
        let text = message(error);
        if self
            .options
            .interrupt
            .as_ref()
            .is_some_and(Interrupt::is_asked)
        {
            return self.uart(format!("Lua error: {text}\n").as_bytes());
        }
        if call == Call::Unprotected {
            self.stop(Stop::Failed(Error::Panic(text)));
            return;
        }
        let job: Job = Box::new(move |_, device| {
            let handler = device.on_error.borrow().clone();
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
        let result = self.settings.borrow().save(&*self.options.write_settings);
        result.or_else(|error| match error {
            Error::Io { what, source } => raise(format!("{what}: {source}")),
            other => raise(other.to_string()),
        })
    }

    /// What Lua has allocated since the start, in bytes of the chip: pointers are twice as wide here, and
    /// so is most of what Lua allocates.
    pub fn used_heap(&self, lua: &Lua) -> usize {
        lua.used_memory().saturating_sub(self.base_memory.get()) / 2
    }

    /// What Lua's allocator may hand out, for so many bytes of the chip since the start; 0, which is no limit, for none.
    #[cfg(feature = "lua51")]
    pub fn memory_for(&self, bytes: usize) -> usize {
        match bytes {
            0 => 0,
            bytes => self.base_memory.get() + 2 * bytes,
        }
    }

    /// Tells where the PC listens for a module: among what is printed, where a line is being edited.
    pub fn tell_port(&self, port: u16, address: SocketAddrV4) {
        let Some(listening) = &self.options.listening else {
            return;
        };
        self.flush();
        let has_terminal = self.terminal.borrow().is_some();
        match has_terminal {
            true => self.uart(format!("port {port} is {address} on this PC\n").as_bytes()),
            false => listening(port, address),
        }
    }

    /// Sends bytes to the UART.
    pub fn uart(&self, bytes: &[u8]) {
        let output = &mut *self.output.borrow_mut();
        let result = match &mut *self.terminal.borrow_mut() {
            Some(terminal) => terminal.print(bytes, output),
            None => output.write_all(bytes),
        };
        self.check_output(result);
    }

    pub fn flush(&self) {
        if let Some(terminal) = &mut *self.terminal.borrow_mut() {
            terminal.flush();
        }
        let result = self.output.borrow_mut().flush();
        self.check_output(result);
        self.check_trace(self.pins.flush());
    }

    /// Writes down what happened at the pins.
    pub fn trace(&self, event: &str) {
        let micros = self.clock.since_start().as_micros();
        self.check_trace(self.pins.write(format_args!("{micros} {event}")));
    }

    fn check_trace(&self, result: std::io::Result<()>) {
        if let Err(source) = result {
            self.stop(Stop::Failed(trace_error(source)));
        }
    }

    /// Has a line edited at the terminal, where there is one and none is being edited.
    pub fn ask_for_line(&self, prompt: &str) {
        if let Some(terminal) = &mut *self.terminal.borrow_mut()
            && !terminal.is_reading()
        {
            let result = terminal.ask(prompt, &mut *self.output.borrow_mut());
            self.check_output(result);
        }
    }

    fn check_output(&self, result: std::io::Result<()>) {
        if let Err(source) = result {
            self.stop(Stop::Failed(Error::Io {
                what: "cannot write the output".to_owned(),
                source,
            }));
        }
    }

    /// Sends bytes where `print` goes: to the UART, to what [`redirect`](Self::redirect) set, or both.
    pub fn print(&self, bytes: &[u8]) -> Result<(), Raise> {
        let redirection = self.redirection.borrow().clone();
        let Some((sink, is_serial)) = redirection else {
            self.uart(bytes);
            return Ok(());
        };
        if is_serial {
            self.uart(bytes);
        }
        sink(self, bytes)
    }

    /// Prints the interpreter's prompt, unless the terminal's editor shows it.
    pub fn prompt(&self, text: &[u8]) -> Result<(), Raise> {
        if self.terminal.borrow().is_none() {
            return self.print(text);
        }
        let redirection = self.redirection.borrow().clone();
        redirection.map_or(Ok(()), |(sink, _)| sink(self, text))
    }

    pub fn redirect(&self, redirection: Option<(Sink, bool)>) {
        self.redirection.replace(redirection);
    }
}

fn trace_error(source: std::io::Error) -> Error {
    Error::Io {
        what: "cannot write the trace of the pins".to_owned(),
        source,
    }
}
