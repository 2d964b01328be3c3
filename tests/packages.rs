//! What is published: the same version, licence and place everywhere, and packages that have all that they need.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use support::{root, succeed};

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn metadata() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_str(&succeed(cargo.current_dir(root()))).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Whether it is meant for the registry.
fn is_published(package: &Value) -> bool {
    package["publish"].is_null()
}

#[test]
fn what_is_published_says_all_that_a_registry_asks_for() {
    let packages = metadata();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for package in packages.iter().filter(|p| is_published(p)) {
        names.insert(package["name"].as_str().unwrap());
        for key in [
            "description",
            "license",
            "repository",
            "readme",
            "rust_version",
        ] {
            assert!(package[key].is_string(), "{}: {key}", package["name"]);
        }
        let license = match package["name"].as_str() {
            // they have SoftFloat in them
            Some("fastlua" | "fastlua-emulator") => "MIT AND BSD-3-Clause",
            _ => "MIT",
        };
        assert_eq!(package["license"], license, "{}", package["name"]);
        let manifest = package["manifest_path"].as_str().unwrap();
        let licence = fs::read(manifest.replace("Cargo.toml", "LICENSE")).unwrap();
        assert!(licence.len() > 20, "{manifest}");
    }
    assert!(
        names.contains("fastlua") && !names.contains("fastlua-fuzz"),
        "{names:?}"
    );
    // what one needs is published too, in this very version
    for package in packages.iter().filter(|p| is_published(p)) {
        let version = format!("={}", package["version"].as_str().unwrap());
        for used in package["dependencies"].as_array().unwrap() {
            let name = used["name"].as_str().unwrap();
            // what only tests use may go without a version: then no package has it
            let is_left_out = used["kind"] == "dev" && used["req"] == "*";
            if name.starts_with("fastlua") && !is_left_out {
                assert!(names.contains(name), "{} uses {name}", package["name"]);
                assert_eq!(
                    used["req"],
                    version.as_str(),
                    "{} uses {name}",
                    package["name"]
                );
            }
        }
    }
}

#[test]
fn the_version_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    for package in metadata() {
        assert_eq!(package["version"], version, "{}", package["name"]);
    }
    let component = text("pipelines/esp-idf/fastlua/idf_component.yml");
    assert!(component.contains(&format!("version: \"{version}\"\n")));
    assert!(text("action.yml").contains(&format!("    default: {version}\n")));
    let workflow = text("examples/github/.github/workflows/modules.yml");
    assert!(workflow.contains(&format!("fastlua@v{version}\n")));
    let wheel = text("pyproject.toml");
    assert!(wheel.contains("dynamic = [\"version\"]") && !wheel.contains("\nversion"));
}

#[test]
fn the_place_and_the_licence_are_the_same_everywhere() {
    let packages = metadata();
    let place = packages[0]["repository"].as_str().unwrap();
    for package in packages.iter().filter(|p| is_published(p)) {
        assert_eq!(package["repository"], place, "{}", package["name"]);
    }
    let component = text("pipelines/esp-idf/fastlua/idf_component.yml");
    assert!(
        component.contains(&format!("url: {place}\n")),
        "{component}"
    );
    let fastlua = packages.iter().find(|p| p["name"] == "fastlua").unwrap();
    let license = fastlua["license"].as_str().unwrap();
    assert!(text("pyproject.toml").contains(&format!("license = \"{license}\"\n")));
}

/// The files of each package, by Cargo's own list: nothing that a crate includes lies outside its folder.
#[test]
fn packages_have_the_files_that_they_include() {
    let mut included = 0;
    for package in metadata().iter().filter(|p| is_published(p)) {
        let name = package["name"].as_str().unwrap();
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = manifest.strip_suffix("Cargo.toml").unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["package", "--list", "--allow-dirty", "--locked", "-p", name]);
        let listed = succeed(cargo.current_dir(root()));
        let files: BTreeSet<&str> = listed.lines().collect();
        for needed in ["LICENSE", "README.md", "Cargo.toml"] {
            let has = files.contains(needed)
                || (needed == "README.md" && files.contains("lua/README.md"));
            assert!(has, "{name} lacks {needed}");
        }
        for file in files.iter().filter(|file| file.ends_with(".rs")) {
            let Ok(source) = fs::read_to_string(format!("{folder}{file}")) else {
                continue;
            };
            let source = source.split("#[cfg(doctest)]").next().unwrap();
            for part in source.split("include_").skip(1) {
                let literals = ["str!(\"", "bytes!(\"", "dir!(\""];
                let Some(literal) = literals.iter().find_map(|macro_| part.strip_prefix(macro_))
                else {
                    continue;
                };
                let named = literal.split('"').next().unwrap();
                // the page, where whoever builds it says
                if named == "$FASTLUA_PAGE" {
                    continue;
                }
                included += 1;
                let at = match named.strip_prefix("$CARGO_MANIFEST_DIR/") {
                    Some(path) => path.to_owned(),
                    None => format!(
                        "{}/{named}",
                        file.rsplit_once('/').map_or(".", |(folder, _)| folder)
                    ),
                };
                let mut parts: Vec<&str> = Vec::new();
                for part in at.split('/') {
                    match part {
                        "." => {}
                        ".." => assert!(parts.pop().is_some(), "{name}: {file} includes {named}"),
                        part => parts.push(part),
                    }
                }
                let at = parts.join("/");
                let below = format!("{at}/");
                let has = files
                    .iter()
                    .any(|file| **file == at || file.starts_with(&below));
                assert!(has, "{name}: {file} includes {named}");
            }
        }
    }
    assert!(included > 40, "{included}");
}

/// A tag can be moved to other code; a commit can't.
#[test]
fn our_workflows_name_actions_by_commit() {
    let mut used = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            if action.starts_with("./") || action.starts_with("pypa/") {
                continue;
            }
            let (_, version) = action.split_once('@').unwrap();
            let (commit, version) = version.split_once(" # v").unwrap_or((version, ""));
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{path:?}: {line}");
            used += 1;
        }
    }
    assert!(used > 10, "{used}");
}
