//! `struct`: values to and from the bytes of C structures. Sizes are the chip's: 4 bytes for `int`, `long` and `size_t`.

use mlua::{BString, Lua, LuaString, MultiValue, Value};

use crate::api::{Args, Library};
use crate::collector;
use crate::error::{Raise, raise};

/// What `!` alone aligns to.
const ALIGNMENT: usize = 8;
/// The most bytes of an integer.
const INTEGER: usize = 8;

/// One element of a format.
enum Item {
    Integer {
        size: usize,
        is_signed: bool,
    },
    Float {
        size: usize,
    },
    Padding,
    /// So many bytes; 0 where something else gives the number.
    Bytes(usize),
    /// Up to a zero.
    Text,
}

impl Item {
    /// Bytes that it takes, where that is fixed.
    fn size(&self) -> usize {
        match *self {
            Item::Integer { size, .. } | Item::Float { size } | Item::Bytes(size) => size,
            Item::Padding => 1,
            Item::Text => 0,
        }
    }
}

/// A format that is read element by element, with the settings that hold so far.
struct Format {
    text: LuaString,
    at: usize,
    is_big: bool,
    alignment: usize,
}

impl Format {
    fn new(args: &Args) -> Result<Self, Raise> {
        Ok(Self {
            text: args.string(1)?,
            at: 0,
            is_big: false,
            alignment: 1,
        })
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn number(&mut self, default: usize) -> Result<usize, Raise> {
        let mut number = None;
        while let Some(digit) = self.byte().filter(u8::is_ascii_digit) {
            let next = number.unwrap_or(0usize) * 10 + usize::from(digit - b'0');
            if next > i32::MAX as usize {
                return raise("integral size overflow");
            }
            number = Some(next);
            self.at += 1;
        }
        Ok(number.unwrap_or(default))
    }

    /// The next element and the bytes before it that align it, at a place in the structure.
    fn next(&mut self, args: &Args, place: usize) -> Result<Option<(Item, usize)>, Raise> {
        while let Some(option) = self.byte() {
            self.at += 1;
            let integer = |size| Item::Integer {
                size,
                is_signed: option.is_ascii_lowercase(),
            };
            let item = match option {
                b'b' | b'B' => integer(1),
                b'h' | b'H' => integer(2),
                b'l' | b'L' | b'T' => integer(4),
                b'i' | b'I' => match self.number(4)? {
                    size @ 0..=INTEGER => integer(size),
                    size => {
                        return raise(format!(
                            "integral size {size} is larger than limit of {INTEGER}"
                        ));
                    }
                },
                b'f' => Item::Float { size: 4 },
                b'd' => Item::Float { size: 8 },
                b'x' => Item::Padding,
                b'c' => Item::Bytes(self.number(1)?),
                b's' => Item::Text,
                _ => {
                    self.set(args, option)?;
                    continue;
                }
            };
            let unit = match item {
                Item::Bytes(_) | Item::Text => 1,
                _ => item.size().clamp(1, self.alignment),
            };
            // A size that is not a power of 2 is aligned by its set bits, as on the chip.
            let padding = (unit - (place & (unit - 1))) & (unit - 1);
            return Ok(Some((item, padding)));
        }
        Ok(None)
    }

    fn set(&mut self, args: &Args, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.is_big = true,
            b'<' => self.is_big = false,
            b'!' => {
                let alignment = self.number(ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return raise(format!("alignment {alignment} is not a power of 2"));
                }
                self.alignment = alignment;
            }
            _ => {
                let option = option as char;
                return args.bad(1, &format!("invalid format option '{option}'"));
            }
        }
        Ok(())
    }

    /// Bytes in the order that was set, from or to the order of a little-endian machine.
    fn ordered(&self, bytes: &mut [u8]) {
        if self.is_big {
            bytes.reverse();
        }
    }
}

fn number(args: &Args, index: usize) -> Result<f64, Raise> {
    match args.value(index) {
        Value::Number(number) => Ok(*number),
        Value::Integer(number) => Ok(*number as f64),
        _ => Ok(args.integer(index)? as f64),
    }
}

