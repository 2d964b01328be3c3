//! `fastlua split`, `squash` and `run` as a user types them.

mod support;

use std::fs;
use std::process::Command;

use support::{fail, fastlua, put, root, run, succeed};

#[test]
fn shipped_modules_get_shorter() {
    let folder = tempfile::tempdir().unwrap();
    for module in fs::read_dir(root().join("crates/firmware/lua")).unwrap() {
        let module = module.unwrap().path();
        if module.extension().is_some_and(|e| e == "lua") {
            let text = succeed(fastlua(folder.path()).arg("squash").arg(&module));
            assert!((text.len() as u64) < fs::metadata(&module).unwrap().len());
        }
    }
}

#[test]
fn the_other_lua_is_named_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let other = if cfg!(feature = "lua53") { "51" } else { "53" };
    let errors = fail(fastlua(folder.path()).args(["run", "--lua", other, "-e", "x()"]));
    assert!(
        errors.contains(&format!("--features lua{other}")),
        "{errors}"
    );
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
