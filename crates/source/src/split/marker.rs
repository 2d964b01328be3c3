//! SPLIT markers as they stand in a file; what they do is in [`split`](super).

use super::error::{SplitError, SplitErrorKind, fail};
use crate::token::{Kind, Token, shown};

/// What a marker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    Module(String),
    Here(String),
    /// `HERE` without a name.
    End,
    Ignore,
}

impl Word {
    pub fn name(&self) -> &'static str {
        match self {
            Word::Module(_) => "MODULE",
            Word::Here(_) | Word::End => "HERE",
            Word::Ignore => "IGNORE",
        }
    }
}

/// A marker and the line it is on.
#[derive(Debug)]
pub(super) struct Marker {
    pub word: Word,
    pub line: u32,
    /// Offset behind the comment.
    pub end: usize,
    /// Offset of the line's first byte.
    pub line_start: usize,
    /// Offset behind the line's last byte, its line end not included.
    pub line_end: usize,
}

impl Marker {
    /// Whether its line is left out.
    pub fn cuts(&self) -> bool {
        !matches!(self.word, Word::Module(_))
    }

    /// The marker that `token` is, if it is one.
    pub fn read(text: &[u8], token: &Token) -> Result<Option<Marker>, SplitError> {
        let is_line_end = |b: &u8| matches!(b, b'\r' | b'\n');
        let comment = token.bytes(text);
        if token.kind != Kind::LongComment || comment.iter().any(is_line_end) {
            return Ok(None);
        }
        let Ok(comment) = std::str::from_utf8(comment) else {
            return Ok(None);
        };
        let Some(word) = word(comment, token.line)? else {
            return Ok(None);
        };
        let (start, end) = (token.start as usize, token.end as usize);
        let before = text[..start].iter().rposition(is_line_end);
        let behind = text[end..].iter().position(is_line_end);
        Ok(Some(Marker {
            word,
            line: token.line,
            end,
            line_start: before.map_or(0, |at| at + 1),
            line_end: behind.map_or(text.len(), |at| end + at),
        }))
    }
}

/// What a long comment of one line says as a marker.
fn word(comment: &str, line: u32) -> Result<Option<Word>, SplitError> {
    let inner = comment
        .trim_start_matches(['-', '[', '='])
        .trim_end_matches([']', '=']);
    let words: Vec<&str> = inner.split_whitespace().collect();
    if words.first() != Some(&"SPLIT") {
        return Ok(None);
    }
    let known = words
        .get(1)
        .is_some_and(|word| ["MODULE", "HERE", "IGNORE"].contains(word));
    let exact = comment.starts_with("--[[SPLIT");
    match (&words[1..], exact) {
        (["MODULE", name], true) if is_name(name) => Ok(Some(Word::Module((*name).into()))),
        (["MODULE", name], true) => fail(line, SplitErrorKind::ModuleName(shown(name.as_bytes()))),
        (["HERE", name], true) if is_chunk_name(name) => Ok(Some(Word::Here((*name).into()))),
        (["HERE", name], true) => fail(line, SplitErrorKind::ChunkName(shown(name.as_bytes()))),
        (["HERE"], true) => Ok(Some(Word::End)),
        (["IGNORE"], true) => Ok(Some(Word::Ignore)),
        _ if exact || known => fail(line, SplitErrorKind::Unknown(shown(comment.as_bytes()))),
        _ => Ok(None),
    }
}

/// `FAST_<name>` must be a Lua name, which begins with no digit; a module's name should not either.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_chunk_name(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        && !name.starts_with(['-', '.'])
}
