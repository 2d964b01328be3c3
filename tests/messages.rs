//! What the command says of usual mistakes: what is wrong, and what to do.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{call, fail, firmware, put, run, succeed};
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

/// What is on standard output, as JSON, of a command that ends so.
fn json(folder: &Path, arguments: &str, status: i32) -> (Value, String) {
    let output = run(&mut call(folder, arguments));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments}: {said}");
    let json = serde_json::from_slice(&output.stdout);
    let json = json.unwrap_or_else(|error| panic!("{arguments}: {error}: {said}"));
    (json, said)
}

#[test]
fn an_error_is_json_where_json_is_asked_for() {
    let folder = folder();
    let f = folder.path();
    fs::write(f.join("bad.lua"), "return\n  return").unwrap();
    fs::write(f.join("number.lua"), "local big = 4294967297").unwrap();
    fs::write(f.join("split.lua"), "--[[SPLIT HERE a]]").unwrap();
    let toml = "[[module]]\npath = \"a.lua\"\n  nmae = \"b\"\n";
    fs::write(f.join("fast.toml"), toml).unwrap();
    put(f, "boards/my.toml", "summary = \"x\"\nfomat = 1\n");
    put(
        f,
        "tree/app/include/user_config.h",
        "#if SOMETHING_ELSE\n#define LUA_NUMBER_INTEGRAL\n#endif\n",
    );
    for (arguments, status, file, line, column, message) in [
        (
            "build bad.lua -o out --json",
            1,
            "bad.lua",
            2,
            3,
            "unexpected symbol near 'return'",
        ),
        (
            "bench bad.lua --chip host --json -",
            1,
            "bad.lua",
            2,
            3,
            "unexpected symbol near 'return'",
        ),
        (
            "lfs bad.lua --variant lua51-int -o a.img --json",
            1,
            "bad.lua",
            2,
            3,
            "unexpected symbol near 'return'",
        ),
        (
            "build number.lua -o out --variant lua51-int --json",
            1,
            "number.lua",
            1,
            13,
            "4294967297 does not fit",
        ),
        ("build split.lua -o out --json", 1, "split.lua", 1, 0, ""),
        (
            "build fast.toml -o out --json",
            1,
            "fast.toml",
            3,
            3,
            "unknown field `nmae`",
        ),
        (
            "build no.lua -o out --json",
            1,
            "no.lua",
            0,
            0,
            "can't be read",
        ),
        (
            "check no.lc a.lua --variant lua5 --json",
            2,
            "",
            0,
            0,
            "no variant is named lua5",
        ),
        ("inspect no.bin --json", 1, "no.bin", 0, 0, "can't be read"),
        (
            "patch no.bin a.lua -o mine.bin --json",
            1,
            "no.bin",
            0,
            0,
            "can't be read",
        ),
        (
            "patch a.lua a.lua -o mine.bin --json",
            1,
            "a.lua",
            0,
            0,
            "slot",
        ),
        (
            "variants --variants no --json",
            1,
            "no",
            0,
            0,
            "can't be read",
        ),
        (
            "variants --variants boards --json",
            1,
            "boards/my.toml",
            2,
            1,
            "unknown field `fomat`",
        ),
        (
            "build a.lua --json",
            2,
            "",
            0,
            0,
            "required arguments were not provided",
        ),
        (
            "build a.lua -o out --json --variant",
            2,
            "",
            0,
            0,
            "a value is required",
        ),
    ] {
        let (json, said) = json(f, arguments, status);
        assert_eq!(json["schema"], "fastlua-error/2", "{arguments}");
        let [error] = &json["errors"].as_array().unwrap()[..] else {
            panic!("{arguments}: {json}");
        };
        let number = |number: u32| match number {
            0 => Value::Null,
            number => number.into(),
        };
        assert_eq!(error["severity"], "error", "{arguments}");
        assert_eq!(
            error["file"].as_str().unwrap_or(""),
            file,
            "{arguments}: {json}"
        );
        assert_eq!(error["line"], number(line), "{arguments}: {json}");
        assert_eq!(error["column"], number(column), "{arguments}: {json}");
        let text = error["message"].as_str().unwrap();
        assert!(text.contains(message), "{arguments}: {json}");
        assert!(
            !text.starts_with("error") && !text.starts_with(&format!("{file}:")),
            "{json}"
        );
        let first = text.lines().next().unwrap();
        assert!(said.contains(first), "{arguments}: {said}: {first}");
    }
}

#[test]
fn several_errors_are_several_entries() {
    let folder = folder();
    let f = folder.path();
    put(f, "float.lua", "return 0.5");
    put(f, "new.lua", "\nreturn 7 // 2");
    let (json, _) = json(f, "build float.lua new.lua -o out --json", 1);
    let places: Vec<_> = json["errors"].as_array().unwrap().iter().collect();
    assert_eq!(places.len(), 2, "{json}");
    assert_eq!(places[0]["variants"], serde_json::json!(["lua51-int"]));
    assert_eq!(places[1]["line"], 2);
    assert!(
        json["help"].as_str().unwrap().contains("--variant lua53-"),
        "{json}"
    );
    let (json, _) = self::json(f, "build no.lua float.lua none.lua -o out --json", 1);
    let files: Vec<_> = json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["file"])
        .collect();
    assert_eq!(files, ["no.lua", "none.lua"]);
    let (json, _) = self::json(f, "check a.lua float.lua --json", 1);
    assert_eq!(json["schema"], "fastlua-check/3");
    for (file, name) in json["files"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["a.lua", "float.lua"])
    {
        assert_eq!(file["errors"][0]["file"], name, "{json}");
        assert_eq!(file["ok"], false);
    }
    let (json, _) = self::json(f, "inspect a.lua --json", 1);
    assert_eq!(json["errors"][0]["file"], "a.lua", "{json}");
    put(f, "zero.lua", "return 9007199254740993");
    let (json, _) = self::json(f, "build zero.lua -o out --variant lua51-float --json", 0);
    assert_eq!(json["warnings"][0]["column"], 8, "{json}");
    assert_eq!(json["warnings"][0]["severity"], "warning");
    let (json, _) = self::json(f, "lfs zero.lua -o a.img --variant lua51-float --json", 0);
    assert_eq!(json["warnings"][0]["line"], 1, "{json}");
}

