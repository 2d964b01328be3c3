//! The columns of uses: bytecode has lines only.

use std::collections::BTreeMap;

use fastlua_bundle::Input;
use fastlua_bytecode::{Dialect, is_bytecode};
use fastlua_needs::Use;
use fastlua_source::lexer::Lexer;
use fastlua_source::place::column;
use fastlua_source::token::{Kind, Token};

/// The tokens of the texts that were asked about.
pub(crate) struct Places<'a> {
    inputs: &'a [&'a Input],
    dialect: Dialect,
    /// By chunk and line.
    lines: BTreeMap<usize, BTreeMap<u32, Vec<Token>>>,
}

impl<'a> Places<'a> {
    pub fn new(inputs: &'a [&'a Input], dialect: Dialect) -> Places<'a> {
        Places {
            inputs,
            dialect,
            lines: BTreeMap::new(),
        }
    }

    /// The column where the name of a use begins; none where its line does not have the name.
    pub fn column(&mut self, one: &Use) -> Option<u32> {
        let text = &self.inputs[one.chunk].text;
        let dialect = self.dialect;
        let lines = self
            .lines
            .entry(one.chunk)
            .or_insert_with(|| lines(text, dialect));
        let tokens = lines.get(&one.line?)?;
        let start = start(text, tokens, &one.name, one.nth)?;
        Some(column(text, start))
    }
}

/// The tokens of a text by line, as far as Lua's lexer takes it.
fn lines(text: &[u8], dialect: Dialect) -> BTreeMap<u32, Vec<Token>> {
    let mut lines: BTreeMap<u32, Vec<Token>> = BTreeMap::new();
    if is_bytecode(text) {
        return lines;
    }
    let Ok(mut lexer) = Lexer::new(text, dialect) else {
        return lines;
    };
    while let Ok(token) = lexer.token() {
        match token.kind {
            Kind::End => break,
            kind if kind.is_comment() => {}
            _ => lines.entry(token.line).or_default().push(token),
        }
    }
    lines
}

/// The offset of the `nth` place where a whole name stands in a line; of its last part, if the rest is an object or an
/// alias.
fn start(text: &[u8], tokens: &[Token], name: &str, nth: usize) -> Option<usize> {
    let is = |at: usize, word: &str| {
        tokens[at].kind == Kind::Name && tokens[at].bytes(text) == word.as_bytes()
    };
    let is_joint = |at: usize| matches!(tokens[at].kind, Kind::Dot | Kind::Colon);
    let (parts, is_method): (Vec<&str>, bool) = match name.split_once(':') {
        Some((_, method)) => (vec![method], true),
        None => (name.split('.').collect(), false),
    };
    let (last, before) = parts.split_last()?;
    let (mut whole, mut partial) = (Vec::new(), Vec::new());
    for at in (0..tokens.len()).filter(|at| is(*at, last)) {
        let joined = at >= 1 && is_joint(at - 1);
        if before.is_empty() {
            if joined == is_method {
                whole.push(at);
            }
            continue;
        }
        // back along the parts
        let mut first = at;
        let mut rest = before.iter().rev();
        let is_whole = rest.all(|part| {
            let found = first >= 2 && is_joint(first - 1) && is(first - 2, part);
            first -= if found { 2 } else { 0 };
            found
        });
        match is_whole {
            true => whole.push(first),
            false if joined => partial.push(at),
            false => {}
        }
    }
    let found = if whole.is_empty() { partial } else { whole };
    let at = found.get(nth).or(found.last())?;
    Some(tokens[*at].start as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column_of(text: &str, name: &str, nth: usize) -> Option<usize> {
        let lines = lines(text.as_bytes(), Dialect::Lua51);
        start(text.as_bytes(), lines.get(&1)?, name, nth).map(|start| start + 1)
    }

    #[test]
    fn a_name_is_found_where_it_stands() {
        let text = "tmr.alarm(1) tmr.alarm(2) t:alarm(3) alarm(4) -- tmr.alarm";
        assert_eq!(column_of(text, "tmr.alarm", 0), Some(1));
        assert_eq!(column_of(text, "tmr.alarm", 1), Some(14));
        assert_eq!(column_of(text, "tmr.timer:alarm", 2), Some(29));
        assert_eq!(column_of(text, "alarm", 0), Some(38));
        assert_eq!(column_of(text, "gpio.write", 0), None);
        assert_eq!(column_of("t.alarm(1)", "tmr.alarm", 0), Some(3));
        assert_eq!(
            column_of("x = wifi . sta.getip()", "wifi.sta.getip", 0),
            Some(5)
        );
    }
}
