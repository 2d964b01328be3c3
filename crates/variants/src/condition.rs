//! Preprocessor conditions: kept as text for the C output, and evaluated to find the variant that
//! a firmware tree is set to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Bytes of the longest condition; it bounds how deep its parentheses nest.
const LONGEST: usize = 2000;

/// Whether a byte may stand in C text that a variant brings.
pub(crate) fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Macros that are defined, with their integer values.
pub type Macros = BTreeMap<String, i64>;

/// A condition as in `#if`, of `defined(X)`, macro names, integers, `==`, `!`, `&&`, `||` and parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    tree: Node,
}

/// A condition that can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("column {column}: expected {expected}")]
pub struct ConditionError {
    /// Where, counted in bytes from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Number(i64),
    Macro(String),
    Defined(String),
    Not(Box<Node>),
    Equal(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
}

impl Condition {
    /// Whether it holds where just these macros are defined; any other counts as 0, as in C.
    pub fn holds(&self, macros: &Macros) -> bool {
        self.tree.value(macros) != 0
    }

    /// Names of the macros it asks about.
    pub fn macros(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.tree.collect(&mut names);
        names
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Condition, ConditionError> {
        if text.len() > LONGEST {
            return Err(ConditionError {
                column: LONGEST,
                expected: "a shorter condition",
            });
        }
        if let Some(at) = text.bytes().position(|b| !is_printable(b)) {
            return Err(ConditionError {
                column: at + 1,
                expected: "printable ASCII on one line",
            });
        }
        let mut parser = Parser { text, at: 0 };
        let tree = parser.or()?;
        match parser.rest().is_empty() {
            true => Ok(Condition {
                text: text.trim().into(),
                tree,
            }),
            false => Err(parser.expected("`&&`, `||`, `==` or the end")),
        }
    }
}

impl Node {
    fn value(&self, macros: &Macros) -> i64 {
        match self {
            Node::Number(n) => *n,
            Node::Macro(name) => macros.get(name).copied().unwrap_or(0),
            Node::Defined(name) => macros.contains_key(name).into(),
            Node::Not(a) => (a.value(macros) == 0).into(),
            Node::Equal(a, b) => (a.value(macros) == b.value(macros)).into(),
            Node::And(a, b) => (a.value(macros) != 0 && b.value(macros) != 0).into(),
            Node::Or(a, b) => (a.value(macros) != 0 || b.value(macros) != 0).into(),
        }
    }

    fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Node::Number(_) => {}
            Node::Macro(name) | Node::Defined(name) => {
                names.insert(name);
            }
            Node::Not(a) => a.collect(names),
            Node::Equal(a, b) | Node::And(a, b) | Node::Or(a, b) => {
                a.collect(names);
                b.collect(names);
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expected(&mut self, expected: &'static str) -> ConditionError {
        self.rest();
        ConditionError {
            column: self.at + 1,
            expected,
        }
    }

    fn or(&mut self) -> Result<Node, ConditionError> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Node::Or(left.into(), self.and()?.into());
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Node, ConditionError> {
        let mut left = self.equal()?;
        while self.take("&&") {
            left = Node::And(left.into(), self.equal()?.into());
        }
        Ok(left)
    }

    fn equal(&mut self) -> Result<Node, ConditionError> {
        let left = self.unary()?;
        Ok(match self.take("==") {
            true => Node::Equal(left.into(), self.unary()?.into()),
            false => left,
        })
    }

    fn unary(&mut self) -> Result<Node, ConditionError> {
        if self.take("!") {
            return Ok(Node::Not(self.unary()?.into()));
        }
        if self.take("(") {
            let inner = self.or()?;
            return self.close(inner);
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("a macro, `defined(…)`, an integer, `!` or `(`"));
        }
        if word == "defined" {
            let open = self.take("(");
            let name = self.word();
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(self.expected("the name of a macro"));
            }
            let node = Node::Defined(name.into());
            return if open { self.close(node) } else { Ok(node) };
        }
        match word.parse() {
            Ok(_) if word.len() > 1 && word.starts_with('0') => {
                Err(self.expected("an integer that does not begin with 0, which C reads as octal"))
            }
            Ok(number) => Ok(Node::Number(number)),
            Err(_) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                Err(self.expected("a decimal integer before this"))
            }
            Err(_) => Ok(Node::Macro(word.into())),
        }
    }

    fn close(&mut self, node: Node) -> Result<Node, ConditionError> {
        match self.take(")") {
            true => Ok(node),
            false => Err(self.expected("`)`")),
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluates_as_the_preprocessor_does() {
        let macros = Macros::from([("A".into(), 501), ("B".into(), 0)]);
        for (text, holds) in [
            ("defined(A) && A == 501", true),
            ("!defined A || B", false),
            ("defined(B) && !B", true),
            ("C == 0", true),
            ("(A || C) && !(B == 1)", true),
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.holds(&macros), holds, "{text}");
        }
    }

    #[test]
    fn says_where_it_stops() {
        for (text, column) in [
            ("A &&", 5),
            ("(A", 3),
            ("defined()", 9),
            ("A B", 3),
            ("A == 0501", 10),
            ("", 1),
        ] {
            let error = text.parse::<Condition>().unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
        }
    }
}
