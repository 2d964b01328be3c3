//! The prompt of `fastlua run` at a terminal, which is one of the kernel's pairs.

#![cfg(unix)]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const UP: &str = "\x1b[A";
const LEFT: &str = "\x1b[D";
/// Enough for what runs at once, even on a machine that does much else.
const SOON: Duration = Duration::from_secs(60);

struct Typist {
    keys: File,
    /// The other end, as the command has it.
    terminal: File,
    shown: Receiver<Vec<u8>>,
    screen: String,
    child: Child,
}

impl Typist {
    /// `fastlua run` with these arguments at a terminal of its own.
    fn start(folder: &Path, args: &[&str]) -> Typist {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.custom_flags(rustix::fs::OFlags::NOCTTY.bits() as i32);
        let terminal = options.open(name.to_str().unwrap()).unwrap();
        // `setsid` makes it the one whose Ctrl-C the command gets, which whoever runs the tests may ignore.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "setsid", "--ctty"]);
        command.args([env!("CARGO_BIN_EXE_fastlua"), "run"]);
        command.args(args).current_dir(folder);
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        command.env_remove("FASTLUA_HISTORY");
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.stdin(terminal.try_clone().unwrap());
        command.stdout(terminal.try_clone().unwrap());
        command.stderr(terminal.try_clone().unwrap());
        let child = command.spawn().expect("env of coreutils runs");
        let keys = File::from(keys);
        let (sender, shown) = channel();
        let mut screen = keys.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Typist {
            keys,
            terminal,
            shown,
            screen: String::new(),
            child,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is shown; what came before is forgotten.
    fn sees(&mut self, text: &str) {
        let end = Instant::now() + SOON;
        loop {
            if let Some(at) = self.screen.find(text) {
                self.screen.drain(..at + text.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.screen += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("no {text:?} in {:?}", self.screen),
            }
        }
    }

    /// Waits for the prompt, behind which keys are taken one by one.
    fn is_asked(&mut self) {
        self.sees("> ");
        let end = Instant::now() + SOON;
        while self.echoes() {
            assert!(Instant::now() < end, "no line is edited");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the prompt and types a line behind it.
    fn types(&mut self, line: &str) {
        self.is_asked();
        self.press(line);
        self.press("\r");
        self.sees("\n");
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    }

    fn ends(&mut self) -> ExitStatus {
        let end = Instant::now() + SOON;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None => assert!(Instant::now() < end, "it goes on"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_are_edited_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist::start(folder.path(), &[]);
    typist.sees("Ctrl-C stops running code, Ctrl-D exits");
    typist.types(&format!("print(12){LEFT}3"));
    typist.sees("123");
    typist.is_asked();
    typist.press(&format!("{UP}\r"));
    typist.sees("\n123");
    typist.types(" print('sec' .. 'ret')");
    typist.sees("secret\r\n");
    typist.is_asked();
    typist.press(CTRL_D);
    assert!(typist.ends().success());
    let history = fs::read_to_string(folder.path().join("state/fastlua/history")).unwrap();
    assert!(history.contains("print(123)"), "{history}");
    assert!(!history.contains("'sec'"), "{history}");
    let mode = fs::metadata(folder.path().join("state/fastlua/history")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o077, 0, "others can't read it");

    let mut next = Typist::start(folder.path(), &[]);
    next.is_asked();
    next.press(&format!("{UP}\r"));
    next.sees("\n123");
}

#[test]
fn values_are_shown_and_statements_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist::start(folder.path(), &[]);
    typist.types("1+1");
    typist.sees("2\r\n");
    typist.types("= 'a' .. 'b', nil");
    typist.sees("ab\tnil\r\n");
    typist.types("for i = 1, 2 do");
    typist.sees(">");
    typist.types("print(i * 10) end");
    typist.sees("10\r\n20\r\n");
    typist.types("1 +");
    typist.sees(">");
    typist.types("41");
    typist.sees("42\r\n");
    typist.types("x x");
    typist.sees("Lua error: stdin:1:");
    typist.types("for i = 1, 2 do");
    typist.sees(">");
    typist.is_asked();
    typist.press(CTRL_C);
    typist.sees("Ctrl-D exits");
    typist.types("= 'afresh'");
    typist.sees("afresh\r\n");
}

#[test]
fn ctrl_c_stops_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist::start(folder.path(), &[]);
    for loops in [
        "uart.write(0, 'now\\n') while true do end",
        "uart.write(0, 'now\\n') while true do pcall(function() while true do end end) end",
        "uart.write(0, 'now\\n') coroutine.wrap(function() while true do end end)()",
        "tmr.create():alarm(100, 0, function() uart.write(0, 'now\\n') while true do end end)",
    ] {
        typist.types(loops);
        typist.sees("now\r\n");
        typist.press(CTRL_C);
        typist.sees("interrupted!");
        typist.types("= 6 * 7");
        typist.sees("42");
    }
    typist.is_asked();
    typist.press(CTRL_D);
    assert!(typist.ends().success());
}

#[test]
fn what_is_printed_meanwhile_leaves_the_line_whole() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let map = format!("99:{port}");
    let mut typist = Typist::start(folder.path(), &["--port-map", &map]);
    typist.types("tmr.create():alarm(200, 0, function() print('meanwhile') end)");
    typist.is_asked();
    typist.press("= 'wh");
    typist.sees("meanwhile");
    typist.sees("= 'wh");
    typist.press("ole'\r");
    typist.sees("\nwhole");
    let listens = "s = net.createServer() s:listen(99, print)";
    typist.types(listens);
    typist.sees(&format!("port 99 is 127.0.0.1:{port} on this PC"));
    // A line that is not ended is not written over.
    typist.types("uart.write(0, 'no end')");
    typist.sees("no end\r\n");
    typist.is_asked();
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist::start(folder.path(), &[]);
    typist.types("tmr.create():alarm(100, 0, function() error('broken') end)");
    typist.is_asked();
    typist.sees("error: stdin:1: broken");
    assert_eq!(typist.ends().code(), Some(1));
    assert!(typist.echoes());
}

#[test]
fn bytes_that_a_module_takes_come_without_a_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist::start(folder.path(), &[]);
    typist.types("uart.on('data', '\\n', function(t) uart.on('data') print(#t) end, 0)");
    while typist.echoes() {
        thread::sleep(Duration::from_millis(5));
    }
    typist.press("four\r");
    typist.sees("\n5\r\n");
    typist.types("= 'again'");
    typist.sees("again\r\n");
}
