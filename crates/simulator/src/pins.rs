//! What happens at the pins: a trace of it, and inputs that are given beforehand.
//!
//! Both are text, a line for each event: microseconds since the device has started, the name of the event, its arguments.
//! The first line is the version. Inputs have names that end in `.input`; other lines are ignored
//! where inputs are read, so that a trace can be given to another run.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;

/// The first line.
const HEAD: &str = "fastlua-pins 1";
/// Pins of NodeMCU, from D0 on.
pub(crate) const PINS: usize = 13;
/// Bytes of the number of a device on 1-Wire.
pub(crate) const ROM: usize = 8;

/// Something that comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinInput {
    /// The level at a pin, from then on.
    Level {
        /// Its number, as in `gpio`.
        pin: usize,
        /// Whether it is high.
        is_high: bool,
    },
    /// What the converter measures from then on.
    Analog(i64),
    /// A device on an I2C bus, and what it answers next.
    I2c {
        /// The bus.
        bus: i64,
        /// The device's 7-bit address.
        address: i64,
        /// What it answers, behind what it has not yet.
        answer: Vec<u8>,
    },
    /// A device on 1-Wire, and what it answers next.
    OneWire {
        /// The pin of the wire.
        pin: usize,
        /// Its number.
        rom: [u8; ROM],
        /// What it answers, behind what it has not yet.
        answer: Vec<u8>,
    },
}

/// Inputs with their time since the start, in their order.
pub type PinInputs = Vec<(Duration, PinInput)>;

/// Reads inputs.
///
/// # Errors
/// The line, counted from 1, and what is wrong with it.
pub fn read_pin_inputs(text: &str) -> Result<PinInputs, (usize, String)> {
    let mut lines = text.lines().zip(1..);
    if lines.next().map(|(line, _)| line.trim_end()) != Some(HEAD) {
        return Err((1, format!("`{HEAD}` expected")));
    }
    let mut inputs = Vec::new();
    for (line, number) in lines {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let input = match words[..] {
            [] => continue,
            [_, name, ..] if !name.ends_with(".input") => continue,
            [time, ref rest @ ..] => time
                .parse()
                .ok()
                .and_then(|micros| Some((Duration::from_micros(micros), input(rest)?))),
        };
        let wrong = || (number, format!("not an input: {}", words.join(" ")));
        inputs.push(input.ok_or_else(wrong)?);
    }
    inputs.sort_by_key(|(time, _)| *time);
    Ok(inputs)
}

/// An input without its time.
fn input(words: &[&str]) -> Option<PinInput> {
    let bytes = |text: &&str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    let pin = |text: &str| text.parse().ok().filter(|pin| *pin < PINS);
    Some(match *words {
        ["gpio.input", number, level] => PinInput::Level {
            pin: pin(number)?,
            is_high: match level {
                "0" => false,
                "1" => true,
                _ => return None,
            },
        },
        ["adc.input", "0", value] => PinInput::Analog(value.parse().ok()?),
        ["i2c.input", bus, address, ref answer @ ..] if answer.len() < 2 => PinInput::I2c {
            bus: bus.parse().ok()?,
            address: i64::from_str_radix(address.strip_prefix("0x")?, 16).ok()?,
            answer: answer.first().map_or(Some(Vec::new()), bytes)?,
        },
        ["ow.input", number, rom, ref answer @ ..] if answer.len() < 2 => PinInput::OneWire {
            pin: pin(number)?,
            rom: bytes(&rom)?.try_into().ok()?,
            answer: answer.first().map_or(Some(Vec::new()), bytes)?,
        },
        _ => return None,
    })
}

