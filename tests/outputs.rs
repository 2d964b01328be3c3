//! What is kept of a file that is overwritten, and outputs that are not regular files.
#![cfg(unix)]

mod support;

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use support::firmware::{head, raw};
use support::{call, fail, fastlua, misuse, put, run, succeed};
use tempfile::TempDir;

/// Commands that have one file as output, which they write to OUT.
const ONE: [&str; 11] = [
    "compile --variant lua51-int -o OUT a.lua",
    "squash -o OUT a.lua",
    "lfs --variant lua51-int -o OUT a.lua",
    "lfs --variant lua51-int --address 0x40210000 -o OUT a.lua",
    "patch nodemcu.bin a.lua -o OUT",
    "patch nodemcu.bin a.lua -o patched.bin --sbom OUT",
    "inspect mine.bin --extract a -o OUT",
    "inspect lfs.img --extract a -o OUT",
    "build a.lua -o out --sbom OUT",
    "build a.lua -o out -M OUT",
    "bench --on host --variant lua51-int a.lua --json OUT",
];

/// Commands that have a folder as output, and a file in it.
const FOLDER: [(&str, &str); 5] = [
    ("build a.lua -o DIR", "fast_chunks.h"),
    ("build a.lua --emit header -o DIR", "a_lua.h"),
    (
        "build a.lua --emit object --chip esp32 --variant lua51-int -o DIR",
        "fast_chunks.o",
    ),
    ("split split.lua -o DIR", "m-x.lua"),
    ("completions --man DIR", "fastlua.1"),
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "local n = ... return n, 'text'");
    put(
        f,
        "split.lua",
        "--[[SPLIT MODULE m]]\n--[[SPLIT HERE m-x]]\nreturn 1\n",
    );
    put(f, "nodemcu.bin", raw(&[head("lua51-int", 32 << 10)]));
    succeed(&mut call(f, "patch nodemcu.bin a.lua -o mine.bin"));
    succeed(&mut call(f, "lfs --variant lua51-int -o lfs.img a.lua"));
    folder
}

