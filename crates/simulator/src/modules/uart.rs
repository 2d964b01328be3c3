//! `uart`: the serial port, which is the PC's standard input and output.

use std::rc::Rc;

use mlua::{Lua, Value};

use crate::api::Library;
use crate::device::Device;
use crate::error::raise;
use crate::input::{Cut, Input};

pub(crate) fn open(lua: &Lua, device: &Rc<Device>, input: &Rc<Input>) -> mlua::Result<()> {
    let library = Library::new(lua, "uart.")?;
    for (name, value) in [
        ("STOPBITS_1", 1),
        ("STOPBITS_1_5", 2),
        ("STOPBITS_2", 3),
        ("PARITY_NONE", 0),
        ("PARITY_EVEN", 1),
        ("PARITY_ODD", 2),
        ("DIR_RX", 0),
        ("DIR_TX", 1),
    ] {
        library.constant(name, value)?;
    }
    library.with(device, "write", move |_, device, args| {
        args.integer(1)?;
        for index in 2..=args.len() {
            match args.value(index) {
                Value::String(text) => device.uart(&text.as_bytes()),
                _ => match u8::try_from(args.integer(index)?) {
                    Ok(byte) => device.uart(&[byte]),
                    Err(_) => return raise("invalid number"),
                },
            }
        }
        Ok(())
    })?;
    library.with(input, "on", move |_, input, args| {
        if args.text(1)? != "data" {
            return args.bad(1, "method not supported");
        }
        let (cut, index) = match args.value(2) {
            Value::Integer(_) | Value::Number(_) => match args.integer(2)? {
                0 => (Cut::Byte, 3),
                length @ 1..=255 => (Cut::Length(length as usize), 3),
                _ => return args.bad(2, "wrong arg range"),
            },
            Value::String(end) => match *end.as_bytes() {
                [byte] => (Cut::End(byte), 3),
                _ => return raise("wrong arg range"),
            },
            _ => (Cut::End(0), 2),
        };
        let on_data = args.opt_function(index).map(|function| (function, cut));
        let is_taken =
            on_data.is_some() && args.is_number(index + 1) && args.integer(index + 1)? == 0;
        input.on_data(on_data, is_taken);
        Ok(())
    })?;
    library.function("setup", |_, args| {
        for index in [1, 3, 4, 5] {
            args.integer(index)?;
        }
        args.integer(2)
    })?;
    library.function("getconfig", |_, _| Ok((115_200, 8, 0, 1)))?;
    library.function("alt", |_, args| args.integer(1).map(drop))?;
    library.function("fifodepth", |_, _| Ok(0))?;
    library.global("uart")
}
