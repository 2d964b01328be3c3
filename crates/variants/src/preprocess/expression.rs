//! Integer expressions, as `#if` has them and as macros stand for sizes.

use super::{Header, identifier};

/// How deep parentheses and macros may nest.
const DEEPEST: usize = 60;
/// The longest expression, once its macros are expanded.
const LONGEST: usize = 10_000;

/// An integer: 64 bits, and whether they are unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    pub bits: i64,
    unsigned: bool,
}

type Result<T> = std::result::Result<T, String>;

/// The value of an expression; none where it depends on a macro that is not known. In an `#if` a name that is no macro is 0, and `defined` can be
/// asked; elsewhere such a name is an error.
pub(crate) fn evaluate(text: &str, header: &Header, is_if: bool) -> Result<Option<Value>> {
    let mut tokens = Vec::new();
    expand(text, header, is_if, &mut Vec::new(), &mut tokens)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    let value = parser.ternary()?;
    match parser.tokens.get(parser.at) {
        None => Ok(value),
        Some(token) => Err(format!(
            "unexpected {}; write a plain number",
            token.shown()
        )),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Value),
    /// A macro that may be defined, or what one may stand for.
    Unknown,
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Token::Number(value) => value.bits.to_string(),
            Token::Unknown => "unknown value".into(),
            Token::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// Longer ones first.
const SIGNS: [&str; 23] = [
    "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "(", ")", "!", "~",
    "<", ">", "&", "^", "|", "?",
];

fn number(bits: i64) -> Token {
    let unsigned = false;
    Token::Number(Value { bits, unsigned })
}

/// The tokens of a text, with macros expanded. `within` are those that are being expanded, which stay names.
fn expand(
    text: &str,
    header: &Header,
    is_if: bool,
    within: &mut Vec<String>,
    tokens: &mut Vec<Token>,
) -> Result<()> {
    if within.len() > DEEPEST || tokens.len() > LONGEST {
        return Err("macros are nested too deeply".into());
    }
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let name = identifier(rest);
        if name == "defined" && is_if {
            rest = rest[name.len()..].trim_start();
            let (open, inner) = match rest.strip_prefix('(') {
                Some(inner) => (true, inner.trim_start()),
                None => (false, rest),
            };
            let name = identifier(inner);
            rest = inner[name.len()..].trim_start();
            if name.is_empty() || (open && !rest.starts_with(')')) {
                return Err("`defined` needs a name".into());
            }
            rest = if open { &rest[1..] } else { rest };
            tokens.push(match header.is_defined(name) {
                Some(defined) => number(defined.into()),
                None => Token::Unknown,
            });
        } else if !name.is_empty() {
            rest = rest[name.len()..].trim_start();
            let found = header
                .body(name)
                .filter(|_| !within.iter().any(|other| other == name));
            match (found, header.is_defined(name)) {
                (Some(found), _) => {
                    let Some(body) = &found.body else {
                        return Err(format!(
                            "the macro {name} has parameters; write a plain number"
                        ));
                    };
                    within.push(name.into());
                    expand(body, header, is_if, within, tokens)?;
                    within.pop();
                }
                // a name in an `#if` that no one defines is 0; the compiler may define it
                (None, Some(_)) if is_if => tokens.push(number(0)),
                (None, _) if is_if && rest.starts_with('(') => {
                    return Err(format!("the value of {name} is unknown here"));
                }
                (None, _) if is_if => tokens.push(Token::Unknown),
                _ => {
                    return Err(format!(
                        "the value of {name} is unknown here; write a plain number"
                    ));
                }
            }
        } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "_.'".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            tokens.push(Token::Number(literal(&rest[..end])?));
            rest = &rest[end..];
        } else {
            let signs = SIGNS.iter().chain(&[":"]);
            let Some(sign) = signs.copied().find(|sign| rest.starts_with(sign)) else {
                return Err(format!(
                    "`{rest}` is not an integer expression; write a plain number"
                ));
            };
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        }
        rest = rest.trim_start();
        if tokens.len() > LONGEST {
            return Err("the expression is too long".into());
        }
    }
    Ok(())
}

