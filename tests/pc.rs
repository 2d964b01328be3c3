//! The command on a PC that is not kind: signals, full disks, closed streams, few handles, little memory.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use support::held::{Held, is_temporary, temporaries};
use support::{fail, fastlua, put, succeed};

/// `fastlua` in `folder` by a shell, behind this command of the shell.
fn behind(setting: &str, folder: &Path, args: &str) -> Command {
    let mut shell = Command::new("sh");
    let line = format!("{setting}; exec \"$FASTLUA\" {args}");
    shell
        .args(["-c", &line])
        .env("FASTLUA", env!("CARGO_BIN_EXE_fastlua"))
        .current_dir(folder);
    shell
}

/// The files of a folder with their contents; none where it is not there.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        Some((name, fs::read(entry.path()).ok()?))
    };
    entries.filter_map(file).collect()
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    /// Starts a command and waits until it has printed `up`.
    fn start(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let up = child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]);
        up.expect("it prints");
        Running(child)
    }

    fn signal(&self, signal: &str) {
        succeed(Command::new("kill").args([signal, &self.0.id().to_string()]));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// 300 modules that all hold this number, a header each, and the runtime that they share in two files.
fn modules(folder: &Path, number: u32) -> Command {
    let mut build = fastlua(folder);
    build.args([
        "build",
        "--emit",
        "header",
        "--variant",
        "lua51-int",
        "-o",
        "out",
    ]);
    for i in 0..300 {
        let name = format!("m{i}.lua");
        put(folder, &name, format!("return {number}, {i}"));
        build.arg(name);
    }
    build
}

#[test]
fn a_signal_leaves_the_old_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let out = f.join("out");
    let of = |number| {
        succeed(&mut modules(f, number));
        contents(&out)
    };
    let sets = [of(1), of(2)];
    for signal in ["-TERM", "-INT", "-HUP"] {
        let before = contents(&out);
        let other = if before == sets[1] { 1 } else { 2 };
        let held = Held::start(&mut modules(f, other), f, &out);
        assert!(!held.end(signal).success(), "{signal}");
        assert!(contents(&out) == before, "after {signal}");
        // while files get their names: all of them or none
        let mut held = Held::start(&mut modules(f, other), f, &out);
        held.let_go();
        held.end(signal);
        assert!(sets.contains(&contents(&out)), "after {signal}");
    }
}

#[test]
fn what_a_killed_run_left_goes_a_day_later() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let out = f.join("out");
    succeed(&mut modules(f, 1));
    let before = contents(&out);
    for number in 2..5 {
        let held = Held::start(&mut modules(f, number), f, &out);
        assert!(!held.end("-KILL").success());
        let mut now = contents(&out);
        now.retain(|name, _| !is_temporary(name));
        assert!(now == before, "{number}");
    }
    let left = temporaries(&out).len();
    assert!(left >= 3, "each run left something");
    // They may be another machine's until they are a day old.
    succeed(&mut modules(f, 9));
    assert_eq!(temporaries(&out).len(), left);
    let day = Duration::from_secs(24 * 60 * 60 + 60);
    for name in temporaries(&out) {
        let file = fs::File::options().write(true).open(out.join(name));
        let then = SystemTime::now() - day;
        file.unwrap().set_modified(then).unwrap();
    }
    succeed(&mut modules(f, 10));
    assert!(temporaries(&out).is_empty());
}

#[test]
fn a_signal_that_is_ignored_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    let code = "print('up') tmr.create():alarm(1, tmr.ALARM_AUTO, function(t) \
        if file.exists('go') then t:unregister() print('on') end end)";
    let mut run = Running::start(&mut behind(
        "trap '' HUP",
        folder.path(),
        &format!("run --fs files -e \"{code}\""),
    ));
    run.signal("-HUP");
    put(folder.path(), "files/go", "");
    let mut rest = String::new();
    let output = run.0.stdout.as_mut().unwrap();
    output.read_to_string(&mut rest).unwrap();
    assert!(run.0.wait().unwrap().success() && rest == "on\n", "{rest}");
}

