//! Pieces of C: words, strings, numbers.

use std::fmt::Write;

use super::text::Text;

/// Bytes as an array of 32-bit words, zero bytes after them.
pub(super) fn words(text: &mut Text, name: &str, bytes: &[u8]) {
    let count = bytes.len().div_ceil(4);
    let _ = write!(
        text,
        "\nstatic const uint32_t {name}[{count}] FAST_FLASH = {{"
    );
    // most of a header is this, so the digits are made by hand
    let mut line = String::new();
    for eight in bytes.chunks(32) {
        line.clear();
        line.push_str("\n ");
        for word in eight.chunks(4) {
            line.push_str(" 0x");
            for i in (0..4).rev() {
                let byte = word.get(i).copied().unwrap_or(0);
                for digit in [byte >> 4, byte & 15] {
                    line.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                }
            }
            line.push(',');
        }
        *text += &line;
    }
    *text += "\n};\n";
}

/// Words as elements of an array, each with its comma.
pub(super) fn hex_words(words: &[u32]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("0x{word:08x},")).collect();
    words.join(" ")
}

/// The same of 32-bit words.
pub(super) fn code(text: &mut Text, name: &str, code: &[u32]) {
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    words(text, name, &bytes);
}

/// A C string literal; every byte that is more than a letter in some place is octal.
pub(super) fn quote(string: &[u8]) -> String {
    let mut text = String::from("\"");
    for &b in string {
        match b {
            b'"' | b'\\' | b'?' | 0..0x20 | 0x7f.. => {
                let _ = write!(text, "\\{b:03o}");
            }
            _ => text.push(b.into()),
        }
    }
    text.push('"');
    text
}

/// A C expression of an integer: the least one has no literal.
pub(super) fn integer(n: i64) -> String {
    match i32::try_from(n) {
        Ok(i32::MIN) => "(-2147483647 - 1)".into(),
        Ok(n) => n.to_string(),
        Err(_) if n == i64::MIN => "(-9223372036854775807LL - 1)".into(),
        Err(_) => format!("{n}LL"),
    }
}

/// A C expression of exactly this float.
pub(super) fn float(x: f64) -> String {
    if x.is_nan() {
        return "__builtin_nan(\"\")".into();
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_infinite() {
        return format!("{sign}__builtin_inf()");
    }
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0.0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{}", exponent - 1023),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_c() {
        assert_eq!(quote(b"a\"b\0\n7?\xff"), r#""a\042b\000\0127\077\377""#);
    }

    #[test]
    fn numbers_are_c() {
        assert_eq!(integer(-7), "-7");
        assert_eq!(integer(i32::MIN.into()), "(-2147483647 - 1)");
        assert_eq!(integer(i64::MIN), "(-9223372036854775807LL - 1)");
        assert_eq!(integer(1 << 31), "2147483648LL");
        assert_eq!(float(-0.0), "-0.0");
        assert_eq!(float(0.1), "0x1.999999999999ap-4");
        assert_eq!(float(f64::from_bits(1)), "0x0.0000000000001p-1022");
        assert_eq!(float(f64::NEG_INFINITY), "-__builtin_inf()");
    }
}
