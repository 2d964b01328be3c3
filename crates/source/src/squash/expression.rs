//! Expressions: `subexpr` and what it calls in `lparser.c`.

use super::parser::Parser;
use crate::lexer::Result;
use crate::token::Kind;

/// Priority of the unary operators, in 5.3's numbers. 5.1 has fewer, in the same order.
const UNARY: u8 = 12;
/// Higher than any priority.
const NONE: u8 = u8::MAX;

/// What an expression is, as far as rewriting needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Other,
    /// A name; whether of a variable of an outer function.
    Name {
        upvalue: bool,
    },
    Index,
    /// A call or `...`: perhaps several values.
    Multi,
    /// The same in parentheses; whether it could be called or indexed without them.
    One {
        prefix: bool,
    },
    Nil,
    False,
    True,
    /// The token.
    String(usize),
    Table,
    Function,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Expr {
    pub start: usize,
    /// Behind the last token.
    pub end: usize,
    pub shape: Shape,
    /// Whether it can be called or indexed without parentheses.
    pub prefix: bool,
    /// Whether it may be assigned to.
    pub assignable: bool,
    /// Left priority of its outermost binary operator; [`NONE`] without one.
    pub left: u8,
    /// Lowest right priority of the operators that end with it.
    pub right: u8,
    /// Whether nil or false stands behind its last `and` or `or`, or is all of it.
    pub ends_in_constant: bool,
    /// Its value where the compiler folds it to an integer above 0, the same for all targets.
    pub value: Option<i64>,
}

impl Expr {
    pub fn new(start: usize, end: usize, shape: Shape) -> Self {
        let prefix = matches!(shape, Shape::Name { .. } | Shape::Index | Shape::Multi);
        let assignable = matches!(shape, Shape::Name { .. } | Shape::Index);
        Expr {
            start,
            end,
            shape,
            prefix,
            assignable,
            left: NONE,
            right: NONE,
            ends_in_constant: matches!(shape, Shape::Nil | Shape::False),
            value: None,
        }
    }

    /// Whether its outermost operator is `or`.
    pub fn is_or(&self) -> bool {
        self.left == 1
    }

    pub fn is_one(&self) -> bool {
        self.value == Some(1)
    }
}

/// Left and right priority of a binary operator.
pub(super) fn priority(kind: Kind) -> Option<(u8, u8)> {
    Some(match kind {
        Kind::Or => (1, 1),
        Kind::And => (2, 2),
        Kind::Equal
        | Kind::NotEqual
        | Kind::Less
        | Kind::LessEqual
        | Kind::Greater
        | Kind::GreaterEqual => (3, 3),
        Kind::Pipe => (4, 4),
        Kind::Tilde => (5, 5),
        Kind::Ampersand => (6, 6),
        Kind::ShiftLeft | Kind::ShiftRight => (7, 7),
        Kind::Concat => (9, 8),
        Kind::Plus | Kind::Minus => (10, 10),
        Kind::Star | Kind::Slash | Kind::DoubleSlash | Kind::Percent => (11, 11),
        Kind::Caret => (14, 13),
        _ => return None,
    })
}

impl Parser<'_, '_> {
    /// An expression from which several values may be taken.
    pub fn expr(&mut self) -> Result<Expr> {
        let mut expr = self.subexpr(0)?;
        self.settle(&expr);
        if expr.value.is_some() {
            (expr.left, expr.right) = (NONE, NONE);
        }
        Ok(expr)
    }

    /// An expression from which one value is taken.
    pub fn single(&mut self) -> Result<Expr> {
        let expr = self.expr()?;
        Ok(self.unwrap(expr))
    }

    /// Takes the parentheses off `(f())` where one value is taken anyhow.
    pub fn unwrap(&mut self, mut expr: Expr) -> Expr {
        if let Shape::One { prefix } = expr.shape {
            self.drop_paren(expr.start);
            self.drop(expr.end - 1);
            expr.shape = Shape::Multi;
            expr.prefix = prefix;
        }
        expr
    }