fn pack(lua: &Lua, args: &Args) -> Result<BString, Raise> {
    let mut format = Format::new(args)?;
    let mut packed = Vec::new();
    let mut index = 2;
    while let Some((item, padding)) = format.next(args, packed.len())? {
        packed.resize(packed.len() + padding, 0);
        let start = packed.len();
        match item {
            Item::Padding => {
                packed.push(0);
                continue;
            }
            Item::Integer { size, .. } => {
                let value = match number(args, index)? {
                    value if value >= 2f64.powi(63) => value as u64,
                    _ => args.integer(index)? as u64,
                };
                packed.extend_from_slice(&value.to_le_bytes()[..size]);
                format.ordered(&mut packed[start..]);
            }
            Item::Float { size } => {
                let value = number(args, index)?;
                match size {
                    4 => packed.extend_from_slice(&(value as f32).to_le_bytes()),
                    _ => packed.extend_from_slice(&value.to_le_bytes()),
                }
                format.ordered(&mut packed[start..]);
            }
            Item::Bytes(_) | Item::Text => {
                let text = args.string(index)?;
                let text = text.as_bytes();
                let length = match item.size() {
                    0 => text.len(),
                    size => size,
                };
                let Some(text) = text.get(..length) else {
                    return args.bad(index + 1, "string too short");
                };
                packed.extend_from_slice(text);
                if matches!(item, Item::Text) {
                    packed.push(0);
                }
            }
        }
        index += 1;
    }
    collector::joined(lua, packed)
}

fn unpack(lua: &Lua, args: &Args) -> Result<MultiValue, Raise> {
    let mut format = Format::new(args)?;
    let data = args.string(2)?;
    let data = data.as_bytes();
    let mut place = usize::try_from(args.opt_integer(3, 1)? - 1).unwrap_or(usize::MAX);
    let mut values: Vec<Value> = Vec::new();
    while let Some((item, padding)) = format.next(args, place)? {
        let start = place.saturating_add(padding);
        let mut size = item.size();
        if let Item::Bytes(0) = item {
            size = match values.pop() {
                Some(Value::Integer(length)) => usize::try_from(length).unwrap_or(usize::MAX),
                Some(Value::Number(length)) => length as usize,
                _ => return raise("format `c0' needs a previous size"),
            };
        }
        let Some(bytes) = data.get(start..start.saturating_add(size)) else {
            return args.bad(2, "data string too short");
        };
        place = start + size;
        let mut ordered = bytes.to_vec();
        format.ordered(&mut ordered);
        match item {
            Item::Padding => {}
            Item::Integer { size, is_signed } => values.push(integer(&ordered, size, is_signed)),
            Item::Float { .. } => values.push(Value::Number(float(&ordered))),
            Item::Bytes(_) => values.push(Value::String(lua.create_string(bytes)?)),
            Item::Text => {
                let rest = &data[start..];
                let Some(end) = rest.iter().position(|&byte| byte == 0) else {
                    return raise("unfinished string in data");
                };
                values.push(Value::String(lua.create_string(&rest[..end])?));
                place = start + end + 1;
            }
        }
    }
    values.push(Value::Integer(place as i64 + 1));
    Ok(values.into_iter().collect())
}

/// An integer of so many bytes, the lowest first.
fn integer(bytes: &[u8], size: usize, is_signed: bool) -> Value {
    let mut all = [0; INTEGER];
    all[..bytes.len()].copy_from_slice(bytes);
    let unused = 64 - 8 * size as u32;
    let value = u64::from_le_bytes(all);
    match is_signed && size > 0 {
        true => Value::Integer((value << unused) as i64 >> unused),
        false => i64::try_from(value).map_or(Value::Number(value as f64), Value::Integer),
    }
}

/// A float of 4 or 8 bytes, the lowest first.
fn float(bytes: &[u8]) -> f64 {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return f32::from_le_bytes(four).into();
    }
    <[u8; 8]>::try_from(bytes).map_or(0.0, f64::from_le_bytes)
}

fn size(args: &Args) -> Result<usize, Raise> {
    let mut format = Format::new(args)?;
    let mut place = 0;
    while let Some((item, padding)) = format.next(args, place)? {
        match item {
            Item::Text => return args.bad(1, "option 's' has no fixed size"),
            Item::Bytes(0) => return args.bad(1, "option 'c0' has no fixed size"),
            _ => place += padding + item.size(),
        }
    }
    Ok(place)
}

pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    let library = Library::new(lua, "struct.")?;
    library.function("pack", pack)?;
    library.function("unpack", unpack)?;
    library.function("size", |_, args| size(args))?;
    library.global("struct")
}
