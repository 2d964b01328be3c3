//! `fastlua serve`: what it gives out, and to whom.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use support::docs::examples;
use support::{call, fail, fastlua, put, root};

/// A server that ends with the test, its address, and what it printed.
struct Server(Child, String, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path) -> Server {
    serve_with(folder, &["serve", "--port", "0", "--dir", "page"])
}

fn serve_with(folder: &Path, arguments: &[&str]) -> Server {
    let mut command = fastlua(folder);
    command.args(arguments);
    start(command)
}

fn start(mut command: Command) -> Server {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let address = line
        .strip_prefix("http://")
        .and_then(|l| l.split('/').next());
    let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
    Server(child, address, line)
}

/// The answer to these lines, headers and content.
fn ask(server: &Server, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(&server.1).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{request:?}: {answer:?}"));
    (head.to_owned(), body.to_owned())
}

fn get(server: &Server, target: &str) -> (String, String) {
    ask(
        server,
        &format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", server.1),
    )
}

#[test]
fn files_of_the_page_are_served_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "secret.txt", "secret");
    put(f, "page/index.html", "<p>page");
    put(f, "page/a-b.js", "let a");
    put(f, "page/x.wasm", "wasm");
    put(f, "page/.hidden.js", "hidden");
    put(f, "page/key.pem", "key");
    put(f, "page/inner/a.js", "inner");
    let server = serve(f);
    for (target, kind, content) in [
        ("/", "text/html; charset=utf-8", "<p>page"),
        ("/index.html?x=1", "text/html; charset=utf-8", "<p>page"),
        ("/a-b.js", "text/javascript; charset=utf-8", "let a"),
        ("/x.wasm", "application/wasm", "wasm"),
    ] {
        let (head, body) = get(&server, target);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{target}: {head}");
        assert!(
            head.contains(&format!("\r\nContent-Type: {kind}\r\n")),
            "{head}"
        );
        assert!(
            head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())),
            "{head}"
        );
        assert_eq!(body, content);
    }
    let outside = [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/%2e%2e/secret.txt",
        "/.hidden.js",
        "/key.pem",
        "/inner/a.js",
        "/inner",
        "/no.js",
        "/page\\..\\secret.txt",
        "/C:secret.txt",
        "http://x/",
        "",
    ];
    for target in outside {
        let (head, body) = get(&server, target);
        assert!(head.starts_with("HTTP/1.1 40"), "{target}: {head}");
        assert!(
            !body.contains("secret") && !body.contains("hidden"),
            "{target}: {body}"
        );
    }
}

#[test]
fn only_this_pc_is_answered_and_only_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "page/index.html", "<p>page");
    let server = serve(folder.path());
    assert!(server.1.starts_with("127.0.0.1:"), "{}", server.1);
    let port = server.1.split(':').nth(1).unwrap();
    for (request, status) in [
        (
            format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            "200",
        ),
        ("GET / HTTP/1.0\r\n\r\n".into(), "200"),
        ("GET / HTTP/1.1\r\nhost: example.org\r\n\r\n".into(), "421"),
        (
            format!("GET / HTTP/1.1\r\nHost: localhost.example.org:{port}\r\n\r\n"),
            "421",
        ),
        (
            format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            "405",
        ),
        ("x\r\n\r\n".into(), "405"),
    ] {
        let (head, _) = ask(&server, &request);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {head}"
        );
    }
    let (head, body) = ask(&server, "HEAD / HTTP/1.0\r\n\r\n");
    assert!(
        head.contains("Content-Length: 7") && body.is_empty(),
        "{head}{body}"
    );
    // one who says nothing, or too much, does not keep the others from their answers
    let _silent = TcpStream::connect(&server.1).unwrap();
    let mut long = TcpStream::connect(&server.1).unwrap();
    let _ = long.write_all(&[b'x'; 20_000]);
    assert!(get(&server, "/").0.starts_with("HTTP/1.1 200"));
}

/// But for the port, which may be in use here.
#[test]
fn the_readme_shows_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "page/index.html", "<p>page");
    let server = serve(folder.path());
    let port = server.1.split(':').nth(1).unwrap();
    let examples = examples(&root().join("README.md"));
    let example = examples.iter().find(|e| e.command == "fastlua serve");
    assert_eq!(server.2.replace(port, "8051"), example.unwrap().shown);
}

#[test]
fn what_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "page/index.html", "<p>page");
    put(f, "empty/other.html", "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = fail(&mut call(f, &format!("serve --dir page --port {port}")));
    assert!(
        said.contains(&format!("port {port} of this PC is in use")),
        "{said}"
    );
    assert!(said.contains("--port"), "{said}");
    let said = fail(&mut call(f, "serve --dir empty --port 0"));
    assert!(said.contains("scripts/page"), "{said}");
    if cfg!(not(feature = "page")) {
        let said = fail(&mut call(f, "serve --port 0"));
        assert!(
            said.contains("scripts/page") && said.contains("release"),
            "{said}"
        );
    }
}

/// Of a command that was built with the page.
#[cfg(feature = "page")]
#[test]
fn the_page_in_the_command_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_with(folder.path(), &["serve", "--port", "0"]);
    let (head, body) = get(&server, "/");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for name in body
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        let (head, _) = get(&server, &format!("/{name}"));
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{name}: {head}");
    }
    assert!(body.matches("src=\"").count() > 5, "{body}");
    assert!(get(&server, "/package.json").0.starts_with("HTTP/1.1 404"));
}

/// However slowly one asks, a time comes at which the connection ends.
#[test]
fn a_slow_request_ends() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "page/index.html", "<p>page");
    let server = serve(folder.path());
    let mut slow = TcpStream::connect(&server.1).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    // far from the longest request, and without a pause that is long by itself
    let mut sent = 0;
    while slow.write_all(b"x").is_ok() {
        sent += 1;
        assert!(sent < 5_000, "it goes on");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(get(&server, "/").0.starts_with("HTTP/1.1 200"));
}

/// Where no more files can be opened it waits, and does not ask again and again.
#[test]
#[cfg(target_os = "linux")]
fn without_handles_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "page/index.html", "<p>page");
    let line = "ulimit -n 20; exec \"$FASTLUA\" serve --port 0 --dir page";
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder.path());
    command.env("FASTLUA", env!("CARGO_BIN_EXE_fastlua"));
    let server = start(command);
    let silent: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(&server.1).unwrap())
        .collect();
    // hundredths of a second of the processor
    let used = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.0.id())).unwrap();
        let fields = stat.rsplit(") ").next().unwrap().split(' ');
        fields
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u64>().unwrap())
            .sum()
    };
    let before = used();
    thread::sleep(Duration::from_secs(3));
    let after = used();
    assert!(after - before < 20, "{before} to {after}");
    drop(silent);
    assert!(get(&server, "/").0.starts_with("HTTP/1.1 200"));
}
