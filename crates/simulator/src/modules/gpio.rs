//! `gpio`: pins whose levels come from the inputs and go into the trace.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mlua::{Function, Lua};

use crate::api::{Args, Library};
use crate::device::{Call, Device};
use crate::error::{Raise, raise};
use crate::pins::{PINS, PinInput};

const INPUT: i64 = 0;
const OUTPUT: i64 = 1;
const INT: i64 = 2;
const OPENDRAIN: i64 = 3;

/// What `trig` waits for, as numbered by its names.
const TRIGGERS: [&str; 6] = ["none", "up", "down", "both", "low", "high"];

#[derive(Clone, Default)]
struct Pin {
    mode: i64,
    has_pullup: bool,
    /// What was written.
    level: bool,
    trigger: usize,
    callback: Option<Function>,
}

pub(crate) struct Gpio {
    device: Rc<Device>,
    pins: RefCell<[Pin; PINS]>,
}

impl Gpio {
    fn level(&self, pin: usize) -> bool {
        let state = &self.pins.borrow()[pin];
        let outside = self.device.pins.outside.borrow().levels[pin];
        match state.mode {
            OUTPUT => state.level,
            OPENDRAIN if !state.level => false,
            _ => outside.unwrap_or(state.has_pullup),
        }
    }

    /// Takes an input, of which a callback may hear.
    fn take(&self, input: &PinInput) {
        let pin = match input {
            PinInput::Level { pin, .. } => Some(*pin),
            _ => None,
        };
        let before = pin.map(|pin| self.level(pin));
        self.device.trace(&input.line());
        self.device.pins.outside.borrow_mut().apply(input);
        if let (Some(pin), Some(before)) = (pin, before) {
            let level = self.level(pin);
            if level != before {
                self.changed(pin, level);
            }
        }
    }

    fn changed(&self, pin: usize, level: bool) {
        let callback = {
            let pin = &mut self.pins.borrow_mut()[pin];
            let is_meant = match TRIGGERS[pin.trigger] {
                "up" | "high" => level,
                "down" | "low" => !level,
                "both" => true,
                _ => false,
            };
            let callback = pin.callback.clone();
            callback.filter(|_| is_meant && pin.mode == INT)
        };
        if let Some(callback) = callback {
            let now = self.device.clock.since_start().as_micros() as u64 & 0x7FFF_FFFF;
            let arguments = (i64::from(level), now, 1);
            self.device.call(Call::Protected, &callback, arguments);
        }
    }
}

/// The argument that names a pin.
pub(super) fn pin(args: &Args, index: usize) -> Result<usize, Raise> {
    let number = args.integer(index)?;
    match usize::try_from(number) {
        Ok(pin @ 0..PINS) => Ok(pin),
        _ => raise(format!("gpio {} does not exist", number as u32)),
    }
}

fn level(args: &Args, index: usize, text: &str) -> Result<bool, Raise> {
    match args.integer(index)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => args.bad(index, text),
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let gpio = Rc::new(Gpio {
        device: Rc::clone(device),
        pins: RefCell::default(),
    });
    let library = Library::new(lua, "gpio.")?;
    for (name, value) in [
        ("INPUT", INPUT),
        ("OUTPUT", OUTPUT),
        ("INT", INT),
        ("OPENDRAIN", OPENDRAIN),
        ("LOW", 0),
        ("HIGH", 1),
        ("FLOAT", 0),
        ("PULLUP", 1),
    ] {
        library.constant(name, value)?;
    }
    library.with(&gpio, "mode", |_, gpio, args| mode(gpio, args))?;
    library.with(&gpio, "read", |_, gpio, args| {
        Ok(i64::from(gpio.level(pin(args, 1)?)))
    })?;
    library.with(&gpio, "write", |_, gpio, args| {
        let (pin, level) = (pin(args, 1)?, level(args, 2, "wrong level type")?);
        gpio.pins.borrow_mut()[pin].level = level;
        gpio.device
            .trace(&format!("gpio.write {pin} {}", u8::from(level)));
        Ok(())
    })?;
    library.with(&gpio, "trig", |_, gpio, args| trig(gpio, args))?;
    library.with(&gpio, "serout", |_, gpio, args| serout(gpio, args))?;
    let pulse = Library::new(lua, "gpio.pulse.")?;
    pulse.unsimulated(&["build"])?;
    library.constant("pulse", pulse.table)?;
    library.global("gpio")?;
    for (time, input) in &device.options.pin_inputs {
        if time.is_zero() {
            gpio.take(input);
            continue;
        }
        let (gpio, input) = (Rc::clone(&gpio), input.clone());
        let job = move |_: &Lua, _: &Rc<Device>| {
            gpio.take(&input);
            Ok(())
        };
        device.after(*time, Box::new(job));
    }
    Ok(())
}

