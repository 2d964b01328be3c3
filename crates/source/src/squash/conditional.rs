//! Conditions, and `if` statements that become one with those around them.

use super::expression::{Expr, Shape};
use super::parser::{Edit, Parser};
use crate::lexer::Result;
use crate::token::Kind;

/// An `if` statement as its surroundings may join it.
#[derive(Debug, Clone, Copy)]
pub(super) struct If {
    if_token: usize,
    then_token: usize,
    /// Whether it has neither `elseif` nor `else`.
    simple: bool,
    /// Whether its condition needs parentheses as an operand of `and`.
    is_or: bool,
    /// Whether an inner `if` has been joined to it with `and`.
    joined: bool,
}

impl Parser<'_, '_> {
    /// The condition of `while` or `until`. It may as well be a number as `true`, and nil as `false`.
    pub fn condition(&mut self) -> Result<()> {
        let condition = self.single()?;
        match condition.shape {
            Shape::True => self.replace(&condition, "1"),
            Shape::False => self.replace(&condition, "nil"),
            _ => {}
        }
        Ok(())
    }

    /// The condition of `if`, and the token `then`. 5.3 compiles `false` unlike nil there, and constants
    /// unlike each other before `break` and `goto`.
    fn if_condition(&mut self) -> Result<(Expr, usize)> {
        let condition = self.single()?;
        let then_token = self.expect(Kind::Then)?;
        let jump = matches!(self.kind(), Kind::Break | Kind::Goto);
        match condition.shape {
            Shape::True if !jump || !self.for_53 => self.replace(&condition, "1"),
            Shape::False if !self.for_53 => self.replace(&condition, "nil"),
            _ => {}
        }
        Ok((condition, then_token))
    }

    fn replace(&mut self, expr: &Expr, by: &'static str) {
        (expr.start..expr.end).for_each(|token| self.drop(token));
        self.edit(expr.start, Edit::Fixed(by));
    }

    pub fn if_statement(&mut self) -> Result<If> {
        let if_token = self.advance();
        let (condition, then_token) = self.if_condition()?;
        // As the end of a condition they are compiled unlike an operand.
        let constant = condition.ends_in_constant;
        let is_or = condition.is_or();
        let inner = self.block()?;
        let mut this = If {
            if_token,
            then_token,
            simple: true,
            is_or,
            joined: false,
        };
        while self.take(Kind::ElseIf) {
            this.simple = false;
            self.if_condition()?;
            self.block()?;
        }
        let else_token = self.at;
        if self.take(Kind::Else) {
            this.simple = false;
            let inner = self.block()?;
            let end = self.expect(Kind::EndWord)?;
            if let Some(inner) = inner {
                self.join_else(else_token, &inner);
                self.drop(end);
            }
            return Ok(this);
        }
        let end = self.expect(Kind::EndWord)?;
        if let Some(inner) = inner.filter(|inner| this.simple && inner.simple && !constant) {
            self.join_and(&this, &inner);
            self.drop(end);
            this.joined = true;
        }
        Ok(this)
    }

    /// `else if … end end` to `elseif … end`.
    fn join_else(&mut self, else_token: usize, inner: &If) {
        self.edit(else_token, Edit::Fixed("elseif"));
        let paren = inner.joined && inner.is_or;
        self.edit(
            inner.if_token,
            if paren { Edit::Fixed("(") } else { Edit::Drop },
        );
    }

    /// `if a then if b then … end end` to `if a and b then … end`. The jumps are the same, in the same order.
    fn join_and(&mut self, outer: &If, inner: &If) {
        if outer.is_or {
            self.edit(outer.if_token, Edit::Fixed("if("));
        }
        self.edit(
            outer.then_token,
            Edit::Fixed(if outer.is_or { ")and" } else { "and" }),
        );
        self.edit(
            inner.if_token,
            if inner.is_or {
                Edit::Fixed("(")
            } else {
                Edit::Drop
            },
        );
        if inner.is_or && !inner.joined {
            self.edit(inner.then_token, Edit::Fixed(")then"));
        }
    }
}
