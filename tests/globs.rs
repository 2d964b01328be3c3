//! Globs end, whatever the folders are.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use support::{fail, fastlua, put, succeed};

/// A folder with modules, two links that lead back to it, and links to a folder and a file elsewhere.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    for name in ["a.lua", "b/c.lua", "b/d/e.lua", "b/.hidden.lua"] {
        put(f, &format!("project/{name}"), "return 1");
    }
    put(f, "elsewhere/x.lua", "return 1");
    for name in ["one", "two", "b/three"] {
        symlink(".", f.join("project").join(name)).unwrap();
    }
    symlink("../elsewhere", f.join("project/other")).unwrap();
    symlink("../elsewhere/x.lua", f.join("project/linked.lua")).unwrap();
    folder
}

/// The files that a glob finds.
fn found(f: &Path, glob: &str) -> Vec<String> {
    let said = succeed(fastlua(f).args([
        "build",
        "-o",
        "out",
        "--variant",
        "lua51-int",
        "--json",
        glob,
    ]));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let chunks = json["chunks"].as_array().unwrap().iter();
    let mut names: Vec<_> = chunks
        .map(|chunk| chunk["file"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn links_to_folders_are_not_followed() {
    let folder = folder();
    let f = &folder.path().join("project");
    for (glob, names) in [
        (
            "**/*.lua",
            &[
                "a.lua",
                "b/.hidden.lua",
                "b/c.lua",
                "b/d/e.lua",
                "linked.lua",
            ][..],
        ),
        ("**/e.lua", &["b/d/e.lua"]),
        ("*/*.lua", &["b/.hidden.lua", "b/c.lua"]),
        ("*.lua", &["a.lua", "linked.lua"]),
        ("./[ab]*.lua", &["a.lua"]),
        ("b/**/*.lua", &["b/.hidden.lua", "b/c.lua", "b/d/e.lua"]),
        ("b/*/e.lua", &["b/d/e.lua"]),
        ("../project/?.lua", &["../project/a.lua"]),
        // a link that is named is meant
        ("other/*.lua", &["other/x.lua"]),
    ] {
        assert_eq!(found(f, glob), names, "{glob}");
    }
    let whole = format!("{}/b/*/*.lua", f.display());
    assert_eq!(
        found(folder.path(), &whole),
        [format!("{}/b/d/e.lua", f.display())]
    );
}

#[test]
fn every_command_and_fast_toml_ends() {
    let folder = folder();
    let f = &folder.path().join("project");
    put(f, "fast.toml", "[[module]]\npath = \"**/c.lua\"\n");
    succeed(fastlua(f).args(["build", "-o", "out"]));
    succeed(fastlua(f).args(["build", "-o", "out", "--data", "**/c.lua"]));
    succeed(fastlua(f).args([
        "lfs",
        "--variant",
        "lua51-int",
        "-o",
        "x.img",
        "**/[ce].lua",
    ]));
    succeed(fastlua(f).args(["compile", "-p", "**/*.lua"]));
    succeed(fastlua(f).args([
        "bench",
        "--on",
        "host",
        "--variant",
        "lua51-int",
        "**/e.lua",
    ]));
    succeed(fastlua(f).args(["run", "**/e.lua", "-e", "x = 1"]));
    let said = fail(fastlua(f).args(["check", "**/*.lc"]));
    assert!(said.contains("**/*.lc matches no file"), "{said}");
    // the simulated file system sees no folder and no link
    succeed(fastlua(f).args([
        "run",
        "--fs",
        ".",
        "-e",
        "assert(file.list()['a.lua'] and not file.list().one)",
    ]));
    let rule = succeed(fastlua(f).args([
        "build", "**/c.lua", "-o", "out", "-M", "-", "--stamp", "s", "-q",
    ]));
    assert!(
        rule.contains("s: \\\n  . \\\n  b \\\n  b/c.lua\n"),
        "{rule}"
    );
}

#[test]
fn deep_folders_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let deep = |depth: usize| vec!["d"; depth].join("/");
    put(f, &format!("{}/a.lua", deep(100)), "return 1");
    assert_eq!(found(f, "**/*.lua").len(), 1);
    fs::create_dir_all(f.join(deep(101))).unwrap();
    let said = fail(fastlua(f).args(["compile", "-p", "**/*.lua"]));
    assert!(
        said.contains("folders in . are nested more than 100 deep: name a folder further down"),
        "{said}"
    );
    assert_eq!(found(f, &format!("{}/**/*.lua", deep(10))).len(), 1);
}
