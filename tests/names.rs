//! Names of files that a terminal would obey, that C would read on behind, or that some systems do not have.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;
use support::firmware::{head, raw};
use support::{fail, fastlua, put, run, succeed};

/// A screen that is cleared, a line that we did not say, a text that runs backwards, no UTF-8.
const NAME: &[u8] = b"a\x1b[2J\nerror: b\xe2\x80\xae\xff.lua";

/// Whether a text can be shown to a person: it does nothing but begin lines.
fn is_harmless(text: &str) -> bool {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
    !text.contains(obeyed)
}

#[test]
fn no_name_reaches_the_terminal_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let name = OsStr::from_bytes(NAME);
    for (content, commands) in [
        (
            None,
            &[
                "check --variant lua51-int",
                "list",
                "squash",
                "compile --variant lua51-int",
                "split -o out",
                "build -o out",
                "run --script",
            ][..],
        ),
        (
            Some("x x"),
            &[
                "check --variant lua51-int",
                "list",
                "squash",
                "compile --variant lua51-int",
                "split -o out",
                "build -o out",
                "run --script",
            ],
        ),
        (Some("--[[SPLIT HERE x]]"), &["split -o out"]),
        (
            Some("x = \"\x1b[2J"),
            &[
                "squash",
                "compile --variant lua51-int",
                "compile --variant lua53-int32-float32",
            ],
        ),
        (
            Some("x = \x1b\u{202e}"),
            &[
                "squash",
                "compile --variant lua51-int",
                "compile --variant lua53-int32-float32",
            ],
        ),
    ] {
        if let Some(content) = content {
            fs::write(f.join(name), content).unwrap();
        }
        for command in commands {
            let said = fail(fastlua(f).args(command.split(' ')).arg(name));
            assert!(is_harmless(&said), "{command}: {said:?}");
            assert!(!said.contains("\nerror: b"), "{command}: {said:?}");
        }
    }
    fs::write(f.join(name), "return 1").unwrap();
    let said = succeed(
        fastlua(f)
            .args(["compile", "--variant", "lua51-int", "-o", "a.lc"])
            .arg(name),
    );
    assert!(is_harmless(&said), "{said:?}");
    let out = OsStr::from_bytes(b"out\x1b[2J");
    put(f, "a.lua", "return 1");
    let said = succeed(fastlua(f).args(["build", "a.lua", "-o"]).arg(out));
    assert!(
        is_harmless(&said) && said.contains("fast.c: written"),
        "{said:?}"
    );
    let said = succeed(fastlua(f).args(["list", "a.lc"]));
    assert!(is_harmless(&said), "{said:?}");
}

#[test]
fn comments_of_c_end_where_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let mut names = Vec::new();
    for (i, name) in ["a*", "b??", "c\\", "'\"d", "/*e"].iter().enumerate() {
        let name = format!("{name}/{i}.lua");
        put(f, &name, "return 1");
        names.push(name);
    }
    put(f, "f*.lua", "return 1");
    put(f, "g??.lua", "return 1");
    put(f, "h\u{202e}\n.lua", "return 1");
    let mut manifest = String::new();
    for (file, name) in [("f*.lua", "f"), ("g??.lua", "g"), ("h*.lua", "h")] {
        manifest += &format!("[[module]]\npath = \"{file}\"\nname = \"{name}\"\n");
    }
    put(f, "fast.toml", manifest);
    succeed(fastlua(f).args(["build", "-o", "one"]));
    succeed(fastlua(f).arg("build").args(&names).args(["-o", "two"]));
    for out in ["one", "two"] {
        let header = fs::read_to_string(f.join(out).join("fast_chunks.h")).unwrap();
        let (comment, code) = header.split_once("*/").unwrap();
        assert!(
            comment.contains("Variants: ") && code.starts_with("\n\n#ifndef"),
            "{comment}"
        );
        assert!(
            !comment[2..].contains("/*") && !header.contains("??/"),
            "{comment}"
        );
    }
}

