//! Constants, where they are first used.

use bstr::{BString, ByteSlice};

use super::bits::{Bits, Out};
use super::context::{Context, fixed};
use super::pool::Pool;
use super::tables::Tables;
use crate::error::{ReadError, ReadErrorKind, WriteErrorKind};
use crate::layout::Layout;
use crate::model::Constant;
use crate::number::narrow;
use crate::number_model::Dialect;

const NAME: u8 = 0;
const POOL: u8 = 1;
const NIL: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
/// A number that is a whole one below 2^31: an integer, in float 5.1 a float.
const POSITIVE: u8 = 5;
/// The same as -1 - n.
const NEGATIVE: u8 = 6;
const WIDE: u8 = 7;
const SPELLED: u8 = 8;
const FLOAT: u8 = 9;

/// The symbols that depend on the kind of constant.
pub(crate) fn by_kind(first: u8, kind: u8) -> Context {
    Context::Fixed(first + kind)
}

/// The context of a character behind another.
fn behind(character: u8) -> Context {
    Context::Fixed(fixed::CHARACTER + (character >> 4))
}

pub(crate) fn read(bits: &mut Bits, kind: u8) -> Result<Constant, ReadError> {
    const WHAT: &str = "constant";
    let layout = *bits.layout;
    let kind_of = bits.symbol("constant type", by_kind(fixed::TYPE, kind))?;
    Ok(match kind_of {
        NIL => Constant::Nil,
        FALSE => Constant::Boolean(false),
        TRUE => Constant::Boolean(true),
        POSITIVE | NEGATIVE => {
            let number = bits.number(WHAT, Context::Fixed(fixed::INTEGER))?;
            let Ok(number) = i32::try_from(number) else {
                return bits.fail(ReadErrorKind::Range { what: WHAT });
            };
            let number = if kind_of == NEGATIVE { !number } else { number };
            match layout.integer {
                0 if layout.float == 4 && narrow(number.into()).is_none() => {
                    return bits.fail(ReadErrorKind::Range { what: WHAT });
                }
                0 => Constant::Float(number.into()),
                _ => Constant::Integer(number.into()),
            }
        }
        WIDE if layout.integer == 8 => Constant::Integer(raw_64(bits)? as i64),
        FLOAT if layout.float == 8 => Constant::Float(f64::from_bits(raw_64(bits)?)),
        FLOAT if layout.float == 4 => Constant::Float(crate::number::widen(bits.raw(WHAT, 32)?)),
        NAME => {
            let group = bits.symbol("name", by_kind(fixed::NAME, kind))?;
            let number = u32::from(group) << 3 | bits.raw("name", 3)?;
            string(bits, "name", number, bits.tables.names())?
        }
        POOL => {
            let number = bits.number("pooled string", Context::Fixed(fixed::POOL))?;
            string(bits, "pooled string", number, bits.pool.strings())?
        }
        SPELLED => {
            let length = bits.number("string", Context::Fixed(fixed::LENGTH))?;
            let left = bits.left();
            if length as usize > left {
                let (count, least) = (length.into(), 1);
                let what = "bits of a string";
                return bits.fail(ReadErrorKind::Count {
                    what,
                    count,
                    least,
                    left,
                });
            }
            let mut string = BString::default();
            let mut last = 0;
            for _ in 0..length {
                last = bits.symbol("string", behind(last))?;
                string.push(last);
            }
            Constant::String(string)
        }
        other => return bits.fail(ReadErrorKind::ConstantType(other)),
    })
}

fn raw_64(bits: &mut Bits) -> Result<u64, ReadError> {
    let low = bits.raw("constant", 32)?;
    Ok(u64::from(bits.raw("constant", 32)?) << 32 | u64::from(low))
}

fn string(
    bits: &Bits,
    what: &'static str,
    number: u32,
    strings: &[BString],
) -> Result<Constant, ReadError> {
    match strings.get(number as usize) {
        Some(string) => Ok(Constant::String(string.clone())),
        None => bits.fail(ReadErrorKind::Reference {
            what,
            number: number.into(),
            count: strings.len(),
        }),
    }
}

