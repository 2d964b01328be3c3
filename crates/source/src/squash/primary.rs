//! What an expression begins with and what is appended to it: parentheses, indices, calls, tables.
//! `primaryexp` and `constructor` in `lparser.c`.

use fastlua_bytecode::Dialect;

use super::expression::{Expr, Shape, priority};
use super::parser::{Edit, Parser};
use super::scope::ENV;
use crate::lexer::Result;
use crate::token::Kind;

impl Parser<'_, '_> {
    /// A name or parenthesis and what is appended to it, as an operand behind an operator of right priority
    /// `limit`.
    pub fn suffixed(&mut self, limit: u8) -> Result<Expr> {
        let mut expr = match self.kind() {
            Kind::Name => {
                let (token, found) = self.name()?;
                let upvalue = match found {
                    Some(id) => self.out.scope.is_upvalue(id),
                    None => self.symbol(token) == ENV,
                };
                Expr::new(token, token + 1, Shape::Name { upvalue })
            }
            Kind::LeftParen => {
                let open = self.advance();
                let inner = self.single()?;
                self.expect(Kind::RightParen)?;
                self.parenthesis(open, inner, limit)
            }
            _ => return self.fail("unexpected symbol"),
        };
        loop {
            let shape = match self.kind() {
                Kind::Dot => {
                    self.advance();
                    self.expect(Kind::Name)?;
                    Shape::Index
                }
                Kind::LeftBracket => {
                    self.index()?;
                    Shape::Index
                }
                Kind::Colon => {
                    self.advance();
                    self.expect(Kind::Name)?;
                    self.arguments()?;
                    Shape::Multi
                }
                Kind::LeftParen | Kind::String | Kind::LeftBrace => {
                    self.arguments()?;
                    Shape::Multi
                }
                _ => return Ok(expr),
            };
            expr = Expr::new(expr.start, self.at, shape);
        }
    }

    /// `(inner)`, with or without its parentheses. They go where the same tree is read without them; but in
    /// 5.3 `(up).x` first copies the upvalue.
    fn parenthesis(&mut self, open: usize, inner: Expr, limit: u8) -> Expr {
        let close = self.at - 1;
        let next = self.kind();
        let suffix = matches!(
            next,
            Kind::Dot
                | Kind::LeftBracket
                | Kind::Colon
                | Kind::LeftParen
                | Kind::String
                | Kind::LeftBrace
        );
        let needed = if suffix {
            let copies = self.for_53
                && inner.shape == Shape::Name { upvalue: true }
                && matches!(next, Kind::Dot | Kind::LeftBracket);
            !inner.prefix || copies
        } else if inner.shape == Shape::Multi {
            limit == 0 && priority(next).is_none()
        } else {
            inner.left <= limit || priority(next).is_some_and(|(left, _)| left > inner.right)
        };
        if needed {
            let shape = match inner.shape {
                Shape::Multi => Shape::One {
                    prefix: inner.prefix,
                },
                _ => Shape::Other,
            };
            return Expr {
                prefix: true,
                ends_in_constant: inner.ends_in_constant,
                ..Expr::new(open, close + 1, shape)
            };
        }
        self.drop_paren(open);
        self.drop(close);
        Expr {
            start: open,
            end: close + 1,
            assignable: false,
            ..inner
        }
    }

    /// Drops a `(`. If it began a statement, the next one may now.
    pub fn drop_paren(&mut self, open: usize) {
        if matches!(self.out.edits[open], Edit::StatementParen) {
            let rest = &self.out.edits[open + 1..];
            let first = open + 1 + rest.iter().take_while(|e| matches!(e, Edit::Drop)).count();
            if self.out.tokens[first].kind == Kind::LeftParen {
                self.edit(first, Edit::StatementParen);
            }
        }
        self.drop(open);
    }

    /// `[key]`, or `.key` where that is the same.
    fn index(&mut self) -> Result<()> {
        let open = self.advance();
        let key = self.single()?;
        let close = self.expect(Kind::RightBracket)?;
        if let Shape::String(token) = key.shape
            && self.write_as_name(token)
        {
            self.edit(open, Edit::Fixed("."));
            self.drop(close);
        }
        Ok(())
    }

    fn arguments(&mut self) -> Result<()> {
        match self.kind() {
            Kind::String => {
                let token = self.advance();
                self.string(token);
                Ok(())
            }
            Kind::LeftBrace => self.table(),
            Kind::LeftParen => {
                self.check_same_line()?;
                let open = self.advance();
                if self.take(Kind::RightParen) {
                    return Ok(());
                }
                let (count, last) = self.list(|_| ())?;
                let close = self.expect(Kind::RightParen)?;
                if count == 1 && matches!(last.shape, Shape::String(_) | Shape::Table) {
                    self.drop(open);
                    self.drop(close);
                }
                Ok(())
            }
            _ => self.fail("function arguments expected"),
        }
    }

    /// 5.1 wants the `(` of a call on the line where the function ends.
    fn check_same_line(&self) -> Result<()> {
        let [before, paren] = [self.at - 1, self.at].map(|token| self.out.tokens[token]);
        let between = &self.out.text[before.end as usize..paren.start as usize];
        if self.dialect == Dialect::Lua51
            && self.at != self.read_early
            && between.iter().any(|b| matches!(b, b'\n' | b'\r'))
        {
            return self.fail("ambiguous syntax (function call x new statement)");
        }
        Ok(())
    }

    pub fn table(&mut self) -> Result<()> {
        self.expect(Kind::LeftBrace)?;
        while self.kind() != Kind::RightBrace {
            let item = self.field()?;
            if !matches!(self.kind(), Kind::Comma | Kind::Semicolon) {
                break;
            }
            let separator = self.advance();
            if self.kind() == Kind::RightBrace {
                self.drop(separator);
            } else if let Some(item) = item {
                self.unwrap(item);
            }
        }
        self.expect(Kind::RightBrace)?;
        Ok(())
    }

    /// A field of a table; its value where it has no key.
    fn field(&mut self) -> Result<Option<Expr>> {
        if self.kind() == Kind::Name && self.next_kind() == Kind::Assign {
            self.advance();
        } else if self.kind() == Kind::LeftBracket {
            let open = self.advance();
            let key = self.single()?;
            let close = self.expect(Kind::RightBracket)?;
            if let Shape::String(token) = key.shape
                && self.write_as_name(token)
            {
                self.drop(open);
                self.drop(close);
            }
        } else {
            if self.kind() == Kind::Name {
                self.read_early = self.at + 1;
            }
            return self.expr().map(Some);
        }
        self.expect(Kind::Assign)?;
        self.single().map(|_| None)
    }
}
