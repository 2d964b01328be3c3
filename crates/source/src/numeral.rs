//! Number literals: what they mean to a target, and the shortest way to write one.

use fastlua_bytecode::Dialect;

use fastlua_bytecode::NumberModel;

/// The value of a literal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    /// A 32-bit float is held exactly.
    Float(f64),
}

impl Number {
    /// The same type and the same bits.
    pub fn same(self, other: Number) -> bool {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

/// How a number token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// Decimal digits only.
    Decimal(&'a str),
    /// `0x` and hexadecimal digits only; the digits.
    Hex(&'a str),
    /// Decimal with a point or an exponent.
    Float(&'a str),
    /// Hexadecimal with a point or an exponent; what follows `0x`.
    HexFloat(&'a str),
    /// No number.
    Malformed,
}

impl<'a> Form<'a> {
    pub fn of(token: &'a [u8]) -> Self {
        let Ok(text) = std::str::from_utf8(token) else {
            return Form::Malformed;
        };
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return match digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                _ if digits.is_empty() => Form::Malformed,
                true => Form::Hex(digits),
                false if is_float(digits, |b| b.is_ascii_hexdigit(), b'p') => {
                    Form::HexFloat(digits)
                }
                false => Form::Malformed,
            };
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            Form::Decimal(text)
        } else if is_float(text, |b| b.is_ascii_digit(), b'e') {
            Form::Float(text)
        } else {
            Form::Malformed
        }
    }
}

/// The bits of a hexadecimal float that is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HexFloat {
    /// The highest bit's power of two.
    pub top: i64,
    /// The lowest one's.
    pub last: i64,
}

impl HexFloat {
    /// Of what follows `0x`; none for zero.
    pub fn of(text: &str) -> Option<HexFloat> {
        const FAR: i64 = 1 << 40; // further than any float, and its digits can't lead back
        let (mantissa, exponent) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
        let exponent = match (exponent.parse::<i64>(), exponent.starts_with('-')) {
            (Ok(exponent), _) => exponent.clamp(-FAR, FAR),
            (Err(_), true) => -FAR,
            (Err(_), false) => FAR,
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let place = |i: usize| 4 * (whole.len() as i64 - 1 - i as i64) + exponent;
        let digits = whole.chars().chain(fraction.chars()).enumerate();
        let mut set = digits.filter_map(|(i, d)| Some((i, d.to_digit(16).filter(|d| *d != 0)?)));
        let (first, high) = set.next()?;
        let (end, low) = set.last().unwrap_or((first, high));
        Some(HexFloat {
            top: place(first) + i64::from(high.ilog2()),
            last: place(end) + i64::from(low.trailing_zeros()),
        })
    }
}

/// Digits with at most one point among or beside them, then perhaps an exponent.
fn is_float(text: &str, is_digit: impl Fn(u8) -> bool, exponent: u8) -> bool {
    let split = text
        .bytes()
        .position(|b| b.to_ascii_lowercase() == exponent);
    let (mantissa, exponent) = match split {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = mantissa.bytes().filter(|&b| is_digit(b)).count();
    let points = mantissa.bytes().filter(|&b| b == b'.').count();
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit())
    });
    digits > 0 && points <= 1 && digits + points == mantissa.len() && exponent_fits
}

/// What `token` means to `target`; none where it is refused there or where the device and a compiler
/// on the PC could disagree (a 5.1 literal beyond its integers, hexadecimal floats).
pub(crate) fn value(token: &[u8], target: &NumberModel) -> Option<Number> {
    match Form::of(token) {
        Form::Decimal(digits) => match digits.parse::<u64>() {
            Ok(n) if target.integer != 0 && n <= target.max_integer() => {
                Some(Number::Integer(n as i64))
            }
            _ => float(digits, target),
        },
        Form::Hex(digits) if target.dialect == Dialect::Lua53 => Some(wrapped(digits, target)),
        Form::Hex(digits) => {
            let limit = if target.integer == 8 {
                u64::MAX
            } else {
                u32::MAX.into()
            };
            let n = u64::from_str_radix(digits, 16)
                .ok()
                .filter(|&n| n <= limit)?;
            Some(match target.integer {
                0 => Number::Float(n as f64),
                4 => Number::Integer((n as u32 as i32).into()),
                _ => Number::Integer(n as i64),
            })
        }
        Form::Float(text) => float(text, target),
        Form::HexFloat(_) | Form::Malformed => None,
    }
}

/// As a float of the target's width; none where it has no floats.
pub(crate) fn float(text: &str, target: &NumberModel) -> Option<Number> {
    match target.float {
        0 => None,
        4 => text
            .parse::<f32>()
            .ok()
            .map(|value| Number::Float(value.into())),
        _ => text.parse().ok().map(Number::Float),
    }
}

/// A hexadecimal integer of 5.3, which keeps its low bits.
pub(crate) fn wrapped(digits: &str, target: &NumberModel) -> Number {
    let bits = digits.chars().filter_map(|d| d.to_digit(16));
    let value = bits.fold(0u64, |value, digit| value << 4 | u64::from(digit));
    Number::Integer(if target.integer == 4 {
        (value as u32 as i32).into()
    } else {
        value as i64
    })
}

/// A longer numeral is left as it is: there are about as many ways to write one as it has digits.
const LONGEST_SHORTENED: usize = 64;

/// A shorter spelling with `token`'s type and value for each of `targets`, the shortest there is.
pub(crate) fn shortest(token: &[u8], targets: &[NumberModel]) -> Option<String> {
    if token.len() > LONGEST_SHORTENED {
        return None;
    }
    let values: Vec<_> = targets
        .iter()
        .map(|t| Some((t, value(token, t)?)))
        .collect::<Option<_>>()?;
    let same = |text: &str| {
        values.iter().all(|(target, wanted)| {
            value(text.as_bytes(), target).is_some_and(|found| found.same(*wanted))
        })
    };
    let mut best: Option<String> = None;
    for candidate in candidates(token) {
        let length = best.as_ref().map_or(token.len(), String::len);
        if candidate.len() < length && same(&candidate) {
            best = Some(candidate);
        }
    }
    best
}

/// Ways to write the number; not all have the same type and value everywhere.
fn candidates(token: &[u8]) -> Vec<String> {
    let (digits, exponent) = match Form::of(token) {
        Form::Decimal(text) | Form::Float(text) => match scientific(text) {
            Some(parts) => parts,
            None => return Vec::new(),
        },
        Form::Hex(text) => match u64::from_str_radix(text, 16) {
            Ok(n) => trimmed(n.to_string(), 0),
            Err(_) => return Vec::new(),
        },
        Form::HexFloat(_) | Form::Malformed => return Vec::new(),
    };
    let mut list = Vec::new();
    spellings(&digits, exponent, &mut list);
    // Fewer digits may still be the same float.
    if digits.len() > 7 {
        let text = format!("{digits}e{exponent}");
        let shorter = [
            text.parse::<f32>().map(|f| format!("{f:e}")).ok(),
            text.parse::<f64>().map(|f| format!("{f:e}")).ok(),
        ];
        for (digits, exponent) in shorter.iter().flatten().filter_map(|text| scientific(text)) {
            spellings(&digits, exponent, &mut list);
        }
    }
    list
}

/// `digits * 10^exponent` with and without point and exponent.
fn spellings(digits: &str, exponent: i64, list: &mut Vec<String>) {
    let length = digits.len() as i64;
    if (0..=20).contains(&exponent) {
        let integer = format!("{digits}{}", "0".repeat(exponent as usize));
        list.extend([integer.clone(), format!("{integer}.")]);
        if let Ok(n) = integer.parse::<u64>() {
            list.push(format!("0x{n:X}"));
        }
    }
    // The point before the digit numbered `point`; at 0, `.5`.
    for point in 0..=length {
        let (left, right) = digits.split_at(point as usize);
        let dot = if right.is_empty() { "" } else { "." };
        match exponent + length - point {
            0 => list.push(format!("{left}.{right}")),
            shift => list.push(format!("{left}{dot}{right}e{shift}")),
        }
    }
    if (-20..0).contains(&(exponent + length)) {
        list.push(format!(
            ".{}{digits}",
            "0".repeat(-(exponent + length) as usize)
        ));
    }
}

/// Digits without outer zeros, and the power of ten of the last one.
fn scientific(text: &str) -> Option<(String, i64)> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
        None => (text, 0),
    };
    let fraction = mantissa.find('.').map_or(0, |at| mantissa.len() - at - 1);
    let digits = mantissa.replace('.', "");
    (exponent.abs() < 100_000).then(|| trimmed(digits, exponent - fraction as i64))
}

