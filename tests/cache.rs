//! `fastlua build --cache`: what comes from it is what would be built, whatever happens to it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::held::Held;
use support::{fail, fastlua, misuse, put, run, succeed};
use xxhash_rust::xxh3::xxh3_128;

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

/// The one entry of the cache.
fn only_entry(folder: &Path) -> PathBuf {
    let entries = entries(folder);
    assert_eq!(entries.len(), 1, "there is one entry");
    entries[0].clone()
}

/// Standard output, standard error, and the names and contents of what was written.
type Seen = (String, String, Vec<(PathBuf, String)>);

/// The contents of a file, escaped unless it is text.
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
    errors.contains("found in the cache")
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

/// How many chunks of earlier builds a build of two modules has.
fn reused(folder: &Path, args: &[&str]) -> usize {
    let output = run(build(folder, args).args(["-o", "out", "--verbose"]));
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    let (_, rest) = errors.split_once("chunks of earlier builds: ").unwrap();
    let (count, _) = rest.split_once(" of 2").unwrap();
    count.parse().unwrap()
}

#[test]
fn only_what_changed_is_compiled() {
    let folder = modules();
    let folder = folder.path();
    let with_warning = "return function(a, b, c, d, ...) end\n";
    for args in [
        "",
        "--variant lua51-int --strip 0",
        "--variant lua51-float --variant lua53-int64-float64 --strip 1",
        "--as frozen",
        "--as packed",
        "--as auto",
        "--as source",
        "--as deflated",
        "--as plain",
        "--emit header --as packed",
    ] {
        let args: Vec<&str> = args.split_whitespace().collect();
        put(folder, "info.lua", "return function() return 'n' end\n");
        put(folder, "m.lua", "local x = ...\nreturn x\n");
        assert_eq!(reused(folder, &args), 0, "{args:?}");
        for text in ["return 2\n", with_warning, ""] {
            put(folder, "info.lua", text);
            let mut plain = fastlua(folder);
            plain.args(["build", "m.lua", "info.lua"]).args(&args);
            let plain = seen(folder, &mut plain);
            assert_eq!(reused(folder, &args), 1, "{args:?}, {text}");
            assert_eq!(
                seen(folder, &mut build(folder, &args)),
                plain,
                "{args:?}, {text}"
            );
        }
        // the other module, so that one comes from either entry, with what is said of it
        put(folder, "m.lua", "local x = ...\nreturn x, 1\n");
        put(folder, "info.lua", "return 2\n");
        assert_eq!(reused(folder, &args), 1, "{args:?}");
    }
    // other settings are other chunks
    assert_eq!(reused(folder, &["--strip", "1"]), 0);
    assert_eq!(reused(folder, &["--heap-limit", "32"]), 0);
}

