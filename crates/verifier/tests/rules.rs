//! Each rule is broken alone: a chunk that is accepted, and beside it one that differs in one thing
//! and is refused by that rule.

use std::collections::BTreeSet;

use fastlua_bytecode::{
    Chunk, Constant, Dialect, Function, Layout, Local, MAX_NESTING, Mode, NumberModel, Upvalue,
    opcodes,
};
use fastlua_verifier::{Rule, verify};

use Dialect::{Lua51, Lua53};

/// An instruction by name; B stands for Bx, sBx, and A for Ax.
type Code = (&'static str, i32, i32, i32);

fn word(dialect: Dialect, (name, a, b, c): Code) -> u32 {
    let number = opcodes(dialect).iter().position(|op| op.name() == name);
    let number = number.unwrap_or_else(|| panic!("{name} of {dialect}"));
    let fields = match opcodes(dialect)[number].mode {
        Mode::ABC => a << 6 | c << 14 | b << 23,
        Mode::ABx => a << 6 | b << 14,
        Mode::AsBx => a << 6 | (b + 131_071) << 14,
        Mode::Ax => a << 6,
    };
    number as u32 | fields as u32
}

const RETURN: Code = ("RETURN", 0, 1, 0);

/// A constant as RK.
const K: i32 = 256;

struct Maker(Dialect, Function);

impl Maker {
    /// A vararg function with constants "s" and 7, an inner function without upvalues, and in 5.3 one
    /// upvalue.
    fn new(dialect: Dialect, code: &[Code]) -> Maker {
        let upvalue = Upvalue {
            in_stack: true,
            ..Upvalue::default()
        };
        let leaf = Function {
            max_stack: 2,
            code: vec![word(dialect, RETURN)],
            ..Function::default()
        };
        let number = match dialect {
            Lua51 => Constant::Float(7.0),
            Lua53 => Constant::Integer(7),
        };
        Maker(
            dialect,
            Function {
                vararg: if dialect == Lua51 { 2 } else { 1 },
                max_stack: 10,
                code: code.iter().map(|code| word(dialect, *code)).collect(),
                constants: vec![Constant::String("s".into()), number],
                functions: vec![leaf],
                upvalues: match dialect {
                    Lua51 => Vec::new(),
                    Lua53 => vec![upvalue],
                },
                ..Function::default()
            },
        )
    }

    fn with(mut self, change: impl FnOnce(&mut Function)) -> Maker {
        change(&mut self.1);
        self
    }

    fn verdict(self) -> Result<(), Rule> {
        let numbers = match self.0 {
            Lua51 => NumberModel::ALL[1],
            Lua53 => NumberModel::ALL[2],
        };
        let chunk = Chunk {
            layout: Layout::stock(numbers, 4),
            main: self.1,
        };
        verify(&chunk).map_err(|refusal| {
            // it has a place and words for it
            assert!(
                refusal.to_string().contains(refusal.rule.name()),
                "{refusal}"
            );
            assert_eq!(refusal.pc.is_none(), refusal.instruction.is_empty());
            refusal.rule
        })
    }
}

fn code(dialect: Dialect, code: &[Code]) -> Maker {
    let mut all = code.to_vec();
    all.push(RETURN);
    Maker::new(dialect, &all)
}

/// One that is accepted, and one that is not.
type Pair = (Rule, Maker, Maker);

fn same(rule: Rule, make: impl Fn() -> Maker, change: impl FnOnce(&mut Function)) -> Pair {
    (rule, make(), make().with(change))
}

fn codes(rule: Rule, dialect: Dialect, good: &[Code], bad: &[Code]) -> Pair {
    (rule, code(dialect, good), code(dialect, bad))
}

/// The inner function gets an upvalue; in 5.1 it uses that.
fn inner_upvalue(dialect: Dialect, upvalue: Upvalue) -> impl Fn(&mut Function) {
    move |main| {
        main.functions[0].upvalues = vec![upvalue.clone()];
        if dialect == Lua51 {
            let code = [("GETUPVAL", 0, 0, 0), RETURN];
            main.functions[0].code = code.iter().map(|c| word(Lua51, *c)).collect();
        }
    }
}

fn in_stack(index: u8) -> Upvalue {
    Upvalue {
        in_stack: true,
        index,
        ..Upvalue::default()
    }
}

fn nest(levels: usize) -> impl FnOnce(&mut Function) {
    move |main| {
        let leaf = main.functions[0].clone();
        let mut inner = leaf.clone();
        for _ in 1..levels {
            let mut outer = leaf.clone();
            outer.functions = vec![inner];
            inner = outer;
        }
        main.functions = vec![inner];
    }
}

/// docs/trust.md says of each rule in words what it refuses.
#[test]
fn each_rule_is_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trust.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let rules: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(rows, rules);
}

