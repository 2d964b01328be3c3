//! Shorter spellings of numbers and strings.

use fastlua_bytecode::Dialect;

use super::parser::Parser;
use crate::numeral::{self, Number};
use crate::strings::{decode, shortest};
use crate::token::Kind;

impl Parser<'_, '_> {
    /// Writes a number token in its shortest form. Returns its value if that is an integer above 0 in all
    /// targets, and one that they all calculate with exactly.
    pub fn number(&mut self, token: usize) -> Option<i64> {
        let bytes = self.bytes(token);
        self.shorten_number(token, bytes);
        let mut value = None;
        for target in self.targets {
            let found = match numeral::value(bytes, target)? {
                Number::Integer(value) => value,
                // 5.1's only numbers; 2^31 is far from where they lose digits.
                Number::Float(value) if target.integer == 0 && target.float == 8 => {
                    if value.fract() != 0.0 || value > i32::MAX.into() {
                        return None;
                    }
                    value as i64
                }
                Number::Float(_) => return None,
            };
            if found <= 0 || value.is_some_and(|value| value != found) {
                return None;
            }
            value = Some(found);
        }
        value
    }

    /// Writes a number for a token, in its shortest form.
    pub fn write_number(&mut self, token: usize, bytes: &[u8]) {
        self.write(token, bytes, Kind::Number);
        self.shorten_number(token, bytes);
    }

    fn shorten_number(&mut self, token: usize, bytes: &[u8]) {
        // Up to three digits nothing is shorter.
        let short = bytes.len() <= 3 && bytes[0] != b'0' && bytes.iter().all(u8::is_ascii_digit);
        if bytes.len() > 1
            && !short
            && let Some(shorter) = numeral::shortest(bytes, self.targets)
        {
            self.write(token, shorter.as_bytes(), Kind::Number);
        }
    }

    /// What a string token stands for, if that is the same in all targets.
    fn value_of(&self, token: usize) -> Option<Vec<u8>> {
        let bytes = self.bytes(token);
        let value = decode(bytes, self.dialect);
        let other = match self.dialect {
            Dialect::Lua51 if self.for_53 => decode(bytes, Dialect::Lua53),
            _ => return Some(value.into_owned()),
        };
        (value == other).then(|| value.into_owned())
    }

    /// Writes a string token in its shortest form.
    pub fn string(&mut self, token: usize) {
        let bytes = self.bytes(token);
        let simple = |b: &u8| matches!(b, b'\\' | b'\r' | b'\n');
        if bytes[0] != b'[' && !bytes.iter().any(simple) {
            return;
        }
        if let Some(value) = self.value_of(token) {
            // Bytes above 127 stay as they are; escaped ones are written out if that gives proper text.
            let raw = !bytes.is_ascii() || std::str::from_utf8(&value).is_ok();
            let shorter = shortest(&value, raw);
            if shorter.len() < bytes.len() {
                self.write(token, &shorter, Kind::String);
            }
        }
    }

    /// Writes a string token as the name that it holds, if it holds one.
    pub fn write_as_name(&mut self, token: usize) -> bool {
        let Some(value) = self.value_of(token) else {
            return false;
        };
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let is_name = value.first().is_some_and(|b| !b.is_ascii_digit())
            && value.iter().all(is_word)
            && Kind::keyword(&value, Dialect::Lua53).is_none();
        if is_name {
            self.write(token, &value, Kind::Name);
        }
        is_name
    }
}
