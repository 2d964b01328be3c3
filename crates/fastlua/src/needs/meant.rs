//! Comments by which a text says that something is meant, in the words of luacheck: `-- luacheck: globals a b`,
//! `-- luacheck: ignore`.

use fastlua_bytecode::{Dialect, is_bytecode};
use fastlua_source::lexer::Lexer;
use fastlua_source::token::{Kind, Token};

/// A comment for luacheck, its line, and whether code stands before it in the line.
struct Said {
    words: Vec<String>,
    line: u32,
    is_behind_code: bool,
}

fn said(text: &[u8]) -> Vec<Said> {
    const MARK: &[u8] = b"luacheck:";
    let has_mark = text.windows(MARK.len()).any(|part| part == MARK);
    if !has_mark || is_bytecode(text) {
        return Vec::new();
    }
    let Ok(mut lexer) = Lexer::new(text, Dialect::Lua53) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut code_line = 0;
    while let Ok(token) = lexer.token() {
        match token.kind {
            Kind::End => break,
            kind if kind.is_comment() => all.extend(words(text, &token).map(|words| Said {
                words,
                line: token.line,
                is_behind_code: code_line == token.line,
            })),
            _ => code_line = token.line,
        }
    }
    all
}

/// The words behind `luacheck:` in a comment.
fn words(text: &[u8], comment: &Token) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(comment.bytes(text));
    let text = text
        .trim_start_matches(['-', '[', '='])
        .trim_end_matches([']', '=']);
    let rest = text.trim().strip_prefix("luacheck:")?;
    let words = rest.split(|c: char| c.is_whitespace() || c == ',');
    Some(
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// The globals that a text declares.
pub(super) fn globals(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for said in said(text) {
        let mut words = said.words.into_iter().peekable();
        let is_kind = |word: &String| word == "new" || word == "read";
        while words.next_if(is_kind).is_some() {}
        if words.next_if(|word| word == "globals").is_some() {
            names.extend(words);
        }
    }
    names
}

/// Whether a text wants nothing said about this line, this rule or this global. `ignore` behind code is for its line, on a line
/// of its own for the whole text.
pub(super) fn is_ignored(text: &[u8], line: Option<u32>, rule: &str, global: Option<&str>) -> bool {
    said(text).iter().any(|said| {
        let Some((first, names)) = said.words.split_first() else {
            return false;
        };
        let is_here = !said.is_behind_code || Some(said.line) == line;
        let is_named = |name: &String| name == rule || Some(name.as_str()) == global;
        first == "ignore" && is_here && (names.is_empty() || names.iter().any(is_named))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_declare_globals() {
        let text = b"-- luacheck: globals a b, c\nx = 1 -- luacheck: read globals d\n--[[ luacheck: new globals e ]]\n-- globals f";
        assert_eq!(globals(text), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn comments_ignore_a_line_or_a_text() {
        let line = b"x() -- luacheck: ignore\ny()";
        assert!(is_ignored(line, Some(1), "name-absent", None));
        assert!(!is_ignored(line, Some(2), "name-absent", None));
        let text = b"-- luacheck: ignore name-absent z\nx()";
        assert!(is_ignored(text, Some(2), "name-absent", None));
        assert!(is_ignored(text, Some(2), "global-undefined", Some("z")));
        assert!(!is_ignored(text, Some(2), "global-undefined", Some("y")));
    }
}