impl PinInput {
    /// Its line in a trace, without the time.
    pub(crate) fn line(&self) -> String {
        match self {
            PinInput::Level { pin, is_high } => {
                format!("gpio.input {pin} {}", u8::from(*is_high))
            }
            PinInput::Analog(value) => format!("adc.input 0 {value}"),
            PinInput::I2c {
                bus,
                address,
                answer,
            } => format!("i2c.input {bus} 0x{address:02x} {}", hex(answer)),
            PinInput::OneWire { pin, rom, answer } => {
                format!("ow.input {pin} {} {}", hex(rom), hex(answer))
            }
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// What there is at the pins from outside.
#[derive(Default)]
pub(crate) struct Outside {
    pub levels: [Option<bool>; PINS],
    pub analog: i64,
    /// The devices by bus and address, each with what it has still to answer.
    pub i2c: BTreeMap<(i64, i64), VecDeque<u8>>,
    pub one_wire: BTreeMap<(usize, [u8; ROM]), VecDeque<u8>>,
}

impl Outside {
    pub fn apply(&mut self, input: &PinInput) {
        match input {
            PinInput::Level { pin, is_high } => {
                if let Some(level) = self.levels.get_mut(*pin) {
                    *level = Some(*is_high);
                }
            }
            PinInput::Analog(value) => self.analog = *value,
            PinInput::I2c {
                bus,
                address,
                answer,
            } => self.i2c.entry((*bus, *address)).or_default().extend(answer),
            PinInput::OneWire { pin, rom, answer } => self
                .one_wire
                .entry((*pin, *rom))
                .or_default()
                .extend(answer),
        }
    }
}

#[derive(Default)]
pub(crate) struct Pins {
    trace: RefCell<Option<Box<dyn Write>>>,
    pub outside: RefCell<Outside>,
}

impl Pins {
    pub fn new(trace: Option<Box<dyn Write>>) -> std::io::Result<Self> {
        let pins = Self {
            trace: RefCell::new(trace),
            outside: RefCell::default(),
        };
        pins.write(HEAD)?;
        Ok(pins)
    }

    /// Writes a line into the trace, if there is one.
    pub fn write(&self, line: impl Display) -> std::io::Result<()> {
        match &mut *self.trace.borrow_mut() {
            Some(trace) => writeln!(trace, "{line}"),
            None => Ok(()),
        }
    }

    pub fn flush(&self) -> std::io::Result<()> {
        match &mut *self.trace.borrow_mut() {
            Some(trace) => trace.flush(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PinInput, read_pin_inputs};

    #[test]
    fn inputs_are_read_in_their_order_and_written_alike() {
        let text = "fastlua-pins 1\n\
            20 gpio.input 3 1 # up\n\
            10 gpio.write 4 1\n\
            \n\
            10 adc.input 0 512\n\
            5 i2c.input 0 0x40 0aff\n\
            0 ow.input 4 28ff641e8216031c 91\n";
        let inputs = read_pin_inputs(text).unwrap();
        let times: Vec<_> = inputs.iter().map(|(time, _)| time.as_micros()).collect();
        assert_eq!(times, [0, 5, 10, 20]);
        let level = PinInput::Level {
            pin: 3,
            is_high: true,
        };
        assert_eq!(inputs[3], (Duration::from_micros(20), level));
        let lines = inputs.iter().map(|(time, input)| {
            let micros = time.as_micros();
            format!("{micros} {}\n", input.line())
        });
        let again = format!("fastlua-pins 1\n{}", lines.collect::<String>());
        assert_eq!(read_pin_inputs(&again).unwrap(), inputs);
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (line, text) in [
            (1, ""),
            (1, "fastlua-pins 2\n"),
            (2, "fastlua-pins 1\nx gpio.input 3 1"),
            (2, "fastlua-pins 1\n0 gpio.input 13 1"),
            (2, "fastlua-pins 1\n0 gpio.input 3 2"),
            (3, "fastlua-pins 1\n\n0 ow.input 4 28"),
            (2, "fastlua-pins 1\n0 i2c.input 0 0x40 0g"),
            (2, "fastlua-pins 1\n0 spi.input 1"),
        ] {
            assert_eq!(read_pin_inputs(text).unwrap_err().0, line, "{text}");
        }
    }
}
