//! Number literals that do not mean what they say in a variant's number model.
//!
//! Lua's compilers take them all without a word: integer 5.1 wraps 4294967297 to 1, 5.3 turns a long
//! integer into a float, 1e39 is infinite where floats have 32 bits.

use fastlua_bytecode::Dialect;

use crate::lexer::Lexer;
use crate::numeral::{Form, HexFloat, Number, float, wrapped};
use crate::place::column;
use crate::token::{Kind, Token, shown};
use fastlua_bytecode::NumberModel;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The literal must not be compiled.
    Error,
    /// The literal means something else than it says, but not by accident only.
    Warning,
    /// Bytecode has it right, but a device that compiles the text would not.
    AsSource,
}

/// A literal worth a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line of the literal, counted from 1.
    pub line: u32,
    /// Its column, counted from 1 in characters.
    pub column: u32,
    /// Its severity.
    pub severity: Severity,
    /// The literal as written, and the value it gets.
    pub message: String,
}

/// The literals of `text` that would not keep their value in `target`.
///
/// - Integer 5.1: a decimal literal above 2147483647 (for 8-byte integers 2^63 - 1) is an error, as it would
///   wrap. One more is fine in bytecode directly behind a unary minus, unless `^`, which binds closer,
///   follows; a device's `strtol` takes it for 2147483647. A hexadecimal literal above 0xffffffff (2^64 - 1)
///   is an error.
/// - Float 5.1: a hexadecimal literal above 0xffffffff is a warning, as the device's `strtoul` has 32 bits.
/// - 5.3: a decimal integer literal above the highest integer becomes a float: a warning where that
///   loses digits. A hexadecimal literal that loses high bits is a warning.
/// - With floats: a whole number that loses digits is a warning, and so is one that becomes infinite, or zero, or has
///   fewer digits since it is next to zero. The usual rounding of a fraction is not reported.
/// - Hexadecimal floats say each bit, so it is a warning if any is lost. In 5.1 each is a warning: it depends on the C
///   library whether there are any.
///
/// Malformed numbers, and all that follows what Lua's lexer refuses, are left to the compiler's message.
///
/// ```
/// use fastlua_source::{NumberModel, literals};
/// let int = NumberModel::ALL[0];
/// let found = literals::check(b"x = 2147483647\ny = 4294967297", &int);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].line, 2);
/// assert_eq!(found[0].message, "4294967297 does not fit in 32 bits and would wrap to 1");
/// ```
pub fn check(text: &[u8], target: &NumberModel) -> Vec<Finding> {
    match has_long_number(text) {
        true => check_tokens(text, target),
        false => Vec::new(),
    }
}

/// Whether anything in a text, strings and comments included, looks like a number that is long enough for a finding. All
/// models hold whole numbers of 7 decimal or 8 hexadecimal digits, and fractions of as few.
fn has_long_number(text: &[u8]) -> bool {
    let class = |at: usize| {
        text.get(at)
            .map_or(Class::End, |&byte| CLASSES[usize::from(byte)])
    };
    let mut at = 0;
    loop {
        match class(at) {
            Class::Digit => {
                let start = at;
                while matches!(class(at), Class::Digit | Class::Letter | Class::Dot) {
                    at += 1;
                }
                if is_long(&text[start..at]) {
                    return true;
                }
            }
            Class::Letter => {
                while matches!(class(at), Class::Digit | Class::Letter) {
                    at += 1;
                }
            }
            Class::Dot | Class::Other => at += 1,
            Class::End => return false,
        }
    }
}

/// What a byte can be in a number.
#[derive(Clone, Copy)]
enum Class {
    Digit,
    Letter,
    Dot,
    Other,
    End,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Letter,
            b'.' => Class::Dot,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

/// Of a word that begins with a digit.
fn is_long(word: &[u8]) -> bool {
    let hex = word
        .strip_prefix(b"0x")
        .or_else(|| word.strip_prefix(b"0X"));
    if let Some(digits) = hex {
        return digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit);
    }
    let may_be_float = |byte: &u8| matches!(byte, b'e' | b'E' | b'x' | b'X');
    word.len() > 24
        || word.iter().any(may_be_float)
        || word.split(|byte| *byte == b'.').any(|part| part.len() > 7)
}

