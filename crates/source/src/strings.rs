//! String literals: what they mean, and the shortest way to write them.

use std::borrow::Cow;

use fastlua_bytecode::Dialect;

/// What an escape sequence stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    Byte(u8),
    /// `\u{…}` of 5.3.
    Code(u32),
    /// `\z` of 5.3 with the space behind it.
    Nothing,
}

/// The escape sequence that `text` begins with, the backslash not included, and its length.
/// `text` is not empty.
pub(crate) fn escape(text: &[u8], dialect: Dialect) -> Result<(Escape, usize), &'static str> {
    let byte = |byte| Ok((Escape::Byte(byte), 1));
    match text[0] {
        b'a' => byte(0x07),
        b'b' => byte(0x08),
        b'f' => byte(0x0c),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(0x0b),
        b'\n' | b'\r' => {
            let pair = text.starts_with(b"\r\n") || text.starts_with(b"\n\r");
            Ok((Escape::Byte(b'\n'), if pair { 2 } else { 1 }))
        }
        b'0'..=b'9' => {
            let digits = text.iter().take(3).take_while(|b| b.is_ascii_digit());
            let (value, length) =
                digits.fold((0, 0), |(v, n), d| (v * 10 + u32::from(d - b'0'), n + 1));
            match u8::try_from(value) {
                Ok(value) => Ok((Escape::Byte(value), length)),
                Err(_) if dialect == Dialect::Lua51 => Err("escape sequence too large"),
                Err(_) => Err("decimal escape too large"),
            }
        }
        other if dialect == Dialect::Lua51 => byte(other),
        other @ (b'"' | b'\'' | b'\\') => byte(other),
        b'x' => match (hex(text.get(1)), hex(text.get(2))) {
            (Some(high), Some(low)) => Ok((Escape::Byte((high * 16 + low) as u8), 3)),
            _ => Err("hexadecimal digit expected"),
        },
        b'z' => {
            let space = |b: &&u8| matches!(b, b' ' | 0x09..=0x0d);
            Ok((
                Escape::Nothing,
                1 + text[1..].iter().take_while(space).count(),
            ))
        }
        b'u' => code(text),
        _ => Err("invalid escape sequence"),
    }
}

fn hex(digit: Option<&u8>) -> Option<u32> {
    char::from(*digit?).to_digit(16)
}

/// `u{XXX}`.
fn code(text: &[u8]) -> Result<(Escape, usize), &'static str> {
    if text.get(1) != Some(&b'{') {
        return Err("missing '{' in \\u{xxxx}");
    }
    let mut value = hex(text.get(2)).ok_or("hexadecimal digit expected")?;
    let mut length = 3;
    while let Some(digit) = hex(text.get(length)) {
        value = value * 16 + digit;
        if value > 0x10ffff {
            return Err("UTF-8 value too large");
        }
        length += 1;
    }
    match text.get(length) {
        Some(b'}') => Ok((Escape::Code(value), length + 1)),
        _ => Err("missing '}' in \\u{xxxx}"),
    }
}

