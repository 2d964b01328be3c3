//! Values of options, and those that a shell offers.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use fastlua::{Amount, BudgetError, Chip, Variants, check_capacity, shipped_names};

/// Any text from which a `T` can be parsed. A shell offers the names from `names`; others may be valid too.
#[derive(Clone)]
pub struct Offered<T> {
    names: fn() -> Vec<String>,
    value: PhantomData<fn() -> T>,
}

impl<T> TypedValueParser for Offered<T>
where
    T: FromStr<Err: std::fmt::Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value)?;
        text.parse().map_err(|reason: T::Err| {
            let mut error = Error::new(ErrorKind::ValueValidation).with_cmd(command);
            if let Some(arg) = arg {
                let arg = ContextValue::String(arg.to_string());
                error.insert(ContextKind::InvalidArg, arg);
            }
            error.insert(ContextKind::InvalidValue, ContextValue::String(text));
            let reason = ContextValue::String(reason.to_string());
            error.insert(ContextKind::Custom, reason);
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.names)().into_iter().map(PossibleValue::new)))
    }
}

fn offered<T>(names: fn() -> Vec<String>) -> Offered<T> {
    let value = PhantomData;
    Offered { names, value }
}

/// A variant's name; the built-in ones are offered.
pub fn variant() -> Offered<String> {
    offered(|| {
        Variants::built_in()
            .iter()
            .map(|v| v.name.clone())
            .collect()
    })
}

/// A shipped module's name.
pub fn shipped() -> Offered<String> {
    offered(|| shipped_names().map(str::to_owned).collect())
}

/// A chip.
pub fn chip() -> Offered<Chip> {
    offered(|| Chip::names().map(str::to_owned).collect())
}

/// A strip level.
pub fn strip() -> Offered<Level> {
    offered(|| ["0", "1", "2"].map(str::to_owned).into())
}

/// A strip level, 0 to 2.
#[derive(Clone, Copy)]
pub struct Level(pub fastlua::Strip);

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let level = text.parse().ok().and_then(fastlua::Strip::from_level);
        level
            .map(Level)
            .ok_or_else(|| "levels are 0, 1 and 2".into())
    }
}

/// Bytes, such as `64k`.
pub fn amount(text: &str) -> Result<u64, String> {
    let amount: Result<Amount, BudgetError> = text.parse();
    amount
        .map(|Amount(bytes)| bytes)
        .map_err(|error| error.to_string())
}

/// Bytes of a chip's flash.
pub fn capacity(text: &str) -> Result<u32, String> {
    amount(text)?
        .try_into()
        .map_err(|_| "larger than the flash of any chip".into())
}

/// Bytes of a slot.
pub fn slot(text: &str) -> Result<u32, String> {
    let bytes = capacity(text)?;
    check_capacity(bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Bytes of a chip's flash, also as a number behind `0x`.
pub fn size(text: &str) -> Result<u32, String> {
    hexadecimal(text).unwrap_or_else(|| capacity(text))
}

/// An address.
pub fn address(text: &str) -> Result<u32, String> {
    hexadecimal(text).unwrap_or_else(|| text.parse().map_err(|error| format!("{error}")))
}

/// The number behind `0x`.
fn hexadecimal(text: &str) -> Option<Result<u32, String>> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    Some(u32::from_str_radix(digits, 16).map_err(|error| error.to_string()))
}
