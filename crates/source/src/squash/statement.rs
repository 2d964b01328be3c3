//! Statements: `chunk`, `statement` and what they call in `lparser.c`.

use fastlua_bytecode::Dialect;

use super::expression::{Expr, Shape};
use super::locals::{Local, Run};
use super::parser::{Edit, Parser};
use super::scope::SELF;
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
    /// Statements with a scope of their own. Returns the only one if it is an `if`.
    pub fn block(&mut self) -> Result<Option<If>> {
        let mark = self.out.scope.open();
        let only = self.statements()?;
        self.out.scope.close(mark);
        Ok(only)
    }

    fn statements(&mut self) -> Result<Option<If>> {
        self.enter()?;
        let (mut count, mut only) = (0, None);
        let mut run: Vec<Local> = Vec::new();
        let mut last = false;
        while !last && !self.block_ends() {
            if self.kind() == Kind::Local {
                let local = self.local(&run)?;
                self.nil_above = local.surplus || self.nil_above && local.fixed;
                run.push(local);
                self.separator();
                run = self.end_run(run);
                count += 1;
                continue;
            }
            if self.kind() == Kind::Semicolon && self.dialect == Dialect::Lua53 {
                // `if a then goto b` is compiled in another way than `if a then; goto b`.
                if count == 0 && matches!(self.next_kind(), Kind::Goto | Kind::Break) {
                    self.advance();
                } else {
                    self.separator();
                }
                continue;
            }
            last = matches!(self.kind(), Kind::Return)
                || self.kind() == Kind::Break && self.dialect == Dialect::Lua51;
            if count > 0 && self.kind() == Kind::LeftParen {
                self.edit(self.at, Edit::StatementParen);
            }
            let kind = self.kind();
            only = self.statement()?;
            self.nil_above = matches!(kind, Kind::Do | Kind::Repeat);
            count += 1;
            self.separator();
        }
        self.levels -= 1;
        Ok(only.filter(|_| count == 1))
    }

    fn separator(&mut self) {
        if self.kind() == Kind::Semicolon {
            let token = self.advance();
            self.drop(token);
        }
    }

    /// Notes a run of local statements at its end; returns it where it goes on.
    fn end_run(&mut self, mut run: Vec<Local>) -> Vec<Local> {
        if self.kind() == Kind::Local && run.len() < Run::LONGEST {
            return run;
        }
        self.edit(run[0].start, Edit::Run(self.out.runs.len() as u32));
        self.out.runs.push(Run::new(std::mem::take(&mut run), self.at));
        run
    }

    fn block_ends(&self) -> bool {
        matches!(
            self.kind(),
            Kind::Else | Kind::ElseIf | Kind::EndWord | Kind::End | Kind::Until
        )
    }

    fn statement(&mut self) -> Result<Option<If>> {
        match self.kind() {
            Kind::If => return self.if_statement().map(Some),
            Kind::While => {
                self.advance();
                self.condition()?;
                self.expect(Kind::Do)?;
                self.block()?;
                self.expect(Kind::EndWord)?;
            }
            Kind::Do => {
                self.advance();
                self.block()?;
                self.expect(Kind::EndWord)?;
            }
            Kind::For => self.for_statement()?,
            Kind::Repeat => {
                self.advance();
                let mark = self.out.scope.open();
                self.statements()?;
                self.expect(Kind::Until)?;
                self.condition()?;
                self.out.scope.close(mark);
            }
            Kind::Function => self.function_statement()?,
            Kind::Return => {
                self.advance();
                if !self.block_ends() && self.kind() != Kind::Semicolon {
                    self.list(|_| ())?;
                }
            }
            Kind::Break => {
                self.advance();
            }
            Kind::Goto => {
                self.advance();
                self.label()?;
            }
            Kind::DoubleColon => {
                self.advance();
                self.label()?;
                self.expect(Kind::DoubleColon)?;
            }
            _ => self.expression_statement()?,
        }
        Ok(None)
    }

    /// The condition of `while` or `until`. It may as well be a number as `true`, and nil as `false`.
    fn condition(&mut self) -> Result<()> {
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

    fn if_statement(&mut self) -> Result<If> {
        let if_token = self.advance();
        let (condition, then_token) = self.if_condition()?;
        // As the end of a condition they are compiled unlike an operand.
        let constant = condition.ends_in_constant;
        let is_or = condition.is_or();
        let inner = self.block()?;
        let mut this = If { if_token, then_token, simple: true, is_or, joined: false };
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
        self.edit(inner.if_token, if paren { Edit::Fixed("(") } else { Edit::Drop });
    }

    /// `if a then if b then … end end` to `if a and b then … end`. The jumps are the same, in the same order.
    fn join_and(&mut self, outer: &If, inner: &If) {
        if outer.is_or {
            self.edit(outer.if_token, Edit::Fixed("if("));
        }
        self.edit(outer.then_token, Edit::Fixed(if outer.is_or { ")and" } else { "and" }));
        self.edit(inner.if_token, if inner.is_or { Edit::Fixed("(") } else { Edit::Drop });
        if inner.is_or && !inner.joined {
            self.edit(inner.then_token, Edit::Fixed(")then"));
        }
    }

    fn for_statement(&mut self) -> Result<()> {
        self.advance();
        let mut names = vec![self.expect(Kind::Name)?];
        if self.take(Kind::Assign) {
            self.single()?;
            self.expect(Kind::Comma)?;
            self.single()?;
            let comma = self.at;
            if self.take(Kind::Comma) {
                let step = self.single()?;
                // What is there without a step.
                if step.is_one() {
                    (comma..step.end).for_each(|token| self.drop(token));
                }
            }
        } else {
            while self.take(Kind::Comma) {
                names.push(self.expect(Kind::Name)?);
            }
            self.expect(Kind::In)?;
            self.list(|_| ())?;
        }
        self.expect(Kind::Do)?;
        let mark = self.out.scope.open();
        for name in names {
            self.declare(name);
        }
        self.block()?;
        self.out.scope.close(mark);
        self.expect(Kind::EndWord)?;
        Ok(())
    }

    fn function_statement(&mut self) -> Result<()> {
        self.advance();
        self.name()?;
        while self.take(Kind::Dot) {
            self.expect(Kind::Name)?;
        }
        let colon = self.at;
        let method = self.take(Kind::Colon).then_some(colon);
        if method.is_some() {
            self.expect(Kind::Name)?;
        }
        self.body(method)
    }

    /// Parameters and statements of a function; `method` is the `:` before its name. Where `self` is used,
    /// `function a:b()` becomes `function a.b(s)`.
    pub fn body(&mut self, method: Option<usize>) -> Result<()> {
        let mark = self.out.scope.open();
        self.out.scope.open_function();
        self.labels.push(Vec::new());
        self.nil_above = false;
        let this = method.map(|colon| (colon, self.out.scope.declare(SELF)));
        let open = self.expect(Kind::LeftParen)?;
        let mut count = usize::from(this.is_some());
        while self.kind() != Kind::RightParen {
            if self.take(Kind::Dots) {
                self.out.scope.set_vararg();
                break;
            }
            let name = self.expect(Kind::Name)?;
            self.declare(name);
            count += 1;
            if self.kind() != Kind::RightParen {
                self.expect(Kind::Comma)?;
                if self.kind() == Kind::RightParen {
                    return self.expected(Kind::Name);
                }
            }
        }
        let close = self.expect(Kind::RightParen)?;
        self.out.scope.end_parameters(count);
        self.block()?;
        self.expect(Kind::EndWord)?;
        if let Some((colon, id)) = this {
            let used = self.out.scope.variables[id as usize].uses > 1;
            if used {
                self.edit(colon, Edit::Fixed("."));
                self.edit(open, Edit::SelfParameter(id, close > open + 1));
            }
            self.out.scope.variables[id as usize].pinned |= !used;
        }
        self.labels.pop();
        self.out.scope.close_function(mark);
        Ok(())
    }

    /// The name of a label. Each name is another number, one for the whole function.
    fn label(&mut self) -> Result<()> {
        let token = self.expect(Kind::Name)?;
        let symbol = self.symbol(token);
        let Some(labels) = self.labels.last_mut() else { return Ok(()) };
        let number = labels.iter().position(|&label| label == symbol).unwrap_or_else(|| {
            labels.push(symbol);
            labels.len() - 1
        });
        self.edit(token, Edit::Label(number as u32));
        Ok(())
    }

    fn expression_statement(&mut self) -> Result<()> {
        let mut target = self.suffixed(0)?;
        if target.shape == Shape::Multi && !matches!(self.kind(), Kind::Assign | Kind::Comma) {
            return Ok(());
        }
        let mut targets = 1;
        while target.assignable && self.take(Kind::Comma) {
            target = self.suffixed(0)?;
            targets += 1;
        }
        if !target.assignable {
            return self.fail("syntax error");
        }
        self.expect(Kind::Assign)?;
        let (count, last) = self.list(|_| ())?;
        if count == targets {
            self.unwrap(last);
        }
        Ok(())
    }
}
