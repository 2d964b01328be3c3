//! `fastlua split`, `squash` and `run` as a user types them.

mod support;

use std::fs;
use std::process::Command;

use support::{fail, fastlua, misuse, put, root, run, succeed};

const LED: &str = "--[[SPLIT MODULE led]]
local led = {}
if FAST_led or SPIFFS_led then
  return setmetatable(led, {__index = function(_, name) return fast.load('led-' .. name) end})
end
function led.fails(...) --[[SPLIT HERE led-fails]]
error 'here'
end --[[SPLIT HERE]]
return led --[[SPLIT IGNORE]]
";

#[test]
fn pieces_keep_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "led.lua", LED);
    succeed(fastlua(folder.path()).args(["split", "led.lua", "-o", "out"]));
    let piece = fs::read_to_string(folder.path().join("out/led-fails.lua")).unwrap();
    assert_eq!(piece, "local FAST_led=true \n\n\n\n\n\nerror 'here'\n");
    succeed(fastlua(folder.path()).args(["split", "led.lua", "-o", "out", "--for", "spiffs"]));
    let piece = fs::read_to_string(folder.path().join("out/led-fails.lua")).unwrap();
    assert!(piece.starts_with("local SPIFFS_led=true \n"));
    // on the simulated chip, with line info: the line of the file
    let run = |more: &[&str]| {
        fail(
            fastlua(folder.path())
                .args(["run", "led.lua", "--strip", "1", "-e", "fast.led().fails()"])
                .args(more),
        )
    };
    assert!(run(&[]).contains("led.lua:7: here"), "{}", run(&[]));
    assert!(run(&["--whole"]).contains("led.lua:7: here"));
}

#[test]
fn wrong_markers_are_errors_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        (
            LED.replace("SPLIT IGNORE", "SPLIT IGNRE"),
            "bad.lua:9: `--[[SPLIT IGNRE]]` is no SPLIT marker",
        ),
        (
            LED.replace("SPLIT MODULE led", "led"),
            "bad.lua:6: SPLIT HERE before",
        ),
        (
            format!("{LED}function x() --[[SPLIT HERE led-fails]]\nend --[[SPLIT HERE]]\n"),
            "bad.lua:10: chunk `led-fails` has begun on line 6 already",
        ),
        (
            LED.replace("led-fails", "led"),
            "bad.lua:6: chunk `led` has begun on line 1 already",
        ),
    ] {
        put(folder.path(), "bad.lua", text);
        for command in ["split", "build"] {
            let errors = fail(fastlua(folder.path()).args([command, "bad.lua", "-o", "out"]));
            assert!(errors.contains(says), "{command}: {errors}");
        }
    }
    put(folder.path(), "plain.lua", "return 1");
    let errors = fail(fastlua(folder.path()).args(["split", "plain.lua", "-o", "out"]));
    assert!(errors.contains("no SPLIT marker"), "{errors}");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn squashed_text_is_for_all_variants_or_for_one() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "a.lua",
        "-- comment\nlocal milliseconds = 1000000 * ...\nreturn milliseconds / 2\n",
    );
    let squash =
        |more: &[&str]| succeed(fastlua(folder.path()).args(["squash", "a.lua"]).args(more));
    assert_eq!(squash(&[]), "local a=1000000*...return a/2");
    assert_eq!(
        squash(&["--variant", "lua51-float"]),
        "local a=1e6*...return a/2"
    );
    squash(&["--dialect", "5.3", "-o", "small.lua"]);
    assert!(folder.path().join("small.lua").exists());
    put(folder.path(), "bad.lua", "local x =\n");
    let errors = fail(fastlua(folder.path()).args(["squash", "bad.lua"]));
    assert_eq!(errors, "error: bad.lua:2: unexpected symbol near '<eof>'\n");
    for module in fs::read_dir(root().join("crates/firmware/lua")).unwrap() {
        let module = module.unwrap().path();
        if module.extension().is_some_and(|e| e == "lua") {
            let text = succeed(fastlua(folder.path()).arg("squash").arg(&module));
            assert!((text.len() as u64) < fs::metadata(&module).unwrap().len());
        }
    }
}

#[test]
fn modules_run_on_a_pc_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    for form in ["bytecode", "packed", "source", "deflated"] {
        let code = "fast.hello(select(3, fast.list()()))";
        let said = succeed(
            fastlua(folder.path()).args(["run", "--with", "hello", "--as", form, "-e", code]),
        );
        assert_eq!(said, format!("Hello, {form}!\n"));
    }
    let other = if cfg!(feature = "lua53") { "51" } else { "53" };
    let errors = fail(fastlua(folder.path()).args(["run", "--lua", other, "-e", "x()"]));
    assert!(
        errors.contains(&format!("--features lua{other}")),
        "{errors}"
    );
    let errors = misuse(fastlua(folder.path()).args(["run", "--with", "hullo", "-e", "x()"]));
    assert!(errors.contains("fastlua ships"), "{errors}");
}

/// The command with the other Lua stands beside this one; here it says what it was given.
#[test]
#[cfg(unix)]
fn the_other_lua_is_a_command_beside_this_one() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let this = folder.path().join("fastlua");
    fs::copy(env!("CARGO_BIN_EXE_fastlua"), &this).unwrap();
    let other = if cfg!(feature = "lua53") { "51" } else { "53" };
    let script = "#!/bin/sh\nprintf '<%s>' \"$@\"; exit 7\n";
    let beside = put(folder.path(), &format!("fastlua-lua{other}"), script);
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
    let args = ["run", "--lua", other, "-e", "print('a b')"];
    let output = run(Command::new(&this).args(args));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, format!("<run><--lua><{other}><-e><print('a b')>"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn time_ends_what_computes_and_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "tmr.create():alarm(1, tmr.ALARM_AUTO, function() while true do end end)",
        "tmr.create():alarm(1, tmr.ALARM_AUTO, function() end)",
    ] {
        succeed(fastlua(folder.path()).args(["run", "--seconds", "0.5", "-e", code]));
    }
    succeed(fastlua(folder.path()).args(["run", "--seconds", "1e18", "-e", "x = 1"]));
}
