//! SPLIT markers: one source file, several chunks that are loaded one by one.
//!
//! The markers are those of NodeMCU's `lua_modules/ftp/ftpserver.lua`, long comments of one line:
//!
//! - `--[[SPLIT MODULE name]]`: the text from here on is the chunk `name`. A file has one, and only comments
//!   before it. `name` is a Lua name.
//! - `--[[SPLIT HERE chunk]]` at the end of a line: the current chunk, if there is one, ends before that line,
//!   and `chunk` begins behind it. `--[[SPLIT HERE]]` only ends the current chunk.
//! - `--[[SPLIT IGNORE]]`: that line belongs to no chunk.
//!
//! So a line with HERE or IGNORE is left out of the chunks, but is there when the file is compiled whole. Code that
//! belongs to no chunk and is not ignored is an error, since it would be lost.
//!
//! ```
//! use fastlua_source::split::{Loader, split};
//!
//! let text = b"--[[SPLIT MODULE led]]
//! local led = {}
//! if FAST_led then
//!   return setmetatable(led, {__index = function(_, name) return fast.load('led-' .. name) end})
//! end
//! function led.on(...) --[[SPLIT HERE led-on]]
//! gpio.write((...), 1)
//! end --[[SPLIT HERE]]
//! return led --[[SPLIT IGNORE]]
//! ";
//! let pieces = split(text, Loader::Fast).unwrap().unwrap();
//! assert_eq!(pieces[0].name, "led");
//! assert!(pieces[0].text.starts_with(b"local FAST_led=true \nlocal led = {}\n"));
//! assert_eq!(pieces[1].name, "led-on");
//! assert_eq!(pieces[1].text, b"local FAST_led=true \n\n\n\n\n\ngpio.write((...), 1)\n");
//! ```

mod error;
mod marker;

use std::collections::HashMap;

use fastlua_bytecode::Dialect;

use crate::lexer::{Lexer, SyntaxError};
use crate::token::{Kind, Token};
use error::fail;
pub use error::{SplitError, SplitErrorKind};
use marker::{Marker, Word};

/// Where the chunks of a split module will be loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loader {
    /// `fast.load('<chunk>')`: `FAST_<module>` is true in each chunk.
    Fast,
    /// `loadfile('<chunk>.lc')`: `SPIFFS_<module>` is true in each chunk.
    Spiffs,
}

/// What all chunks of a file may have in front of their text. A chunk has the line ends of all lines before it, so
/// that many small chunks of a long file are many times as long as the file.
const LENGTH: usize = 64 << 20;

impl Loader {
    /// The local that tells `module` where its chunks come from.
    fn local(self, module: &str) -> String {
        match self {
            Loader::Fast => format!("FAST_{module}"),
            Loader::Spiffs => format!("SPIFFS_{module}"),
        }
    }
}

/// A chunk of a split file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name, as in the marker.
    pub name: String,
    /// Line of the marker.
    pub line: u32,
    /// Its text. Each line has the number that it has in the file: what is left out leaves its line end.
    pub text: Vec<u8>,
}

/// Splits a file at its markers; none where it has no marker.
///
/// Each chunk begins with a local that is true, `FAST_<module>` or `SPIFFS_<module>`, on line 1.
///
/// # Errors
/// Wrong use of markers, with the line; a text that is Lua's in neither dialect.
pub fn split(text: &[u8], loader: Loader) -> Result<Option<Vec<Piece>>, SplitError> {
    let tokens = tokens(text)?;
    let mut markers = Vec::new();
    for token in &tokens {
        markers.extend(Marker::read(text, token)?);
    }
    if markers.is_empty() {
        return Ok(None);
    }
    if let Some(pair) = markers.windows(2).find(|pair| pair[0].line == pair[1].line) {
        return fail(pair[1].line, SplitErrorKind::SameLine);
    }
    let local = String::new();
    let mut splitter = Splitter {
        text,
        loader,
        local,
        pieces: Vec::new(),
        names: HashMap::new(),
        kept: Vec::new(),
        length: 0,
        open: None,
    };
    splitter.markers(&markers)?;
    splitter.nothing_lost(&tokens, &markers)?;
    splitter.undeclared(&tokens)?;
    Ok(Some(splitter.pieces))
}

/// All tokens with comments. What is a comment hardly depends on the dialect.
fn tokens(text: &[u8]) -> Result<Vec<Token>, SplitError> {
    let read = |dialect| -> Result<_, SyntaxError> {
        let mut lexer = Lexer::new(text, dialect)?;
        let mut tokens = Vec::new();
        while tokens
            .last()
            .is_none_or(|token: &Token| token.kind != Kind::End)
        {
            tokens.push(lexer.token()?);
        }
        Ok(tokens)
    };
    let error = |e: SyntaxError| SplitError {
        line: e.line,
        kind: SplitErrorKind::Syntax(e.message),
    };
    read(Dialect::Lua53)
        .or_else(|_| read(Dialect::Lua51))
        .map_err(error)
}

struct Splitter<'a> {
    text: &'a [u8],
    loader: Loader,
    /// `FAST_<module>`, once the module is known.
    local: String,
    pieces: Vec<Piece>,
    /// The piece that each name belongs to.
    names: HashMap<String, usize>,
    /// The parts of the text that went into pieces.
    kept: Vec<std::ops::Range<usize>>,
    /// The length of all pieces.
    length: usize,
    /// Where the text of the last piece goes on; none outside of a chunk.
    open: Option<usize>,
}

