//! Writes the tokens as their edits say, with as little between them as the lexers need.

use bstr::BString;
use fastlua_bytecode::Dialect;

use super::locals::{Local, Run};
use super::names;
use super::parser::{Edit, Parsed};
use crate::token::Kind;
use fastlua_bytecode::NumberModel;

/// What the last written token is, as far as the next one depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing a `(` could belong to.
    Other,
    /// A number.
    Number,
    /// Something that a `(` behind it would call.
    Callable,
}

struct Emitter<'p, 'a> {
    parsed: &'p Parsed<'a>,
    names: Vec<BString>,
    /// 5.1's lexer takes letters into a number in front of them.
    for_51: bool,
    out: Vec<u8>,
    last: Last,
    last_start: usize,
}

/// The squashed text.
pub(super) fn emit(parsed: &Parsed, targets: &[NumberModel]) -> Vec<u8> {
    let mut emitter = Emitter {
        parsed,
        names: names::assign(&parsed.scope),
        for_51: targets
            .iter()
            .any(|target| target.dialect == Dialect::Lua51),
        out: Vec::with_capacity(parsed.text.len() / 2),
        last: Last::Other,
        last_start: 0,
    };
    emitter.range(0, parsed.tokens.len() - 1);
    emitter.out
}

impl<'p> Emitter<'p, '_> {
    fn range(&mut self, mut at: usize, end: usize) {
        while at < end {
            if let Edit::Run(number) = self.parsed.edits[at] {
                let run = &self.parsed.runs[number as usize];
                self.run(run);
                at = run.end;
            } else {
                self.token(at);
                at += 1;
            }
        }
    }

    fn token(&mut self, at: usize) {
        let parsed = self.parsed;
        let kind = parsed.tokens[at].kind;
        match parsed.edits[at] {
            Edit::Drop | Edit::Run(_) => {}
            Edit::Keep => self.put(parsed.tokens[at].bytes(parsed.text), after(kind)),
            Edit::Variable(id) => self.variable(id),
            Edit::Label(number) => self.put(&names::label(number), Last::Callable),
            Edit::Fixed(text) => self.put(text.as_bytes(), Last::Other),
            Edit::Text(start, end, kind) => {
                self.put(&parsed.new_text[start as usize..end as usize], after(kind));
            }
            Edit::SelfParameter(id, more) => {
                self.put(b"(", Last::Other);
                self.variable(id);
                if more {
                    self.put(b",", Last::Other);
                }
            }
            Edit::StatementParen => {
                if self.last == Last::Callable {
                    self.put(b";", Last::Other);
                }
                self.put(b"(", Last::Other);
            }
        }
    }

    fn variable(&mut self, id: u32) {
        let name = std::mem::take(&mut self.names[id as usize]);
        self.put(&name, Last::Callable);
        self.names[id as usize] = name;
    }

    fn run(&mut self, run: &Run) {
        for &(start, end) in &run.groups {
            match &run.locals[start..end] {
                [local] if local.function => {
                    self.put(b"local", Last::Other);
                    self.put(b"function", Last::Other);
                    self.range(local.first_name, local.values[0].1);
                }
                group => self.group(group),
            }
        }
    }

    /// One local statement for several.
    fn group(&mut self, group: &[Local]) {
        self.put(b"local", Last::Other);
        let mut comma = false;
        for local in group {
            for index in 0..local.names {
                if std::mem::replace(&mut comma, true) {
                    self.put(b",", Last::Other);
                }
                self.token(local.first_name + 2 * index);
            }
        }
        let Some(last) = group.iter().rposition(|local| !local.values.is_empty()) else {
            return;
        };
        let left_out: usize = group[last..].iter().map(Local::nils).sum();
        let mut separator: &[u8] = b"=";
        for (number, local) in group[..=last].iter().enumerate() {
            for (index, &(start, end)) in local.values.iter().enumerate() {
                self.put(std::mem::replace(&mut separator, b","), Last::Other);
                if local.function {
                    self.put(b"function", Last::Other);
                }
                let truncated = number == last
                    && index + 1 == local.values.len()
                    && local.multi
                    && left_out > 0;
                if truncated {
                    self.put(b"(", Last::Other);
                }
                self.range(start, end);
                if truncated {
                    self.put(b")", Last::Callable);
                }
            }
            if number < last {
                for _ in 0..local.nils() {
                    self.put(std::mem::replace(&mut separator, b","), Last::Other);
                    self.put(b"nil", Last::Other);
                }
            }
        }
    }

    fn put(&mut self, bytes: &[u8], last: Last) {
        let Some(&first) = bytes.first() else { return };
        if self.needs_space(first) {
            self.out.push(b' ');
        }
        self.last = last;
        self.last_start = self.out.len();
        self.out.extend_from_slice(bytes);
    }

    /// Whether a token that begins with `first` would be read as part of the one before it.
    fn needs_space(&self, first: u8) -> bool {
        let Some(&before) = self.out.last() else {
            return false;
        };
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match (before, first) {
            _ if self.last == Last::Number && first == b'.' => true,
            _ if self.last == Last::Number && word(first) => self.joins_number(first),
            // 5.1 takes a NUL for the `e` of an exponent, or for a dot.
            (0, _) => true,
            (b'.', b'.') | (b'-', b'-') | (b'[', b'[') => true,
            _ => word(before) && word(first),
        }
    }

    /// Whether a letter would be read as part of the number before it.
    fn joins_number(&self, first: u8) -> bool {
        let number = &self.out[self.last_start..];
        let hex = number.starts_with(b"0x") || number.starts_with(b"0X");
        self.for_51
            || first.is_ascii_hexdigit()
            || hex && matches!(first, b'p' | b'P')
            || number == b"0" && matches!(first, b'x' | b'X')
    }
}

fn after(kind: Kind) -> Last {
    match kind {
        Kind::Number => Last::Number,
        Kind::Name | Kind::String | Kind::RightParen | Kind::RightBracket | Kind::RightBrace => {
            Last::Callable
        }
        _ => Last::Other,
    }
}
