//! Random programs that compile, full of what squashing touches. They need not run.

/// A program for both dialects, or with 5.3's syntax if `new`.
pub fn program(seed: u64, new: bool) -> String {
    let mut generator = Generator {
        state: seed | 1,
        new,
        out: String::new(),
        labels: 0,
    };
    let mut scope = Scope {
        vararg: true,
        ..Scope::default()
    };
    let depth = 1 + generator.below(5);
    generator.block(&mut scope, depth);
    generator.out
}

/// Names for locals, globals, fields and parameters alike, so that they meet.
const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "x",
    "arg",
    "self",
    "long_name",
    "value",
    "i",
    "k",
];
const STRINGS: &[&str] = &[
    "'s'",
    "\"a\\\"b\"",
    "'it\\'s'",
    "[[x\ny]]",
    "[==[ ]] ]==]",
    "\"\\n\\n\\n\\n\\n\"",
    "'\\0001'",
    "\"end\"",
    "'\\\\\\\\\\\\\\\\['",
    "'a'",
];
const NUMBERS: &[&str] = &[
    "1",
    "0",
    "1000",
    "0x10",
    "100000",
    "2147483647",
    "0xffffffff",
    "7",
    "65536",
    "3",
];
const FLOATS: &[&str] = &[
    "0.5",
    "1.0",
    "65535.0",
    "1e3",
    "100e-2",
    "0.10",
    "3.14159265358979",
    "1e30",
];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or",
];
const NEW_OPERATORS: &[&str] = &["//", "&", "|", "~", "<<", ">>"];

#[derive(Clone, Default)]
struct Scope {
    vararg: bool,
    in_loop: bool,
    /// Labels that `goto` can reach.
    labels: Vec<usize>,
}

struct Generator {
    state: u64,
    new: bool,
    out: String,
    labels: usize,
}

