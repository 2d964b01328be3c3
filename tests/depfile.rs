//! What `-M` writes is what GNU Make reads, whatever files are called.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::{fail, fastlua, put, succeed};

/// Builds the module at this path, with a rule.
fn build(folder: &Path, source: &[u8], output: &str) -> Command {
    let path = folder.join(OsStr::from_bytes(source));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "return 1").unwrap();
    let mut command = fastlua(folder);
    command.args([
        "build",
        "--variant=lua51-int",
        "-o",
        output,
        "-M",
        "fast.d",
        "--",
    ]);
    command.arg(OsStr::from_bytes(source));
    command
}

/// What Make says that the output needs.
fn needed(folder: &Path) -> Vec<u8> {
    fs::write(
        folder.join("Makefile"),
        ".PHONY: out/fast.c\nout/fast.c: ; $(info [$^])@:\ninclude fast.d\n",
    )
    .unwrap();
    let mut make = Command::new("make");
    let output = make
        .args(["-r", "-s"])
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    output.stdout
}

#[test]
fn make_reads_these_names_back() {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for byte in (b'!'..=b'~').chain([b' ', 0xFF]) {
        if byte.is_ascii_alphanumeric() || b"/;|=*?[".contains(&byte) {
            continue;
        }
        for name in ["_b/a_b/a__b/a\\_b/a\\\\_/x.l_a", "d/x.lua_"] {
            let name: Vec<u8> = name
                .bytes()
                .map(|b| if b == b'_' { byte } else { b })
                .collect();
            if !name.ends_with(b" ") && !name.ends_with(b"\\") && !name.starts_with(b"~") {
                names.push(name);
            }
        }
    }
    names.extend([&b"a\tb/c.lua"[..], b"a(b)/c.lua"].map(<[u8]>::to_vec));
    for name in names {
        let shown = name.escape_ascii();
        let folder = tempfile::tempdir().unwrap();
        succeed(&mut build(folder.path(), &name, "out"));
        let wanted = [b"[", &name[..], b"]\n"].concat();
        assert_eq!(needed(folder.path()), wanted, "{shown}");
        fs::remove_file(folder.path().join(OsStr::from_bytes(&name))).unwrap();
        if !name.contains(&b'\t') && !name.ends_with(b"&") {
            assert_eq!(needed(folder.path()), wanted, "{shown} is gone");
        }
    }
}

#[test]
fn a_backslash_at_the_end() {
    for (name, wanted) in [
        ("a\\", "[a\\ fast.toml]\n"),
        ("z\\", "[fast.toml z\\]\n"),
        ("z\\\\", "[fast.toml z\\\\]\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!("[[module]]\npath = '{name}'\nname = 'x'\n");
        put(folder.path(), "fast.toml", manifest);
        put(folder.path(), name, "return 1");
        let args = ["build", "--variant=lua51-int", "-o", "out", "-M", "fast.d"];
        succeed(fastlua(folder.path()).args(args));
        assert_eq!(needed(folder.path()), wanted.as_bytes());
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_eq!(needed(folder.path()), wanted.as_bytes());
    }
}

#[test]
fn what_make_cannot_read_is_refused() {
    for (source, output) in [
        ("a\nb:\n\ttouch broken_in\n/c.lua", "out"),
        ("a\rb/c.lua", "out"),
        ("a\x1bb/c.lua", "out"),
        ("a;b/c.lua", "out"),
        ("a|b/c.lua", "out"),
        ("a=b/c.lua", "out"),
        ("a*b/c.lua", "out"),
        ("[a]/c.lua", "out"),
        ("~a/c.lua", "out"),
        ("a/c.lua ", "out"),
        ("a/c.(lua)", "out"),
        ("a.lua", "o\tut"),
        ("a.lua", "o;ut"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let errors = fail(&mut build(folder.path(), source.as_bytes(), output));
        assert!(errors.contains("-M: \""), "{errors}");
        assert!(
            errors.contains("can't be written in a Makefile"),
            "{errors}"
        );
        assert!(
            errors.is_ascii() && !errors.trim_end().contains(['\n', '\x1b']),
            "{errors}"
        );
        assert!(!folder.path().join("fast.d").exists());
    }
}

/// With a stamp Make has nothing to do until something changes, be it a new file of a glob.
#[test]
fn make_settles_with_a_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "lua/a.lua", "return 1");
    put(
        f,
        "fast.toml",
        "variants = [\"lua51-int\"]\n[[module]]\npath = \"lua/*.lua\"\n",
    );
    let program = env!("CARGO_BIN_EXE_fastlua");
    put(
        f,
        "Makefile",
        format!(
            "fast.stamp: fast.toml\n\t{program} build fast.toml -o out -M fast.d --stamp $@\n-include fast.d\n"
        ),
    );
    let is_up_to_date = || {
        let output = Command::new("make").current_dir(f).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("is up to date")
    };
    // Times of files are compared, and may be coarse: all files become a minute older.
    let age = || {
        for name in ["fast.toml", "lua", "out", "fast.stamp", "fast.d"] {
            make_older(&f.join(name));
        }
    };
    let header = || {
        let about = fs::metadata(f.join("out/fast_chunks.h")).unwrap();
        about.modified().unwrap()
    };
    assert!(!is_up_to_date());
    age();
    assert!(is_up_to_date());
    let first = header();
    put(
        f,
        "fast.toml",
        "variants = [\"lua51-int\"] # the same\n[[module]]\npath = \"lua/*.lua\"\n",
    );
    assert!(!is_up_to_date());
    assert_eq!(header(), first, "what changed nothing is not written");
    age();
    assert!(is_up_to_date(), "what changed nothing is done with too");
    put(f, "lua/b.lua", "return 2");
    assert!(!is_up_to_date());
    assert!(
        fs::read_to_string(f.join("out/fast_chunks.h"))
            .unwrap()
            .contains("fast_name_b")
    );
    age();
    assert!(is_up_to_date());
}

/// Makes a file a minute older, or a folder and all that is in it.
fn make_older(path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            make_older(&entry.unwrap().path());
        }
    }
    let file = fs::File::open(path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.set_modified(time - Duration::from_secs(60)).unwrap();
}
