//! `tmr`: timers and clocks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mlua::{AnyUserData, Function, Lua, MultiValue, Value};

use crate::api::{Args, Library};
use crate::device::{Call, Device};
use crate::error::Raise;

const SINGLE: i64 = 0;
const AUTO: i64 = 1;
const SEMI: i64 = 2;
/// The longest interval of the firmware's timers, in milliseconds.
const LONGEST: i64 = 0x68D7A3;

struct Timer {
    callback: Function,
    mode: i64,
    interval: i64,
    /// When it fires, and the object, which a running timer keeps.
    running: Option<(Instant, AnyUserData)>,
}

#[derive(Default)]
struct Registered {
    timers: BTreeMap<usize, Timer>,
    last: usize,
}

pub(crate) struct Timers {
    device: Rc<Device>,
    registered: RefCell<Registered>,
    /// Timers whose objects Lua has collected. They are dropped between callbacks.
    garbage: RefCell<Vec<usize>>,
}

impl Timers {
    pub fn count(&self) -> usize {
        self.registered.borrow().timers.len()
    }

    /// Drops the timers that Lua has collected.
    pub fn reap(&self) {
        for id in self.garbage.take() {
            self.delete(id);
        }
    }

    fn delete(&self, id: usize) {
        let timer = self.registered.borrow_mut().timers.remove(&id);
        drop(timer);
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.registered
            .borrow()
            .timers
            .values()
            .filter_map(|timer| timer.running.as_ref().map(|(due, _)| *due))
            .min()
    }

    /// Calls the callbacks of the timers that are due at `now`; true if there was one.
    pub fn step(&self, now: Instant) -> bool {
        let mut is_busy = false;
        while !self.device.is_stopped() {
            let call = self.registered.borrow_mut().take_due(now);
            let Some((callback, object)) = call else {
                break;
            };
            is_busy = true;
            self.device.call(Call::Protected, &callback, object);
        }
        is_busy
    }
}

impl Registered {
    /// The timer that is due first, made ready for what comes after its callback.
    fn take_due(&mut self, now: Instant) -> Option<(Function, AnyUserData)> {
        let (due, id) = self
            .timers
            .iter()
            .filter_map(|(id, timer)| Some((timer.running.as_ref()?.0, *id)))
            .filter(|(due, _)| *due <= now)
            .min()?;
        let timer = self.timers.get_mut(&id)?;
        let call = (timer.callback.clone(), timer.running.as_ref()?.1.clone());
        match timer.mode {
            AUTO => {
                let next = due + millis(timer.interval);
                timer.running = Some((
                    if next <= now {
                        now + millis(timer.interval)
                    } else {
                        next
                    },
                    call.1.clone(),
                ));
            }
            SINGLE => drop(self.timers.remove(&id)),
            _ => timer.running = None,
        }
        Some(call)
    }
}

fn millis(interval: i64) -> Duration {
    Duration::from_millis(interval.unsigned_abs())
}

