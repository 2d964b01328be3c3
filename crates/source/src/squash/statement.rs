//! Statements: `chunk`, `statement` and what they call in `lparser.c`.

use fastlua_bytecode::Dialect;

use super::conditional::If;
use super::expression::{Expr, Shape};
use super::locals::{Local, Run};
use super::parser::{Edit, Parser};
use super::scope::SELF;
use crate::lexer::Result;
use crate::token::Kind;

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
        self.out
            .runs
            .push(Run::new(std::mem::take(&mut run), self.at));
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
            let mut values = Vec::new();
            self.list(|value| values.push(value))?;
            self.drop_last_nils(&values);
        }
        self.expect(Kind::Do)?;
        let mark = self.out.scope.open();
        for name in names {
            self.declare(name)?;
        }
        self.block()?;
        self.out.scope.close(mark);
        self.expect(Kind::EndWord)?;
        Ok(())
    }

    /// Drops nils at the end of the three values that `for … in` takes, as it adds them by itself.
    fn drop_last_nils(&mut self, values: &[Expr]) {
        let is_nil = |value: &&Expr| value.shape == Shape::Nil;
        let nils = values.iter().rev().take_while(is_nil).count();
        let left = values.len() - nils;
        if values.len() > 3 || left == 0 || values[left - 1].shape == Shape::Multi {
            return;
        }
        // From the comma before the first of them.
        (values[left - 1].end..values[values.len() - 1].end).for_each(|token| self.drop(token));
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
            self.declare(name)?;
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
        let Some(labels) = self.labels.last_mut() else {
            return Ok(());
        };
        let number = labels
            .iter()
            .position(|&label| label == symbol)
            .unwrap_or_else(|| {
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