/// An integer as C has it: decimal, octal, hexadecimal or binary, with its suffix.
fn literal(text: &str) -> Result<Value> {
    let lower = text.to_ascii_lowercase();
    let wrong = || format!("`{text}` is not an integer");
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => match (
            lower.strip_prefix("0b"),
            lower.len() > 1 && lower.starts_with('0'),
        ) {
            (Some(digits), _) => (digits, 2),
            (None, true) => (&lower[1..], 8),
            (None, false) => (&*lower, 10),
        },
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    let digits = if digits.is_empty() && radix == 8 {
        "0"
    } else {
        digits
    };
    if !["", "u", "l", "ul", "lu", "ll", "ull", "llu"].contains(&suffix) {
        return Err(wrong());
    }
    let bits = u64::from_str_radix(digits, radix).map_err(|_| wrong())?;
    let unsigned = suffix.contains('u') || bits > i64::MAX as u64;
    Ok(Value {
        bits: bits as i64,
        unsigned,
    })
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

/// What binds closer stands behind.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Parser<'_> {
    fn take(&mut self, signs: &[&str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if signs.contains(sign) => {
                self.at += 1;
                Some(sign)
            }
            _ => None,
        }
    }

    fn ternary(&mut self) -> Result<Option<Value>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("nested too deeply".into());
        }
        let condition = self.binary(0)?;
        let value = match self.take(&["?"]) {
            None => condition,
            Some(_) => {
                let yes = self.ternary()?;
                self.take(&[":"]).ok_or("`?` without `:`")?;
                let no = self.ternary()?;
                match condition {
                    None => None,
                    Some(condition) if condition.bits != 0 => yes,
                    Some(_) => no,
                }
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn binary(&mut self, level: usize) -> Result<Option<Value>> {
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(sign) = self.take(signs) {
            let right = self.binary(level + 1)?;
            left = apply(sign, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Option<Value>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("nested too deeply".into());
        }
        let value = match self.tokens.get(self.at) {
            Some(Token::Number(value)) => Some(*value),
            Some(Token::Unknown) => None,
            Some(Token::Sign("(")) => {
                self.at += 1;
                let value = self.ternary()?;
                if self.tokens.get(self.at) != Some(&Token::Sign(")")) {
                    return Err(
                        "a parenthesis is not closed, or holds more than a plain number".into(),
                    );
                }
                value
            }
            Some(Token::Sign(sign @ ("!" | "~" | "-" | "+"))) => {
                self.at += 1;
                let value = self.unary()?;
                self.at -= 1;
                value.map(|value| {
                    let bits = match *sign {
                        "!" => return signed((value.bits == 0).into()),
                        "~" => !value.bits,
                        "-" => value.bits.wrapping_neg(),
                        _ => value.bits,
                    };
                    Value { bits, ..value }
                })
            }
            Some(other) => return Err(format!("unexpected {}", other.shown())),
            None => return Err("a number is missing".into()),
        };
        self.at += 1;
        self.depth -= 1;
        Ok(value)
    }
}

fn signed(bits: i64) -> Value {
    let unsigned = false;
    Value { bits, unsigned }
}

/// What an operator makes of its operands; one of `&&` and `||` may be unknown if the other one decides.
fn apply(sign: &str, left: Option<Value>, right: Option<Value>) -> Result<Option<Value>> {
    let truth = |value: Option<Value>| value.map(|value| value.bits != 0);
    match (sign, truth(left), truth(right)) {
        ("&&", Some(false), _) | ("&&", _, Some(false)) => return Ok(Some(signed(0))),
        ("||", Some(true), _) | ("||", _, Some(true)) => return Ok(Some(signed(1))),
        ("&&" | "||", Some(a), Some(_)) => return Ok(Some(signed(a.into()))),
        _ => {}
    }
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(None);
    };
    let unsigned = left.unsigned || right.unsigned;
    let (a, b) = (left.bits, right.bits);
    let (ua, ub) = (a as u64, b as u64);
    let order = if unsigned { ua.cmp(&ub) } else { a.cmp(&b) };
    let bits = match sign {
        "*" => a.wrapping_mul(b),
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "/" | "%" if b == 0 => return Err("division by zero".into()),
        "/" if unsigned => (ua / ub) as i64,
        "%" if unsigned => (ua % ub) as i64,
        "/" => a.wrapping_div(b),
        "%" => a.wrapping_rem(b),
        "<<" | ">>" if !(0..64).contains(&b) => return Err("shift by too many bits".into()),
        "<<" => a << b,
        ">>" if left.unsigned => (ua >> b) as i64,
        ">>" => a >> b,
        "&" => a & b,
        "^" => a ^ b,
        "|" => a | b,
        "==" => (a == b).into(),
        "!=" => (a != b).into(),
        "<" => order.is_lt().into(),
        "<=" => order.is_le().into(),
        ">" => order.is_gt().into(),
        _ => order.is_ge().into(),
    };
    let is_truth = ["==", "!=", "<", "<=", ">", ">="].contains(&sign);
    Ok(Some(Value {
        bits,
        unsigned: unsigned && !is_truth,
    }))
}