/// As [`check`], by the tokens.
fn check_tokens(text: &[u8], target: &NumberModel) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Ok(mut lexer) = Lexer::new(text, target.dialect) else {
        return findings;
    };
    // The tokens before and behind the literal, comments aside.
    let mut before: [Option<Token>; 3] = [None; 3];
    while let Ok(token) = lexer.token() {
        if token.kind.is_comment() {
            continue;
        }
        let [first, minus, number] = before;
        if let Some(number) = number
            && number.kind == Kind::Number
        {
            let negated = minus.is_some_and(|t| t.kind == Kind::Minus)
                && !first.is_some_and(|t| ends_operand(t.kind))
                && token.kind != Kind::Caret;
            findings.extend(finding(&number, text, negated, target));
        }
        if token.kind == Kind::End {
            break;
        }
        before = [minus, number, Some(token)];
    }
    findings
}

/// Whether a minus behind it is binary.
fn ends_operand(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Name | Number
            | String
            | RightParen
            | RightBracket
            | RightBrace
            | Dots
            | Nil
            | True
            | False
            | EndWord
    )
}

fn finding(token: &Token, text: &[u8], negated: bool, target: &NumberModel) -> Option<Finding> {
    let bytes = token.bytes(text);
    let (severity, message) = match (Form::of(bytes), target.dialect) {
        (Form::Decimal(digits), Dialect::Lua51) => decimal51(digits, negated, target)?,
        (Form::Hex(digits), Dialect::Lua51) => hex51(digits, target)?,
        (Form::Decimal(digits), Dialect::Lua53) => decimal53(digits, target)?,
        (Form::Hex(digits), Dialect::Lua53) => hex53(digits, target)?,
        (Form::Float(text), _) => decimal_float(text, target)?,
        (Form::HexFloat(text), _) => hex_float(text, target)?,
        (Form::Malformed, _) => return None,
    };
    let message = format!("{} {message}", shown(bytes));
    Some(Finding {
        line: token.line,
        column: column(text, token.start as usize),
        severity,
        message,
    })
}

type Verdict = Option<(Severity, String)>;

fn decimal51(digits: &str, negated: bool, target: &NumberModel) -> Verdict {
    if target.integer == 0 {
        return whole_float(digits, target);
    }
    let max = target.max_integer();
    let value = digits.parse().unwrap_or(u128::MAX);
    if value <= max.into() {
        return None;
    }
    if negated && value == u128::from(max) + 1 {
        let message = format!("would be read as {max} by a device; write (-{max} - 1)");
        return Some((Severity::AsSource, message));
    }
    // What a PC's 64-bit strtol leaves of it.
    let clamped = digits.parse().unwrap_or(i64::MAX);
    let value = if target.integer == 4 {
        (clamped as i32).into()
    } else {
        clamped
    };
    Some((
        Severity::Error,
        does_not_fit(target, "would wrap to", value),
    ))
}

fn hex51(digits: &str, target: &NumberModel) -> Verdict {
    let value = u64::from_str_radix(digits, 16);
    let limit = if target.integer == 8 {
        u64::MAX
    } else {
        u32::MAX.into()
    };
    if value.as_ref().is_ok_and(|&n| n <= limit) {
        return None;
    }
    if target.integer != 0 {
        let low = value.unwrap_or(u64::MAX) as i64;
        let value = if target.integer == 4 {
            (low as i32).into()
        } else {
            low
        };
        return Some((
            Severity::Error,
            does_not_fit(target, "would wrap to", value),
        ));
    }
    let message = "does not fit in 32 bits: the compiler on the device would make it 4294967295";
    Some((Severity::Warning, message.into()))
}

fn decimal53(digits: &str, target: &NumberModel) -> Verdict {
    if digits.parse().is_ok_and(|n: u64| n <= target.max_integer()) {
        return None;
    }
    let Some(Number::Float(value)) = float(digits, target) else {
        return None;
    };
    // Floats above 2^24 have no fraction; this prints all their digits.
    let exact = format!("{value:.0}");
    if exact == digits.trim_start_matches('0') {
        return None;
    }
    let bits = u32::from(target.float) * 8;
    let becomes = format!("becomes the {bits}-bit float");
    Some((Severity::Warning, does_not_fit(target, &becomes, exact)))
}

