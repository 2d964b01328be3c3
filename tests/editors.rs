//! The definitions for editors name what the chip has: the functions of fast.c, and the modules that fastlua ships.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use support::docs::blocks;
use support::root;

const DEFINITIONS: &str = "editors/lua-language-server/fast.lua";

/// The parameters of a function, with a question mark behind those that can be left out.
type Parameters = Vec<String>;

struct Definitions {
    /// By their names, such as `fast.load` and `Ftp:open`.
    functions: BTreeMap<String, Parameters>,
    /// The classes with their fields.
    fields: BTreeMap<String, BTreeSet<String>>,
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn definitions() -> Definitions {
    let mut functions = BTreeMap::new();
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut described, mut class) = (Vec::new(), String::new());
    for line in text(DEFINITIONS).lines() {
        let word = |tag: &str| {
            let rest = line.strip_prefix(tag)?;
            rest.split(' ').next().map(str::to_owned)
        };
        if let Some(name) = word("---@param ") {
            described.push(name);
        } else if let Some(name) = word("---@class ") {
            class = name;
        } else if let Some(name) = word("---@field ") {
            fields.entry(class.clone()).or_default().insert(name);
        } else if let Some(head) = line.strip_prefix("function ") {
            let (name, rest) = head.split_once('(').unwrap();
            let (parameters, _) = rest.split_once(')').unwrap();
            let of_line: Vec<&str> = parameters.split(", ").filter(|p| !p.is_empty()).collect();
            let plain: Vec<&str> = described.iter().map(|p| p.trim_end_matches('?')).collect();
            assert_eq!(
                plain, of_line,
                "{name}: each parameter has its line, in order"
            );
            let twice = functions.insert(name.to_owned(), std::mem::take(&mut described));
            assert!(twice.is_none(), "{name} is there twice");
        }
    }
    Definitions { functions, fields }
}

/// The names of a kind of call in C, such as `lua_setfield(L, -2, "name")`.
fn between<'a>(text: &'a str, before: &str, after: char) -> BTreeSet<&'a str> {
    let parts = text.split(before).skip(1);
    parts
        .map(|part| part.split(after).next().unwrap())
        .collect()
}

#[test]
fn functions_are_those_of_the_c_module_and_the_shipped_modules() {
    let c = fastlua_firmware::fast_c();
    let (_, table) = c.split_once("LROT_BEGIN(fast, ").unwrap();
    let (table, _) = table.split_once("LROT_END").unwrap();
    let mut expected: BTreeSet<String> = between(table, "LROT_FUNCENTRY(", ',')
        .into_iter()
        .map(|name| format!("fast.{name}"))
        .collect();
    assert!(expected.len() >= 7, "{expected:?}");
    for (file, _) in fastlua_firmware::modules() {
        expected.insert(format!("fast.{}", file.trim_end_matches(".lua")));
    }
    let found = definitions().functions;
    let found: BTreeSet<String> = found
        .into_keys()
        .filter(|n| n.starts_with("fast."))
        .collect();
    assert_eq!(found, expected);
}

/// `name [, offset [, length]]` as the documentation of the C module has them.
#[test]
fn parameters_of_c_functions_are_those_of_the_documentation() {
    let page = text("pipelines/nodemcu/docs/modules/fast.md");
    let mut compared = 0;
    for (name, parameters) in definitions().functions {
        let Some((_, rest)) = page.split_once(&format!("#### Syntax\n`{name}(")) else {
            continue;
        };
        let (syntax, _) = rest.split_once(')').unwrap();
        let (needed, optional) = syntax.split_once('[').unwrap_or((syntax, ""));
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric());
            words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
        };
        let optional = words(optional).into_iter().map(|name| format!("{name}?"));
        let expected: Vec<String> = words(needed).into_iter().chain(optional).collect();
        assert_eq!(parameters, expected, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 7);
}

/// Of a module's methods those are public that its documentation shows.
#[test]
fn methods_and_parameters_are_those_of_the_shipped_modules() {
    let page = text("crates/firmware/lua/README.md");
    let Definitions { functions, .. } = definitions();
    let mut expected: BTreeMap<String, Parameters> = BTreeMap::new();
    for (file, source) in fastlua_firmware::modules() {
        let name = file.trim_end_matches(".lua");
        let source = std::str::from_utf8(source).unwrap();
        // what stands before `= ...`, behind this text
        let parameters = |source: &str| -> Parameters {
            let line = source.lines().find(|line| line.ends_with(" = ..."));
            let names = line.and_then(|line| line.strip_prefix("local "));
            let names = names.map_or("", |names| names.trim_end_matches(" = ..."));
            names
                .split(", ")
                .filter(|n| !n.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (own, _) = source.split_once("\nfunction M.").unwrap_or((source, ""));
        expected.insert(format!("fast.{name}"), parameters(own));
        let class = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        for method in between(&page, &format!("fast.{name}():"), '(') {
            let (_, body) = source
                .split_once(&format!("\nfunction M.{method}(...)"))
                .unwrap_or_else(|| panic!("{name} has no {method}"));
            let mut parameters = parameters(body);
            assert_eq!(parameters.remove(0), "self", "{name} {method}");
            expected.insert(format!("{class}:{method}"), parameters);
        }
    }
    assert_eq!(expected.keys().filter(|name| name.contains(':')).count(), 8);
    let of_c: BTreeSet<&str> = [
        "data", "info", "list", "load", "searcher", "size", "verbose",
    ]
    .into();
    let plain = |(name, parameters): (String, Parameters)| {
        let names = parameters
            .into_iter()
            .map(|p| p.trim_end_matches('?').to_owned());
        (name, names.collect::<Parameters>())
    };
    let mut found: BTreeMap<String, Parameters> = functions.into_iter().map(plain).collect();
    found.retain(|name, _| !name.strip_prefix("fast.").is_some_and(|n| of_c.contains(n)));
    assert_eq!(found, expected);
}

#[test]
fn fields_are_those_that_the_c_module_sets() {
    let c = fastlua_firmware::fast_c();
    let (_, info) = c.split_once("static int fast_info").unwrap();
    let (info, _) = info.split_once("\n}\n").unwrap();
    let slot = fastlua_firmware::fast_slot_h();
    for (class, code) in [("fast.Info", info), ("fast.Slot", &slot)] {
        let set = between(code, "lua_setfield(L, -2, \"", '"');
        assert!(set.len() >= 5, "{class}: {set:?}");
        let fields = &definitions().fields[class];
        let fields: BTreeSet<&str> = fields.iter().map(|f| f.trim_end_matches('?')).collect();
        assert_eq!(fields, set, "{class}");
    }
    let forms = text(DEFINITIONS);
    let forms = between(&forms, "\n---| \"", '"');
    let (_, kinds) = c.split_once("kinds[] = {").unwrap();
    let (kinds, _) = kinds.split_once('}').unwrap();
    let mut expected = between(kinds, ", \"", '"');
    expected.extend(["bytecode", "frozen"]);
    assert_eq!(forms, expected);
}

/// The settings that the documentation shows can be copied.
#[test]
fn the_settings_are_json() {
    let (blocks, _) = blocks(&text("docs/first-module.md"));
    let (_, settings) = blocks
        .iter()
        .find(|(language, _)| language == "json")
        .unwrap();
    let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
    assert!(settings["workspace.library"].is_array(), "{settings}");
}
