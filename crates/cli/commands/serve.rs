//! `fastlua serve`

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::args::with_details;
use crate::io::output;
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua serve";

/// Show the page: costs, messages and downloads in a browser, on this PC only
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "prints the page's address and serves it until Ctrl-C. Only this PC can reach it, and your files stay \
in the browser. docs/page.md explains more."))]
pub struct Args {
    /// The PC's port; 0 chooses a free one
    #[arg(long, value_name = "N", default_value_t = 8051)]
    port: u16,
    /// Folder with the page from scripts/page [default: the page in this program, if it was built with it]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The page inside a release; FASTLUA_PAGE is the folder from scripts/page.
#[cfg(feature = "page")]
static PAGE: include_dir::Dir<'_> = include_dir::include_dir!("$FASTLUA_PAGE");

/// The page with which the program was built.
#[cfg(feature = "page")]
fn built_in(name: &str) -> Option<&'static [u8]> {
    Some(PAGE.get_file(name)?.contents())
}

#[cfg(not(feature = "page"))]
fn built_in(_: &str) -> Option<&'static [u8]> {
    None
}

/// The kinds of files of a page.
const TYPES: [(&str, &str); 5] = [
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
];

/// Bytes of the longest request, the time limit of a request, and that of an answer.
const LONGEST: usize = 8192;
const REQUEST: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);

/// Requests that are answered at once; others wait.
const MOST: usize = 64;

/// Time between two checks for room for one more request.
const PAUSE: Duration = Duration::from_millis(50);

pub fn run(args: &Args) -> Result<()> {
    match &args.dir {
        Some(folder) => {
            let index = folder.join("index.html");
            output::read(&index)
                .context("--dir needs the page, which scripts/page builds in target/page")?;
        }
        None if built_in("index.html").is_none() => bail!(
            "this program does not include the page: build it with scripts/page and use --dir target/page, or use a \
             release's binary"
        ),
        None => {}
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).map_err(|error| {
        let port = args.port;
        match error.kind() {
            ErrorKind::AddrInUse => anyhow!(
                "port {port} of this PC is in use by another program: end it, or choose another port with --port"
            ),
            _ => anyhow!("can't listen on port {port} of this PC: {error}; choose another with --port"),
        }
    })?;
    let address = listener.local_addr()?;
    print::out(format!("http://{address}/ (Ctrl-C ends)\n"))?;
    // Each request in progress holds a clone; the count limits them.
    let answered = Arc::new(());
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Perhaps the process has too many open files: an immediate retry would fail again.
            thread::sleep(PAUSE);
            continue;
        };
        while Arc::strong_count(&answered) > MOST {
            thread::sleep(PAUSE);
        }
        let (dir, part) = (args.dir.clone(), Arc::clone(&answered));
        let work = move || {
            // The client has gone, or the file is not found.
            let _ = answer(stream, address.port(), dir.as_deref());
            drop(part);
        };
        let _ = thread::Builder::new().spawn(work);
    }
    Ok(())
}

/// A connection with a deadline for everything, however many steps it takes.
struct Timed {
    stream: TcpStream,
    end: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn answer(stream: TcpStream, port: u16, folder: Option<&Path>) -> io::Result<()> {
    let end = Instant::now() + REQUEST;
    let mut stream = Timed { stream, end };
    let request = read_head(&mut stream)?;
    stream.end = Instant::now() + ANSWER;
    let (status, kind, body) = respond(&request, port, folder);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if !request.starts_with("HEAD ") {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The lines of a request up to the empty line.
fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut some = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut some)?;
        head.extend(&some[..count]);
        if count == 0 || head.len() > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Status, type and content.
fn respond(
    request: &str,
    port: u16,
    folder: Option<&Path>,
) -> (&'static str, &'static str, Cow<'static, [u8]>) {
    let refused = |status: &'static str| (status, TYPES[3].1, Cow::from(status.as_bytes()));
    let mut words = request.split_whitespace();
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if !matches!(method, Some("GET" | "HEAD")) {
        return refused("405 Method Not Allowed");
    }
    // Another host name that resolves to this PC (DNS rebinding) must not get the page.
    let mut lines = request.lines().skip(1).filter_map(|l| l.split_once(':'));
    let host = lines.find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let is_ours = |host: &str| {
        ["127.0.0.1", "localhost"]
            .iter()
            .any(|name| host == *name || host.strip_prefix(name) == Some(&format!(":{port}")))
    };
    if host.is_some_and(|(_, host)| !is_ours(host.trim())) {
        return refused("421 Misdirected Request");
    }
    let name = target.split(['?', '#']).next().unwrap_or_default();
    let name = match name.strip_prefix('/') {
        Some("") => "index.html",
        Some(name) => name,
        None => return refused("400 Bad Request"),
    };
    match (type_of(name), content(name, folder)) {
        (Some(kind), Some(content)) => ("200 OK", kind, content),
        _ => refused("404 Not Found"),
    }
}

/// The type of a page's file. All files are in one folder, so a name has no `/`.
fn type_of(name: &str) -> Option<&'static str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let (_, kind) = TYPES.iter().find(|(known, _)| *known == ending)?;
    (!stem.is_empty() && stem.chars().all(is_plain)).then_some(kind)
}

fn content(name: &str, folder: Option<&Path>) -> Option<Cow<'static, [u8]>> {
    type_of(name)?;
    match folder {
        Some(folder) => Some(output::read_regular(&folder.join(name)).ok()?.into()),
        None => built_in(name).map(Cow::from),
    }
}
