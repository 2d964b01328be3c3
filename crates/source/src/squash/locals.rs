//! Runs of local statements, and how to write each run with the fewest bytes:
//! `local a=1 local b=2` as `local a,b=1,2` where nothing of the second refers to `a`.
//!
//! The values still go to the same registers in the same order. A function becomes a value like any other
//! unless it calls itself.

use super::expression::{Expr, Shape};
use super::parser::Parser;
use crate::lexer::Result;
use crate::token::Kind;

/// `local …` or `local function …`. Tokens are numbered as in the parser.
#[derive(Debug)]
pub(super) struct Local {
    /// The token `local`.
    pub start: usize,
    /// Names are every second token from this one on.
    pub first_name: usize,
    pub names: usize,
    /// First token of each value, and the token behind it. For a function from its `(` on.
    pub values: Vec<(usize, usize)>,
    pub function: bool,
    /// The function uses its own name.
    recursive: bool,
    /// The last value gives as many values as are wanted.
    pub multi: bool,
    /// The same, but one only is taken: a `nil` behind it has been left out.
    truncated: bool,
    /// More values than names.
    pub surplus: bool,
    /// Must be written as it is, for the sake of [`Parser::nil_above`].
    pub fixed: bool,
    /// How many statements of the run, from its first one, must stay before this one.
    after: usize,
    /// Whether its last token is a word, so that the next one needs a space.
    ends_in_word: bool,
    /// Number of its first variable; the others follow.
    first_variable: usize,
}

impl Local {
    /// How many of its names get nil for want of a value.
    pub fn nils(&self) -> usize {
        let open = self.multi && !self.truncated;
        if open {
            0
        } else {
            self.names.saturating_sub(self.values.len())
        }
    }
}

/// Local statements side by side.
#[derive(Debug)]
pub(super) struct Run {
    pub locals: Vec<Local>,
    /// Token behind the run.
    pub end: usize,
    /// Numbers of the first statement of each group that is written as one, and of the one behind it.
    pub groups: Vec<(usize, usize)>,
}

impl Run {
    /// A function can have 200 locals; the time to look for groups grows with the square.
    pub const LONGEST: usize = 200;

    pub fn new(locals: Vec<Local>, end: usize) -> Self {
        let groups = groups(&locals);
        Run {
            locals,
            end,
            groups,
        }
    }
}

impl Parser<'_, '_> {
    pub fn local(&mut self, run: &[Local]) -> Result<Local> {
        let begun = self.out.scope.now();
        let start = self.advance();
        let mut local = if self.take(Kind::Function) {
            self.local_function(start)?
        } else {
            self.local_values(start)?
        };
        local.ends_in_word = match local.values.last() {
            Some(&(_, end)) => matches!(
                self.out.tokens[end - 1].kind,
                Kind::Name | Kind::Number | Kind::EndWord | Kind::Nil | Kind::True | Kind::False
            ),
            None => true,
        };
        // Later statements first: the last one that is referred to counts.
        let used = |other: &Local| {
            let variables = &self.out.scope.variables[other.first_variable..][..other.names];
            variables.iter().any(|variable| variable.last_use > begun)
        };
        local.after = run.iter().rposition(used).map_or(0, |index| index + 1);
        Ok(local)
    }

    fn local_function(&mut self, start: usize) -> Result<Local> {
        let name = self.expect(Kind::Name)?;
        let variable = self.declare(name)? as usize;
        self.body(None)?;
        let variables = &self.out.scope.variables;
        Ok(Local {
            start,
            first_name: name,
            names: 1,
            values: vec![(name + 1, self.at)],
            function: true,
            recursive: variables[variable].last_use > variables[variable].declared,
            multi: false,
            truncated: false,
            surplus: false,
            fixed: false,
            after: 0,
            ends_in_word: true,
            first_variable: variable,
        })
    }