/// What stands in some variants only says why, and what to type.
#[test]
fn what_one_variant_refuses_says_what_to_type() {
    let folder = folder();
    let f = folder.path();
    put(f, "float.lua", "local t = 0.5 return t");
    put(f, "power.lua", "return 1e3");
    put(f, "new.lua", "return 7 // 2");
    put(f, "bits.lua", "return 3 & 1");
    put(f, "jump.lua", "goto done ::done::");
    put(f, "old.lua", "local goto = 1 return goto");
    put(f, "both.lua", "local t = 0.5 ) return t");
    put(
        f,
        "two.toml",
        "variants = [\"lua51-float\", \"lua51-int\"]\n[[module]]\npath = \"float.lua\"\n",
    );
    put(
        f,
        "tree/app/include/user_config.h",
        "#define LUA_NUMBER_INTEGRAL\n",
    );
    put(
        f,
        "nodemcu.bin",
        firmware::raw(&[firmware::head("lua51-int", 64 << 10)]),
    );
    let whole = "lua51-int has whole numbers only\n";
    for (arguments, says) in [
        (
            "build float.lua -o out",
            &[whole, "--variant lua51-float, or --firmware DIR"][..],
        ),
        (
            "build power.lua -o out",
            &[whole, "--variant lua51-float, or --firmware DIR"],
        ),
        (
            "build float.lua -o out --as source",
            &[whole, "--variant lua51-float"],
        ),
        (
            "build new.lua -o out",
            &[
                "[lua51-float, lua51-int]",
                "new.lua is Lua 5.3, and lua51-float and lua51-int have Lua 5.1",
                "--variant lua53-int32-float32, or --firmware",
            ],
        ),
        (
            "build bits.lua jump.lua -o out",
            &["bits.lua and jump.lua are Lua 5.3", "--variant lua53-"],
        ),
        (
            "build old.lua float.lua -o out",
            &[
                "old.lua is Lua 5.1",
                "--variant lua51-float, or --firmware DIR",
                "(lua51-float takes it)",
            ],
        ),
        (
            "build float.lua -o out --variant lua51-int --variant lua51-float",
            &[whole, "\nleave out --variant lua51-int\n"],
        ),
        (
            "build float.lua -o out --variant lua51-int",
            &[whole, "another one: --variant lua51-float"],
        ),
        (
            "build two.toml -o out",
            &[whole, "take lua51-int out of `variants`"],
        ),
        (
            "build float.lua -o out --firmware tree",
            &[whole, "the firmware tree is set to lua51-int; lua51-float"],
        ),
        (
            "compile float.lua --variant lua51-int",
            &[whole, "--variant lua51-float"],
        ),
        (
            "compile old.lua --variant lua53-int32-float32",
            &[
                "old.lua is Lua 5.1, and lua53-int32-float32 has Lua 5.3",
                "--variant lua51-float",
            ],
        ),
        (
            "squash new.lua --variant lua51-int",
            &["new.lua is Lua 5.3", "--variant lua53-"],
        ),
        (
            "squash float.lua --variant lua51-int",
            &[whole, "--variant lua51-float"],
        ),
        ("squash both.lua", &["near ')'"]),
        (
            "lfs float.lua --variant lua51-int -o a.img",
            &[whole, "--variant lua51-float"],
        ),
        (
            "patch nodemcu.bin float.lua -o mine.bin",
            &[whole, "the slot is for lua51-int; lua51-float"],
        ),
        (
            "bench new.lua --chip host",
            &["new.lua is Lua 5.3", "--variant lua53-int32-float32"],
        ),
    ] {
        let said = fail(&mut call(f, arguments));
        for part in says {
            assert!(said.contains(part), "{arguments}: {part}: {said}");
        }
    }
    let said = fail(&mut call(f, "build new.lua old.lua -o out"));
    assert!(!said.contains("--variant"), "nothing helps: {said}");
    let said = fail(&mut call(f, "check float.lua"));
    assert!(
        said.contains("`fastlua compile` makes bytecode of it"),
        "{said}"
    );
}

/// What no variant takes names none, also where the forms that the chip compiles are looked at.
#[test]
fn what_no_variant_takes_names_none() {
    let folder = folder();
    let f = folder.path();
    put(f, "faulty.lua", "return return");
    for arguments in [
        "build faulty.lua -o out",
        "build faulty.lua --as source -o out",
        "build faulty.lua --as deflated --variant lua53-int32-float32 -o out",
        "bench faulty.lua --on host",
        "bench faulty.lua --as source --on host",
        "lfs faulty.lua --variant lua51-int -o lfs.img",
    ] {
        let said = fail(&mut call(f, arguments));
        assert!(said.contains("faulty.lua:1: "), "{arguments}: {said}");
        assert!(!said.contains("--variant"), "{arguments}: {said}");
    }
}
