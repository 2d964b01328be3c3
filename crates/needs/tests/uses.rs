//! Each file of `tests/lua` is compiled for both Luas and judged. Its first lines say what it needs, and of which firmware;
//! `--> rule` stands behind each line that breaks a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fastlua_bytecode::{Dialect, Strip};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_needs::{Firmware, Named, Need, Needs, api, judge, needs_of};
use fastlua_variants::Variants;

/// The words behind `-- key:` in a text.
fn words(text: &str, key: &str) -> Option<BTreeSet<String>> {
    let mark = format!("-- {key}:");
    let line = text.lines().find_map(|line| line.strip_prefix(&mark))?;
    Some(line.split_whitespace().map(str::to_owned).collect())
}

fn firmware(text: &str, dialect: Dialect) -> Firmware<'static> {
    let chip = words(text, "for").and_then(|mut chip| chip.pop_first());
    let api = match chip.as_deref() {
        Some("esp32") => api::esp32(),
        _ => api::esp8266(),
    };
    let without = words(text, "without");
    let all = api.modules.keys();
    let enabled = without.map(|without| all.filter(|m| !without.contains(*m)).cloned().collect());
    let undefined = words(text, "undefined").unwrap_or_default();
    Firmware {
        api,
        chip,
        language: match dialect {
            Dialect::Lua51 => &api::languages().lua51,
            Dialect::Lua53 => &api::languages().lua53,
        },
        enabled,
        macros: undefined.into_iter().map(|name| (name, false)).collect(),
        said_by: None,
    }
}

/// Line and rule of each mark.
fn marks(text: &str) -> BTreeSet<(u32, String)> {
    let lines = (1..).zip(text.lines());
    let marked =
        lines.filter_map(|(line, text)| Some((line, text.split_once("--> ")?.1.to_owned())));
    marked.collect()
}

/// Those of its modules with this need.
fn with(needs: &Needs, need: Need) -> BTreeSet<String> {
    let modules = needs.modules().into_iter();
    let found = modules.filter(|(_, found)| *found == need);
    found.map(|(name, _)| name.to_owned()).collect()
}

fn check(path: &Path, variant: &str) {
    let text = fs::read_to_string(path).unwrap();
    let shown = format!("{} for {variant}", path.display());
    let layout = Variants::built_in().get(variant).unwrap().layout;
    let chunk = compile(&layout, b"@test", text.as_bytes(), HEAP_LIMIT).unwrap();
    let named = [Named {
        name: "test",
        chunk: &chunk,
    }];
    let needs = needs_of(&named);
    for (key, need) in [
        ("needed", Need::Needed),
        ("optional", Need::Optional),
        ("passed", Need::Passed),
    ] {
        if let Some(expected) = words(&text, key) {
            assert_eq!(with(&needs, need), expected, "{shown}: {key}");
        }
    }
    if let Some(count) = words(&text, "unknown") {
        let count: usize = count.first().unwrap().parse().unwrap();
        assert_eq!(needs.unknown.len(), count, "{shown}: {:?}", needs.unknown);
    }
    let mut globals = words(&text, "globals").unwrap_or_default();
    globals.extend(words(&text, "luacheck").unwrap_or_default());
    let firmware = firmware(&text, layout.dialect());
    let findings = judge(&needs, Some(&firmware), &globals);
    let found: BTreeSet<(u32, String)> = findings
        .iter()
        .map(|finding| {
            let line = needs.uses[finding.at].line.unwrap();
            (line, finding.rule.name().to_owned())
        })
        .collect();
    assert_eq!(found, marks(&text), "{shown}: {findings:#?}");
}

#[test]
fn files_need_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lua = words(&text, "lua").and_then(|mut lua| lua.pop_first());
        for (version, variant) in [("51", "lua51-float"), ("53", "lua53-int32-float32")] {
            if lua.as_deref().is_none_or(|lua| lua == version) {
                check(&path, variant);
                files += 1;
            }
        }
    }
    assert!(files > 20);
}

/// Every rule is broken by a line of some file.
#[test]
fn each_rule_has_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (_, rule) in marks(&text) {
            *seen.entry(rule).or_default() += 1;
        }
    }
    for rule in fastlua_needs::Rule::ALL {
        assert!(seen.contains_key(rule.name()), "{}", rule.name());
    }
    assert_eq!(seen.len(), fastlua_needs::Rule::ALL.len());
}

/// Without debug data the same modules are found, without lines.
#[test]
fn stripped_chunks_need_the_same_modules() {
    let text = "local tmr, t = tmr\nfunction go() t = tmr.create() t:start() gpio.write(1, 1) end\nreturn net.dns";
    for variant in ["lua51-int", "lua53-int32-float32"] {
        let layout = Variants::built_in().get(variant).unwrap().layout;
        let mut chunk = compile(&layout, b"@test", text.as_bytes(), HEAP_LIMIT).unwrap();
        let needs = |chunk: &fastlua_bytecode::Chunk| {
            let needs = needs_of(&[Named {
                name: "test",
                chunk,
            }]);
            let modules = needs.modules();
            let modules = modules
                .into_iter()
                .map(|(name, need)| (name.to_owned(), need));
            let names: BTreeSet<String> = needs.uses.iter().map(|one| one.name.clone()).collect();
            (modules.collect::<Vec<_>>(), names)
        };
        let before = needs(&chunk);
        chunk.strip(Strip::Lines);
        assert_eq!(needs(&chunk), before, "{variant}");
        assert!(before.1.contains("tmr.timer:start"), "{:?}", before.1);
    }
}

/// Chunks are one program: what one sets or returns, another has.
#[test]
fn chunks_work_together() {
    let layout = Variants::built_in().get("lua51-float").unwrap().layout;
    let texts = [
        (
            "main",
            "local lib = require 'lib'\nlib.timer:start()\nlib.timer:go()\nshared()\nfast.part()\ndofile('part.lua')\nrequire 'elsewhere'",
        ),
        (
            "lib",
            "function shared() end\nreturn { timer = tmr.create() }",
        ),
        ("part", "print(shared)"),
    ];
    let chunks = texts.map(|(name, text)| {
        let chunk = compile(&layout, b"@test", text.as_bytes(), HEAP_LIMIT).unwrap();
        (name, chunk)
    });
    let named: Vec<Named> = chunks
        .iter()
        .map(|(name, chunk)| Named { name, chunk })
        .collect();
    let needs = needs_of(&named);
    let findings = judge(&needs, None, &BTreeSet::new());
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.rule.name(), needs.uses[f.at].line))
        .collect();
    assert_eq!(found, [("method-absent", Some(3))]);
    let missing: Vec<&str> = needs.missing.iter().map(|m| m.what.as_str()).collect();
    assert_eq!(missing, ["elsewhere"]);
}

/// Many assignments to one global, each with another value, come to an end.
#[test]
fn values_without_end_are_unknown() {
    let mut text = String::new();
    for number in 0..200 {
        text += &format!(
            "function f{number}() g = g and g.a{number} or {{ b = g }} h = g h.x = f{} end\n",
            (number + 1) % 200
        );
    }
    let layout = Variants::built_in().get("lua51-float").unwrap().layout;
    let chunk = compile(&layout, b"@test", text.as_bytes(), HEAP_LIMIT).unwrap();
    let needs = needs_of(&[Named {
        name: "test",
        chunk: &chunk,
    }]);
    assert!(needs.set.contains("g"));
}