    fn local_values(&mut self, start: usize) -> Result<Local> {
        let first_name = self.at;
        let mut names = 0;
        loop {
            self.expect(Kind::Name)?;
            names += 1;
            if !self.take(Kind::Comma) {
                break;
            }
        }
        let mut values = Vec::new();
        if self.take(Kind::Assign) {
            let (count, last) = self.list(|value| values.push(value))?;
            if count == names
                && let Some(value) = values.last_mut()
            {
                *value = self.unwrap(last);
            }
        }
        let surplus = values.len() > names;
        let given = values.len();
        let fixed = self.nil_above
            && self.for_53
            && values.iter().all(|value: &Expr| value.shape == Shape::Nil);
        while !surplus && !fixed && values.last().is_some_and(|value| value.shape == Shape::Nil) {
            values.pop();
        }
        let multi = values
            .last()
            .is_some_and(|value| value.shape == Shape::Multi);
        let first_variable = self.out.scope.variables.len();
        for index in 0..names {
            self.declare(first_name + 2 * index)?;
        }
        Ok(Local {
            start,
            first_name,
            names,
            function: false,
            recursive: false,
            multi,
            truncated: multi && values.len() < given,
            values: values
                .iter()
                .map(|value| (value.start, value.end))
                .collect(),
            surplus,
            fixed,
            after: 0,
            ends_in_word: false,
            first_variable,
        })
    }
}

/// Length of a group in bytes, but for what is the same however statements are grouped.
#[derive(Clone, Default)]
struct Length {
    names: usize,
    /// Values and the nils between them.
    values: usize,
    bytes: usize,
    /// Nils behind the last value, which need not be written.
    nils: usize,
    /// The last value may give several.
    multi: bool,
    ends_in_word: bool,
}

impl Length {
    /// Whether a statement can be added.
    fn takes(&self, local: &Local) -> bool {
        // As many values as the last statement has use for; nothing can follow.
        let open = self.multi && self.nils == 0 && self.names > self.values;
        !open && !local.surplus && !local.recursive && !local.fixed
    }

    fn add(&mut self, local: &Local) {
        self.names += local.names;
        if !local.values.is_empty() {
            self.bytes += self.nils * "nil".len();
            self.values += self.nils + local.values.len();
            self.bytes += if local.function { "function".len() } else { 0 };
            self.nils = 0;
            self.multi = local.multi;
        }
        self.nils += local.nils();
        self.ends_in_word = local.ends_in_word;
    }

    fn total(&self) -> usize {
        let truncation = if self.multi && self.nils > 0 {
            "()".len()
        } else {
            0
        };
        // A comma between values or `=` before the first: one byte each.
        "local ".len() + 2 * self.names - 1
            + self.values
            + self.bytes
            + truncation
            + usize::from(self.ends_in_word)
    }
}

/// The groups that give the shortest text.
fn groups(locals: &[Local]) -> Vec<(usize, usize)> {
    // For each number of statements the bytes they take at least, and where the last group begins.
    let mut best = vec![(usize::MAX, 0); locals.len() + 1];
    best[0] = (0, 0);
    for start in 0..locals.len() {
        let before = best[start].0;
        let alone = before + alone(&locals[start]);
        if alone < best[start + 1].0 {
            best[start + 1] = (alone, start);
        }
        let mut length = Length::default();
        for (end, local) in locals.iter().enumerate().skip(start) {
            if local.after > start || !length.takes(local) {
                break;
            }
            length.add(local);
            if end > start && before + length.total() < best[end + 1].0 {
                best[end + 1] = (before + length.total(), start);
            }
        }
    }
    let mut groups = Vec::new();
    let mut end = locals.len();
    while end > 0 {
        groups.push((best[end].1, end));
        end = best[end].1;
    }
    groups.reverse();
    groups
}

/// Length of a statement that is written for itself.
fn alone(local: &Local) -> usize {
    if local.function {
        return "local function f".len() + 1;
    }
    let mut length = Length::default();
    length.add(local);
    length.total()
}