    /// Expressions between commas: their number and the last one.
    pub fn list(&mut self, mut each: impl FnMut(Expr)) -> Result<(usize, Expr)> {
        let mut count = 1;
        let mut expr = self.expr()?;
        while self.take(Kind::Comma) {
            expr = self.unwrap(expr);
            each(expr);
            expr = self.expr()?;
            count += 1;
        }
        each(expr);
        Ok((count, expr))
    }

    fn subexpr(&mut self, limit: u8) -> Result<Expr> {
        self.enter()?;
        let mut expr = match self.kind() {
            Kind::Not | Kind::Minus | Kind::Hash | Kind::Tilde => self.unary()?,
            _ => self.simple(limit)?,
        };
        while let Some((left, right)) = priority(self.kind())
            && left > limit
        {
            let operator = self.kind();
            self.advance();
            let operand = self.subexpr(right)?;
            expr = self.binary(expr, operator, operand);
            (expr.left, expr.right) = (left, right.min(operand.right));
        }
        self.levels -= 1;
        Ok(expr)
    }

    fn unary(&mut self) -> Result<Expr> {
        let start = self.advance();
        let operand = self.subexpr(UNARY)?;
        self.settle(&operand);
        let right = UNARY.min(operand.right);
        Ok(Expr {
            right,
            ..Expr::new(start, self.at, Shape::Other)
        })
    }

    fn binary(&mut self, left: Expr, operator: Kind, right: Expr) -> Expr {
        let value = match (left.value, right.value) {
            (Some(a), Some(b)) => folded(a, operator, b),
            _ => None,
        };
        if value.is_none() {
            self.settle(&left);
            self.settle(&right);
        }
        let ends_in_constant = matches!(operator, Kind::And | Kind::Or) && right.ends_in_constant;
        Expr {
            value,
            ends_in_constant,
            ..Expr::new(left.start, right.end, Shape::Other)
        }
    }

    /// Writes a folded expression as its value.
    fn settle(&mut self, expr: &Expr) {
        if let Some(value) = expr.value
            && expr.end - expr.start > 1
        {
            (expr.start..expr.end).for_each(|token| self.drop(token));
            self.write_number(expr.start, value.to_string().as_bytes());
        }
    }

    fn simple(&mut self, limit: u8) -> Result<Expr> {
        let shape = match self.kind() {
            Kind::Number => {
                let token = self.advance();
                let value = self.number(token);
                return Ok(Expr {
                    value,
                    ..Expr::new(token, token + 1, Shape::Other)
                });
            }
            Kind::String => {
                self.string(self.at);
                Shape::String(self.at)
            }
            Kind::Nil => Shape::Nil,
            Kind::True => Shape::True,
            Kind::False => Shape::False,
            Kind::Dots if self.out.scope.is_vararg() => {
                let token = self.advance();
                return Ok(Expr {
                    prefix: false,
                    ..Expr::new(token, token + 1, Shape::Multi)
                });
            }
            Kind::Dots => return self.fail("cannot use '...' outside a vararg function"),
            Kind::LeftBrace => {
                let start = self.at;
                self.table()?;
                return Ok(Expr::new(start, self.at, Shape::Table));
            }
            Kind::Function => {
                let start = self.advance();
                self.body(None)?;
                return Ok(Expr::new(start, self.at, Shape::Function));
            }
            _ => return self.suffixed(limit),
        };
        let token = self.advance();
        Ok(Expr::new(token, token + 1, shape))
    }
}

/// What the compilers make of it, if that is above 0 and fits the narrowest integer.
fn folded(a: i64, operator: Kind, b: i64) -> Option<i64> {
    let value = match operator {
        Kind::Plus => a + b,
        Kind::Minus => a - b,
        Kind::Star => a.checked_mul(b)?,
        _ => return None,
    };
    (1..=i64::from(i32::MAX)).contains(&value).then_some(value)
}
