//! Input that is large or deep: it is taken, or refused with a clear message and its place.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{fail, fastlua, put, succeed};

/// fastlua with these arguments where a process may have so many files open.
fn with_handles(handles: usize, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.current_dir(folder);
    command.args(["-c", &format!("ulimit -n {handles}; exec \"$@\""), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_fastlua")).args(args);
    command
}

#[test]
fn more_outputs_than_open_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "--[[SPLIT MODULE m]]\nlocal M = {}\n".to_owned();
    for i in 0..200 {
        text += &format!("function M.f{i}() --[[SPLIT HERE m-f{i}]]\nend --[[SPLIT IGNORE]]\n");
        put(
            folder.path(),
            &format!("lua/m{i}.lua"),
            format!("return {i}"),
        );
    }
    put(folder.path(), "m.lua", text);
    put(
        folder.path(),
        "fast.toml",
        "[[module]]\npath = \"lua/*.lua\"\n",
    );
    for args in [
        &["split", "m.lua", "-o", "out"][..],
        &[
            "build",
            "--emit",
            "header",
            "--variant=lua51-int",
            "-o",
            "out",
        ],
    ] {
        succeed(&mut with_handles(60, folder.path(), args));
    }
    assert_eq!(
        fs::read_dir(folder.path().join("out")).unwrap().count(),
        403, // with fast_runtime.h and fast_runtime.c
    );
}

/// The commands that read source, with the words that go before the file.
const READERS: [&[&str]; 6] = [
    &["build", "-o", "out"],
    &["build", "--as", "source", "-o", "out"],
    &["compile", "-o", "x.lc", "--variant", "lua51-int"],
    &["compile", "-o", "x.lc", "--variant", "lua53-int64-float64"],
    &["squash"],
    &["split", "-o", "out"],
];

#[test]
fn deep_nesting_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (open, close, depth) in [
        ("(", ")", 1_000_000),
        ("{", "}", 1_000_000),
        ("f(", ")", 20_000),
        ("a[", "]", 20_000),
        ("not ", "", 20_000),
        ("- ", "", 20_000),
        ("function() return ", " end", 20_000),
    ] {
        let text = format!("return {}1{}\n", open.repeat(depth), close.repeat(depth));
        put(folder.path(), "deep.lua", text);
        for reader in READERS {
            if depth == 1_000_000 && reader[0] == "build" {
                continue;
            }
            let errors = fail(fastlua(folder.path()).args(reader).arg("deep.lua"));
            match reader[0] {
                "split" => assert!(errors.contains("has no SPLIT marker"), "{errors}"),
                _ => assert!(
                    errors.contains("deep.lua:1: ") && errors.contains("levels"),
                    "{open}: {errors}"
                ),
            }
        }
    }
}

#[test]
fn a_literal_of_100_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("return '{}'", "x".repeat(100 << 20));
    put(folder.path(), "long.lua", text);
    for reader in &READERS[2..3] {
        let errors = fail(fastlua(folder.path()).args(*reader).arg("long.lua"));
        assert!(errors.contains("long.lua: not enough memory"), "{errors}");
    }
}

#[test]
fn messages_do_not_repeat_long_tokens() {
    const LONG: usize = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        (format!("x = = {}", "a".repeat(LONG)), "near"),
        (format!("x = 1 '{}'", "a".repeat(LONG)), "near"),
        (
            format!("x = {}a", "1".repeat(LONG)),
            "malformed number near",
        ),
        (format!("x = 0x{}", "f".repeat(LONG)), "0xffff"),
        (format!("goto {}", "a".repeat(LONG)), "lua:1: "),
        (
            format!("--[[SPLIT {}]]", "a".repeat(LONG)),
            "is not a SPLIT marker",
        ),
        (
            format!("--[[SPLIT MODULE {}-]]", "a".repeat(LONG)),
            "cannot name a module",
        ),
        (
            format!(
                "--[[SPLIT MODULE m]]\n--[[SPLIT HERE {}+]]",
                "a".repeat(LONG)
            ),
            "cannot name a chunk",
        ),
    ] {
        put(folder.path(), "long.lua", text);
        for reader in READERS {
            let output = fastlua(folder.path())
                .args(reader)
                .arg("long.lua")
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.len() < 2_000, "{}", said.len());
            if reader[0] == "build" && reader.len() == 3 {
                assert!(said.contains("long.lua:") && said.contains(says), "{said}");
            }
        }
    }
}

#[test]
fn one_error_is_said_once_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "x.lua", "x = = 1");
    let breaks = "if x then break end\n".repeat(40_000);
    put(
        folder.path(),
        "breaks.lua",
        format!("while x do\n{breaks}end"),
    );
    for (file, says) in [
        ("x.lua", "error: x.lua:1: unexpected symbol near '='\n"),
        (
            "breaks.lua",
            "error: breaks.lua: too many labels/gotos (limit is 32767)\n",
        ),
    ] {
        let args = [
            "compile",
            "--variant",
            "lua53-int32-float32",
            "-o",
            "x.lc",
            file,
        ];
        assert_eq!(fail(fastlua(folder.path()).args(args)), says);
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let run = |file: &str| {
        for reader in &READERS[..4] {
            succeed(fastlua(folder.path()).args(*reader).arg(file));
        }
        let plain = [
            "build",
            "--as",
            "plain",
            "--variant",
            "lua51-int",
            "-o",
            "plain",
            file,
        ];
        succeed(fastlua(folder.path()).args(plain));
        let header = fs::read_to_string(folder.path().join("plain/fast_chunks.h")).unwrap();
        (
            fs::read(folder.path().join("x.lc")).unwrap(),
            succeed(fastlua(folder.path()).args(["squash", file])),
            header
                .lines()
                .filter(|line| line.starts_with("  0x"))
                .collect::<String>(),
        )
    };
    put(folder.path(), "x.lua", "return 1\n");
    let without = run("x.lua");
    put(folder.path(), "x.lua", b"\xef\xbb\xbfreturn 1\n");
    assert_eq!(run("x.lua"), without);
    // What the chip is given has no first line that it would refuse either.
    put(folder.path(), "x.lua", "\nreturn 1\n");
    let without = run("x.lua").2;
    put(
        folder.path(),
        "x.lua",
        b"\xef\xbb\xbf#!/usr/bin/lua\nreturn 1\n",
    );
    assert_eq!(run("x.lua").2, without);
}
