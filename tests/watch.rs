//! `fastlua run --watch`, and the ports of the PC that stand for a device's.

mod support;

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use support::{fail, fastlua, put};

struct Watching {
    child: Child,
    lines: Receiver<String>,
    /// Lines that came while another one was waited for: the two streams have no order.
    said: RefCell<Vec<String>>,
}

impl Watching {
    fn start(folder: &Path, args: &[&str]) -> Watching {
        let mut command = fastlua(folder);
        command.arg("run").args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let output = child.stdout.take().unwrap();
        let errors = child.stderr.take().unwrap();
        let streams: [Box<dyn BufRead + Send>; 2] = [
            Box::new(BufReader::new(output)),
            Box::new(BufReader::new(errors)),
        ];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in stream.lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Watching {
            child,
            lines,
            said: RefCell::default(),
        }
    }

    /// Waits for a line with this text.
    fn says(&self, text: &str) -> String {
        let mut said = self.said.borrow_mut();
        loop {
            if let Some(at) = said.iter().position(|line| line.contains(text)) {
                return said.remove(at);
            }
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => said.push(line),
                Err(_) => panic!("no {text:?} in {said:?}"),
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_change_restarts_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 'first'");
    let code = "print(fast.a(), kept) kept = true tmr.create():alarm(9e5, 1, print)";
    let run = Watching::start(f, &["a.lua", "--watch", "-e", code]);
    run.says("first\tnil");
    put(f, "a.lua", "return 'the second'");
    run.says("files changed: restarting");
    run.says("the second\tnil");
    put(f, "a.lua", "return return");
    run.says("a.lua:1:");
    put(f, "a.lua", "return 'mended'");
    run.says("mended\tnil");
    // A device that has stopped goes on too.
    put(f, "a.lua", "error('broken')");
    run.says("broken");
    put(f, "a.lua", "return 'whole'");
    run.says("whole\tnil");
}

#[test]
fn a_script_is_watched_and_nothing_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "s.lua", "print('idle')");
    let run = Watching::start(f, &["--watch", "--script", "s.lua"]);
    run.says("idle");
    put(f, "s.lua", "print('not idle')");
    run.says("not idle");
    let said = fail(fastlua(f).args(["run", "--watch", "--with", "hello", "-e", "x()"]));
    assert!(
        said.contains("--watch: no files to watch; give modules or --script"),
        "{said}"
    );
}

#[test]
fn low_ports_are_mapped_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "net.createServer():listen(80, print) print('up')";
    let run = Watching::start(folder.path(), &["-e", listen, "--listen", "127.0.0.9"]);
    run.says("port 80 is 127.0.0.9:8080 on this PC");
    let listen = "net.createServer():listen(81, print)";
    let args = [
        "-e",
        listen,
        "--listen",
        "127.0.0.9",
        "--port-map",
        "81:8080",
    ];
    let said = fail(fastlua(folder.path()).arg("run").args(args));
    assert!(
        said.contains("address in use: port 8080 of the PC"),
        "{said}"
    );
}
