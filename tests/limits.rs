//! Input that is large or deep: it is taken, or refused with a clear message and its place.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{put, succeed};

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
        401
    );
}
