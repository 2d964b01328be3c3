//! Each file of `tests/squash` and many generated programs give the same chunk when squashed.

mod support;

use fastlua_bytecode::NumberModel;
use fastlua_source::squash::{squash, squash_checked};
use fastlua_testing::programs::program;
use proptest::prelude::*;
use support::{compile, files};

/// All six number models, each dialect, each one alone.
fn sets() -> Vec<Vec<NumberModel>> {
    let all = NumberModel::ALL;
    let mut sets = vec![all.to_vec(), all[..2].to_vec(), all[2..].to_vec()];
    sets.extend(all.map(|target| vec![target]));
    sets
}

#[test]
fn files_stay_the_same_chunk() {
    for file in files("squash") {
        let text = std::fs::read(&file).unwrap();
        let compiling = NumberModel::ALL
            .iter()
            .filter(|target| compile(&text, target).is_ok())
            .count();
        assert!(compiling > 0, "{}: no target compiles it", file.display());
        for set in sets() {
            if set.iter().all(|target| compile(&text, target).is_err()) {
                continue;
            }
            let squashed = squash_checked(&text, &set, compile)
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert!(squashed.text.len() <= text.len());
            let again = squash_checked(&squashed.text, &squashed.targets, compile).unwrap();
            assert!(
                again.text.len() <= squashed.text.len(),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn written_so() {
    #[rustfmt::skip]
    let pairs = [
        // Locals.
        ("local a = 1\nlocal b = 2\nreturn a + b", "local a,b=1,2 return a+b"),
        ("local a = 1 local b = a return b", "local a=1 local a=a return a"),
        ("local a = f() local b = nil return a, b", "local a,b=(f())return a,b"),
        ("local a = ... local b = ... return a, b", "local a,b=...,...return a,b"),
        ("local a, b, c = 1, nil, nil", "local a,a,a=1"),
        ("local a = f(), g() local b", "local a=f(),g()local a"),
        ("local function f() return f end local function g() end return f, g", "local function a()return a end local function b()end return a,b"),
        ("local a local function g() end return g", "local a,a=nil,function()end return a"),
        ("local x = y; (f or g)()", "local a=y;(f or g)()"),
        ("local x = y local z (f or g)()", "local a,a=y;(f or g)()"),
        ("local a = b local b = a", "local a=b local a=a"),
        // Names.
        ("local long = a return function(other) return long + other + b end", "local a=a return function(c)return a+c+b end"),
        ("function m:f(x) return self.x + x end", "function m.f(a,b)return a.x+b end"),
        ("function m:f(x) return x end", "function m:f(a)return a end"),
        ("function m.n:f() self.x = self end", "function m.n.f(a)a.x=a end"),
        ("local arg = 1 return function(...) return arg end", "local arg=1 return function(...)return arg end"),
        ("return function(...) local arg = ... return arg end", "return function(...)local a=...return a end"),
        // Calls, tables, indices.
        ("f(\"x\") g({}) h('x', 1) (f)()", "f\"x\"g{}h('x',1)(f)()"),
        ("a[\"b\"][\"end\"] = { [\"x\"] = 1, [\"y z\"] = 2, }", "a.b[\"end\"]={x=1,[\"y z\"]=2}"),
        ("return a[ [[b c]] ]", "return a[\"b c\"]"),
        // Parentheses.
        ("return (f())", "return(f())"),
        ("return (f()), (f())", "return f(),(f())"),
        ("return ((a + b)) * (c * d) - (e - f)", "return(a+b)*(c*d)-(e-f)"),
        ("return (a * b) + (c ^ (d)), 2 - (-x), (-x) ^ 2, -(x ^ 2)", "return a*b+c^d,2- -x,(-x)^2,-x^2"),
        ("return (\"x\"):rep(3), (a .. b) .. c, a .. (b .. c), (...)", "return(\"x\"):rep(3),(a..b)..c,a..b..c,(...)"),
        ("if (...) then (g)() end", "if...then g()end"),
        // Numbers and strings.
        ("return 1000, 0x10, 65536", "return 1000,16,65536"),
        ("return 0.50, 5.0, 1000.0", "return.5,5.,1e3"),
        ("return 60 * 1000, 2 - 3, 1 .. 2, n * 2 * 3", "return 60000,2-3,1 ..2,n*2*3"),
        ("return 'a\\'b', \"a\\\"b\", 'a\\x41'", "return\"a'b\",'a\"b','a\\x41'"),
        // Conditions.
        ("while true do end", "while 1 do end"),
        ("repeat until false", "repeat until nil"),
        ("if a then if b or c then f() end end", "if a and(b or c)then f()end"),
        ("if a or b then if c then if d or e then f() end end end", "if(a or b)and c and(d or e)then f()end"),
        ("if a then f() else if b then g() else h() end end", "if a then f()elseif b then g()else h()end"),
        ("if a then if b then f() else g() end end", "if a then if b then f()else g()end end"),
        ("for i = 1, 10, 1 do f(i) end", "for a=1,10 do f(a)end"),
        ("for k in next, t, nil do end for k in f(), nil do end", "for a in next,t do end for a in f(),nil do end"),
        ("#!/usr/bin/lua\nreturn 1;", "return 1"),
        ("", ""),
    ];
    let squashed = pairs.map(|(text, _)| {
        let squashed = squash_checked(text.as_bytes(), &NumberModel::ALL, compile);
        String::from_utf8(squashed.unwrap_or_else(|e| panic!("{text}: {e}")).text).unwrap()
    });
    assert_eq!(squashed, pairs.map(|(_, expected)| expected));
}

#[test]
fn one_target_allows_more() {
    let pairs = [
        (1, "return 1000, 65535.0, 5 or 6", "return 1e3,65535,5 or 6"),
        (
            3,
            "return 1000, 65535.0, 5 or 6, 5 and 6",
            "return 1000,65535.,5or 6,5 and 6",
        ),
        (
            3,
            "goto done do local x = 1 end ::done:: ; ;",
            "goto a do local a=1 end::a::",
        ),
        (
            3,
            "local up = {} return function() return (up).x, (up):f() end",
            "local a={}return function()return(a).x,a:f()end",
        ),
        (
            1,
            "local up = {} return function() return (up).x end",
            "local a={}return function()return a.x end",
        ),
        (3, "local x <const> = 1", ""),
    ];
    for (target, text, expected) in pairs {
        let target = NumberModel::ALL[target];
        match squash_checked(text.as_bytes(), &[target], compile) {
            Ok(squashed) => assert_eq!(String::from_utf8(squashed.text).unwrap(), expected),
            Err(_) => assert_eq!(expected, "", "{text}"),
        }
    }
}

#[test]
fn targets_that_take_the_text() {
    let fitting = |text: &str| {
        squash_checked(text.as_bytes(), &NumberModel::ALL, compile)
            .unwrap()
            .targets
    };
    assert_eq!(fitting("return 0.5"), NumberModel::ALL[1..]);
    assert_eq!(fitting("return 1 // 2"), NumberModel::ALL[2..]);
    assert_eq!(fitting("local goto = 1 return goto"), NumberModel::ALL[..2]);
    // Without a compiler, by the same rules.
    assert_eq!(
        squash(b"return 0.5, 1000", &NumberModel::ALL).unwrap(),
        b"return.5,1000"
    );
    assert_eq!(
        squash(b"local goto = 1", &NumberModel::ALL).unwrap(),
        b"local a=1"
    );
    let error = squash(b"local x =\n= 1", &NumberModel::ALL).unwrap_err();
    assert_eq!(error.to_string(), "line 2: unexpected symbol near '='");
    assert!(squash_checked(b"x =", &NumberModel::ALL, compile).is_err());
    assert!(squash_checked(b"x = 1", &[], compile).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_programs_stay_the_same_chunk(seed: u64, new: bool) {
        let text = program(seed, new);
        let targets = if new { &NumberModel::ALL[2..] } else { &NumberModel::ALL[..] };
        if let Err(error) = squash_checked(text.as_bytes(), targets, compile) {
            prop_assert!(false, "{error}\n{text}");
        }
    }

    /// Damaged programs too, where they still are programs.
    #[test]
    fn damaged_programs(seed: u64, new: bool, cut in 0..10_000usize, skip in 0..8usize) {
        let mut text = program(seed, new).into_bytes();
        let cut = cut % (text.len() + 1);
        text.drain(cut..(cut + skip).min(text.len()));
        if let Err(error) = squash_checked(&text, &NumberModel::ALL, compile) {
            let own = error.to_string().starts_with("fault in squashing");
            prop_assert!(!own, "{error}\n{}", String::from_utf8_lossy(&text));
        }
    }
}
