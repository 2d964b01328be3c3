//! `fastlua build --cache`: what comes from it is what would be built, whatever happens to it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use support::{fail, fastlua, misuse, put, run};

/// `build m.lua info.lua --cache cache` with these arguments in a folder.
fn build(folder: &Path, args: &[&str]) -> Command {
    let mut command = fastlua(folder);
    command.args(["build", "m.lua", "info.lua", "--cache", "cache"]);
    command.args(args);
    command
}

fn modules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "m.lua", "local x = ...\nreturn x\n");
    put(
        folder.path(),
        "info.lua",
        "return function() return 'n' end\n",
    );
    folder
}

/// The entries of the cache.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("cache")).into_iter().flatten();
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// Standard output, standard error, and the names and contents of what was written.
type Seen = (String, String, Vec<(PathBuf, String)>);

/// What is in a file, escaped where it is no text.
fn text(path: &Path) -> String {
    fs::read(path).unwrap().escape_ascii().to_string()
}

/// What a build into a new folder `out` says and writes.
fn seen(folder: &Path, command: &mut Command) -> Seen {
    let out = folder.join("out");
    let _ = fs::remove_dir_all(&out);
    let output = run(command.args(["-o", "out"]));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let files = fs::read_dir(&out).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.map(|path| (path.clone(), text(&path))).collect();
    files.sort();
    (String::from_utf8(output.stdout).unwrap(), errors, files)
}

/// Whether a build comes from the cache.
fn taken(folder: &Path, args: &[&str]) -> bool {
    let output = run(build(folder, args).args(["-o", "out", "--verbose"]));
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    errors.contains("taken from the cache")
}

#[test]
fn what_comes_from_the_cache_is_what_is_built() {
    let folder = modules();
    let folder = folder.path();
    for (n, args) in [
        "",
        "--as frozen --costs",
        "--as source",
        "--strip 0",
        "--variant lua51-int",
        "--emit object --variant lua51-float --chip esp8266",
        "--emit object --variant lua51-float --chip esp32",
        "--emit header",
        "--slot 64k",
        "--slot 32k",
        "--sbom sbom.json",
    ]
    .iter()
    .enumerate()
    {
        let args: Vec<&str> = args.split_whitespace().collect();
        for json in [&[][..], &["--json"]] {
            let mut plain = fastlua(folder);
            plain
                .args(["build", "m.lua", "info.lua"])
                .args(&args)
                .args(json);
            let _ = fs::remove_file(folder.join("sbom.json"));
            let plain = seen(folder, &mut plain);
            let sbom = fs::read(folder.join("sbom.json")).ok();
            for _ in 0..2 {
                let _ = fs::remove_file(folder.join("sbom.json"));
                let cached = seen(folder, build(folder, &args).args(json));
                assert_eq!(cached, plain, "{args:?}");
                assert_eq!(fs::read(folder.join("sbom.json")).ok(), sbom);
            }
        }
        assert!(taken(folder, &args), "{args:?}");
        assert_eq!(entries(folder).len(), n + 1, "{args:?} has one entry");
        let _ = fs::remove_file(folder.join("sbom.json"));
    }
}

#[test]
fn a_change_is_another_build() {
    let folder = modules();
    let folder = folder.path();
    let first = seen(folder, &mut build(folder, &[]));
    assert!(
        first.1.contains("warning: info.lua"),
        "its name is that of a function: {}",
        first.1
    );
    put(folder, "info.lua", "return function() return 'N' end\n");
    assert!(!taken(folder, &[]));
    assert_ne!(seen(folder, &mut build(folder, &[])).2, first.2);
    put(folder, "info.lua", "return function() return 'n' end\n");
    assert!(taken(folder, &[]));
    assert_eq!(seen(folder, &mut build(folder, &[])), first);
    put(folder, "info.lua", "return return\n");
    for _ in 0..2 {
        let error = fail(build(folder, &[]).args(["-o", "out"]));
        assert!(error.contains("info.lua:1"), "{error}");
    }
    assert_eq!(
        entries(folder).len(),
        2,
        "what can't be built leaves no entry"
    );
}