/// The command with an output in its place.
fn to(folder: &Path, command: &str, output: &str) -> Command {
    call(
        folder,
        &command.replace("OUT", output).replace("DIR", output),
    )
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Gives a file this mode.
fn change(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes a file over by a command, in each of the ways in which it can be there, and compares it with `expected`.
fn is_kept(f: &Path, command: &str, output: &str, file: &Path) {
    succeed(&mut to(f, command, output));
    let expected = fs::read(file).unwrap();
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    for keeps in [0o600, 0o640, 0o755, 0o444] {
        fs::write(file, "old").unwrap();
        change(file, keeps);
        succeed(&mut to(f, command, output));
        assert_eq!(mode(file), keeps, "{command}");
        assert_eq!(fs::read(file).unwrap(), expected, "{command}");
        change(file, 0o644);
    }
    let other = f.join("other");
    for old in ["old", &"a longer text ".repeat(100_000)] {
        fs::write(file, old).unwrap();
        change(file, 0o640);
        fs::hard_link(file, &other).unwrap();
        let before = inode(file);
        succeed(&mut to(f, command, output));
        assert_eq!([inode(file), inode(&other)], [before; 2], "{command}");
        assert_eq!(fs::read(&other).unwrap(), expected, "{command}");
        assert_eq!(mode(file), 0o640, "{command}");
        fs::remove_file(&other).unwrap();
    }
    fs::rename(file, &other).unwrap();
    for is_there in [true, false] {
        symlink(&other, file).unwrap();
        if !is_there {
            fs::remove_file(&other).unwrap();
        }
        succeed(&mut to(f, command, output));
        assert!(
            fs::symlink_metadata(file).unwrap().is_symlink(),
            "{command}"
        );
        assert_eq!(fs::read(&other).unwrap(), expected, "{command}");
        fs::remove_file(file).unwrap();
    }
    fs::remove_file(&other).unwrap();
    let left = fs::read_dir(file.parent().unwrap()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.starts_with(".fastlua-")).collect();
    assert!(names.is_empty(), "{command}: {names:?}");
}

#[test]
fn what_is_written_over_stays_the_file_that_it_is() {
    let folder = folder();
    let f = folder.path();
    for command in ONE {
        is_kept(f, command, "result", &f.join("result"));
    }
    for (command, name) in FOLDER {
        is_kept(f, command, "results", &f.join("results").join(name));
    }
    // it is its own output
    put(f, "image.bin", fs::read(f.join("nodemcu.bin")).unwrap());
    change(&f.join("image.bin"), 0o600);
    fs::hard_link(f.join("image.bin"), f.join("same.bin")).unwrap();
    succeed(&mut call(f, "patch image.bin a.lua --in-place"));
    let patched = fs::read(f.join("mine.bin")).unwrap();
    assert_eq!(fs::read(f.join("same.bin")).unwrap(), patched);
    assert_eq!(mode(&f.join("same.bin")), 0o600);
}

#[test]
fn settings_of_a_device_are_kept_likewise() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let start = |command: &str| {
        let code = format!("node.startupcommand('{command}')");
        succeed(fastlua(f).args(["run", "--settings", "link", "-e", &code]));
    };
    let settings = f.join("settings");
    symlink("settings", f.join("link")).unwrap();
    start("=1");
    assert!(fs::symlink_metadata(f.join("link")).unwrap().is_symlink());
    change(&settings, 0o600);
    fs::hard_link(&settings, f.join("same")).unwrap();
    start("=2");
    assert_eq!(mode(&settings), 0o600);
    let text = fs::read_to_string(f.join("same")).unwrap();
    assert!(text.contains("=2"), "{text}");
}

#[test]
fn new_files_have_the_permissions_that_the_user_gives_new_files() {
    let folder = folder();
    let f = folder.path();
    for (mask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        for command in ONE {
            let _ = fs::remove_file(f.join("result"));
            let mut shell = Command::new("sh");
            let command = command.replace("OUT", "result");
            let line = format!("umask {mask}; exec \"$FASTLUA\" {command}");
            let shell = shell.args(["-c", &line]).current_dir(f);
            succeed(shell.env("FASTLUA", env!("CARGO_BIN_EXE_fastlua")));
            assert_eq!(mode(&f.join("result")), expected, "{command}");
        }
    }
}

#[test]
fn a_file_with_attributes_keeps_them() {
    let folder = folder();
    let f = folder.path();
    let file = put(f, "result", "old");
    // not every file system of every machine has them
    let set = rustix::fs::setxattr(&file, "user.note", b"mine", rustix::fs::XattrFlags::empty());
    if set.is_ok() {
        succeed(&mut to(f, ONE[0], "result"));
        let mut value = [0; 8];
        let length = rustix::fs::getxattr(&file, "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"mine");
    }
}

/// What fills the disk while a file with several names is written over leaves it as it was.
#[test]
fn a_file_with_two_names_is_whole_when_the_disk_is_full() {
    let folder = folder();
    let f = folder.path();
    put(f, "big.lua", format!("return '{}'", "x".repeat(100_000)));
    let file = put(f, "result", "old");
    fs::hard_link(&file, f.join("same")).unwrap();
    let mut shell = Command::new("sh");
    let line = "ulimit -f 4; exec \"$FASTLUA\" compile --variant lua51-int -o result big.lua";
    shell.args(["-c", line]).current_dir(f);
    let said = fail(shell.env("FASTLUA", env!("CARGO_BIN_EXE_fastlua")));
    assert!(
        said.contains("result can't be written: File too large"),
        "{said}"
    );
    assert_eq!(fs::read(f.join("same")).unwrap(), b"old");
}

/// Standard output of a command that has to succeed, and its standard error.
fn result(command: &mut Command) -> (Vec<u8>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = run(command);
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{command:?}: {said}");
    (stdout, said)
}

#[test]
fn a_dash_is_standard_output_in_every_command() {
    let folder = folder();
    let f = folder.path();
    for command in ONE {
        let said = succeed(&mut to(f, command, "result"));
        let expected = fs::read(f.join("result")).unwrap();
        for name in ["-", "/dev/stdout"] {
            let (bytes, told) = result(&mut to(f, command, name));
            assert_eq!(bytes, expected, "{command}");
            let is_told = told.contains("standard output: written");
            assert_eq!(
                is_told,
                said.contains("result: written"),
                "{command}: {told}"
            );
        }
        assert!(!f.join("-").exists(), "{command}");
        // what is not there any more need not be written
        let mut closed = to(f, command, "-");
        let child = closed.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{command}");
    }
    let (page, _) =
        result(fastlua(f).args(["run", "--pins", "-", "-e", "gpio.mode(1, gpio.OUTPUT)"]));
    assert!(!page.is_empty() && !f.join("-").exists());
    for (command, _) in FOLDER {
        let said = misuse(&mut to(f, command, "-"));
        assert!(
            said.contains("needs a folder, not standard output"),
            "{said}"
        );
        assert!(!f.join("-").exists(), "{command}");
    }
    for command in [
        "build a.lua -o out --cache -",
        "bench --variant lua51-int a.lua --cache -",
    ] {
        // without the cross compiler bench ends before
        let said = String::from_utf8(run(&mut call(f, command)).stderr).unwrap();
        assert!(!f.join("-").exists(), "{command}: {said}");
    }
    succeed(&mut to(f, FOLDER[0].0, "./-"));
    assert!(f.join("-/fast.c").exists());
}

#[test]
fn devices_and_pipes_are_written_to() {
    let folder = folder();
    let f = folder.path();
    succeed(Command::new("mkfifo").arg(f.join("pipe")));
    for command in ONE {
        succeed(&mut to(f, command, "result"));
        let expected = fs::read(f.join("result")).unwrap();
        succeed(&mut to(f, command, "/dev/null"));
        let said = fail(&mut to(f, command, "/dev/full"));
        assert!(
            said.contains("/dev/full can't be written: No space left"),
            "{said}"
        );
        let mut writer = to(f, command, "pipe")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut bytes = Vec::new();
        let mut pipe = File::open(f.join("pipe")).unwrap();
        pipe.read_to_end(&mut bytes).unwrap();
        assert!(writer.wait().unwrap().success(), "{command}");
        assert_eq!(bytes, expected, "{command}");
        let said = fail(&mut to(f, command, "out/"));
        assert!(said.contains("out/ can't be written"), "{said}");
    }
    // what a device does not take leaves the files as they are
    put(f, "patched.bin", "old");
    fail(&mut to(f, ONE[5], "/dev/full"));
    assert_eq!(fs::read(f.join("patched.bin")).unwrap(), b"old");
}

/// Other machines and containers may write to the same folder: their processes are not known here.
#[test]
fn temporary_files_of_others_stay_for_a_day() {
    let folder = folder();
    let f = folder.path();
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let of_process = format!(".fastlua-{}-aB3dE6", ended.id());
    let fresh = [".fastlua-aB3dE6gH9jK2", &of_process, ".fastlua-notes"];
    let aged = ".fastlua-aB3dE6gH9jK3";
    for name in fresh {
        put(f, name, "x");
    }
    put(f, aged, "x");
    put(f, ".fastlua-old-notes", "x");
    let day = Duration::from_secs(24 * 60 * 60 + 60);
    for name in [aged, ".fastlua-old-notes"] {
        let file = File::options().write(true).open(f.join(name)).unwrap();
        file.set_modified(SystemTime::now() - day).unwrap();
    }
    for command in ONE {
        succeed(&mut to(f, command, "result"));
        for name in fresh.iter().chain([&".fastlua-old-notes"]) {
            assert!(f.join(name).exists(), "{command}: {name}");
        }
        assert!(!f.join(aged).exists(), "{command}");
    }
    put(f, aged, "x");
    let file = File::options().write(true).open(f.join(aged)).unwrap();
    file.set_modified(SystemTime::now() - day).unwrap();
    let code = "node.startupcommand('=1')";
    succeed(fastlua(f).args(["run", "--settings", "settings", "-e", code]));
    assert!(!f.join(aged).exists() && f.join(fresh[0]).exists());
}

/// No output takes the place of what the run reads, under whatever name, and nothing is written then.
#[test]
fn what_is_read_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let split = "local m = {} --[[SPLIT MODULE m]]\nfunction m.a() --[[SPLIT HERE m-a]]\nreturn 1\nend --[[SPLIT HERE]]\nreturn m\n";
    let files = [
        ("hello.lua", "return 1"),
        ("m.lua", split),
        ("fast.toml", "[[module]]\npath = \"hello.lua\"\n"),
    ];
    for (name, text) in files {
        put(f, name, text);
    }
    fs::hard_link(f.join("hello.lua"), f.join("hard.lua")).unwrap();
    symlink("hello.lua", f.join("soft.lua")).unwrap();
    let int = "--variant lua51-int";
    for arguments in [
        format!("compile {int} -o hello.lua hello.lua"),
        format!("compile {int} -o hard.lua hello.lua"),
        format!("compile {int} -o soft.lua hello.lua"),
        format!("lfs {int} -o hello.lua hello.lua"),
        format!("lfs {int} -o fast.toml fast.toml"),
        format!("build {int} hello.lua -o out --sbom hello.lua"),
        format!("build {int} hello.lua -o out --sbom soft.lua"),
        format!("build {int} hello.lua -o out -M hard.lua"),
        format!("build {int} hello.lua -o out -M d --stamp hello.lua"),
        format!("build {int} fast.toml -o out --sbom fast.toml"),
        "split -o . m.lua".into(),
        "squash -o hello.lua hello.lua".into(),
        "run hello.lua --pins hello.lua -e print(1)".into(),
    ] {
        fail(&mut call(f, &arguments));
        for (name, text) in files {
            assert_eq!(
                fs::read_to_string(f.join(name)).unwrap(),
                text,
                "{arguments}"
            );
        }
        assert!(!f.join("out/fast.c").exists(), "{arguments}");
    }
    // those of an earlier run are
    succeed(&mut call(f, "squash -o small.lua hello.lua"));
    succeed(&mut call(f, "squash -o small.lua hello.lua"));
    let mut from = call(f, "compile --variant lua51-int -o hello.lua -");
    from.stdin(File::open(f.join("hello.lua")).unwrap());
    fail(&mut from);
    assert_eq!(fs::read_to_string(f.join("hello.lua")).unwrap(), "return 1");
}