/// What a command writes to both streams, which has to be harmless.
fn told(folder: &Path, args: &[&OsStr]) -> String {
    let output = run(fastlua(folder).args(args));
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(
        is_harmless(&out) && is_harmless(&err),
        "{args:?}: {out:?} {err:?}"
    );
    format!("{out}{err}")
}

/// Names that stand in a file, put there by whoever made it.
#[test]
fn no_name_in_a_file_reaches_the_terminal_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let bad = "x\u{1b}[2J\u{9b}2J\u{202e}\u{7f}";
    put(
        f,
        "fast_chunks.h",
        format!(
            "/*\n** fast_chunks.h - x\n** Made by fastlua {bad};\n** Variants: {bad}, b.\n\
         ** {bad}: {bad}.lua, 5 bytes, as {bad}, strip 2, SHA-256\n**   {bad}\n*/\n\
         #define FAST_BUNDLE_NAME\t\"{bad}\"\n"
        ),
    );
    // names of an LFS image, of local variables and of the source
    let name = format!("{bad}\nerror: made up");
    let text = format!("local a = ... return function() return a, '{bad}' end");
    let source = put(f, &format!("{name}.lua"), text);
    for variant in ["lua51-float", "lua53-int32-float32"] {
        let made = ["lfs", "--strip", "0", "--variant", variant, "-o", variant];
        let made: Vec<&OsStr> = made
            .iter()
            .map(OsStr::new)
            .chain([source.as_os_str()])
            .collect();
        told(f, &made);
        assert!(f.join(variant).exists());
        let twice: Vec<&OsStr> = made.iter().copied().chain([source.as_os_str()]).collect();
        told(f, &twice);
        succeed(
            fastlua(f)
                .args([
                    "compile",
                    "--strip",
                    "0",
                    "--variant",
                    variant,
                    "-o",
                    &format!("{variant}.lc"),
                    "--chunkname",
                    &format!("@{bad}"),
                ])
                .arg(&source),
        );
    }
    // a slot of a variant that is none
    let mut made_up = head("lua51-int", 32 << 10);
    made_up.variant = bad.into();
    put(f, "nodemcu.bin", raw(&[made_up]));
    put(f, "a.lua", "return 1");
    for line in [
        "inspect fast_chunks.h",
        "inspect lua51-float",
        "inspect lua53-int32-float32",
        "list lua51-float",
        "list lua53-int32-float32",
        "list lua51-float.lc",
        "list lua53-int32-float32.lc",
        "check lua51-float lua53-int32-float32 lua51-float.lc",
        "check --variant lua51-int lua51-float lua51-float.lc",
        "inspect nodemcu.bin",
        "patch nodemcu.bin a.lua -o x.bin",
        "inspect lua51-float --extract none",
    ] {
        let words: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
        let said = told(f, &words);
        assert!(!said.contains("\nerror: made up"), "{line}: {said}");
    }
    // JSON has them as they are, written so that no terminal obeys
    let json = told(f, &["inspect", "fast_chunks.h", "--json"].map(OsStr::new));
    let json: Value = serde_json::from_str(json.split("error:").next().unwrap()).unwrap();
    assert_eq!(json["places"][0]["chunks"][0]["name"], bad);
    assert_eq!(json["places"][0]["bundle"], bad);
    let json = told(
        f,
        &["inspect", "lua53-int32-float32", "--json"].map(OsStr::new),
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["places"][0]["chunks"][0]["name"], name);
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "--x\u{9b}2J\u{202e}\u{1b}[2J";
    for command in ["check", "build", "patch", "nothing"] {
        let said = told(folder.path(), &[command, bad].map(OsStr::new));
        assert!(said.contains("\\u{202e}") || command == "nothing", "{said}");
    }
    told(folder.path(), &["check", "--variant", bad].map(OsStr::new));
    told(
        folder.path(),
        &["build", "--variant", bad, "a.lua", "-o", "out"].map(OsStr::new),
    );
    told(folder.path(), &["run", "--with", bad].map(OsStr::new));
}
