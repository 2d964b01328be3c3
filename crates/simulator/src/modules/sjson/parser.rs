//! Cuts JSON that comes in pieces into tokens, and sees to their order.

/// What a text is made of, but for colons and commas.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `[` or `{`.
    Open { is_list: bool },
    /// `]` or `}`.
    Close,
    /// A key of an object, unescaped.
    Key(Vec<u8>),
    /// A string, unescaped.
    Text(Vec<u8>),
    /// A number, `true`, `false` or `null`.
    Word(Vec<u8>),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    Text {
        is_escaped: bool,
        bytes: Vec<u8>,
    },
    Word(Vec<u8>),
}

pub(super) struct Parser {
    next: Next,
    part: Part,
    /// Whether each container that is open is a list.
    open: Vec<bool>,
    depth: usize,
}

impl Parser {
    /// `depth` counts containers, and what lies in the innermost of them, and one more.
    pub fn new(depth: usize) -> Self {
        Self {
            next: Next::Value,
            part: Part::None,
            open: Vec::new(),
            depth,
        }
    }

    pub fn is_complete(&self) -> bool {
        self.next == Next::Nothing
    }

    /// Takes a byte, with which up to two tokens end.
    pub fn feed(&mut self, byte: u8, tokens: &mut Vec<Token>) -> Result<(), &'static str> {
        match &mut self.part {
            Part::Text { is_escaped, bytes } => {
                match (*is_escaped, byte) {
                    (false, b'"') => {
                        let text = unescaped(bytes)?;
                        self.part = Part::None;
                        tokens.push(match self.next {
                            Next::Colon => Token::Key(text),
                            _ => Token::Text(text),
                        });
                        return Ok(());
                    }
                    (false, 0..=31) => return Err("WEIRD_WHITESPACE"),
                    (was_escaped, _) => *is_escaped = !was_escaped && byte == b'\\',
                }
                bytes.push(byte);
                return Ok(());
            }
            Part::Word(bytes) => {
                if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) {
                    bytes.push(byte);
                    return Ok(());
                }
                let word = std::mem::take(bytes);
                self.part = Part::None;
                if !is_word(&word) {
                    return Err("SPECIAL_INCOMPLETE");
                }
                tokens.push(Token::Word(word));
            }
            Part::None => {}
        }
        self.begin(byte, tokens)
    }

    fn begin(&mut self, byte: u8, tokens: &mut Vec<Token>) -> Result<(), &'static str> {
        let is_value = matches!(self.next, Next::Value | Next::ValueOrEnd);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'[' | b'{' if is_value => {
                self.room()?;
                let is_list = byte == b'[';
                self.open.push(is_list);
                self.next = match is_list {
                    true => Next::ValueOrEnd,
                    false => Next::KeyOrEnd,
                };
                tokens.push(Token::Open { is_list });
            }
            b']' | b'}' => {
                let may_end = matches!(
                    self.next,
                    Next::ValueOrEnd | Next::KeyOrEnd | Next::CommaOrEnd
                );
                if !may_end || self.open.pop() != Some(byte == b']') {
                    return Err("BRACKET_MISMATCH");
                }
                self.next = match self.open.is_empty() {
                    true => Next::Nothing,
                    false => Next::CommaOrEnd,
                };
                tokens.push(Token::Close);
            }
            b',' if self.next == Next::CommaOrEnd => {
                self.next = match self.open.last() {
                    Some(true) => Next::Value,
                    _ => Next::Key,
                };
            }
            b':' if self.next == Next::Colon => self.next = Next::Value,
            b'"' if matches!(self.next, Next::Key | Next::KeyOrEnd) => {
                self.room()?;
                self.part = text();
                self.next = Next::Colon;
            }
            b'"' if is_value && !self.open.is_empty() => {
                self.room()?;
                self.part = text();
                self.next = Next::CommaOrEnd;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' if is_value && !self.open.is_empty() => {
                self.room()?;
                self.part = Part::Word(vec![byte]);
                self.next = Next::CommaOrEnd;
            }
            b',' | b':' | b'"' | b'[' | b'{' => return Err("STRAY_TOKEN"),
            _ => return Err("SPECIAL_EXPECTED"),
        }
        Ok(())
    }

    fn room(&self) -> Result<(), &'static str> {
        match self.open.len() + 1 < self.depth {
            true => Ok(()),
            false => Err("LEVELS_EXCEEDED"),
        }
    }
}

fn text() -> Part {
    Part::Text {
        is_escaped: false,
        bytes: Vec::new(),
    }
}

fn is_word(word: &[u8]) -> bool {
    let number = std::str::from_utf8(word).map(str::parse::<f64>);
    let begins = word
        .first()
        .is_some_and(|b| *b == b'-' || b.is_ascii_digit());
    matches!(word, b"true" | b"false" | b"null")
        || begins && matches!(number, Ok(Ok(number)) if number.is_finite())
}

/// A string without its escapes. As on the chip, halves of a pair that stand for one character become `?`.
fn unescaped(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        match rest.next().ok_or("ESCAPE_INVALID")? {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            byte @ (b'"' | b'\\' | b'/') => text.push(*byte),
            b'u' => {
                let digits = rest.as_slice().get(..4).ok_or("UESCAPE_TOOSHORT")?;
                let digits = std::str::from_utf8(digits).ok();
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let code = code.ok_or("PERCENT_BADHEX")?;
                let character = char::from_u32(code).unwrap_or('?');
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.as_slice()[4..].iter();
            }
            _ => return Err("ESCAPE_INVALID"),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Parser, Token};

    fn tokens(text: &[u8]) -> Result<Vec<Token>, &'static str> {
        let (mut parser, mut tokens) = (Parser::new(20), Vec::new());
        for byte in text {
            parser.feed(*byte, &mut tokens)?;
        }
        Ok(tokens)
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (text, error) in [
            (&b"1"[..], "SPECIAL_EXPECTED"),
            (b"\"x\"", "STRAY_TOKEN"),
            (b"[1 2]", "SPECIAL_EXPECTED"),
            (b"[,]", "STRAY_TOKEN"),
            (b"[1,]", "BRACKET_MISMATCH"),
            (b"[1}", "BRACKET_MISMATCH"),
            (b"{1:2}", "SPECIAL_EXPECTED"),
            (b"{\"a\" 1}", "SPECIAL_EXPECTED"),
            (b"{\"a\",", "STRAY_TOKEN"),
            (b"[tru]", "SPECIAL_INCOMPLETE"),
            (b"[1e999]", "SPECIAL_INCOMPLETE"),
            (b"[\"\\x\"]", "ESCAPE_INVALID"),
            (b"[\"\\u12\"]", "UESCAPE_TOOSHORT"),
            (b"[\"\\uzzzz\"]", "PERCENT_BADHEX"),
            (b"[\"\n\"]", "WEIRD_WHITESPACE"),
            (&[b'['; 20], "LEVELS_EXCEEDED"),
        ] {
            assert_eq!(tokens(text), Err(error), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let text = |text: &[u8]| Token::Text(text.to_vec());
        let found = tokens(b"[\"\\u00e4\\n\\\"\\\\\\/\", \"\\ud83d\\ude00\", \"\xff\"]").unwrap();
        assert_eq!(found[1], text("\u{e4}\n\"\\/".as_bytes()));
        assert_eq!(found[2..4], [text(b"??"), text(b"\xff")]);
    }
}
