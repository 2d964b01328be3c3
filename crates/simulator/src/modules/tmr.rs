//! `tmr`: timers and clocks.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mlua::{AnyUserData, Function, Lua, MultiValue, Value};

use crate::api::{Args, Library, Raise};
use crate::device::{Call, Device, Garbage};

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
pub(crate) struct Timers {
    registered: BTreeMap<usize, Timer>,
    next: usize,
}

impl Timers {
    /// The numbers go on: objects of before a restart may be collected after it.
    pub fn reset(&mut self) {
        self.registered.clear();
    }

    pub fn count(&self) -> usize {
        self.registered.len()
    }

    pub fn delete(&mut self, id: usize) {
        self.registered.remove(&id);
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.registered
            .values()
            .filter_map(|timer| timer.running.as_ref().map(|(due, _)| *due))
            .min()
    }

    /// The timer that is due first, made ready for what comes after its callback.
    fn take_due(&mut self, now: Instant) -> Option<(Function, AnyUserData)> {
        let (due, id) = self
            .registered
            .iter()
            .filter_map(|(id, timer)| Some((timer.running.as_ref()?.0, *id)))
            .filter(|(due, _)| *due <= now)
            .min()?;
        let timer = self.registered.get_mut(&id)?;
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
            SINGLE => drop(self.registered.remove(&id)),
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
    device: Rc<Device>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.device
            .garbage
            .borrow_mut()
            .push(Garbage::Timer(self.id));
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
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
        Ok(device.started.get().elapsed().as_micros() as u64 & 0x7FFF_FFFF)
    })?;
    library.with(device, "time", move |_, device, _| {
        Ok(device.started.get().elapsed().as_secs())
    })?;
    open_timer(lua, device)?;
    library.with(device, "create", move |lua, device, _| {
        let id = {
            let mut timers = device.timers.borrow_mut();
            timers.next += 1;
            timers.next
        };
        Ok(lua.create_any_userdata(Handle {
            id,
            device: Rc::clone(device),
        })?)
    })?;
    library.global("tmr")
}

fn open_timer(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::methods(lua, "tmr.timer:")?;
    library.with(device, "register", move |_, device, args| {
        register(device, args)
    })?;
    library.with(device, "start", move |_, device, args| {
        start(device, args, args.is_true(2))
    })?;
    library.with(device, "alarm", move |_, device, args| {
        register(device, args)?;
        start(device, args, false)
    })?;
    library.with(device, "stop", move |_, device, args| {
        let id = timer(args)?;
        let mut timers = device.timers.borrow_mut();
        Ok(timers
            .registered
            .get_mut(&id)
            .is_some_and(|timer| timer.running.take().is_some()))
    })?;
    library.with(device, "unregister", move |_, device, args| {
        let id = timer(args)?;
        device.timers.borrow_mut().delete(id);
        Ok(())
    })?;
    library.with(device, "interval", move |_, device, args| {
        let (id, interval) = (timer(args)?, interval(args)?);
        if let Some(timer) = device.timers.borrow_mut().registered.get_mut(&id) {
            timer.interval = interval;
            if let Some((due, _)) = &mut timer.running {
                *due = Instant::now() + millis(interval);
            }
        }
        Ok(())
    })?;
    library.with(device, "state", move |_, device, args| {
        let id = timer(args)?;
        let timers = device.timers.borrow();
        Ok(match timers.registered.get(&id) {
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

fn register(device: &Device, args: &Args) -> Result<(), Raise> {
    let (id, interval, mode) = (timer(args)?, interval(args)?, args.integer(3)?);
    if !(SINGLE..=SEMI).contains(&mode) {
        return args.bad(3, "Invalid mode");
    }
    let Some(callback) = args.opt_function(4) else {
        return args.bad(4, "Must be function");
    };
    device.timers.borrow_mut().registered.insert(
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

fn start(device: &Device, args: &Args, is_restart: bool) -> Result<bool, Raise> {
    let id = timer(args)?;
    let object = args.value(1).as_userdata().cloned();
    let mut timers = device.timers.borrow_mut();
    let (Some(timer), Some(object)) = (timers.registered.get_mut(&id), object) else {
        return Ok(false);
    };
    if timer.running.is_some() && !is_restart {
        return Ok(false);
    }
    timer.running = Some((Instant::now() + millis(timer.interval), object));
    Ok(true)
}

/// Calls the callbacks of the timers that are due at `now`; true if there was one.
pub(crate) fn step(device: &Device, now: Instant) -> bool {
    let mut is_busy = false;
    while !device.is_stopped() {
        let call = device.timers.borrow_mut().take_due(now);
        let Some((callback, object)) = call else {
            break;
        };
        is_busy = true;
        device.call(Call::Protected, &callback, object);
    }
    is_busy
}