impl Splitter<'_> {
    fn markers(&mut self, markers: &[Marker]) -> Result<(), SplitError> {
        for marker in markers {
            let module = self.pieces.first().map(|piece| piece.line);
            match (&marker.word, module) {
                (Word::Module(_), Some(line)) => {
                    return fail(marker.line, SplitErrorKind::Nested(line));
                }
                (Word::Module(name), None) => {
                    self.begin(name, marker, marker.line, marker.end)?;
                }
                (word, None) => return fail(marker.line, SplitErrorKind::NoModule(word.name())),
                (Word::Here(name), Some(_)) => {
                    self.close(marker.line_start);
                    let next_line =
                        marker.line_end + line_end_length(&self.text[marker.line_end..]);
                    self.begin(name, marker, marker.line + 1, next_line)?;
                }
                (Word::End, Some(_)) if self.open.is_none() => {
                    return fail(marker.line, SplitErrorKind::NothingToEnd);
                }
                (Word::End, Some(_)) => self.close(marker.line_start),
                (Word::Ignore, Some(_)) if self.open.is_none() => {}
                (Word::Ignore, Some(_)) => {
                    self.close(marker.line_start);
                    // Keeps the line ends on both sides apart: LF CR would be one.
                    if let Some(piece) = self.pieces.last_mut() {
                        piece.text.extend(b"--");
                    }
                    self.open = Some(marker.line_end);
                }
            }
        }
        self.close(self.text.len());
        Ok(())
    }

    /// Begins a chunk whose text starts at offset `start`, on `line`.
    fn begin(
        &mut self,
        name: &str,
        marker: &Marker,
        line: u32,
        start: usize,
    ) -> Result<(), SplitError> {
        if self.pieces.is_empty() {
            self.local = self.loader.local(name);
        }
        let name = name.to_owned();
        if let Some(&number) = self.names.get(&name) {
            let line = self.pieces[number].line;
            return fail(marker.line, SplitErrorKind::Twice(name, line));
        }
        self.names.insert(name.clone(), self.pieces.len());
        self.length += line as usize + "local =true ".len() + self.local.len();
        if self.length > LENGTH {
            return fail(marker.line, SplitErrorKind::TooLong(LENGTH));
        }
        // LF and a CR behind it would count as one line end.
        let newline = if self.text[start..].first() == Some(&b'\r') {
            b'\r'
        } else {
            b'\n'
        };
        let mut text = format!("local {}=true ", self.local).into_bytes();
        text.extend(std::iter::repeat_n(newline, line as usize - 1));
        self.pieces.push(Piece {
            name,
            line: marker.line,
            text,
        });
        self.open = Some(start);
        Ok(())
    }

    /// Gives the last piece the text up to `end`.
    fn close(&mut self, end: usize) {
        if let (Some(start), Some(piece)) = (self.open.take(), self.pieces.last_mut()) {
            piece.text.extend(&self.text[start..end]);
            self.kept.push(start..end);
        }
    }

    /// Checks that every token is in a chunk or on a marked line, and whole.
    fn nothing_lost(&self, tokens: &[Token], markers: &[Marker]) -> Result<(), SplitError> {
        let mut next = 0;
        for token in tokens.iter().filter(|token| token.kind != Kind::End) {
            let (start, end) = (token.start as usize, token.end as usize);
            while markers.get(next).is_some_and(|m| m.line_end <= start) {
                next += 1;
            }
            let torn = |m: &Marker| {
                m.cuts()
                    && [m.line_start, m.line_end]
                        .iter()
                        .any(|at| (start + 1..end).contains(at))
            };
            let marker = markers
                .get(next)
                .filter(|m| m.cuts() && m.line_start <= start);
            let kind = match marker {
                _ if markers.get(next).is_some_and(torn) => SplitErrorKind::Torn,
                _ if token.kind.is_comment() => continue,
                Some(marker) if marker.word != Word::Ignore && start >= marker.end => {
                    SplitErrorKind::Behind
                }
                Some(_) => continue,
                None if self.is_kept(start) => continue,
                None if next == 0 => SplitErrorKind::Before,
                None => SplitErrorKind::Outside,
            };
            return fail(token.line, kind);
        }
        Ok(())
    }

    fn is_kept(&self, offset: usize) -> bool {
        let after = self.kept.partition_point(|range| range.start <= offset);
        after > 0 && self.kept[after - 1].contains(&offset)
    }

    /// Checks that no `local` hides the splitter's own. `local FAST_x = FAST_x` would not.
    fn undeclared(&self, tokens: &[Token]) -> Result<(), SplitError> {
        let mut tokens = tokens
            .iter()
            .filter(|token| !token.kind.is_comment())
            .peekable();
        while let Some(token) = tokens.next() {
            if token.kind != Kind::Local {
                continue;
            }
            let mut names = 0;
            let mut found = None;
            while let Some(name) = tokens.next_if(|t| matches!(t.kind, Kind::Name | Kind::Comma)) {
                names += usize::from(name.kind == Kind::Name);
                if name.bytes(self.text) == self.local.as_bytes() {
                    found = Some(name.line);
                }
            }
            let copied = names == 1
                && tokens.next_if(|t| t.kind == Kind::Assign).is_some()
                && tokens
                    .peek()
                    .is_some_and(|t| t.bytes(self.text) == self.local.as_bytes());
            if let (Some(line), false) = (found, copied) {
                return fail(line, SplitErrorKind::Declared(self.local.clone()));
            }
        }
        Ok(())
    }
}

fn line_end_length(text: &[u8]) -> usize {
    match text {
        [b'\r', b'\n', ..] | [b'\n', b'\r', ..] => 2,
        [] => 0,
        _ => 1,
    }
}
