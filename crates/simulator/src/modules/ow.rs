//! `ow`: 1-Wire with the devices that the inputs name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{BString, Lua};

use super::gpio::pin;
use super::i2c::add;
use crate::api::{Args, Library};
use crate::device::Device;
use crate::error::{Raise, raise};
use crate::pins::{ROM, hex};

/// The most bytes of one read.
const MOST: i64 = 256;

#[derive(Clone, Default)]
struct Wire {
    /// The device that was selected; without one the first answers.
    selected: Option<[u8; ROM]>,
    /// The last that a search has found, and the family that it looks for.
    found: Option<[u8; ROM]>,
    family: Option<u8>,
}

struct Ow {
    device: Rc<Device>,
    wires: RefCell<BTreeMap<usize, Wire>>,
}

impl Ow {
    fn next_byte(&self, pin: usize) -> u8 {
        let selected = self.wires.borrow().get(&pin).and_then(|wire| wire.selected);
        let mut outside = self.device.pins.outside.borrow_mut();
        let mut devices = outside.one_wire.iter_mut();
        let answer = devices.find(|((wire, rom), _)| {
            *wire == pin && selected.is_none_or(|selected| selected == *rom)
        });
        // Nobody pulls the wire down.
        answer
            .and_then(|(_, answer)| answer.pop_front())
            .unwrap_or(255)
    }

    fn read(&self, pin: usize, count: usize) -> Vec<u8> {
        let bytes: Vec<u8> = (0..count).map(|_| self.next_byte(pin)).collect();
        self.device.trace(&format!("ow.read {pin} {}", hex(&bytes)));
        bytes
    }

    fn write(&self, pin: usize, bytes: &[u8]) {
        self.device.trace(&format!("ow.write {pin} {}", hex(bytes)));
    }

    /// The next device of the family, in the order of their numbers.
    fn search(&self, pin: usize) -> Option<[u8; ROM]> {
        let mut wires = self.wires.borrow_mut();
        let wire = wires.entry(pin).or_default();
        let outside = self.device.pins.outside.borrow();
        let mut roms = outside.one_wire.keys();
        let rom = roms.find(|(on, rom)| {
            *on == pin
                && wire.found.is_none_or(|found| *rom > found)
                && wire.family.is_none_or(|family| rom[0] == family)
        });
        let rom = rom.map(|(_, rom)| *rom);
        wire.found = rom;
        rom
    }
}

