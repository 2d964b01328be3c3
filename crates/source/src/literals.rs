//! Number literals that do not mean what they say in a variant's number model.
//!
//! Lua's compilers take them all without a word: integer 5.1 wraps 4294967297 to 1, 5.3 turns a long
//! integer into a float.

use fastlua_bytecode::Dialect;

use crate::lexer::Lexer;
use crate::numeral::{Form, Number, float, wrapped};
use crate::token::{Kind, Token, shown};
use fastlua_bytecode::NumberModel;

/// How bad a finding is.
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
    /// How bad it is.
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
            findings.extend(finding(&number, number.bytes(text), negated, target));
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

fn finding(token: &Token, bytes: &[u8], negated: bool, target: &NumberModel) -> Option<Finding> {
    let (severity, message) = match (Form::of(bytes), target.dialect) {
        (Form::Decimal(digits), Dialect::Lua51) => decimal51(digits, negated, target)?,
        (Form::Hex(digits), Dialect::Lua51) => hex51(digits, target)?,
        (Form::Decimal(digits), Dialect::Lua53) => decimal53(digits, target)?,
        (Form::Hex(digits), Dialect::Lua53) => hex53(digits, target)?,
        _ => return None,
    };
    let message = format!("{} {message}", shown(bytes));
    Some(Finding {
        line: token.line,
        severity,
        message,
    })
}

type Verdict = Option<(Severity, String)>;

fn decimal51(digits: &str, negated: bool, target: &NumberModel) -> Verdict {
    if target.integer == 0 {
        return None;
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
        assert_eq!(messages("return 1e400, 0x1p-4", &BIG), [""; 0]);
    }
}