struct Handle {
    id: usize,
    timers: Rc<Timers>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.timers.garbage.borrow_mut().push(self.id);
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Rc<Timers>> {
    let timers = Rc::new(Timers {
        device: Rc::clone(device),
        registered: RefCell::default(),
        garbage: RefCell::default(),
    });
    let library = Library::new(lua, "tmr.")?;
    library
        .constant("ALARM_SINGLE", SINGLE)?
        .constant("ALARM_AUTO", AUTO)?
        .constant("ALARM_SEMI", SEMI)?;
    library.unsimulated(&["softwd", "ccount"])?;
    library.function("wdclr", |_, _| Ok(()))?;
    library.function("delay", |_, args| {
        let micros = args.integer(1)?;
        if micros <= 0 {
            return args.bad(1, "wrong arg range");
        }
        sleep(Duration::from_micros(micros.unsigned_abs()));
        Ok(())
    })?;
    library.with(device, "now", move |_, device, _| {
        Ok(device.clock.since_start().as_micros() as u64 & 0x7FFF_FFFF)
    })?;
    library.with(device, "time", move |_, device, _| {
        Ok(device.clock.since_start().as_secs())
    })?;
    open_timer(lua, &timers)?;
    library.with(&timers, "create", move |lua, timers, _| {
        let id = {
            let mut registered = timers.registered.borrow_mut();
            registered.last += 1;
            registered.last
        };
        Ok(lua.create_any_userdata(Handle {
            id,
            timers: Rc::clone(timers),
        })?)
    })?;
    library.global("tmr")?;
    Ok(timers)
}

fn open_timer(lua: &Lua, timers: &Rc<Timers>) -> mlua::Result<()> {
    let library = Library::methods(lua, "tmr.timer:")?;
    library.with(timers, "register", move |_, timers, args| {
        register(timers, args)
    })?;
    library.with(timers, "start", move |_, timers, args| {
        start(timers, args, args.is_true(2))
    })?;
    library.with(timers, "alarm", move |_, timers, args| {
        register(timers, args)?;
        start(timers, args, false)
    })?;
    library.with(timers, "stop", move |_, timers, args| {
        let id = timer(args)?;
        let mut registered = timers.registered.borrow_mut();
        Ok(registered
            .timers
            .get_mut(&id)
            .is_some_and(|timer| timer.running.take().is_some()))
    })?;
    library.with(timers, "unregister", move |_, timers, args| {
        let id = timer(args)?;
        timers.delete(id);
        Ok(())
    })?;
    library.with(timers, "interval", move |_, timers, args| {
        let (id, interval) = (timer(args)?, interval(args)?);
        if let Some(timer) = timers.registered.borrow_mut().timers.get_mut(&id) {
            timer.interval = interval;
            if let Some((due, _)) = &mut timer.running {
                *due = timers.device.clock.now() + millis(interval);
            }
        }
        Ok(())
    })?;
    library.with(timers, "state", move |_, timers, args| {
        let id = timer(args)?;
        let registered = timers.registered.borrow();
        Ok(match registered.timers.get(&id) {
            Some(timer) => vec![
                Value::Boolean(timer.running.is_some()),
                Value::Integer(timer.mode),
            ],
            None => vec![Value::Nil],
        }
        .into_iter()
        .collect::<MultiValue>())
    })?;
    library.methods_of::<Handle>()
}

fn timer(args: &Args) -> Result<usize, Raise> {
    Ok(args.object::<Handle>("tmr.timer")?.id)
}

fn interval(args: &Args) -> Result<i64, Raise> {
    let interval = args.integer(2)?;
    if (1..=LONGEST).contains(&interval) {
        Ok(interval)
    } else {
        args.bad(2, "Range: 1-0x68D7A3")
    }
}

fn register(timers: &Timers, args: &Args) -> Result<(), Raise> {
    let (id, interval, mode) = (timer(args)?, interval(args)?, args.integer(3)?);
    if !(SINGLE..=SEMI).contains(&mode) {
        return args.bad(3, "Invalid mode");
    }
    let Some(callback) = args.opt_function(4) else {
        return args.bad(4, "Must be function");
    };
    timers.registered.borrow_mut().timers.insert(
        id,
        Timer {
            callback,
            mode,
            interval,
            running: None,
        },
    );
    Ok(())
}

fn start(timers: &Timers, args: &Args, is_restart: bool) -> Result<bool, Raise> {
    let id = timer(args)?;
    let object = args.value(1).as_userdata().cloned();
    let mut registered = timers.registered.borrow_mut();
    let (Some(timer), Some(object)) = (registered.timers.get_mut(&id), object) else {
        return Ok(false);
    };
    if timer.running.is_some() && !is_restart {
        return Ok(false);
    }
    let due = timers.device.clock.now() + millis(timer.interval);
    timer.running = Some((due, object));
    Ok(true)
}