fn functions() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for dialect in Dialect::ALL {
        let plain = || code(dialect, &[]);
        let called = [("CLOSURE", 0, 0, 0), ("CALL", 0, 1, 1)];
        let (most, vararg) = if dialect == Lua51 { (250, 7) } else { (255, 1) };
        pairs.extend([
            (
                Rule::Nesting,
                plain().with(nest(MAX_NESTING)),
                plain().with(nest(MAX_NESTING + 1)),
            ),
            same(
                Rule::Registers,
                || code(dialect, &[("LOADBOOL", 0, 0, 0)]).with(|f| f.max_stack = 2),
                |f| f.max_stack = 1,
            ),
            same(
                Rule::Registers,
                || code(dialect, &called).with(|f| f.max_stack = 1),
                |f| f.max_stack = 0,
            ),
            (
                Rule::Register,
                code(dialect, &called).with(|f| f.max_stack = 1),
                code(dialect, &[("CLOSURE", 0, 0, 0), ("CALL", 0, 2, 1)]).with(|f| f.max_stack = 1),
            ),
            same(Rule::Parameters, plain, |f| f.params = 11),
            same(
                Rule::Vararg,
                || plain().with(|f| f.vararg = vararg),
                |f| f.vararg = 4,
            ),
            same(Rule::End, plain, |f| f.code.clear()),
            (
                Rule::End,
                code(dialect, &[("LOADNIL", 0, 0, 0)]),
                Maker::new(dialect, &[("LOADNIL", 0, 0, 0)]),
            ),
            same(
                Rule::Debug,
                || plain().with(|f| f.lines = vec![1]),
                |f| f.lines = vec![1, 2],
            ),
            same(
                Rule::Debug,
                || {
                    plain().with(|f| {
                        f.locals.push(Local {
                            name: Some("a".into()),
                            start_pc: 0,
                            end_pc: 1,
                        });
                    })
                },
                |f| f.locals[0].name = None,
            ),
            same(
                Rule::Debug,
                || {
                    plain().with(|f| {
                        f.locals = vec![
                            Local {
                                name: Some("a".into()),
                                start_pc: 0,
                                end_pc: 1,
                            };
                            10
                        ];
                    })
                },
                |f| f.locals.push(f.locals[0].clone()),
            ),
        ]);
        if most < 255 {
            pairs.push(same(
                Rule::Registers,
                || code(dialect, &[]).with(move |f| f.max_stack = most),
                move |f| f.max_stack = most + 1,
            ));
        }
    }
    pairs.extend([
        same(
            Rule::Parameters,
            || code(Lua51, &[]).with(|f| (f.params, f.vararg) = (9, 7)),
            |f| f.params = 10,
        ),
        same(
            Rule::Upvalue,
            || code(Lua51, &[("GETUPVAL", 0, 0, 0)]).with(|f| f.upvalues.push(Upvalue::default())),
            |f| f.upvalues.clear(),
        ),
        same(
            Rule::Upvalues,
            || code(Lua53, &[]).with(inner_upvalue(Lua53, in_stack(9))),
            |f| f.functions[0].upvalues[0].index = 10,
        ),
        same(
            Rule::Upvalues,
            || code(Lua53, &[]).with(inner_upvalue(Lua53, Upvalue::default())),
            |f| f.functions[0].upvalues[0].index = 1,
        ),
        same(
            Rule::Debug,
            || {
                code(Lua51, &[]).with(|f| {
                    let named = Upvalue {
                        name: Some("u".into()),
                        ..Upvalue::default()
                    };
                    f.functions[0].upvalues = vec![named.clone(), named];
                })
            },
            |f| f.functions[0].upvalues[1].name = None,
        ),
    ]);
    pairs
}

