//! The map of the code, `crates/README.md`, is what Cargo knows.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{root, succeed};

/// Each crate with those that it uses, under the names of their folders.
type Map = BTreeMap<String, BTreeSet<String>>;

/// `fastlua-bytecode` is `bytecode`, and the library itself `fastlua`.
fn folder(package: &str) -> Option<String> {
    match package.strip_prefix("fastlua") {
        Some("") => Some("fastlua".into()),
        Some(role) => role.strip_prefix(['-', '_']).map(str::to_owned),
        None => None,
    }
}

fn of_cargo() -> Map {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_str(&succeed(&mut cargo)).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let mut map: Map = packages
        .filter_map(|package| {
            let dependencies = package["dependencies"].as_array()?.iter();
            let used = dependencies
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| folder(dependency["name"].as_str()?));
            Some((folder(package["name"].as_str()?)?, used.collect()))
        })
        .collect();
    // the command and the library are one package, so what each of them uses is in their sources only
    for part in ["cli", "fastlua"] {
        map.insert(part.into(), named_in(&root().join("crates").join(part)));
    }
    map
}

/// Our crates that the sources of a folder name.
fn named_in(folder_of_sources: &Path) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (_, line) in code_of(folder_of_sources) {
        let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let crates = names.filter(|name| line.contains(&format!("{name}::")));
        named.extend(crates.filter_map(folder));
    }
    named
}

/// The source lines of a folder that are not comments, each with its file and number.
fn code_of(folder_of_sources: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder_of_sources).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            all.extend(code_of(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let numbered = text.lines().zip(1..);
            let code = numbered.filter(|(line, _)| !line.trim_start().starts_with("//"));
            all.extend(code.map(|(line, n)| (format!("{}:{n}", path.display()), line.to_owned())));
        }
    }
    all
}

/// The lines of the first block of text, in their order.
fn drawn() -> Vec<(String, BTreeSet<String>)> {
    let map = fs::read_to_string(root().join("crates/README.md")).unwrap();
    let (_, block) = map.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.collect())
    };
    block.lines().map(line).collect()
}

#[test]
fn the_map_is_what_cargo_knows() {
    let drawn: Map = drawn().into_iter().collect();
    assert_eq!(drawn, of_cargo());
}

#[test]
fn every_crate_uses_what_stands_below_it() {
    let mut below: BTreeSet<String> = BTreeSet::new();
    for (name, used) in drawn().into_iter().rev() {
        assert!(used.is_subset(&below), "{name} uses {used:?}");
        below.insert(name);
    }
}

/// Every folder of `crates/` has a paragraph.
#[test]
fn the_map_names_every_crate() {
    let map = fs::read_to_string(root().join("crates/README.md")).unwrap();
    for name in of_cargo().keys() {
        assert!(
            map.contains(&format!("\n**{name}** ")),
            "{name} has no paragraph"
        );
    }
}

/// Other programs call the library: what to type is the command's own matter.
#[test]
fn errors_of_the_library_name_no_option() {
    for name in drawn().into_iter().map(|(name, _)| name) {
        // the generated C tells how to make it anew
        let is_ours =
            ["cli", "fuzz", "testing", "bench", "emulator", "simulator"].contains(&&*name);
        if is_ours {
            continue;
        }
        let sources = root().join("crates").join(&name).join("src");
        for (place, line) in code_of(&sources) {
            let names_option = line.match_indices("--").any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + 2..].chars().next();
                after.is_some_and(|c| c.is_ascii_lowercase())
                    && before.is_some_and(|c| " (`\"".contains(c))
            });
            // generated C says how to make it anew
            let is_generated = place.contains("/output/");
            assert!(!names_option || is_generated, "{place}: {line}");
        }
    }
}