impl Generator {
    /// xorshift64*.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn pick(&mut self, list: &[&str]) {
        let index = self.below(list.len());
        self.put(list[index]);
    }

    fn name(&mut self) {
        if self.new && self.one_in(40) {
            self.put("_ENV");
        } else {
            self.pick(NAMES);
        }
    }

    fn list(&mut self, most: usize, mut item: impl FnMut(&mut Self)) {
        for index in 0..=self.below(most) {
            if index > 0 {
                self.put(", ");
            }
            item(self);
        }
    }

    fn block(&mut self, scope: &mut Scope, depth: usize) {
        let label = (self.new && self.one_in(5)).then(|| {
            self.labels += 1;
            self.labels
        });
        scope.labels.extend(label);
        for index in 0..self.below(5) + usize::from(depth > 3) * 2 {
            self.statement(scope, depth, index == 0);
            self.pick(&[";\n", "\n", "\n", "\n"]);
        }
        if let Some(label) = label {
            scope.labels.pop();
            self.put(&format!("::l{label}:: "));
        } else if self.one_in(8) {
            self.put("return ");
            if self.one_in(2) {
                let scope = scope.clone();
                self.list(3, |g| g.expr(&scope, 2));
            }
        } else if scope.in_loop && self.one_in(3) {
            self.put("break ");
        }
    }

    fn inner(&mut self, scope: &Scope, depth: usize, in_loop: bool) {
        let mut scope = Scope {
            in_loop: scope.in_loop || in_loop,
            ..scope.clone()
        };
        self.block(&mut scope, depth);
    }

    fn statement(&mut self, scope: &Scope, depth: usize, first: bool) {
        match self.below(if depth == 0 { 7 } else { 14 }) {
            0..=3 => self.local(scope, depth),
            4 => {
                // It may begin with a parenthesis.
                if !first && !self.out.ends_with(";\n") {
                    self.out.pop();
                    self.put(";\n");
                }
                self.prefix(1, scope);
                self.call(scope, 1);
            }
            5 => {
                let targets = self.below(2);
                for _ in 0..targets {
                    self.target(scope);
                    self.put(", ");
                }
                self.target(scope);
                self.put(" = ");
                self.list(3, |g| g.expr(scope, 2));
            }
            6 => match scope.labels.last() {
                Some(label) => self.put(&format!("if x then goto l{label} end")),
                None => self.put("do end"),
            },
            7 | 8 => self.conditional(scope, depth),
            9 => {
                self.put("while ");
                self.condition(scope);
                self.put(" do ");
                self.inner(scope, depth - 1, true);
                self.put(" end");
            }
            10 => {
                self.put("repeat ");
                // `continue` out of a scope that the condition sees is an error.
                let scope = Scope {
                    labels: Vec::new(),
                    in_loop: false,
                    ..scope.clone()
                };
                for index in 0..self.below(3) {
                    self.statement(&scope, 0, index == 0);
                    self.put("\n");
                }
                self.put(" until ");
                self.condition(&scope);
            }
            11 => {
                self.put("for ");
                if self.one_in(2) {
                    self.name();
                    self.put(" = ");
                    self.expr(scope, 1);
                    self.put(", ");
                    self.expr(scope, 1);
                    self.pick(&["", ", 1", ", (1)", ", -1", ", 2"]);
                } else {
                    self.list(3, |g| g.name());
                    self.put(" in ");
                    self.list(3, |g| match g.below(4) {
                        0 => g.put("nil"),
                        _ => g.expr(scope, 2),
                    });
                }
                self.put(" do ");
                self.inner(scope, depth - 1, true);
                self.put(" end");
            }
            12 => {
                self.put("function ");
                self.name();
                let method = self.below(3);
                if method > 0 {
                    self.put(if method == 1 { "." } else { ":" });
                    self.pick(NAMES);
                }
                self.body(depth - 1);
            }
            _ => {
                self.put("do ");
                self.inner(scope, depth - 1, false);
                self.put(" end");
            }
        }
    }

    fn target(&mut self, scope: &Scope) {
        self.name();
        if self.one_in(2) {
            self.put("[ ");
            self.expr(scope, 1);
            self.put("]");
        }
    }

    fn local(&mut self, scope: &Scope, depth: usize) {
        self.put("local ");
        if depth > 0 && self.one_in(3) {
            self.put("function ");
            self.name();
            return self.body(depth - 1);
        }
        self.list(3, |g| g.name());
        if self.one_in(4) {
            return;
        }
        self.put(" = ");
        self.list(3, |g| match g.below(4) {
            0 => g.put("nil"),
            _ => g.expr(scope, 2),
        });
    }

    fn conditional(&mut self, scope: &Scope, depth: usize) {
        self.put("if ");
        self.condition(scope);
        self.put(" then ");
        let only = self.one_in(2);
        if only && depth > 1 {
            self.conditional(scope, depth - 1);
        } else {
            self.inner(scope, depth - 1, false);
        }
        if self.one_in(4) {
            self.put(" elseif ");
            self.condition(scope);
            self.put(" then ");
            self.inner(scope, depth - 1, false);
        }
        if self.one_in(3) {
            self.put(" else ");
            if depth > 1 && self.one_in(2) {
                self.conditional(scope, depth - 1);
            } else {
                self.inner(scope, depth - 1, false);
            }
        }
        self.put(" end");
    }

    fn condition(&mut self, scope: &Scope) {
        match self.below(8) {
            0 => self.pick(&[
                "true",
                "false",
                "nil",
                "(true)",
                "1",
                "x and nil",
                "nil or a",
            ]),
            _ => self.expr(scope, 2),
        }
    }

    fn body(&mut self, depth: usize) {
        self.put("(");
        let count = self.below(3);
        for index in 0..count {
            self.put(if index > 0 { ", " } else { "" });
            self.name();
        }
        let vararg = self.one_in(3);
        if vararg {
            self.put(if count > 0 { ", ..." } else { "..." });
        }
        self.put(") ");
        self.block(
            &mut Scope {
                vararg,
                ..Scope::default()
            },
            depth,
        );
        self.put(" end");
    }

    fn prefix(&mut self, depth: usize, scope: &Scope) {
        match self.below(8) {
            0 if depth > 0 => {
                self.put("(");
                self.expr(scope, depth);
                self.put(")");
            }
            1 => {
                self.put("(");
                self.name();
                self.put(")");
            }
            _ => self.name(),
        }
        for _ in 0..self.below(3) {
            match self.below(5) {
                0 => self.put("['value']"),
                1 => self.put("[ [[a b]] ]"),
                2 if depth > 0 => {
                    self.put("[ ");
                    self.expr(scope, depth - 1);
                    self.put("]");
                }
                3 if depth > 0 => self.call(scope, depth - 1),
                _ => self.put(".x"),
            }
        }
    }

    fn call(&mut self, scope: &Scope, depth: usize) {
        if self.one_in(4) {
            self.put(":k");
        }
        match self.below(5) {
            0 => self.put("('x')"),
            1 => self.put("{}"),
            2 => self.put("(({}))"),
            3 => self.put("()"),
            _ => {
                self.put("(");
                self.list(2, |g| g.expr(scope, depth));
                self.put(")");
            }
        }
    }

    fn expr(&mut self, scope: &Scope, depth: usize) {
        if depth == 0 {
            return self.atom(scope);
        }
        match self.below(12) {
            0..=3 => {
                self.expr(scope, depth - 1);
                self.put(" ");
                if self.new && self.one_in(4) {
                    self.pick(NEW_OPERATORS);
                } else {
                    self.pick(OPERATORS);
                }
                self.put(" ");
                self.expr(scope, depth - 1);
            }
            4 | 5 => {
                self.put("(");
                self.expr(scope, depth);
                self.put(")");
            }
            6 => {
                self.pick(&["- ", "not ", "#"]);
                self.expr(scope, depth - 1);
            }
            7 => {
                self.name();
                self.call(scope, depth - 1);
            }
            8 => self.prefix(depth - 1, scope),
            9 => self.table(scope, depth - 1),
            10 => {
                self.put("function");
                self.body(depth - 1);
            }
            _ => self.atom(scope),
        }
    }

    fn table(&mut self, scope: &Scope, depth: usize) {
        self.put("{");
        for _ in 0..self.below(3) {
            match self.below(4) {
                0 => self.put("['value'] = "),
                1 => self.put("['a b'] = "),
                2 => self.put("x = "),
                _ => {}
            }
            self.expr(scope, depth);
            self.pick(&[",", ";"]);
        }
        self.put("}");
    }

    fn atom(&mut self, scope: &Scope) {
        match self.below(12) {
            0 => self.put("nil"),
            1 => self.pick(&["true", "false"]),
            2 if scope.vararg => self.put("..."),
            3 if scope.vararg => self.put("(...)"),
            4 => self.pick(STRINGS),
            5 | 6 => self.pick(NUMBERS),
            7 if self.new || self.state & 0x300 == 0 => self.pick(FLOATS),
            8 => self.put("2 * 3 * 100"),
            _ => self.name(),
        }
    }
}
