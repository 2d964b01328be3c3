//! Files that are no Lua, in the image: built, patched, inspected, and served.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::firmware::{head, raw};
use support::{call, put, root, run, succeed};
use tempfile::TempDir;

/// A page of 100 kB, with every byte in it.
fn page() -> Vec<u8> {
    (0..100_000u32)
        .map(|i| (i % 1000 * (i / 1000) / 13) as u8)
        .collect()
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "www/index.html", "<h1>\u{e4}</h1>\n");
    put(f, "www/css/main.css", "body {}");
    put(f, "www/page.bin", page());
    put(f, "a.lua", "return 1");
    folder
}

#[test]
fn data_goes_into_a_slot_and_comes_out_again() {
    let folder = folder();
    let f = folder.path();
    put(f, "nodemcu.bin", raw(&[head("lua51-float", 256 << 10)]));
    succeed(&mut call(
        f,
        "patch nodemcu.bin a.lua --data www/**/* -o mine.bin",
    ));
    let found = succeed(&mut call(f, "inspect mine.bin"));
    for line in [
        "  a             bytecode",
        "  css/main.css  data           7  right\n      SHA-256",
        "  page.bin      data      100000",
    ] {
        assert!(found.contains(line), "{found}");
    }
    succeed(&mut call(f, "inspect mine.bin --extract page.bin"));
    assert_eq!(fs::read(f.join("page.bin")).unwrap(), page());
    succeed(&mut call(f, "inspect mine.bin --extract css/main.css"));
    assert_eq!(fs::read(f.join("main.css")).unwrap(), b"body {}");
    // frozen, it is a string of the firmware's core
    put(
        f,
        "fast.toml",
        "[[module]]\npath = \"www/*.html\"\nas = \"frozen-data\"\n",
    );
    succeed(&mut call(f, "patch nodemcu.bin fast.toml -o frozen.bin"));
    let found = succeed(&mut call(f, "inspect frozen.bin"));
    assert!(found.contains("  index.html  frozen-data"), "{found}");
    let bytes = fs::read(f.join("frozen.bin")).unwrap();
    let text = "<h1>\u{e4}</h1>\n\0".as_bytes();
    assert_eq!(bytes.windows(text.len()).filter(|w| *w == text).count(), 1);
}

#[test]
fn data_is_the_same_for_every_variant_and_in_every_output() {
    let folder = folder();
    let f = folder.path();
    let said = succeed(&mut call(
        f,
        "build a.lua --data www/*.html --data www/css/* -o out",
    ));
    assert!(said.contains("\nindex.html "), "{said}");
    let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
    assert_eq!(header.matches("fast_words_index_html[").count(), 1);
    assert_eq!(header.matches("FAST_DATA, 0, 0, 0)").count(), 2 * 6);
    succeed(&mut call(
        f,
        "build --data www/*.html --emit object --chip esp32c3 --variant lua51-int -o o",
    ));
    let found = succeed(&mut call(f, "inspect o/fast_chunks.o"));
    assert!(found.contains("  index.html  data"), "{found}");
    let json = succeed(&mut call(f, "build --data www/*.html -o out --json"));
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["chunks"][0]["as"], "data", "{json}");
}

#[test]
fn anything_can_be_data() {
    let folder = folder();
    let f = folder.path();
    put(f, "www/bytes.lua", b"\x1bLua, but no chunk");
    // Lua and even bytecode can be data: nothing looks into it
    succeed(&mut call(f, "build --data www/*.lua -o out"));
}

/// `fastlua run`, until it is dropped.
struct Device(Child);

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a server in `folder` until what comes back is dropped: `options` of `fastlua run`, the device's port and code.
/// Gives the PC's port, too.
fn serve(folder: &Path, options: &str, port: u16, code: &str) -> (Device, u16) {
    let any = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = any.local_addr().unwrap();
    drop(any);
    let pc = at.port();
    let options = format!("run {options} --strict-send --port-map {port}:{pc} --seconds 60");
    let mut command = call(folder, &options);
    command.args(["-e", code]).stdout(Stdio::null());
    let device = Device(command.spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect(at).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the server does not come up"
        );
        sleep(Duration::from_millis(20));
    }
    (device, pc)
}

fn curl(arguments: &str) -> Vec<u8> {
    let output = run(Command::new("curl").arg("-sS").args(arguments.split(' ')));
    assert!(output.status.success(), "{arguments}: {output:?}");
    output.stdout
}