#[test]
fn a_simulated_device_that_is_stopped_takes_its_folder_along() {
    let folder = tempfile::tempdir().unwrap();
    let code = "file.putcontents('x', 'y') print('up') net.createServer():listen(0, print)";
    let mut command = fastlua(folder.path());
    let mut run = Running::start(
        command
            .args(["run", "-e", code])
            .env("TMPDIR", folder.path()),
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    run.signal("-TERM");
    assert!(!run.0.wait().unwrap().success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_disk_that_is_full_is_an_error_and_leaves_the_old_files() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    succeed(fastlua(f).args(["build", "a.lua", "-o", "out"]));
    let before = contents(&f.join("out"));
    put(f, "a.lua", "return 2");
    // A file may have so many blocks.
    let said = fail(&mut behind("ulimit -f 4", f, "build a.lua -o out"));
    assert!(
        said.contains("out/fast_chunks.h can't be written: File too large"),
        "{said}"
    );
    assert_eq!(contents(&f.join("out")), before);

    succeed(fastlua(f).args(["compile", "--variant", "lua51-int", "a.lua"]));
    for (args, name) in [
        ("list a.lc", "list"),
        ("squash a.lua", "squash"),
        ("compile --variant lua51-int -o - a.lua", "compile"),
        ("variants --json", "variants"),
        ("build a.lua -o full", "build"),
        ("run -e 'print(1)'", "run"),
    ] {
        let said = fail(&mut behind("exec >/dev/full", f, args));
        assert!(said.contains("No space left"), "{name}: {said}");
    }
    assert!(
        !behind("exec 2>/dev/full", f, "list none.lc")
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_folder_that_takes_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    let said = fail(fastlua(f).args(["build", "a.lua", "-o", "/proc"]));
    assert!(said.contains("/proc/fast.c can't be written"), "{said}");
    let said = fail(fastlua(f).args(["build", "a.lua", "-o", "/proc/out"]));
    assert!(said.contains("/proc/out can't be made"), "{said}");
    fs::create_dir(f.join("kept")).unwrap();
    fs::set_permissions(f.join("kept"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(f.join("kept/x"), "").is_err() {
        let said = fail(fastlua(f).args(["build", "a.lua", "-o", "kept"]));
        assert!(said.contains("kept/fast.c can't be written"), "{said}");
        assert!(contents(&f.join("kept")).is_empty());
    }
}

#[test]
fn closed_streams_are_no_files_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    succeed(fastlua(f).args(["build", "a.lua", "-o", "one"]));
    succeed(&mut behind("exec <&- >&- 2>&-", f, "build a.lua -o two"));
    assert_eq!(contents(&f.join("one")), contents(&f.join("two")));
    assert_eq!(
        behind("exec <&- >&- 2>&-", f, "build none.lua -o three")
            .status()
            .unwrap()
            .code(),
        Some(1)
    );
    let said = fail(&mut behind("exec <&-", f, "run -e 'error(1)'"));
    assert!(said.contains("-e:1: 1"), "{said}");
}

#[test]
fn little_memory_ends_a_build_and_leaves_the_old_files() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    succeed(fastlua(f).args(["build", "a.lua", "--variant", "lua51-int", "-o", "out"]));
    let before = contents(&f.join("out"));
    put(f, "a.lua", format!("return '{}'", "x".repeat(8_000_000)));
    let mut refused = 0;
    for kilobytes in [20_000, 40_000, 60_000, 80_000] {
        let mut command = behind(
            &format!("ulimit -c 0; ulimit -v {kilobytes}"),
            f,
            "build a.lua --variant lua51-int --jobs 1 -o out",
        );
        let status = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        if status.success() {
            break;
        }
        refused += 1;
        let now: BTreeMap<_, _> = contents(&f.join("out"))
            .into_iter()
            .filter(|(n, _)| !is_temporary(n))
            .collect();
        assert_eq!(now, before, "with {kilobytes} kB");
    }
    assert!(refused > 0);
}

/// Those that find no handle are served when one is free.
#[test]
fn a_device_without_handles_serves_later() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let code = "net.createServer():listen(21, function(s) s:send('hi') end) print('up')";
    let args = format!("run --port-map 21:{port} -e \"{code}\"");
    let _run = Running::start(&mut behind("ulimit -n 30", folder.path(), &args));
    let connect = |_| {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    };
    let streams: Vec<TcpStream> = (0..60).map(connect).collect();
    for (i, mut stream) in streams.into_iter().enumerate() {
        let mut answer = [0; 2];
        let got = stream.read_exact(&mut answer);
        assert!(got.is_ok() && &answer == b"hi", "connection {i}: {got:?}");
    }
}

/// Files that are larger than any that fastlua reads: they take no room on the disk, and must take none in memory.
#[test]
fn huge_files_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    for name in ["huge.lua", "huge.toml", "variants/huge.toml"] {
        let file = fs::File::create(put(f, name, "")).unwrap();
        file.set_len(300 << 30).unwrap();
    }
    for args in [
        "inspect huge.lua",
        "inspect huge.lua --extract a",
        "list huge.lua",
        "check huge.lua",
        "compile --variant lua51-int huge.lua",
        "compile -p huge.lua",
        "squash huge.lua",
        "split huge.lua -o out",
        "build huge.lua -o out",
        "build huge.toml -o out",
        "build a.lua --data huge.lua -o out",
        "build a.lua --variants variants -o out",
        "lfs --variant lua51-int -o x.img huge.lua",
        "patch huge.lua a.lua -o x.bin",
        "bench --on host a.lua --baseline huge.lua",
        "run huge.lua -e x=1",
        "run --script huge.lua",
        "run --pin-inputs huge.lua -e x=1",
    ] {
        let said = fail(fastlua(f).args(args.split(' ')));
        assert!(said.contains("it is larger than 256 MiB"), "{args}: {said}");
    }
    let zeros = "head -c 300000000 /dev/zero | \"$FASTLUA\" compile --variant lua51-int -";
    let mut shell = Command::new("sh");
    shell.args(["-c", zeros]).current_dir(f);
    let said = fail(shell.env("FASTLUA", env!("CARGO_BIN_EXE_fastlua")));
    assert!(said.contains("it is larger than 256 MiB"), "{said}");
    // a device can't hold it either
    let code = "print(file.getcontents('huge.lua'), pcall(dofile, 'huge.lua'))";
    let said = succeed(fastlua(f).args(["run", "--fs", ".", "-e", code]));
    assert!(said.starts_with("nil\tfalse"), "{said}");
}

/// An object file whose sections are so far apart that they would take a hundred times as much memory.
#[test]
fn sections_that_are_far_apart_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let count: u32 = 60_000;
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let halves = |values: &[u16]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<_>>()
    };
    let words = |values: &[u32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<_>>()
    };
    file.extend(halves(&[1, 94]));
    file.extend(words(&[1, 0, 0, 53, 0]));
    file.extend(halves(&[52, 0, 0, 40, count as u16, 1]));
    file.push(0);
    for section in 0..count {
        let (kind, flags) = match section {
            0 => (0, 0),
            1 => (3, 0),
            _ => (1, 2),
        };
        file.extend(words(&[0, kind, flags, 0, 52, 1, 0, 0, 4096, 0]));
    }
    put(folder.path(), "far.o", file);
    let said = fail(fastlua(folder.path()).args(["inspect", "far.o"]));
    assert!(said.contains("aligned too far apart"), "{said}");
}
