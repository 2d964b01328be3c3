//! The grammar of both dialects. While reading, it notes for each token how it will be written: see [`Edit`].
//!
//! The parser goes as deep as Lua's own (200 levels), and so does everything that walks what it made.

use fastlua_bytecode::Dialect;

use super::locals::Run;
use super::scope::{Scope, VarId};
use crate::lexer::{Result, SyntaxError, lex};
use crate::token::{Kind, Token, shown};
use fastlua_bytecode::NumberModel;

/// Lua's compilers stop at 200 levels; counting them differs a little from ours.
const MOST_LEVELS: u32 = 220;

/// And at 200 locals of a function. Far more would take long.
const MOST_LOCALS: usize = 250;

/// How a token is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit {
    /// As it stands.
    Keep,
    /// Not at all.
    Drop,
    /// As the name of a variable.
    Variable(VarId),
    /// As the label numbered so in its function.
    Label(u32),
    /// As this.
    Fixed(&'static str),
    /// As this part of [`Parsed::new_text`], a token of this kind.
    Text(u32, u32, Kind),
    /// `(` of a method's parameters: with `self` as the first of several, or the only one.
    SelfParameter(VarId, bool),
    /// `(` that begins a statement behind another.
    StatementParen,
    /// The first token of a run of local statements; what it covers is written at once.
    Run(u32),
}

/// What emitting needs.
pub(super) struct Parsed<'a> {
    pub text: &'a [u8],
    pub tokens: Vec<Token>,
    pub edits: Vec<Edit>,
    pub runs: Vec<Run>,
    /// What [`Edit::Text`] refers to.
    pub new_text: Vec<u8>,
    pub scope: Scope<'a>,
}

pub(super) struct Parser<'a, 't> {
    pub out: Parsed<'a>,
    pub at: usize,
    pub dialect: Dialect,
    /// All that the text must mean the same to.
    pub targets: &'t [NumberModel],
    /// Whether 5.3 is one of them.
    pub for_53: bool,
    pub levels: u32,
    /// The token behind a name that begins a table item: 5.1 reads it early, and loses its line.
    pub read_early: usize,
    /// In 5.3 a `LOADNIL` takes in the one before it where their registers meet. Whether the last instruction may
    /// be one for registers above the next free one.
    pub nil_above: bool,
    /// Labels of each function around, by symbol.
    pub labels: Vec<Vec<u32>>,
}

/// Reads `text` in the dialect of the first of `targets`.
pub(super) fn parse<'a>(text: &'a [u8], targets: &[NumberModel]) -> Result<Parsed<'a>> {
    let dialect = targets[0].dialect;
    let tokens = lex(text, dialect)?;
    let mut parser = Parser {
        out: Parsed {
            text,
            edits: vec![Edit::Keep; tokens.len()],
            tokens,
            runs: Vec::new(),
            new_text: Vec::new(),
            scope: Scope::new(),
        },
        at: 0,
        dialect,
        targets,
        for_53: targets
            .iter()
            .any(|target| target.dialect == Dialect::Lua53),
        levels: 0,
        read_early: 0,
        nil_above: false,
        labels: vec![Vec::new()],
    };
    parser.out.scope.open_function();
    parser.out.scope.set_vararg();
    parser.block()?;
    if parser.kind() != Kind::End {
        return parser.expected(Kind::End);
    }
    parser.out.scope.close_function(0);
    Ok(parser.out)
}

impl<'a> Parser<'a, '_> {
    pub fn kind(&self) -> Kind {
        self.out.tokens[self.at].kind
    }

    /// The kind of the token behind the current one.
    pub fn next_kind(&self) -> Kind {
        self.out
            .tokens
            .get(self.at + 1)
            .map_or(Kind::End, |token| token.kind)
    }

    /// Goes to the next token and returns the number of the one left behind.
    pub fn advance(&mut self) -> usize {
        let at = self.at;
        if self.kind() != Kind::End {
            self.at += 1;
        }
        at
    }

    pub fn take(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    pub fn expect(&mut self, kind: Kind) -> Result<usize> {
        if self.kind() == kind {
            Ok(self.advance())
        } else {
            self.expected(kind)
        }
    }

    pub fn expected<T>(&self, kind: Kind) -> Result<T> {
        self.fail(&format!("'{}' expected", kind.spelling()))
    }

    pub fn fail<T>(&self, message: &str) -> Result<T> {
        let token = &self.out.tokens[self.at];
        let near = match token.kind {
            Kind::End => "<eof>".into(),
            _ => shown(token.bytes(self.out.text)),
        };
        Err(SyntaxError {
            line: token.line,
            message: format!("{message} near '{near}'"),
        })
    }

    /// To be called on the way into a statement list or an expression, with `levels -= 1` on the way out.
    pub fn enter(&mut self) -> Result<()> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            self.fail("chunk has too many syntax levels")
        } else {
            Ok(())
        }
    }

    pub fn bytes(&self, token: usize) -> &'a [u8] {
        self.out.tokens[token].bytes(self.out.text)
    }

    pub fn symbol(&mut self, token: usize) -> u32 {
        let name = self.bytes(token);
        self.out.scope.symbol(name)
    }

    pub fn edit(&mut self, token: usize, edit: Edit) {
        self.out.edits[token] = edit;
    }

    pub fn drop(&mut self, token: usize) {
        self.edit(token, Edit::Drop);
    }

    /// Lets `text`, a token of the given kind, stand for a token.
    pub fn write(&mut self, token: usize, text: &[u8], kind: Kind) {
        let start = self.out.new_text.len() as u32;
        self.out.new_text.extend_from_slice(text);
        self.edit(
            token,
            Edit::Text(start, self.out.new_text.len() as u32, kind),
        );
    }

    /// A name that is read or assigned to.
    pub fn name(&mut self) -> Result<(usize, Option<VarId>)> {
        let token = self.expect(Kind::Name)?;
        let symbol = self.symbol(token);
        let found = self.out.scope.resolve(symbol);
        if let Some(id) = found {
            self.edit(token, Edit::Variable(id));
        }
        Ok((token, found))
    }

    /// Declares the variable named by a token.
    pub fn declare(&mut self, token: usize) -> Result<VarId> {
        if self.out.scope.locals() >= MOST_LOCALS {
            return self.fail("too many local variables");
        }
        let symbol = self.symbol(token);
        let id = self.out.scope.declare(symbol);
        self.edit(token, Edit::Variable(id));
        Ok(id)
    }
}