#[test]
fn damage_is_built_anew() {
    let folder = modules();
    let folder = folder.path();
    let first = seen(folder, &mut build(folder, &["--variant=lua51-int"]));
    let [entry] = &entries(folder)[..] else {
        panic!("there is one entry");
    };
    let whole = fs::read(entry).unwrap();
    for at in (0..whole.len())
        .step_by(whole.len() / 16)
        .chain((whole.len() - 48..whole.len()).step_by(3))
    {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        for bytes in [&damaged[..], &whole[..at]] {
            fs::write(entry, bytes).unwrap();
            assert_eq!(
                seen(folder, &mut build(folder, &["--variant=lua51-int"])),
                first,
                "at {at}"
            );
            assert_eq!(
                fs::read(entry).unwrap(),
                whole,
                "at {at}: it is right again"
            );
        }
    }
}

#[test]
fn many_at_once_and_some_are_killed() {
    let folder = modules();
    let folder = folder.path();
    let expected = seen(folder, &mut build(folder, &[])).2;
    for round in 0..10 {
        for entry in entries(folder) {
            fs::remove_file(entry).unwrap();
        }
        let mut running: Vec<_> = (0..6)
            .map(|i| {
                let out = format!("out{i}");
                let mut command = build(folder, &["-o", &out]);
                command
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        thread::sleep(Duration::from_millis(3 * round));
        for (i, child) in running.iter_mut().enumerate() {
            if i % 3 == 0 {
                child.kill().unwrap();
            }
            let status = child.wait().unwrap();
            if i % 3 != 0 {
                assert!(status.success());
                for (path, bytes) in &expected {
                    let path = folder
                        .join(format!("out{i}"))
                        .join(path.file_name().unwrap());
                    assert_eq!(&text(&path), bytes);
                }
            }
        }
        assert!(taken(folder, &[]));
        assert_eq!(seen(folder, &mut build(folder, &[])).2, expected);
    }
}

#[test]
fn the_oldest_goes_and_nothing_else() {
    let folder = modules();
    let folder = folder.path();
    fs::create_dir(folder.join("cache")).unwrap();
    put(folder, "cache/README", "mine");
    for i in 0..4 {
        put(folder, "info.lua", format!("return {i}\n"));
        assert!(!taken(folder, &["--cache-limit", "1M"]));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(entries(folder).len(), 5);
    put(folder, "info.lua", "return 0\n");
    assert!(taken(folder, &[]), "the oldest is used");
    thread::sleep(Duration::from_millis(20));
    let sizes = entries(folder)
        .into_iter()
        .map(|entry| fs::metadata(entry).unwrap().len());
    let one = sizes.max().unwrap();
    put(folder, "info.lua", "return 4\n");
    assert!(!taken(
        folder,
        &["--cache-limit", &(2 * one + one / 2).to_string()]
    ));
    assert_eq!(entries(folder).len(), 3, "two entries and what was there");
    assert_eq!(fs::read(folder.join("cache/README")).unwrap(), b"mine");
    put(folder, "info.lua", "return 0\n");
    assert!(taken(folder, &[]), "it was used last");
    put(folder, "info.lua", "return 1\n");
    assert!(
        !taken(folder, &["--cache-limit", "1"]),
        "the newest stays in any case"
    );
    assert!(taken(folder, &[]));
    assert_eq!(entries(folder).len(), 2);
}

#[test]
fn a_cache_that_is_none() {
    let folder = modules();
    let folder = folder.path();
    let first = seen(folder, &mut build(folder, &[]));
    let [entry] = &entries(folder)[..] else {
        panic!("there is one entry");
    };
    fs::remove_file(entry).unwrap();
    put(entry, "in/the/way", "");
    let again = seen(folder, &mut build(folder, &[]));
    assert_eq!(
        (again.0, again.2),
        (first.0, first.2),
        "it is built all the same"
    );
    assert!(
        again
            .1
            .contains("warning: the cache cache can't be written"),
        "{}",
        again.1
    );
    put(folder, "file", "");
    let error = fail(fastlua(folder).args(["build", "m.lua", "-o", "out", "--cache", "file"]));
    assert!(error.contains("file is a file"), "{error}");
    misuse(fastlua(folder).args(["build", "m.lua", "-o", "out", "--cache-limit", "1M"]));
}
