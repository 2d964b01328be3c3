//! What the command says of usual mistakes: what is wrong, and what to do.

mod support;

use std::fs;

use support::{call, fail, put, run, succeed};
use tempfile::TempDir;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.lua", "return 1");
    put(folder.path(), "more/a.lua", "return 2");
    put(folder.path(), "config.lua", "return 'mine'");
    put(folder.path(), "info.lua", "return 3");
    folder
}

#[test]
fn a_mistake_is_called_by_its_name() {
    let folder = folder();
    let f = folder.path();
    for (arguments, says) in [
        ("build a.lua a.lua -o out", "a.lua is given twice"),
        (
            "build a.lua more/a.lua -o out",
            "a.lua and more/a.lua: both have a chunk \"a\"",
        ),
        ("build more -o out", "more can't be read: it is a folder"),
        ("build - -o out", "standard input can't be a module"),
        (
            "build a.lua -o config.lua",
            "config.lua is a file, and -o takes a folder",
        ),
        (
            "build a.lua -o out -M no/deps.d",
            "no/deps.d can't be written: there is no folder no",
        ),
        (
            "build config.lua --with provisioning -o out",
            "config.lua: fastlua ships a module config too; give yours another name",
        ),
    ] {
        let said = fail(&mut call(f, arguments));
        assert!(said.contains(says), "{arguments}: {said}");
        assert!(!said.contains(".fastlua-"), "{arguments}: {said}");
        assert!(!f.join("out/fast.c").exists(), "{arguments}");
    }
}

#[test]
fn a_file_takes_the_place_of_a_shipped_module() {
    let folder = folder();
    let f = folder.path();
    let all = succeed(&mut call(
        f,
        "build --with provisioning --variant lua51-int -o all",
    ));
    let said = succeed(&mut call(
        f,
        "build config.lua --with provisioning --replace --variant lua51-int -o out",
    ));
    assert!(all.contains("\nconfig-boot "), "{all}");
    assert!(
        said.contains("\nconfig ") && said.contains("\ntelnet-open "),
        "{said}"
    );
    assert!(!said.contains("\nconfig-boot "), "{said}");
}

#[test]
fn a_chunk_that_hides_behind_a_function_of_fast_gets_a_warning() {
    let folder = folder();
    let output = run(&mut call(folder.path(), "build info.lua -o out"));
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "warning: info.lua: fast.info is a function of fast itself; the chunk is loaded with fast.load'info' only\n"
    );
}

#[test]
fn an_error_is_json_where_json_is_asked_for() {
    let folder = folder();
    let f = folder.path();
    fs::write(f.join("bad.lua"), "return return").unwrap();
    for (arguments, status) in [
        ("build bad.lua -o out --json", 1),
        ("build no.lua -o out --json", 1),
        ("check a.lua --variant lua5 --json", 2),
        ("inspect no.bin --json", 1),
        ("patch no.bin a.lua -o mine.bin --json", 1),
        ("variants --variants no --json", 1),
    ] {
        let output = run(&mut call(f, arguments));
        assert_eq!(output.status.code(), Some(status), "{arguments}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments}: {error}: {output:?}"));
        let error = json["error"].as_str().unwrap_or_default();
        assert_eq!(json["schema"], "fastlua-error/1", "{arguments}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(error.lines().next().unwrap()),
            "{arguments}: {said}: {error}"
        );
    }
}
