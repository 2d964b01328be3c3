//! Lua's tokens, exactly as `llex.c` of 5.1.5 and 5.3.6 reads them (with 5.1's default
//! `LUA_COMPAT_LSTR`). Works on bytes: a source need not be UTF-8.

use fastlua_bytecode::Dialect;

use crate::strings::escape;
use crate::token::{Kind, Token};

/// What is wrong with a source text, and the line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong, in the words of Lua where Lua has some.
    pub message: String,
}

pub(crate) type Result<T> = std::result::Result<T, SyntaxError>;

/// Reads a text token by token, comments included.
///
/// A UTF-8 byte order mark and a first line that begins with `#` are skipped, as 5.3's `luaL_loadfile` does.
/// (5.1's skips the line only, and `lua_load` itself neither.)
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a [u8],
    dialect: Dialect,
    at: usize,
    line: u32,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`.
    ///
    /// # Errors
    /// A text over 2 GiB.
    pub fn new(text: &'a [u8], dialect: Dialect) -> Result<Self> {
        let mut lexer = Lexer {
            text,
            dialect,
            at: 0,
            line: 1,
        };
        if i32::try_from(text.len()).is_err() {
            return lexer.fail("source is over 2 GiB");
        }
        if text.starts_with(b"\xef\xbb\xbf") {
            lexer.at = 3;
        }
        if lexer.peek(0) == Some(b'#') {
            // Only LF ends this line; the newline itself is left to be counted.
            let rest = &text[lexer.at..];
            lexer.at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        }
        Ok(lexer)
    }

    /// The next token; [`Kind::End`] at the end of the text, again and again.
    ///
    /// # Errors
    /// What Lua's lexer refuses. Malformed numbers are not among them: see
    /// [`literals`](crate::literals).
    pub fn token(&mut self) -> Result<Token> {
        self.space();
        let (start, line) = (self.at, self.line);
        let kind = match self.peek(0) {
            None => Kind::End,
            Some(byte) => self.kind(byte)?,
        };
        Ok(Token {
            kind,
            start: start as u32,
            end: self.at as u32,
            line,
        })
    }

    fn kind(&mut self, byte: u8) -> Result<Kind> {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let start = self.at;
                self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
                Ok(Kind::keyword(&self.text[start..self.at], self.dialect).unwrap_or(Kind::Name))
            }
            b'0'..=b'9' => Ok(self.numeral()),
            b'.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => Ok(self.numeral()),
            b'"' | b'\'' => self.quoted(byte),
            b'-' if self.peek(1) == Some(b'-') => self.comment(),
            b'[' => match self.long_opening() {
                Ok(0) if self.peek(1) != Some(b'[') => {
                    self.at += 1;
                    Ok(Kind::LeftBracket)
                }
                Ok(level) => self.long(level, "string").map(|()| Kind::String),
                Err(()) => self.fail("invalid long string delimiter"),
            },
            _ => {
                let (kind, length) = Kind::operator(&self.text[self.at..], self.dialect);
                self.at += length;
                Ok(kind)
            }
        }
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' | b'\r' => self.newline(),
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                _ => break,
            }
        }
    }

    /// CR, LF, CR LF or LF CR: one line end.
    fn newline(&mut self) {
        let pair = matches!(
            (self.peek(0), self.peek(1)),
            (Some(b'\r'), Some(b'\n')) | (Some(b'\n'), Some(b'\r'))
        );
        self.at += if pair { 2 } else { 1 };
        self.line += 1;
    }

    /// `read_numeral`: how far a number goes, not whether it is one.
    fn numeral(&mut self) -> Kind {
        if self.dialect == Dialect::Lua51 {
            self.skip_while(|b| b.is_ascii_digit() || b == b'.');
            if self.take(b"eE") {
                self.take(b"+-");
            }
            self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
            return Kind::Number;
        }
        let hex = self.peek(0) == Some(b'0') && matches!(self.peek(1), Some(b'x' | b'X'));
        let exponent = if hex { b"pP" } else { b"eE" };
        self.at += if hex { 2 } else { 1 };
        loop {
            if self.take(exponent) {
                self.take(b"+-");
            }
            match self.peek(0) {
                Some(b) if b.is_ascii_hexdigit() || b == b'.' => self.at += 1,
                _ => return Kind::Number,
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<Kind> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return self.fail("unfinished string"),
                Some(b'\\') if self.at + 1 < self.text.len() => {
                    let (_, length) = match escape(&self.text[self.at + 1..], self.dialect) {
                        Ok(escape) => escape,
                        Err(message) => return self.fail(message),
                    };
                    self.at += 1;
                    let end = self.at + length;
                    while self.at < end {
                        match self.text[self.at] {
                            b'\n' | b'\r' => self.newline(),
                            _ => self.at += 1,
                        }
                    }
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(Kind::String);
                    }
                }
            }
        }
    }

    fn comment(&mut self) -> Result<Kind> {
        self.at += 2;
        if self.peek(0) == Some(b'[')
            && let Ok(level) = self.long_opening()
            && self.peek(1 + level) == Some(b'[')
        {
            self.long(level, "comment")?;
            return Ok(Kind::LongComment);
        }
        self.skip_while(|b| b != b'\n' && b != b'\r');
        Ok(Kind::Comment)
    }

    /// At a `[`: the number of `=` behind it, an error where there are some and no `[` follows.
    fn long_opening(&self) -> std::result::Result<usize, ()> {
        let level = self.text[self.at + 1..]
            .iter()
            .take_while(|&&b| b == b'=')
            .count();
        if level > 0 && self.peek(1 + level) != Some(b'[') {
            Err(())
        } else {
            Ok(level)
        }
    }

    /// A long string or comment, at its first `[`.
    fn long(&mut self, level: usize, what: &str) -> Result<()> {
        let first_line = self.line;
        self.at += level + 2;
        loop {
            match self.peek(0) {
                None => {
                    return self.fail(&format!(
                        "unfinished long {what} (starting at line {first_line})"
                    ));
                }
                Some(byte @ (b'[' | b']')) => {
                    let equals = self.text[self.at + 1..]
                        .iter()
                        .take_while(|&&b| b == b'=')
                        .count();
                    self.at += 1 + equals;
                    if self.peek(0) != Some(byte) || equals != level {
                        continue;
                    }
                    if byte == b']' {
                        self.at += 1;
                        return Ok(());
                    }
                    if level == 0 && self.dialect == Dialect::Lua51 {
                        return self.fail("nesting of [[...]] is deprecated");
                    }
                }
                Some(b'\n' | b'\r') => self.newline(),
                Some(_) => self.at += 1,
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// `check_next`. 5.1's also takes a NUL, as its `strchr` finds one in every set.
    fn take(&mut self, any: &[u8]) -> bool {
        let nul = self.dialect == Dialect::Lua51;
        let found = self
            .peek(0)
            .is_some_and(|b| any.contains(&b) || nul && b == 0);
        self.at += usize::from(found);
        found
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, message: &str) -> Result<T> {
        Err(SyntaxError {
            line: self.line,
            message: message.into(),
        })
    }
}

/// All tokens of `text` without its comments, the last one being [`Kind::End`].
///
/// # Errors
/// Those of [`Lexer::token`].
pub fn lex(text: &[u8], dialect: Dialect) -> Result<Vec<Token>> {
    let mut lexer = Lexer::new(text, dialect)?;
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    loop {
        let token = lexer.token()?;
        if !token.kind.is_comment() {
            tokens.push(token);
        }
        if token.kind == Kind::End {
            return Ok(tokens);
        }
    }
}
