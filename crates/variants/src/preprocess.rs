//! What the C preprocessor makes of a configuration header: which macros are defined at its end.
//!
//! Lines are joined and comments removed as in C, conditions are evaluated, and macros without parameters are expanded in expressions. A macro that
//! the compiler may define on its command line is not known, nor is a condition that depends on it; that is an error as soon as a macro
//! which is asked about depends on it. What is included is not read.

mod expression;

use std::collections::{BTreeMap, BTreeSet};

use expression::Value;

/// Headers of C, which define nothing that is asked about.
const STANDARD: [&str; 12] = [
    "assert.h",
    "ctype.h",
    "errno.h",
    "limits.h",
    "math.h",
    "stdarg.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdio.h",
    "stdlib.h",
    "string.h",
];

/// A line that may or may not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclear {
    /// The line, from 1 on.
    pub line: usize,
    /// What stands there.
    pub what: String,
}

/// A macro at the end of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Macro {
    line: usize,
    /// What it stands for; none for a macro with parameters.
    body: Option<String>,
    /// Whether it is the default of an `#ifndef` of its own name.
    is_default: bool,
}

/// The macros of a header.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// None where it may or may not be defined.
    macros: BTreeMap<String, Option<Macro>>,
    /// Not defined by the compiler either, unless the header does so.
    asked: BTreeSet<String>,
}

/// A condition that is open.
struct Open {
    line: usize,
    /// Whether the lines count; none if it is not known.
    counts: Option<bool>,
    /// Whether an earlier branch counted.
    taken: Option<bool>,
    has_else: bool,
    /// The macro of an `#ifndef`.
    absent: Option<String>,
}

impl Header {
    /// Reads a header. `asked` are the macros that matter, `known` those that the compiler defines.
    pub fn read(
        text: &str,
        asked: &BTreeSet<&str>,
        known: &[(&str, i64)],
    ) -> Result<Header, Unclear> {
        let mut header = Header {
            asked: asked.iter().map(|&name| name.into()).collect(),
            ..Header::default()
        };
        for (name, value) in known {
            header.define(name, 0, Some(value.to_string()), false);
        }
        let mut open: Vec<Open> = Vec::new();
        let directives = directives(text);
        // an include guard is not defined yet: it is what comes next
        for two in directives.windows(2) {
            let absent = match identifier(&two[0].1) {
                "ifndef" => Some(identifier(two[0].1["ifndef".len()..].trim()).to_owned()),
                "if" => absent_of(two[0].1["if".len()..].trim()),
                _ => None,
            };
            let next = two[1]
                .1
                .strip_prefix("define")
                .map(|rest| identifier(rest.trim()));
            if let Some(name) = absent.filter(|name| next == Some(name)) {
                header.asked.insert(name);
            }
        }
        for (line, directive) in &directives {
            header.directive(*line, directive, &mut open)?;
        }
        match open.last() {
            Some(last) => Err(unclear(last.line, "#if without #endif")),
            None => Ok(header),
        }
    }