fn instructions() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for dialect in Dialect::ALL {
        let pair = |rule, good: &[Code], bad: &[Code]| codes(rule, dialect, good, bad);
        let one = |rule, good: Code, bad: Code| codes(rule, dialect, &[good], &[bad]);
        let nil = ("LOADNIL", 0, if dialect == Lua51 { 9 } else { 8 }, 0);
        let after = |rule, good: Code, bad: Code| codes(rule, dialect, &[nil, good], &[nil, bad]);
        let test = ("TEST", 0, 0, 0);
        pairs.extend([
            same(
                Rule::Opcode,
                || code(dialect, &[("LOADK", 0, 0, 0)]),
                |f| f.code[0] |= 63,
            ),
            after(Rule::Unused, ("MOVE", 0, 1, 0), ("MOVE", 0, 1, 1)),
            one(Rule::Flag, ("LOADBOOL", 0, 1, 0), ("LOADBOOL", 0, 2, 0)),
            one(Rule::Register, ("LOADK", 9, 0, 0), ("LOADK", 10, 0, 0)),
            after(Rule::Register, ("MOVE", 0, 8, 0), ("MOVE", 0, 10, 0)),
            after(Rule::Register, ("SELF", 8, 0, K), ("SELF", 9, 0, K)),
            after(Rule::Register, ("CONCAT", 0, 1, 2), ("CONCAT", 0, 2, 2)),
            after(Rule::Register, ("CALL", 0, 9, 1), ("CALL", 0, 12, 1)),
            after(Rule::Register, ("CALL", 0, 1, 11), ("CALL", 0, 1, 12)),
            after(Rule::Register, ("VARARG", 0, 11, 0), ("VARARG", 0, 12, 0)),
            after(Rule::Register, ("ADD", 0, 1, 2), ("ADD", 0, 1, 10)),
            one(Rule::Constant, ("LOADK", 0, 1, 0), ("LOADK", 0, 2, 0)),
            after(Rule::Constant, ("ADD", 0, K, K + 1), ("ADD", 0, K, K + 2)),
            one(Rule::Function, ("CLOSURE", 0, 0, 0), ("CLOSURE", 0, 1, 0)),
            one(Rule::Target, ("JMP", 0, 0, 0), ("JMP", 0, 1, 0)),
            one(Rule::Target, ("JMP", 0, -1, 0), ("JMP", 0, -2, 0)),
            pair(
                Rule::Target,
                &[nil, ("LOADBOOL", 0, 1, 1), nil],
                &[nil, nil, ("LOADBOOL", 0, 1, 1)],
            ),
            pair(
                Rule::Companion,
                &[nil, test, ("JMP", 0, 0, 0), nil],
                &[nil, test, nil, nil],
            ),
            pair(
                Rule::Companion,
                &[nil, ("EQ", 0, 0, 1), ("JMP", 0, 0, 0), nil],
                &[nil, ("EQ", 0, 0, 1), nil, nil],
            ),
            pair(
                Rule::Companion,
                &[nil, ("TAILCALL", 0, 1, 0), ("RETURN", 0, 0, 0)],
                &[nil, ("TAILCALL", 0, 1, 0), ("RETURN", 1, 0, 0)],
            ),
            pair(
                Rule::Companion,
                &[nil, ("TAILCALL", 0, 1, 0), ("RETURN", 0, 0, 0)],
                &[nil, ("TAILCALL", 0, 1, 2), ("RETURN", 0, 0, 0)],
            ),
            pair(
                Rule::Companion,
                &[nil, ("FORPREP", 0, 0, 0), ("FORLOOP", 0, -1, 0)],
                &[nil, ("FORPREP", 0, 0, 0), ("FORLOOP", 1, -1, 0)],
            ),
            one(
                Rule::Size,
                ("NEWTABLE", 0, 0xbf, 0),
                ("NEWTABLE", 0, 0xd9, 0),
            ),
            one(
                Rule::Size,
                ("NEWTABLE", 0, 0, 0xbf),
                ("NEWTABLE", 0, 0, 0x100),
            ),
            same(
                Rule::Variadic,
                || code(dialect, &[("VARARG", 0, 2, 0)]),
                |f| f.vararg = 0,
            ),
        ]);
    }
    let pair = |rule, dialect, good: &[Code], bad: &[Code]| codes(rule, dialect, good, bad);
    let nil51 = ("LOADNIL", 0, 9, 0);
    let nil53 = ("LOADNIL", 0, 9, 0);
    let (table, nil1) = (("NEWTABLE", 0, 0, 0), ("LOADNIL", 1, 0, 0));
    pairs.extend([
        pair(
            Rule::Register,
            Lua51,
            &[("LOADNIL", 2, 2, 0)],
            &[("LOADNIL", 2, 1, 0)],
        ),
        pair(Rule::Register, Lua53, &[nil53], &[("LOADNIL", 1, 9, 0)]),
        pair(
            Rule::Register,
            Lua53,
            &[("JMP", 10, 0, 0)],
            &[("JMP", 11, 0, 0)],
        ),
        pair(
            Rule::Constant,
            Lua51,
            &[("GETGLOBAL", 0, 0, 0)],
            &[("GETGLOBAL", 0, 1, 0)],
        ),
        pair(
            Rule::Constant,
            Lua51,
            &[("SETGLOBAL", 0, 0, 0)],
            &[("SETGLOBAL", 0, 1, 0)],
        ),
        pair(
            Rule::Upvalue,
            Lua53,
            &[("GETUPVAL", 0, 0, 0)],
            &[("GETUPVAL", 0, 1, 0)],
        ),
        pair(
            Rule::Upvalue,
            Lua53,
            &[("SETTABUP", 0, K, K)],
            &[("SETTABUP", 1, K, K)],
        ),
        pair(
            Rule::Constant,
            Lua53,
            &[("LOADKX", 0, 0, 0), ("EXTRAARG", 1, 0, 0)],
            &[("LOADKX", 0, 0, 0), ("EXTRAARG", 2, 0, 0)],
        ),
        pair(
            Rule::Companion,
            Lua53,
            &[("LOADKX", 0, 0, 0), ("EXTRAARG", 1, 0, 0)],
            &[("LOADKX", 0, 0, 0), nil53],
        ),
        pair(
            Rule::Companion,
            Lua53,
            &[nil53],
            &[nil53, ("EXTRAARG", 1, 0, 0)],
        ),
        // a jump to a word that is data
        pair(
            Rule::Target,
            Lua53,
            &[
                ("LOADKX", 0, 0, 0),
                ("EXTRAARG", 1, 0, 0),
                ("JMP", 0, -3, 0),
            ],
            &[
                ("LOADKX", 0, 0, 0),
                ("EXTRAARG", 1, 0, 0),
                ("JMP", 0, -2, 0),
            ],
        ),
        pair(
            Rule::Companion,
            Lua51,
            &[("TFORLOOP", 0, 0, 1), ("JMP", 0, -2, 0)],
            &[("TFORLOOP", 0, 0, 1), nil51, nil51],
        ),
        pair(
            Rule::Register,
            Lua51,
            &[("TFORLOOP", 0, 0, 1), ("JMP", 0, -2, 0)],
            &[("TFORLOOP", 5, 0, 1), ("JMP", 0, -2, 0)],
        ),
        pair(
            Rule::Companion,
            Lua53,
            &[nil53, ("TFORCALL", 0, 0, 1), ("TFORLOOP", 2, -2, 0)],
            &[nil53, ("TFORCALL", 0, 0, 1), ("TFORLOOP", 3, -2, 0)],
        ),
        pair(
            Rule::Size,
            Lua53,
            &[table, nil1, ("SETLIST", 0, 1, 0), ("EXTRAARG", 1, 0, 0)],
            &[table, nil1, ("SETLIST", 0, 1, 0), ("EXTRAARG", 0, 0, 0)],
        ),
        pair(
            Rule::Companion,
            Lua53,
            &[table, nil1, ("SETLIST", 0, 1, 0), ("EXTRAARG", 1, 0, 0)],
            &[table, nil1, ("SETLIST", 0, 1, 0), nil1],
        ),
    ]);
    // 5.1's SETLIST with its count behind it, and its CLOSURE with the upvalues behind it
    let wide = |count: u32| {
        move |f: &mut Function| {
            f.code.insert(2, count);
        }
    };
    pairs.push((
        Rule::Size,
        code(Lua51, &[nil51, ("SETLIST", 0, 1, 0)]).with(wide(7)),
        code(Lua51, &[nil51, ("SETLIST", 0, 1, 0)]).with(wide(0)),
    ));
    pairs.push((
        Rule::Size,
        code(Lua51, &[nil51, ("SETLIST", 0, 1, 0)]).with(wide(7)),
        code(Lua51, &[nil51, ("SETLIST", 0, 1, 0)]).with(wide(1 << 30)),
    ));
    let captures = |capture: Code| {
        code(Lua51, &[("CLOSURE", 0, 0, 0), capture]).with(inner_upvalue(Lua51, Upvalue::default()))
    };
    for bad in [
        ("MOVE", 0, 10, 0),
        ("GETUPVAL", 0, 0, 0),
        ("MOVE", 1, 3, 0),
        RETURN,
    ] {
        pairs.push((Rule::Companion, captures(("MOVE", 0, 3, 0)), captures(bad)));
    }
    pairs
}