fn trimmed(digits: String, exponent: i64) -> (String, i64) {
    let short = digits.trim_end_matches('0');
    let zeros = (digits.len() - short.len()) as i64;
    match short.trim_start_matches('0') {
        "" => ("0".into(), 0),
        short => (short.into(), exponent + zeros),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(token: &str, targets: &[NumberModel]) -> String {
        shortest(token.as_bytes(), targets).unwrap_or_else(|| token.into())
    }

    #[test]
    fn forms() {
        for float in ["1.", ".5", "1e3", "1.5E-3", "1e+3"] {
            assert_eq!(Form::of(float.as_bytes()), Form::Float(float));
        }
        for none in [
            ".", "1e", "1e+", "0x", "1..2", "1f", "0x1p", "0xg", "e3", "1e3.0", "0x.p1",
        ] {
            assert_eq!(Form::of(none.as_bytes()), Form::Malformed, "{none}");
        }
        assert_eq!(Form::of(b"0XfF"), Form::Hex("fF"));
        assert_eq!(Form::of(b"0x.8p-1"), Form::HexFloat(".8p-1"));
        let bits = |text| HexFloat::of(text).map(|float| (float.top, float.last));
        assert_eq!(bits(".8p-1"), Some((-2, -2)));
        assert_eq!(bits("0a.c"), Some((3, -2)));
        assert_eq!(bits("0.p9"), None);
    }

    #[test]
    fn type_and_value_stay() {
        let [int, float, small, big, ..] = NumberModel::ALL;
        assert_eq!(written("1000", &NumberModel::ALL), "1000");
        assert_eq!(written("1000", &[float]), "1e3");
        assert_eq!(written("1000.0", &[float, big]), "1e3");
        assert_eq!(written("65535.0", &[float]), "65535");
        assert_eq!(written("65535.0", &[float, small]), "65535.");
        assert_eq!(written("0xffffffff", &[int, float]), "0xffffffff");
        assert_eq!(written("0x0fffff", &[float]), "1048575");
        assert_eq!(written("0x00000010", &NumberModel::ALL), "16");
        assert_eq!(written("10000000000000", &[big]), "0x9184E72A000");
        assert_eq!(written("0.1000", &[float, small]), ".1");
        assert_eq!(written("0.00001", &[float]), "1e-5");
        assert_eq!(written("0.333333343267", &[small]), ".33333334");
        assert_eq!(
            written("3.14159265358979323846", &[float]),
            "3.141592653589793"
        );
        assert_eq!(written("16777217.0", &[small]), "16777217.");
        assert_eq!(written("0.0", &[small]), "0.");
        assert_eq!(written("1e999", &[big]), "1e999");
    }
}
