//! Columns of a text.

use fastlua_bytecode::Dialect;

use crate::lexer::Lexer;
use crate::token::Kind;

/// The column of the byte at `offset` in its line, counted from 1 in characters; a byte that is no UTF-8 is one.
pub fn column(text: &[u8], offset: usize) -> u32 {
    let before = &text[..offset.min(text.len())];
    let start = before.iter().rposition(|b| matches!(b, b'\n' | b'\r'));
    let line = &before[start.map_or(0, |end| end + 1)..];
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let characters = line
        .utf8_chunks()
        .map(|part| part.valid().chars().count() + part.invalid().len());
    u32::try_from(characters.sum::<usize>() + 1).unwrap_or(u32::MAX)
}

/// The column of the only token in a line that is written so; none where there are several, or what Lua's lexer refuses
/// comes before.
pub fn column_of(text: &[u8], dialect: Dialect, line: u32, token: &[u8]) -> Option<u32> {
    let mut lexer = Lexer::new(text, dialect).ok()?;
    let mut found = None;
    loop {
        let next = lexer.token().ok()?;
        if next.line > line || next.kind == Kind::End {
            return found.map(|start| column(text, start));
        }
        if next.line == line
            && next.bytes(text) == token
            && found.replace(next.start as usize).is_some()
        {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_characters() {
        let text = "x = 1\nlocal \u{e4} = goto + 2 + 2".as_bytes();
        let of = |token: &str| column_of(text, Dialect::Lua53, 2, token.as_bytes());
        assert_eq!(column(text, 0), 1);
        assert_eq!(column(text, 4), 5);
        assert_eq!(of("goto"), Some(11));
        assert_eq!(of("2"), None);
        assert_eq!(of("x"), None);
        assert_eq!(column_of(b"a = 'b", Dialect::Lua51, 1, b"a"), None);
    }
}
