//! `i2c`: buses with the devices that the inputs name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{Lua, Value};

use super::gpio::pin;
use crate::api::{Args, Library};
use crate::collector;
use crate::device::Device;
use crate::error::{Raise, raise};
use crate::pins::hex;

const BUSES: i64 = 10;
const SLOWEST: i64 = 25_000;
const FASTEST: i64 = 1_000_000;
const RECEIVER: i64 = 1;

struct I2c {
    device: Rc<Device>,
    /// The buses that are set up, each with the device that is addressed.
    buses: RefCell<BTreeMap<i64, Option<i64>>>,
}

fn bus(args: &Args) -> Result<i64, Raise> {
    match args.integer(1)? {
        bus @ 0..BUSES => Ok(bus),
        bus => raise(format!("i2c {} does not exist", bus as u32)),
    }
}

/// The same, if it is set up.
fn ready(i2c: &I2c, args: &Args) -> Result<i64, Raise> {
    let bus = bus(args)?;
    match i2c.buses.borrow().contains_key(&bus) {
        true => Ok(bus),
        false => raise(format!("i2c {bus} is not configured")),
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let i2c = Rc::new(I2c {
        device: Rc::clone(device),
        buses: RefCell::default(),
    });
    let library = Library::new(lua, "i2c.")?;
    library.constant("SLOW", 100_000)?;
    library.constant("FAST", 400_000)?;
    library.constant("FASTPLUS", FASTEST)?;
    library.constant("TRANSMITTER", 0)?;
    library.constant("RECEIVER", RECEIVER)?;
    library.with(&i2c, "setup", |_, i2c, args| {
        let (bus, sda, scl) = (bus(args)?, pin(args, 2)?, pin(args, 3)?);
        if sda == 0 {
            return raise("i2c SDA on D0 is not supported");
        }
        let speed = args.integer(4)?;
        if speed <= 0 {
            return raise("wrong arg range");
        }
        let speed = speed.clamp(SLOWEST, FASTEST);
        i2c.buses.borrow_mut().insert(bus, None);
        i2c.device
            .trace(&format!("i2c.setup {bus} {sda} {scl} {speed}"));
        Ok(speed)
    })?;
    for name in ["start", "stop"] {
        library.with(&i2c, name, move |_, i2c, args| {
            let bus = ready(i2c, args)?;
            i2c.device.trace(&format!("i2c.{name} {bus}"));
            Ok(())
        })?;
    }
    library.with(&i2c, "address", |_, i2c, args| {
        let bus = ready(i2c, args)?;
        let (address, direction) = (args.integer(2)?, args.integer(3)?);
        if !(0..=127).contains(&address) {
            return raise("wrong arg range");
        }
        i2c.buses.borrow_mut().insert(bus, Some(address));
        let is_there = i2c
            .device
            .pins
            .outside
            .borrow()
            .i2c
            .contains_key(&(bus, address));
        let direction = if direction == RECEIVER {
            "read"
        } else {
            "write"
        };
        let answer = if is_there { "ack" } else { "nack" };
        i2c.device.trace(&format!(
            "i2c.address {bus} 0x{address:02x} {direction} {answer}"
        ));
        Ok(is_there)
    })?;
    library.with(&i2c, "write", |_, i2c, args| {
        let bus = ready(i2c, args)?;
        if args.len() < 2 {
            return raise("wrong arg type");
        }
        let mut bytes = Vec::new();
        for index in 2..=args.len() {
            add(args, index, &mut bytes)?;
        }
        i2c.device
            .trace(&format!("i2c.write {bus} {}", hex(&bytes)));
        Ok(bytes.len())
    })?;
    library.with(&i2c, "read", |lua, i2c, args| {
        let bus = ready(i2c, args)?;
        let size = usize::try_from(args.integer(2)?).unwrap_or(0).min(1 << 16);
        let address = i2c.buses.borrow().get(&bus).copied().flatten();
        let bytes: Vec<u8> = {
            let mut outside = i2c.device.pins.outside.borrow_mut();
            let mut answer = address.and_then(|address| outside.i2c.get_mut(&(bus, address)));
            // Nobody pulls the line down.
            let next = |_| answer.as_mut().and_then(|answer| answer.pop_front());
            (0..size)
                .map(next)
                .map(|byte| byte.unwrap_or(255))
                .collect()
        };
        i2c.device.trace(&format!("i2c.read {bus} {}", hex(&bytes)));
        collector::joined(lua, bytes)
    })?;
    library.global("i2c")
}

/// The bytes of an argument: a number, a table of numbers, or a string.
pub(super) fn add(args: &Args, index: usize, bytes: &mut Vec<u8>) -> Result<(), Raise> {
    let byte = |number: i64| match u8::try_from(number) {
        Ok(byte) => Ok(byte),
        Err(_) => raise("wrong arg range"),
    };
    match args.value(index) {
        Value::Table(table) => {
            for number in table.sequence_values::<i64>() {
                bytes.push(byte(number?)?);
            }
        }
        Value::Integer(_) | Value::Number(_) => bytes.push(byte(args.integer(index)?)?),
        _ => bytes.extend_from_slice(&args.string(index)?.as_bytes()),
    }
    Ok(())
}