/// `value` as UTF-8, surrogates too, as `luaO_utf8esc` writes it.
fn push_utf8(bytes: &mut Vec<u8>, value: u32) {
    let tail = |shift: u32| (0x80 | (value >> shift & 0x3f)) as u8;
    match value {
        0..0x80 => bytes.push(value as u8),
        0x80..0x800 => bytes.extend([(0xc0 | value >> 6) as u8, tail(0)]),
        0x800..0x10000 => bytes.extend([(0xe0 | value >> 12) as u8, tail(6), tail(0)]),
        _ => bytes.extend([(0xf0 | value >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// The bytes that a string token stands for. The token has passed the lexer.
pub(crate) fn decode(token: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    if token[0] == b'[' {
        return decode_long(token);
    }
    let inner = &token[1..token.len() - 1];
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut at = 0;
    while at < inner.len() {
        if inner[at] != b'\\' {
            bytes.push(inner[at]);
            at += 1;
            continue;
        }
        // The lexer has accepted it.
        let Ok((escape, length)) = escape(&inner[at + 1..], dialect) else {
            break;
        };
        at += 1 + length;
        match escape {
            Escape::Byte(byte) => bytes.push(byte),
            Escape::Code(value) => push_utf8(&mut bytes, value),
            Escape::Nothing => {}
        }
    }
    Cow::Owned(bytes)
}

/// Drops the brackets and a first line end; every other line end becomes LF.
fn decode_long(token: &[u8]) -> Cow<'_, [u8]> {
    let bracket = 2 + token[1..].iter().take_while(|&&b| b == b'=').count();
    let mut rest = &token[bracket..token.len() - bracket];
    let line_end = |rest: &[u8]| match rest {
        [b'\r', b'\n', ..] | [b'\n', b'\r', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    rest = &rest[line_end(rest)..];
    if !rest.contains(&b'\r') {
        return Cow::Borrowed(rest);
    }
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(&byte) = rest.first() {
        let length = line_end(rest);
        bytes.push(if length > 0 { b'\n' } else { byte });
        rest = &rest[length.max(1)..];
    }
    Cow::Owned(bytes)
}

/// The shortest literal for `value` that both dialects read the same; of equal ones the first of
/// `"…"`, `'…'`, `[[…]]`.
///
/// Control characters but tab and, in long brackets, LF are escaped. Bytes from 128 on are escaped
/// unless `raw`.
pub(crate) fn shortest(value: &[u8], raw: bool) -> Vec<u8> {
    let quoted = |quote: u8| {
        let mut text = Vec::with_capacity(value.len() + 2);
        text.push(quote);
        for (index, &byte) in value.iter().enumerate() {
            push_quoted(&mut text, byte, value.get(index + 1), quote, raw);
        }
        text.push(quote);
        text
    };
    let mut best = quoted(b'"');
    if value.contains(&b'"') {
        let single = quoted(b'\'');
        if single.len() < best.len() {
            best = single;
        }
    }
    if best.len() > value.len() + 2 && can_be_long(value, raw) {
        let long = long(value);
        if long.len() < best.len() {
            best = long;
        }
    }
    best
}

fn push_quoted(text: &mut Vec<u8>, byte: u8, next: Option<&u8>, quote: u8, raw: bool) {
    let letter = match byte {
        0x07 => b'a',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        0x0b => b'v',
        b'\\' => b'\\',
        _ if byte == quote => quote,
        0..0x20 | 0x7f if byte != b'\t' => return push_decimal(text, byte, next),
        0x80.. if !raw => return push_decimal(text, byte, next),
        _ => return text.push(byte),
    };
    text.extend([b'\\', letter]);
}

fn push_decimal(text: &mut Vec<u8>, byte: u8, next: Option<&u8>) {
    let full = next.is_some_and(|b| b.is_ascii_digit());
    let digits = if full {
        format!("\\{byte:03}")
    } else {
        format!("\\{byte}")
    };
    text.extend(digits.bytes());
}

/// Whether every byte may stand for itself in long brackets.
fn can_be_long(value: &[u8], raw: bool) -> bool {
    value.iter().all(|byte| match byte {
        b'\t' | b'\n' | 0x20..=0x7e => true,
        0x80.. => raw,
        _ => false,
    })
}

fn long(value: &[u8]) -> Vec<u8> {
    let closes = |level: usize| {
        let closing = [&b"]"[..], &b"=".repeat(level), b"]"].concat();
        // A last `]` (or `]=`) would join the closing bracket.
        let joined = [value, &closing].concat();
        joined.windows(closing.len()).position(|w| w == closing) != Some(value.len())
    };
    // 5.1 refuses `[[` in `[[…]]`.
    let mut level = usize::from(value.windows(2).any(|w| w == b"[["));
    while closes(level) {
        level += 1;
    }
    let equals = b"=".repeat(level);
    let first: &[u8] = if value.first() == Some(&b'\n') {
        b"\n"
    } else {
        b""
    };
    [
        b"[",
        &equals[..],
        b"[",
        first,
        value,
        b"]",
        &equals[..],
        b"]",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &[u8]) -> String {
        String::from_utf8(shortest(value, false)).unwrap()
    }

    #[test]
    fn the_shortest_form() {
        assert_eq!(written(b"x"), "\"x\"");
        assert_eq!(written(b"say \"x\""), "'say \"x\"'");
        assert_eq!(written(b"it's \"x\""), "'it\\'s \"x\"'");
        assert_eq!(written(b"a\nb"), "\"a\\nb\"");
        assert_eq!(written(b"a\nb\nc\n"), "[[a\nb\nc\n]]");
        assert_eq!(written(b"\na\nb\nc\nd"), "[[\n\na\nb\nc\nd]]");
        assert_eq!(written(b"\0a\x001"), "\"\\0a\\0001\"");
        assert_eq!(written(b"\x7f\xff"), "\"\\127\\255\"");
        assert_eq!(written(b"a\\b\\c]"), "\"a\\\\b\\\\c]\"");
        assert_eq!(written(br"\\\\\[["), r"[=[\\\\\[[]=]");
    }

    #[test]
    fn escapes_by_dialect() {
        let decoded = |token: &str, dialect| decode(token.as_bytes(), dialect).into_owned();
        assert_eq!(decoded(r#""\x41\q""#, Dialect::Lua51), b"x41q");
        assert_eq!(decoded(r#""\x41""#, Dialect::Lua53), b"A");
        assert_eq!(
            decoded("'a\\z \n  b\\u{20AC}'", Dialect::Lua53),
            "ab€".as_bytes()
        );
        assert_eq!(decoded("'\\\r\n\\\n\\1234'", Dialect::Lua53), b"\n\n\x7b4");
        assert_eq!(decoded("[[\r\n\ra\n\rb]]", Dialect::Lua51), b"\na\nb");
        assert_eq!(
            escape(b"256", Dialect::Lua51),
            Err("escape sequence too large")
        );
        assert_eq!(
            escape(b"u{110000}", Dialect::Lua53),
            Err("UTF-8 value too large")
        );
        assert_eq!(escape(b"q", Dialect::Lua53), Err("invalid escape sequence"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_reads_back(
            value in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                "[\\[\\]=\n\\\\\"'a0]{0,30}".prop_map(String::into_bytes),
            ],
            raw: bool,
        ) {
            let text = shortest(&value, raw);
            for dialect in [Dialect::Lua51, Dialect::Lua53] {
                let tokens = crate::lexer::lex(&text, dialect).unwrap();
                prop_assert_eq!(tokens.len(), 2);
                prop_assert_eq!(&*decode(&text, dialect), &value[..]);
            }
        }
    }
}