    fn directive(&mut self, line: usize, text: &str, open: &mut Vec<Open>) -> Result<(), Unclear> {
        let word = identifier(text);
        let rest = text[word.len()..].trim();
        // whether it counts; none where that is not known
        let mut each = open.iter().map(|open| open.counts);
        let counts = each.try_fold(true, |all, counts| Some(counts? && all));
        let is_dead = open.iter().any(|o| o.counts == Some(false));
        match word {
            "if" | "ifdef" | "ifndef" => {
                let name = identifier(rest);
                let holds = match word {
                    _ if is_dead => Some(false),
                    "if" => self.condition(line, rest)?,
                    _ if name.is_empty() => {
                        return Err(unclear(line, &format!("#{word} without a name")));
                    }
                    "ifdef" => self.is_defined(name),
                    _ => self.is_defined(name).map(|defined| !defined),
                };
                let absent = (word == "ifndef").then(|| name.to_owned());
                let absent = absent.or_else(|| absent_of(rest).filter(|_| word == "if"));
                open.push(Open {
                    line,
                    counts: holds,
                    taken: holds,
                    has_else: false,
                    absent,
                });
            }
            "elif" | "elifdef" | "elifndef" | "else" => {
                let Some(last) = open.pop().filter(|last| !last.has_else) else {
                    return Err(unclear(line, &format!("#{word} without #if")));
                };
                let outer_dead = open.iter().any(|o| o.counts == Some(false));
                let name = identifier(rest);
                let holds = match word {
                    _ if outer_dead || last.taken == Some(true) => Some(false),
                    "elif" => self.condition(line, rest)?,
                    "elifdef" => self.is_defined(name),
                    "elifndef" => self.is_defined(name).map(|defined| !defined),
                    _ => Some(true),
                };
                let counts = match (last.taken, holds) {
                    (Some(false), holds) => holds,
                    (_, Some(false)) => Some(false),
                    _ => None,
                };
                let taken = match (last.taken, holds) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                };
                open.push(Open {
                    line: last.line,
                    counts,
                    taken,
                    has_else: word == "else",
                    absent: None,
                });
            }
            "endif" => {
                open.pop()
                    .ok_or_else(|| unclear(line, "#endif without #if"))?;
            }
            _ if is_dead => {}
            "define" | "undef" => {
                let name = identifier(rest);
                if name.is_empty() {
                    return Err(unclear(line, &format!("#{word} without a name")));
                }
                match counts {
                    Some(_) if word == "define" => {
                        let body = rest[name.len()..].to_owned();
                        // a parameter list begins directly behind the name
                        let body = (!body.starts_with('(')).then(|| body.trim().to_owned());
                        let is_default = open.iter().any(|o| o.absent.as_deref() == Some(name));
                        self.define(name, line, body, is_default);
                    }
                    Some(_) => {
                        self.macros.remove(name);
                        self.asked.insert(name.into()); // not the compiler's any more
                    }
                    None if self.asked.contains(name) => {
                        let since = open.iter().rev().find(|o| o.counts.is_none());
                        let since = since.map_or(line, |open| open.line);
                        let what = format!("{name} depends on the condition of line {since}");
                        return Err(unclear(line, &what));
                    }
                    None => {
                        self.macros.insert(name.into(), None);
                    }
                }
            }
            "include" | "include_next" | "import" => {
                let standard = rest
                    .strip_prefix('<')
                    .and_then(|rest| rest.strip_suffix('>'));
                if !standard.is_some_and(|name| STANDARD.contains(&name)) {
                    let what = format!("{rest} is included and may set the number model");
                    return Err(unclear(line, &what));
                }
            }
            "error" if counts == Some(true) => {
                return Err(unclear(
                    line,
                    &format!("the tree can't be built: #error {rest}"),
                ));
            }
            "pragma" if self.changes_macro(rest) => {
                return Err(unclear(line, &format!("#pragma {rest} changes a macro")));
            }
            _ => {}
        }
        Ok(())
    }

    fn changes_macro(&self, pragma: &str) -> bool {
        let is_one = pragma.starts_with("push_macro") || pragma.starts_with("pop_macro");
        is_one && self.asked.iter().any(|name| pragma.contains(name.as_str()))
    }

    fn define(&mut self, name: &str, line: usize, body: Option<String>, is_default: bool) {
        let new = Macro {
            line,
            body,
            is_default,
        };
        self.macros.insert(name.into(), Some(new));
    }

    /// Whether a macro is defined; none if the compiler may do so.
    pub fn is_defined(&self, name: &str) -> Option<bool> {
        match self.macros.get(name) {
            Some(Some(_)) => Some(true),
            Some(None) => None,
            None => self.asked.contains(name).then_some(false),
        }
    }

    fn condition(&self, line: usize, text: &str) -> Result<Option<bool>, Unclear> {
        let value = expression::evaluate(text, self, true);
        let value = value.map_err(|what| unclear(line, &format!("`#if {text}`: {what}")))?;
        Ok(value.map(|value| value.bits != 0))
    }

    /// The value of a macro that is defined; 1 if it stands for nothing.
    pub fn flag(&self, name: &str) -> Result<Option<i64>, Unclear> {
        let Some(Some(found)) = self.macros.get(name) else {
            return Ok(None);
        };
        match found.body.as_deref() {
            None | Some("") => Ok(Some(1)),
            Some(body) => Ok(Some(self.value(name, found, body)?.bits)),
        }
    }

    /// A number that a macro stands for, with its line; none where it is not defined, or 0 by default.
    pub fn size(&self, name: &str) -> Result<Option<(usize, u32)>, Unclear> {
        let Some(Some(found)) = self.macros.get(name) else {
            return Ok(None);
        };
        let body = found.body.as_deref().unwrap_or_default();
        if body.is_empty() {
            return Err(unclear(found.line, &format!("{name} is empty")));
        }
        let value = self.value(name, found, body)?;
        match u32::try_from(value.bits) {
            Ok(0) if found.is_default => Ok(None),
            Ok(value) => Ok(Some((found.line, value))),
            Err(_) => Err(unclear(
                found.line,
                &format!("{name} is not a 32-bit number"),
            )),
        }
    }

    fn value(&self, name: &str, found: &Macro, body: &str) -> Result<Value, Unclear> {
        let value = expression::evaluate(body, self, false);
        let unknown = || "it depends on a macro that is not defined here".to_owned();
        let value = value.and_then(|value| value.ok_or_else(unknown));
        value.map_err(|what| unclear(found.line, &format!("{name} is `{body}`: {what}")))
    }

    /// What a macro without parameters stands for.
    fn body(&self, name: &str) -> Option<&Macro> {
        self.macros.get(name)?.as_ref()
    }
}