fn hex53(digits: &str, target: &NumberModel) -> Verdict {
    if digits.trim_start_matches('0').len() <= usize::from(target.integer) * 2 {
        return None;
    }
    let Number::Integer(value) = wrapped(digits, target) else {
        return None;
    };
    Some((Severity::Warning, does_not_fit(target, "wraps to", value)))
}

/// A whole number in decimal that becomes a float.
fn whole_float(digits: &str, target: &NumberModel) -> Verdict {
    let Some(Number::Float(value)) = float(digits, target) else {
        return None;
    };
    let exact = format!("{value:.0}");
    let same = value == 0.0 || exact == digits.trim_start_matches('0');
    let message = || format!("loses digits in a {} and becomes {exact}", width(target));
    (!same).then(|| (Severity::Warning, message()))
}

fn decimal_float(text: &str, target: &NumberModel) -> Verdict {
    let Some(Number::Float(value)) = float(text, target) else {
        return None;
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let is_zero = !mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let float = width(target);
    let message = match value {
        _ if is_zero => return None,
        f64::INFINITY => format!("is too large for a {float} and becomes infinite"),
        0.0 => format!("is too small for a {float} and becomes 0"),
        _ if value < least_normal(target) && !is_near(text, value, target) => {
            format!("is so close to 0 that a {float} loses digits, and becomes {value:e}")
        }
        _ => {
            let whole = text.split_once('.').filter(|_| mantissa == text);
            let (whole, _) = whole.filter(|(_, fraction)| fraction.bytes().all(|b| b == b'0'))?;
            return whole_float(whole, target);
        }
    };
    Some((Severity::Warning, message))
}

/// Whether a float next to zero is as near to what is written as one in the middle would be.
fn is_near(text: &str, value: f64, target: &NumberModel) -> bool {
    match (target.float, text.parse::<f64>()) {
        (4, Ok(exact)) => ((value - exact) / exact).abs() <= f64::from(f32::EPSILON) / 2.0,
        // then it is written as Lua would print it
        _ => {
            format!("{value:e}").parse::<f64>() == Ok(value)
                && digits(text) <= digits(&format!("{value:e}"))
        }
    }
}

/// How many digits are written, without the exponent and outer zeros.
fn digits(text: &str) -> usize {
    let mantissa = text
        .split(['e', 'E'])
        .next()
        .unwrap_or(text)
        .replace('.', "");
    mantissa.trim_matches('0').len()
}

fn hex_float(text: &str, target: &NumberModel) -> Verdict {
    let float = width(target);
    let (bits, low, high) = match target.float {
        0 => return None,
        4 => (24, -149, 127),
        _ => (53, -1074, 1023),
    };
    let message = match HexFloat::of(text)? {
        _ if target.dialect == Dialect::Lua51 => {
            "is a hexadecimal float, which the compiler on the device may not support".into()
        }
        HexFloat { top, .. } if top > high => {
            format!("is too large for a {float} and becomes infinite")
        }
        HexFloat { top, .. } if top < low - 1 => {
            format!("is too small for a {float} and becomes 0")
        }
        HexFloat { top, last } if last < low || top - last >= bits => {
            format!("loses digits in a {float}")
        }
        _ => return None,
    };
    Some((Severity::Warning, message))
}

fn width(target: &NumberModel) -> String {
    format!("{}-bit float", u32::from(target.float) * 8)
}

/// The smallest float with all its digits.
fn least_normal(target: &NumberModel) -> f64 {
    match target.float {
        4 => f32::MIN_POSITIVE.into(),
        _ => f64::MIN_POSITIVE,
    }
}

fn does_not_fit(target: &NumberModel, what: &str, value: impl std::fmt::Display) -> String {
    format!(
        "does not fit in {} bits and {what} {value}",
        u32::from(target.integer) * 8
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: NumberModel = NumberModel::ALL[0];
    const FLOAT: NumberModel = NumberModel::ALL[1];
    const SMALL: NumberModel = NumberModel::ALL[2];
    const BIG: NumberModel = NumberModel::ALL[3];
    const MIXED: NumberModel = NumberModel::ALL[5];

    fn messages(text: &str, target: &NumberModel) -> Vec<String> {
        check(text.as_bytes(), target)
            .into_iter()
            .map(|f| format!("{}: {:?}: {}", f.line, f.severity, f.message))
            .collect()
    }

    #[test]
    fn integer_51() {
        for fine in [
            "return 2147483647, -2147483648, 0xffffffff, 007, 1e3",
            "return a - -2147483648, not -2147483648, (-2147483648)",
            "return - --[[x]] 2147483648 -- 4294967297\n, '4294967297'",
        ] {
            let found = messages(fine, &INT);
            assert_eq!(found.len(), fine.matches("2147483648").count(), "{fine}");
            assert!(found.iter().all(|m| m.starts_with("1: AsSource: ")));
        }
        for wrong in [
            "return 2147483648",
            "return a - 2147483648",
            "return -2147483648^2",
            "return -(2147483648)",
            "return f() - 2147483648",
            "return - -2147483649",
            "return 0x100000000",
            "return 99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(messages(wrong, &INT).len(), 1, "{wrong}");
            assert!(messages(wrong, &INT)[0].starts_with("1: Error: "));
        }
        assert_eq!(
            messages("\n\nx=0x1FFFFFFFF", &INT),
            ["3: Error: 0x1FFFFFFFF does not fit in 32 bits and would wrap to -1"]
        );
    }

    #[test]
    fn float_51() {
        assert_eq!(messages("return 99999999999, 0xffffffff", &FLOAT), [""; 0]);
        assert!(messages("return 0x100000000", &FLOAT)[0].contains("4294967295"));
    }

    #[test]
    fn lua_53() {
        assert_eq!(
            messages("return 2147483647, 2147483648, 0xffffffff", &SMALL),
            [""; 0]
        );
        assert_eq!(
            messages("return 2147483649", &SMALL),
            [
                "1: Warning: 2147483649 does not fit in 32 bits and becomes the 32-bit float 2147483648"
            ]
        );
        assert_eq!(messages("return 2147483649", &MIXED), [""; 0]);
        assert_eq!(
            messages("return 2147483649, 9223372036854775807", &BIG),
            [""; 0]
        );
        assert_eq!(messages("return 9223372036854775809", &BIG).len(), 1);
        assert_eq!(
            messages("return 0x1ffffffff, 0x00000000ffffffff", &SMALL),
            ["1: Warning: 0x1ffffffff does not fit in 32 bits and wraps to -1"]
        );
        assert_eq!(messages("return 0x1ffffffff", &BIG), [""; 0]);
        assert_eq!(messages("return 1e300, 0x1p-4", &BIG), [""; 0]);
    }

    /// Texts of pieces, so many that each follows each: a text without long numbers has no findings.
    #[test]
    fn short_numbers_need_no_tokens() {
        let pieces = [
            "9999999", "99999999", "0x", "ffffffff", "1", "0", ".", "e", "E9", "p", "-", "+", "_",
            " ", "\0", "'", "--", "]]", "[[", "x", "\n", "\u{e9}",
        ];
        let mut texts: Vec<String> = vec![String::new()];
        for _ in 0..3 {
            let longer = texts
                .iter()
                .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts = longer.chain(pieces.map(str::to_owned)).collect();
        }
        for text in &texts {
            for model in &NumberModel::ALL {
                let (text, shown) = (text.as_bytes(), text.escape_debug());
                assert_eq!(
                    check(text, model),
                    check_tokens(text, model),
                    "{shown}, {model}"
                );
            }
        }
        assert!(!has_long_number(
            b"wifi 192.168.4.1 at 2.4 GHz, 0xffffffff, 9999999, 0.5"
        ));
    }

    /// What each model says of a literal, and of it behind a minus.
    fn said(literal: &str, target: &NumberModel) -> Option<String> {
        let found = check(format!("return {literal}").as_bytes(), target);
        let mut minus = check(format!("return -{literal}").as_bytes(), target);
        minus.iter_mut().for_each(|finding| finding.column -= 1);
        assert_eq!(found, minus, "{literal}");
        assert!(found.iter().all(|f| f.severity == Severity::Warning));
        found.into_iter().next().map(|f| f.message)
    }

    #[test]
    fn floats_that_do_not_hold_what_is_written() {
        const NARROW: [NumberModel; 2] = [SMALL, NumberModel::ALL[4]];
        const WIDE: [NumberModel; 3] = [FLOAT, BIG, MIXED];
        for (literal, narrow, wide) in [
            (
                "1e39",
                Some("is too large for a 32-bit float and becomes infinite"),
                None,
            ),
            (
                "3.5e38",
                Some("is too large for a 32-bit float and becomes infinite"),
                None,
            ),
            (
                "1e-50",
                Some("is too small for a 32-bit float and becomes 0"),
                None,
            ),
            (
                ".000000000000000000000000000000000000000000000000001",
                Some("becomes 0"),
                None,
            ),
            (
                "1e-40",
                Some("so close to 0 that a 32-bit float loses digits, and becomes 9.99"),
                None,
            ),
            (
                "1e400",
                Some("32-bit float and becomes infinite"),
                Some("64-bit float and becomes infinite"),
            ),
            (
                "1e-400",
                Some("32-bit float and becomes 0"),
                Some("64-bit float and becomes 0"),
            ),
            (
                "1.23456789e-320",
                Some("becomes 0"),
                Some("so close to 0 that a 64-bit float loses digits"),
            ),
            (
                "16777217.0",
                Some("loses digits in a 32-bit float and becomes 16777216"),
                None,
            ),
            ("16777217.", Some("becomes 16777216"), None),
            (
                "9007199254740993.0",
                Some("becomes 9007199254740992"),
                Some("becomes 9007199254740992"),
            ),
        ] {
            let is = |model: &NumberModel, wanted: Option<&str>| {
                let found = said(literal, model);
                match wanted {
                    None => assert_eq!(found, None, "{model}"),
                    Some(wanted) => {
                        let found = found.unwrap_or_default();
                        assert!(
                            found.starts_with(literal) && found.contains(wanted),
                            "{model}: {found}"
                        );
                    }
                }
            };
            NARROW.iter().for_each(|model| is(model, narrow));
            WIDE.iter().for_each(|model| is(model, wide));
        }
        for fine in [
            "0.1",
            "3.14159265358979",
            "1e38",
            "1e10",
            "16777216.0",
            "0.0",
            "0e999",
            "0.",
            "1.5e-38",
            "1.401298464324817e-45",
        ] {
            for model in NARROW.iter().chain(&WIDE) {
                assert_eq!(said(fine, model), None, "{model}");
            }
        }
        assert_eq!(said("5e-324", &BIG), None);
        assert_eq!(said("9007199254740992", &FLOAT), None);
        let long = said("9007199254740993", &FLOAT).unwrap();
        assert!(
            long.ends_with("loses digits in a 64-bit float and becomes 9007199254740992"),
            "{long}"
        );
    }

    #[test]
    fn hexadecimal_floats() {
        for (literal, narrow, wide) in [
            (
                "0x1p200",
                "is too large for a 32-bit float and becomes infinite",
                "",
            ),
            (
                "0x.1p-200",
                "is too small for a 32-bit float and becomes 0",
                "",
            ),
            (
                "0x1p2000",
                "becomes infinite",
                "is too large for a 64-bit float and becomes infinite",
            ),
            ("0x1p-99999999999999999999", "becomes 0", "becomes 0"),
            ("0x1.000001p0", "loses digits in a 32-bit float", ""),
            (
                "0x1.00000000000001",
                "loses digits",
                "loses digits in a 64-bit float",
            ),
            ("0x1.8p-149", "loses digits", ""),
            ("0x1p-149", "", ""),
            ("0x1.fffffep127", "", ""),
            ("0x0p99999", "", ""),
        ] {
            for (model, wanted) in [(SMALL, narrow), (BIG, wide)] {
                let found = said(literal, &model).unwrap_or_default();
                assert!(
                    found.contains(wanted) && found.is_empty() == wanted.is_empty(),
                    "{literal} {model}: {found}"
                );
            }
        }
        assert!(said("0x1p4", &FLOAT).unwrap().contains("may not support"));
    }
}