fn flows() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let open = ("VARARG", 1, 0, 0);
    for dialect in Dialect::ALL {
        let pair = |rule, good: &[Code], bad: &[Code]| codes(rule, dialect, good, bad);
        let nil = ("LOADNIL", 0, if dialect == Lua51 { 9 } else { 8 }, 0);
        pairs.extend([
            // what is open is not taken, or taken and not open, or begins too low
            pair(
                Rule::Open,
                &[nil, open, ("CALL", 0, 0, 1)],
                &[nil, open, nil],
            ),
            pair(
                Rule::Open,
                &[nil, open, ("CALL", 0, 0, 1)],
                &[nil, nil, ("CALL", 0, 0, 1)],
            ),
            pair(
                Rule::Open,
                &[nil, open, ("CALL", 0, 0, 1)],
                &[nil, open, ("CALL", 1, 0, 1)],
            ),
            pair(
                Rule::Open,
                &[nil, open, ("RETURN", 1, 0, 0)],
                &[nil, open, ("RETURN", 2, 0, 0)],
            ),
            // open on one way only
            pair(
                Rule::Open,
                &[
                    nil,
                    ("TEST", 0, 0, 0),
                    ("JMP", 0, 2, 0),
                    open,
                    ("CALL", 0, 0, 1),
                ],
                &[
                    nil,
                    ("TEST", 0, 0, 0),
                    ("JMP", 0, 1, 0),
                    open,
                    ("CALL", 0, 0, 1),
                ],
            ),
            // what a call leaves above its results
            pair(
                Rule::Unset,
                &[nil, ("CALL", 0, 1, 3), ("MOVE", 5, 1, 0)],
                &[nil, ("CALL", 0, 1, 3), ("MOVE", 5, 2, 0)],
            ),
            pair(
                Rule::Unset,
                &[nil, open, ("CALL", 0, 0, 1), nil, ("MOVE", 5, 4, 0)],
                &[nil, open, ("CALL", 0, 0, 1), ("MOVE", 5, 4, 0)],
            ),
            // set on one way only
            pair(
                Rule::Unset,
                &[
                    nil,
                    ("CALL", 3, 1, 1),
                    ("TEST", 0, 0, 0),
                    ("JMP", 0, 1, 0),
                    ("LOADK", 4, 0, 0),
                    ("LOADK", 5, 0, 0),
                    ("MOVE", 6, 5, 0),
                ],
                &[
                    nil,
                    ("CALL", 3, 1, 1),
                    ("TEST", 0, 0, 0),
                    ("JMP", 0, 1, 0),
                    ("LOADK", 4, 0, 0),
                    ("LOADK", 5, 0, 0),
                    ("MOVE", 6, 4, 0),
                ],
            ),
            // a loop's numbers
            pair(
                Rule::Loop,
                &[
                    nil,
                    ("FORPREP", 0, 1, 0),
                    ("LOADK", 4, 0, 0),
                    ("FORLOOP", 0, -2, 0),
                ],
                &[
                    nil,
                    ("FORPREP", 0, 1, 0),
                    ("LOADK", 1, 0, 0),
                    ("FORLOOP", 0, -2, 0),
                ],
            ),
            pair(
                Rule::Loop,
                &[nil, ("FORPREP", 0, 0, 0), ("FORLOOP", 0, -1, 0)],
                &[
                    nil,
                    ("JMP", 0, 1, 0),
                    ("FORPREP", 0, 0, 0),
                    ("FORLOOP", 0, -1, 0),
                ],
            ),
        ]);
    }
    // a loop's number that a closure may change
    let captured = |register: i32| {
        let code = [
            ("LOADNIL", 0, 8, 0),
            ("FORPREP", 0, 1, 0),
            ("CLOSURE", 5, 0, 0),
            ("FORLOOP", 0, -2, 0),
        ];
        self::code(Lua53, &code).with(inner_upvalue(Lua53, in_stack(register as u8)))
    };
    pairs.push((Rule::Loop, captured(3), captured(2)));
    let pair = |rule, good: &[Code], bad: &[Code]| codes(rule, Lua53, good, bad);
    let table = |register| ("NEWTABLE", register, 0, 0);
    let nil = |register| ("LOADNIL", register, 0, 0);
    pairs.extend([
        pair(
            Rule::Unset,
            &[nil(3), ("MOVE", 1, 3, 0)],
            &[nil(3), ("MOVE", 1, 4, 0)],
        ),
        pair(
            Rule::Table,
            &[table(0), nil(1), ("SETLIST", 0, 1, 1)],
            &[nil(0), nil(1), ("SETLIST", 0, 1, 1)],
        ),
        // the collector may clear what lies above a new table
        pair(
            Rule::Unset,
            &[table(0), table(1), ("SETLIST", 0, 1, 1)],
            &[table(1), table(0), ("SETLIST", 0, 1, 1)],
        ),
        pair(
            Rule::Method,
            &[nil(1), ("LOADK", 0, 0, 0), ("SELF", 2, 1, 0)],
            &[nil(1), ("LOADK", 0, 1, 0), ("SELF", 2, 1, 0)],
        ),
        pair(
            Rule::Method,
            &[nil(1), ("SELF", 2, 1, K)],
            &[nil(1), ("SELF", 2, 1, K + 1)],
        ),
        // an iterator's call leaves garbage behind its variables
        pair(
            Rule::Unset,
            &[
                ("LOADNIL", 0, 9, 0),
                ("TFORCALL", 0, 0, 1),
                ("TFORLOOP", 2, -2, 0),
                ("MOVE", 0, 3, 0),
            ],
            &[
                ("LOADNIL", 0, 9, 0),
                ("TFORCALL", 0, 0, 1),
                ("TFORLOOP", 2, -2, 0),
                ("MOVE", 0, 4, 0),
            ],
        ),
    ]);
    // a call where an open upvalue is
    let called = |at: i32| {
        let code = [("CLOSURE", 0, 0, 0), ("MOVE", 0, 1, 0), ("CALL", at, 1, 1)];
        self::code(Lua51, &code).with(inner_upvalue(Lua51, Upvalue::default()))
    };
    pairs.push((Rule::Shared, called(2), called(1)));
    let captures = |register: u8, code: &[Code]| {
        let before = [("LOADNIL", 0, 8, 0), ("CLOSURE", 5, 0, 0)];
        let code: Vec<Code> = before.iter().chain(code).copied().collect();
        self::code(Lua53, &code).with(inner_upvalue(Lua53, in_stack(register)))
    };
    let each: [(&[Code], u8); 5] = [
        (&[("CALL", 3, 1, 1)], 3),
        (&[("TAILCALL", 3, 1, 0), ("RETURN", 3, 0, 0)], 4),
        (&[("TFORCALL", 0, 0, 1), ("TFORLOOP", 2, -2, 0)], 3),
        (&[("CONCAT", 0, 2, 3)], 3),
        (&[("NEWTABLE", 1, 0, 0)], 2),
    ];
    let shared = each.map(|(code, first)| {
        (
            Rule::Shared,
            captures(first.min(3) - 1, code),
            captures(first, code),
        )
    });
    pairs.extend(shared);
    // what is captured has no type until it is closed
    let closed = |close: Code| {
        let code = [
            table(0),
            ("CLOSURE", 1, 0, 0),
            close,
            table(0),
            nil(1),
            ("SETLIST", 0, 1, 1),
        ];
        self::code(Lua53, &code).with(inner_upvalue(Lua53, in_stack(0)))
    };
    pairs.push((
        Rule::Table,
        closed(("JMP", 1, 0, 0)),
        closed(("JMP", 0, 0, 0)),
    ));
    pairs
}

#[test]
fn each_rule_is_broken_alone() {
    let mut seen = BTreeSet::new();
    let all = [functions(), instructions(), flows()];
    for (i, (rule, good, bad)) in all.into_iter().flatten().enumerate() {
        let dialect = good.0;
        assert_eq!(good.verdict(), Ok(()), "pair {i} for {rule}, {dialect}");
        assert_eq!(bad.verdict(), Err(rule), "pair {i} for {rule}, {dialect}");
        seen.insert(rule);
    }
    let never: Vec<_> = Rule::ALL.iter().filter(|r| !seen.contains(r)).collect();
    assert!(never.is_empty(), "no chunk breaks {never:?}");
}
