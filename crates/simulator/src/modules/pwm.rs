//! `pwm`: up to six pins with one frequency, whose settings go into the trace.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::Lua;

use super::gpio::pin;
use crate::api::{Args, Library};
use crate::device::Device;
use crate::error::{Raise, raise};

const MOST: usize = 6;
const DUTY: i64 = 1023;
const CLOCK: i64 = 1000;

#[derive(Default)]
struct Pwm {
    clock: i64,
    /// The duty of each pin that was set up.
    duties: BTreeMap<usize, i64>,
}

fn clock(args: &Args) -> Result<i64, Raise> {
    match args.integer(2)? {
        clock @ 1.. => Ok(clock.min(CLOCK)),
        _ => raise("wrong arg range"),
    }
}

fn duty(args: &Args, index: usize) -> Result<i64, Raise> {
    match args.integer(index)? {
        duty @ 0..=DUTY => Ok(duty),
        _ => raise("wrong arg range"),
    }
}

/// The argument that names a pin, which may not be D0.
fn output(args: &Args) -> Result<usize, Raise> {
    match pin(args, 1) {
        Ok(0) => raise("no pwm for D0"),
        Ok(pin) => Ok(pin),
        Err(_) => raise(format!("pwm {} does not exist", args.integer(1)? as u32)),
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let shared = Rc::new((Rc::clone(device), RefCell::new(Pwm::default())));
    let library = Library::new(lua, "pwm.")?;
    library.with(&shared, "setup", |_, shared, args| {
        let (pin, clock, duty) = (output(args)?, clock(args)?, duty(args, 3)?);
        let mut pwm = shared.1.borrow_mut();
        if pwm.duties.len() == MOST && !pwm.duties.contains_key(&pin) {
            return raise("too many pwms.");
        }
        pwm.clock = clock;
        pwm.duties.insert(pin, duty);
        shared.0.trace(&format!("pwm.setup {pin} {clock} {duty}"));
        Ok(clock)
    })?;
    library.with(&shared, "start", |_, shared, args| {
        let pin = output(args)?;
        if !shared.1.borrow().duties.contains_key(&pin) {
            return raise("Unable to start PWM output");
        }
        shared.0.trace(&format!("pwm.start {pin}"));
        Ok(())
    })?;
    library.with(&shared, "stop", |_, shared, args| {
        shared.0.trace(&format!("pwm.stop {}", output(args)?));
        Ok(())
    })?;
    library.with(&shared, "close", |_, shared, args| {
        let pin = output(args)?;
        shared.1.borrow_mut().duties.remove(&pin);
        shared.0.trace(&format!("pwm.close {pin}"));
        Ok(())
    })?;
    library.with(&shared, "setclock", |_, shared, args| {
        let (pin, clock) = (output(args)?, clock(args)?);
        shared.1.borrow_mut().clock = clock;
        shared.0.trace(&format!("pwm.setclock {pin} {clock}"));
        Ok(clock)
    })?;
    library.with(&shared, "getclock", |_, shared, args| {
        output(args)?;
        Ok(shared.1.borrow().clock)
    })?;
    library.with(&shared, "setduty", |_, shared, args| {
        let (pin, duty) = (output(args)?, duty(args, 2)?);
        if let Some(old) = shared.1.borrow_mut().duties.get_mut(&pin) {
            *old = duty;
        }
        shared.0.trace(&format!("pwm.setduty {pin} {duty}"));
        Ok(duty)
    })?;
    library.with(&shared, "getduty", |_, shared, args| {
        let pin = output(args)?;
        Ok(shared.1.borrow().duties.get(&pin).copied().unwrap_or(0))
    })?;
    library.global("pwm")
}