fn wire(args: &Args) -> Result<usize, Raise> {
    match pin(args, 1) {
        Ok(0) => raise("no 1-wire for D0"),
        Ok(pin) => Ok(pin),
        Err(_) => raise(format!("ow {} does not exist", args.integer(1)? as u32)),
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let ow = Rc::new(Ow {
        device: Rc::clone(device),
        wires: RefCell::default(),
    });
    let library = Library::new(lua, "ow.")?;
    add_bus(&library, &ow)?;
    add_search(&library, &ow)?;
    add_checks(&library)?;
    library.function("set_timings", |_, _| Ok(()))?;
    library.global("ow")
}

fn add_bus(library: &Library, ow: &Rc<Ow>) -> mlua::Result<()> {
    library.with(ow, "setup", |_, ow, args| {
        let pin = wire(args)?;
        ow.wires.borrow_mut().insert(pin, Wire::default());
        ow.device.trace(&format!("ow.setup {pin}"));
        Ok(())
    })?;
    library.with(ow, "reset", |_, ow, args| {
        let pin = wire(args)?;
        ow.wires.borrow_mut().entry(pin).or_default().selected = None;
        let outside = ow.device.pins.outside.borrow();
        let is_there = outside.one_wire.keys().any(|(on, _)| *on == pin);
        drop(outside);
        let present = u8::from(is_there);
        ow.device.trace(&format!("ow.reset {pin} {present}"));
        Ok(present)
    })?;
    library.with(ow, "skip", |_, ow, args| {
        ow.write(wire(args)?, &[0xCC]);
        Ok(())
    })?;
    library.with(ow, "select", |_, ow, args| {
        let pin = wire(args)?;
        let mut bytes = Vec::new();
        add(args, 2, &mut bytes)?;
        let Ok(rom) = <[u8; ROM]>::try_from(bytes.as_slice()) else {
            return raise("wrong arg range");
        };
        ow.wires.borrow_mut().entry(pin).or_default().selected = Some(rom);
        ow.write(pin, &[&[0x55], rom.as_slice()].concat());
        Ok(())
    })?;
    library.with(ow, "write", |_, ow, args| {
        let pin = wire(args)?;
        match u8::try_from(args.integer(2)?) {
            Ok(byte) => ow.write(pin, &[byte]),
            Err(_) => return raise("wrong arg range"),
        }
        Ok(())
    })?;
    library.with(ow, "write_bytes", |_, ow, args| {
        ow.write(wire(args)?, &args.string(2)?.as_bytes());
        Ok(())
    })?;
    library.with(ow, "read", |_, ow, args| Ok(ow.read(wire(args)?, 1)[0]))?;
    library.with(ow, "read_bytes", |_, ow, args| {
        let pin = wire(args)?;
        match args.integer(2)? {
            count @ 0..=MOST => Ok(BString::from(ow.read(pin, count as usize))),
            _ => args.bad(2, "Attempt to read too many characters"),
        }
    })?;
    library.with(ow, "depower", |_, ow, args| {
        ow.device.trace(&format!("ow.depower {}", wire(args)?));
        Ok(())
    })?;
    Ok(())
}

fn add_search(library: &Library, ow: &Rc<Ow>) -> mlua::Result<()> {
    library.with(ow, "reset_search", |_, ow, args| {
        let mut wires = ow.wires.borrow_mut();
        let wire = wires.entry(wire(args)?).or_default();
        (wire.found, wire.family) = (None, None);
        Ok(())
    })?;
    library.with(ow, "target_search", |_, ow, args| {
        let (pin, family) = (wire(args)?, u8::try_from(args.integer(2)?));
        let Ok(family) = family else {
            return raise("wrong arg range");
        };
        let mut wires = ow.wires.borrow_mut();
        let wire = wires.entry(pin).or_default();
        (wire.found, wire.family) = (None, Some(family));
        Ok(())
    })?;
    library.with(ow, "search", |_, ow, args| {
        let pin = wire(args)?;
        let rom = ow.search(pin);
        let said = rom.map_or_else(|| "none".to_owned(), |rom| hex(&rom));
        ow.device.trace(&format!("ow.search {pin} {said}"));
        Ok(rom.map(|rom| BString::from(rom.to_vec())))
    })?;
    Ok(())
}

fn add_checks(library: &Library) -> mlua::Result<()> {
    library.function("crc8", |_, args| {
        let bytes = args.string(1)?;
        if bytes.as_bytes().len() > 255 {
            return raise("wrong arg range");
        }
        Ok(crc8(&bytes.as_bytes()))
    })?;
    library.function("crc16", |_, args| {
        Ok(crc16(&args.string(1)?.as_bytes(), start(args, 2)?))
    })?;
    library.function("check_crc16", |_, args| {
        let crc = crc16(&args.string(1)?.as_bytes(), start(args, 4)?);
        let received = [args.integer(2)? as u8, args.integer(3)? as u8];
        Ok(!crc == u16::from_le_bytes(received))
    })?;
    Ok(())
}

fn start(args: &Args, index: usize) -> Result<u16, Raise> {
    match u16::try_from(args.opt_integer(index, 0)?) {
        Ok(crc) => Ok(crc),
        Err(_) => raise("wrong arg range"),
    }
}

/// Dallas's check of 8 bits: the polynomial x^8 + x^5 + x^4 + 1, the lowest bit first.
fn crc8(bytes: &[u8]) -> u8 {
    let step = |crc: u8, _: u8| crc >> 1 ^ (if crc & 1 == 1 { 0x8C } else { 0 });
    let byte = |crc: u8, byte: &u8| (0..8).fold(crc ^ byte, step);
    bytes.iter().fold(0, byte)
}

/// Dallas's check of 16 bits: the polynomial x^16 + x^15 + x^2 + 1, the lowest bit first.
fn crc16(bytes: &[u8], start: u16) -> u16 {
    let step = |crc: u16, _: u8| crc >> 1 ^ (if crc & 1 == 1 { 0xA001 } else { 0 });
    let byte = |crc: u16, byte: &u8| (0..8).fold(crc ^ u16::from(*byte), step);
    bytes.iter().fold(start, byte)
}