/// What constants are written by.
pub(crate) struct Strings<'a> {
    pub layout: &'a Layout,
    pub tables: &'a Tables,
    pub pool: &'a Pool,
}

/// `index` is the constant's number, for errors.
pub(crate) fn write(
    out: &mut impl Out,
    strings: &Strings,
    kind: u8,
    index: usize,
    constant: &Constant,
) -> Result<(), WriteErrorKind> {
    let layout = strings.layout;
    let type_of = by_kind(fixed::TYPE, kind);
    match constant {
        Constant::Nil => out.symbol(type_of, NIL),
        Constant::Boolean(value) => out.symbol(type_of, if *value { TRUE } else { FALSE }),
        Constant::Integer(value) => integer(out, layout, type_of, index, *value)?,
        Constant::Float(value) => float(out, layout, type_of, index, *value)?,
        Constant::String(string) => {
            let fits = i32::try_from(string.len()).is_ok();
            if !fits {
                let (what, value) = ("string constant", string.len() as u64);
                return Err(WriteErrorKind::Int { what, value });
            }
            if let Some(number) = strings.tables.name(string.as_bstr()) {
                out.symbol(type_of, NAME);
                out.symbol(by_kind(fixed::NAME, kind), (number >> 3) as u8);
                out.raw(number & 7, 3);
            } else if let Some(number) = strings.pool.number(string.as_bstr()) {
                out.symbol(type_of, POOL);
                out.number(Context::Fixed(fixed::POOL), number);
            } else {
                out.symbol(type_of, SPELLED);
                out.number(Context::Fixed(fixed::LENGTH), string.len() as u32);
                let mut last = 0;
                for &character in string.iter() {
                    out.symbol(behind(last), character);
                    last = character;
                }
            }
        }
    }
    Ok(())
}

fn whole(out: &mut impl Out, type_of: Context, value: i32) {
    let negative = value < 0;
    out.symbol(type_of, if negative { NEGATIVE } else { POSITIVE });
    let number = if negative { !value } else { value };
    out.number(Context::Fixed(fixed::INTEGER), number as u32);
}

fn integer(
    out: &mut impl Out,
    layout: &Layout,
    type_of: Context,
    constant: usize,
    value: i64,
) -> Result<(), WriteErrorKind> {
    match i32::try_from(value) {
        _ if layout.integer == 0 => {
            let layout = *layout;
            return Err(WriteErrorKind::NoIntegers {
                constant,
                value,
                layout,
            });
        }
        Ok(value) => whole(out, type_of, value),
        Err(_) if layout.integer == 4 => {
            return Err(WriteErrorKind::IntegerWidth { constant, value });
        }
        Err(_) => {
            out.symbol(type_of, WIDE);
            raw(out, value as u64);
        }
    }
    Ok(())
}

fn float(
    out: &mut impl Out,
    layout: &Layout,
    type_of: Context,
    constant: usize,
    value: f64,
) -> Result<(), WriteErrorKind> {
    let near = value as i32;
    match layout.float {
        0 => {
            let layout = *layout;
            return Err(WriteErrorKind::NoFloats {
                constant,
                value,
                layout,
            });
        }
        4 if narrow(value).is_none() => {
            return Err(WriteErrorKind::FloatWidth { constant, value });
        }
        _ if layout.dialect() == Dialect::Lua51 && f64::from(near).to_bits() == value.to_bits() => {
            whole(out, type_of, near);
        }
        _ => {
            out.symbol(type_of, FLOAT);
            match narrow(value) {
                Some(bits) if layout.float == 4 => out.raw(bits, 32),
                _ => raw(out, value.to_bits()),
            }
        }
    }
    Ok(())
}

fn raw(out: &mut impl Out, bits: u64) {
    out.raw(bits as u32, 32);
    out.raw((bits >> 32) as u32, 32);
}