#[test]
#[ignore = "needs curl"]
fn curl_gets_pages_out_of_the_image() {
    let folder = folder();
    let f = folder.path();
    let (_device, port) = serve(
        f,
        "--with web --data www/**/*",
        80,
        "fast.web(80, 'index.html')",
    );
    let at = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    assert_eq!(curl(&at("page.bin")), page());
    assert_eq!(curl(&at("")), "<h1>\u{e4}</h1>\n".as_bytes());
    assert_eq!(curl(&at("css/main.css?version=2")), b"body {}");
    let code = |arguments: &str| {
        let said = curl(&format!(
            "-o /dev/null -w %{{http_code}}:%{{content_type}}:%{{size_download}} {arguments}"
        ));
        String::from_utf8(said).unwrap()
    };
    assert_eq!(code(&at("css/main.css")), "200:text/css:7");
    assert_eq!(code(&at("no")), "404:text/html:12");
    assert_eq!(
        code(&format!("-I {}", at("page.bin"))),
        "200:application/octet-stream:0"
    );
    assert_eq!(code(&format!("-d x=1 {}", at(""))), "405:text/plain:0");
    assert_eq!(
        code(&format!("-H X:{} {}", "x".repeat(8000), at(""))),
        "200:text/html:12"
    );
}

/// The answer to a request that is sent in these pieces.
fn asked(port: u16, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece).unwrap();
        sleep(Duration::from_millis(1));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Heads of 1 to 16 kB, wherever they are cut, while 60 clients say nothing, or not all. These are ended in time.
#[test]
fn a_request_may_be_long_and_cut_anywhere_while_others_are_silent() {
    let folder = folder();
    let (_device, port) = serve(
        folder.path(),
        "--with web --data www/**/*",
        80,
        "fast.web(80)",
    );
    let silent = |i: usize| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let said = [&b""[..], b"GET", b"GET / HTTP/1.1\r\n", b"\r"][i % 4];
        stream.write_all(said).unwrap();
        stream
    };
    let mut silent: Vec<TcpStream> = (0..60).map(silent).collect();
    for length in [0, 900, 1024, 4095, 4096, 4097, 16_000] {
        let head = format!(
            "GET /css/main.css?v=1 HTTP/1.1\r\nHost: chip\r\nCookie: {}\r\n\r\n",
            "c".repeat(length)
        );
        let head = head.as_bytes();
        let last = head.len() - 1;
        for cut in [
            1,
            4,
            21,
            29,
            30,
            31,
            500,
            1024,
            1460,
            last - 2,
            last - 1,
            last,
        ] {
            let (first, second) = head.split_at(cut.min(last));
            let answer = asked(port, &[first, second]);
            assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\nbody {}"), "{answer}");
        }
        let pieces: Vec<&[u8]> = head.chunks(100).collect();
        assert!(asked(port, &pieces).ends_with("body {}"), "{length}");
    }
    for stream in &mut silent {
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    }
}

/// The FTP server runs out of files where there is no image and no `fast`, and shows no folder then.
#[test]
#[ignore = "needs curl"]
fn the_ftp_server_does_without_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let source = root().join("crates/firmware/lua/ftp.lua");
    let split = format!("split {} --for spiffs -o files", source.display());
    succeed(&mut call(f, &split));
    for file in fs::read_dir(f.join("files")).unwrap() {
        let path = file.unwrap().path();
        fs::rename(&path, path.with_extension("lc")).unwrap();
    }
    let code = "fast = nil loadfile('ftp.lc')():createServer('user', 'pwd')";
    let (_device, port) = serve(f, "--fs files", 21, code);
    let url = format!("ftp://user:pwd@127.0.0.1:{port}/");
    let names = String::from_utf8(curl(&format!("-l {url}"))).unwrap();
    let mut names = names.lines();
    assert!(names.clone().any(|name| name == "ftp-folder.lc"));
    assert!(!names.any(|name| name == "image"));
    // so a file may be called so
    put(f, "mine", b"what was put there");
    curl(&format!("-T {}/mine {url}image", f.display()));
    assert_eq!(curl(&format!("{url}image")), b"what was put there");
    assert_eq!(
        fs::read(f.join("files/image")).unwrap(),
        b"what was put there"
    );
}