fn mode(gpio: &Gpio, args: &Args) -> Result<(), Raise> {
    let (number, mode) = (args.integer(1)?, args.integer(2)?);
    let has_pullup = args.opt_integer(3, 0)? != 0;
    let pin = match usize::try_from(number) {
        Ok(pin @ 0..PINS) if mode != INT || pin > 0 => pin,
        _ => return args.bad(1, "Invalid pin"),
    };
    let name = match mode {
        INPUT => "input",
        OUTPUT => "output",
        INT => "int",
        OPENDRAIN => "opendrain",
        _ => return args.bad(2, "wrong arg type"),
    };
    let old = {
        let state = &mut gpio.pins.borrow_mut()[pin];
        state.mode = mode;
        state.has_pullup = has_pullup;
        state.callback.take_if(|_| mode != INT)
    };
    drop(old);
    let pullup = if has_pullup { "pullup" } else { "float" };
    gpio.device
        .trace(&format!("gpio.mode {pin} {name} {pullup}"));
    Ok(())
}

fn trig(gpio: &Gpio, args: &Args) -> Result<(), Raise> {
    let pin = match usize::try_from(args.integer(1)?) {
        Ok(pin @ 1..PINS) => pin,
        _ => return args.bad(1, "Invalid interrupt pin"),
    };
    let name = args.opt_string(2)?;
    let name = name.map_or_else(|| "none".to_owned(), |name| name.to_string_lossy());
    let Some(trigger) = TRIGGERS.iter().position(|trigger| *trigger == name) else {
        return args.bad(2, &format!("invalid option '{name}'"));
    };
    let callback = args.opt_function(3);
    let has_old = gpio.pins.borrow()[pin].callback.is_some();
    let is_kept = trigger != 0 && args.len() == 2 && has_old;
    if trigger != 0 && !is_kept && callback.is_none() {
        return args.bad(3, "invalid callback type");
    }
    let old = {
        let state = &mut gpio.pins.borrow_mut()[pin];
        state.trigger = trigger;
        match is_kept {
            true => None,
            false => std::mem::replace(&mut state.callback, callback),
        }
    };
    drop(old);
    gpio.device.trace(&format!("gpio.trig {pin} {name}"));
    Ok(())
}

fn serout(gpio: &Rc<Gpio>, args: &Args) -> Result<(), Raise> {
    let number = args.integer(1)?;
    let start = args.integer(2)?;
    let cycles = args.opt_integer(4, 1)?;
    let Some(pin) = usize::try_from(number).ok().filter(|pin| *pin < PINS) else {
        return args.bad(1, "Invalid pin");
    };
    if !(0..=1).contains(&start) {
        return args.bad(2, "Wrong level type");
    }
    let delays = match args.value(3) {
        mlua::Value::Table(table) => table
            .sequence_values::<u32>()
            .collect::<Result<Vec<_>, _>>()?,
        _ => Vec::new(),
    };
    let Some(cycles) = usize::try_from(cycles)
        .ok()
        .filter(|n| *n > 0 && !delays.is_empty())
    else {
        return args.bad(3, "Invalid delay_times");
    };
    let toggles = delays.len().saturating_mul(cycles) - 1;
    gpio.pins.borrow_mut()[pin].level = (start == 1) != (toggles % 2 == 1);
    let list: Vec<String> = delays.iter().map(u32::to_string).collect();
    let list = list.join(",");
    gpio.device
        .trace(&format!("gpio.serout {pin} {start} {list} {cycles}"));
    let once: u64 = delays.iter().copied().map(u64::from).sum();
    let all = Duration::from_micros(once.saturating_mul(cycles as u64));
    match args.opt_function(5) {
        Some(callback) => {
            let job = move |_: &Lua, device: &Rc<Device>| {
                device.call(Call::Protected, &callback, ());
                Ok(())
            };
            gpio.device.after(all, Box::new(job));
        }
        // Without one it waits, unless the arguments say that it goes on meanwhile.
        None if args.value(5).is_nil() => std::thread::sleep(all),
        None => {}
    }
    Ok(())
}