#[test]
fn damaged_chunks_are_compiled() {
    let folder = modules();
    let folder = folder.path();
    seen(folder, &mut build(folder, &[]));
    let entry = &only_entry(folder);
    let whole = fs::read(entry).unwrap();
    put(folder, "info.lua", "return 2\n");
    let mut plain = fastlua(folder);
    let plain = seen(folder, plain.args(["build", "m.lua", "info.lua"]));
    let index = whole
        .windows(10)
        .rposition(|bytes| bytes == b"{\"report\":")
        .unwrap();
    let mut counts = [0; 2];
    for at in (index.saturating_sub(900)..index)
        .step_by(61)
        .chain([index - 1, index - 9])
    {
        for other in entries(folder) {
            fs::remove_file(other).unwrap();
        }
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        fs::write(entry, &bytes).unwrap();
        counts[reused(folder, &[])] += 1;
        assert_eq!(
            seen(folder, &mut build(folder, &[])),
            plain,
            "damage at {at}"
        );
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
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
    let entry = &only_entry(folder);
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
    let whole = fs::read(only_entry(folder)).unwrap();
    for round in 0..4 {
        for entry in entries(folder) {
            fs::remove_file(entry).unwrap();
        }
        // what one left that was killed while it wrote an entry
        let cut = whole.len() * round / 4;
        put(folder, "cache/.fastlua-aB3dE6gH9jK2", &whole[..cut]);
        let mut running: Vec<_> = (0..4)
            .map(|i| {
                let out = format!("out{i}");
                let mut command = build(folder, &["-o", &out]);
                let command = command.stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        let killed = ["out4", "out5"].map(|out| {
            let mut command = build(folder, &["-o", out]);
            Held::start(&mut command, folder, &folder.join(out))
        });
        for held in killed {
            assert!(!held.end("-KILL").success());
        }
        for (i, child) in running.iter_mut().enumerate() {
            assert!(child.wait().unwrap().success());
            for (path, bytes) in &expected {
                let name = path.file_name().unwrap();
                let path = folder.join(format!("out{i}")).join(name);
                assert_eq!(&text(&path), bytes);
            }
        }
        for out in ["out4", "out5"] {
            fs::remove_dir_all(folder.join(out)).unwrap();
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
        // all entries become a minute older, so that times of files need not be fine
        for entry in entries(folder) {
            let file = fs::File::options().write(true).open(entry).unwrap();
            let time = file.metadata().unwrap().modified().unwrap();
            file.set_modified(time - Duration::from_secs(60)).unwrap();
        }
    }
    assert_eq!(entries(folder).len(), 5);
    put(folder, "info.lua", "return 0\n");
    assert!(taken(folder, &[]), "the oldest is used");
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
    let entry = &only_entry(folder);
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
    assert!(
        error.contains("file is a file, but --cache needs a folder"),
        "{error}"
    );
    misuse(fastlua(folder).args(["build", "m.lua", "-o", "out", "--cache-limit", "1M"]));
}

/// An entry with another index and the checksum that goes with it.
fn forged(entry: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (rest, _) = entry.split_at(entry.len() - 24);
    let (rest, length) = rest.split_at(rest.len() - 8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (outputs, index) = rest.split_at(rest.len() - length);
    let mut index: Value = serde_json::from_slice(index).unwrap();
    change(&mut index);
    let index = index.to_string();
    let length = (index.len() as u64).to_le_bytes();
    let body = [outputs, index.as_bytes(), &length].concat();
    let hash = xxh3_128(&body).to_le_bytes();
    [&body[..], &hash, b"fastlua1"].concat()
}

/// Who can write to the cache may put in what he likes.
#[test]
fn entries_are_led_out_of_no_folder_and_break_no_build() {
    let folder = modules();
    let folder = folder.path();
    let args = &["--variant=lua51-int", "--costs", "--as=frozen"][..];
    let first = seen(folder, &mut build(folder, args));
    let entry = &only_entry(folder);
    let whole = fs::read(entry).unwrap();
    assert_eq!(forged(&whole, |_| {}).len(), whole.len());
    let absolute = folder.join("absolute.h");
    type Change<'a> = Box<dyn FnOnce(&mut Value) + 'a>;
    let set = |path: &'static str, value: Value| -> Change {
        Box::new(move |index| *index.pointer_mut(path).unwrap() = value)
    };
    let first_name = "/outputs/0/name";
    let changes: Vec<Change> = vec![
        set(first_name, json!("../escaped.h")),
        set(first_name, json!("out/../../escaped.h")),
        set(first_name, json!(absolute.to_str().unwrap())),
        set(first_name, json!("escaped.h")),
        set(first_name, json!("")),
        set(first_name, json!("fast_chunks.h")),
        Box::new(|index| {
            let outputs = index["outputs"].as_array_mut().unwrap();
            outputs.push(json!({"name": "escaped.h", "bytes": 0}));
        }),
        Box::new(|index| {
            let outputs = index["outputs"].as_array_mut().unwrap();
            let one = outputs[0].clone();
            outputs.push(json!({"name": one["name"], "bytes": 0}));
        }),
        // sums that come out right where they wrap
        Box::new(|index| {
            let [a, b] = [0, 1].map(|i| index["outputs"][i]["bytes"].as_u64().unwrap());
            index["outputs"][0]["bytes"] = json!(u64::MAX);
            index["outputs"][1]["bytes"] = json!((a + b).wrapping_add(1));
        }),
        set("/report/variants", json!([])),
        set("/report/variants", json!(["lua51-float"])),
        set("/report/chunks", json!([])),
        set("/report/schema", json!("other")),
        set("/report/chunks/0/source_bytes", json!(u64::MAX)),
        set(
            "/report/chunks/1/dumps/lua51-int/bytes",
            json!(u64::MAX - 9),
        ),
    ];
    let there = || {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let files = there();
    for (n, change) in changes.into_iter().enumerate() {
        fs::write(entry, forged(&whole, change)).unwrap();
        assert_eq!(seen(folder, &mut build(folder, args)), first, "change {n}");
        assert_eq!(there(), files, "change {n}");
        assert_eq!(
            fs::read(entry).unwrap(),
            whole,
            "change {n}: it is right again"
        );
    }
    // what counts nothing is divided by nothing
    let costs = "/report/chunks/0/dumps/lua51-int/costs/functions";
    let other = "/report/chunks/1/dumps/lua51-int/costs/functions";
    let none = forged(&whole, |index| {
        *index.pointer_mut(costs).unwrap() = json!(0);
        *index.pointer_mut(other).unwrap() = json!(0);
        *index
            .pointer_mut("/report/pools/lua51-int/strings")
            .unwrap() = json!(0);
    });
    fs::write(entry, none).unwrap();
    succeed(build(folder, args).args(["-o", "out"]));
}

#[test]
#[cfg(unix)]
fn an_entry_is_a_file() {
    let folder = modules();
    let folder = folder.path();
    let first = seen(folder, &mut build(folder, &[]));
    let entry = &only_entry(folder);
    fs::remove_file(entry).unwrap();
    succeed(Command::new("mkfifo").arg(entry));
    assert_eq!(seen(folder, &mut build(folder, &[])), first);
    let kept = folder.join("kept");
    fs::rename(entry, &kept).unwrap();
    std::os::unix::fs::symlink(&kept, entry).unwrap();
    assert_eq!(seen(folder, &mut build(folder, &[])), first);
    fs::remove_file(entry).unwrap();
    let sparse = fs::File::create(entry).unwrap();
    sparse.set_len(1 << 40).unwrap();
    assert_eq!(seen(folder, &mut build(folder, &[])), first);
}