fn unclear(line: usize, what: &str) -> Unclear {
    Unclear {
        line,
        what: what.into(),
    }
}

/// The identifier with which a text begins; empty if it does not.
fn identifier(text: &str) -> &str {
    let is_part = |(i, c): &(usize, char)| {
        c.is_ascii_alphabetic() || "_$".contains(*c) || (*i > 0 && c.is_ascii_digit())
    };
    let end = text
        .char_indices()
        .find(|at| !is_part(at))
        .map_or(text.len(), |(i, _)| i);
    &text[..end]
}

/// The macro of `!defined(NAME)`, if a condition is just that.
fn absent_of(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix('!')?
        .trim_start()
        .strip_prefix("defined")?;
    let rest = rest
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim();
    let name = identifier(rest);
    (name == rest && !name.is_empty()).then(|| name.to_owned())
}

/// Line number and text, without `#`, of each preprocessor line, with comments replaced by a space.
fn directives(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = without_comments(&joined(text));
    let directive = |(number, line): (usize, String)| {
        let line = line.trim_start();
        let rest = line.strip_prefix('#').or_else(|| line.strip_prefix("%:"))?;
        Some((number, rest.trim().to_owned()))
    };
    lines.into_iter().filter_map(directive).collect()
}

/// The lines with those that a backslash continues joined, and the number of the first of each.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        // compilers take a backslash with blanks behind it, too
        let trimmed = line.trim_end();
        let (part, next) = match trimmed.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| goes_on) {
            Some((_, last)) => last.push_str(part),
            None => lines.push((number, part.to_owned())),
        }
        goes_on = next;
    }
    lines
}

/// Replaces comments by a space. One over several lines joins them, as it does in C.
fn without_comments(lines: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut kept: Vec<(usize, String)> = Vec::new();
    let mut in_comment = false;
    for (number, line) in lines {
        let (number, mut text) = match kept.pop_if(|_| in_comment) {
            Some(before) => before,
            None => (*number, String::new()),
        };
        let mut quote = None;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            match (in_comment, quote, c) {
                (true, _, '*') if next == Some('/') => {
                    chars.next();
                    in_comment = false;
                    text.push(' ');
                }
                (true, ..) => {}
                (false, None, '/') if next == Some('/') => break,
                (false, None, '/') if next == Some('*') => {
                    chars.next();
                    in_comment = true;
                }
                (false, None, '"' | '\'') => {
                    quote = Some(c);
                    text.push(c);
                }
                (false, Some(_), '\\') => {
                    text.push(c);
                    text.extend(chars.next());
                }
                (false, Some(q), _) => {
                    text.push(c);
                    if c == q {
                        quote = None;
                    }
                }
                (false, None, _) => text.push(c),
            }
        }
        kept.push((number, text));
    }
    kept
}
