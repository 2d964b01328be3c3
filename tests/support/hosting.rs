//! A stand-in for the hosting service: the comments of one pull request over HTTP, with answers that a test can replace.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// Where the comments are.
pub const COMMENTS: &str = "/repos/a/b/issues/7/comments";

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub token: String,
    pub body: String,
}

/// An answer: status, more header lines, content.
pub type Answer = (u16, String, String);

/// What a test has the service answer in place of what it would say.
type Fault = Box<dyn Fn(&Request, usize) -> Option<Answer> + Send>;

/// Comments with their numbers, and what was asked so far.
#[derive(Default)]
pub struct State {
    pub comments: Vec<(u64, String)>,
    pub asked: Vec<Request>,
}

pub struct Hosting {
    pub address: String,
    pub state: Arc<Mutex<State>>,
}

impl Hosting {
    /// Serves these comments; `fault` is asked first, with the number of requests before this one.
    pub fn new(
        comments: &[&str],
        fault: impl Fn(&Request, usize) -> Option<Answer> + Send + 'static,
    ) -> Hosting {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let numbered = (1..).zip(comments.iter().map(|body| (*body).to_owned()));
        let state = Arc::new(Mutex::new(State {
            comments: numbered.collect(),
            asked: Vec::new(),
        }));
        let (shared, own) = (Arc::clone(&state), address.clone());
        let fault: Fault = Box::new(fault);
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &own, &shared, &fault);
            }
        });
        Hosting { address, state }
    }

    /// The comments as they are now.
    pub fn comments(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state
            .comments
            .iter()
            .map(|(_, body)| body.clone())
            .collect()
    }

    /// What was asked: methods and paths.
    pub fn asked(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let lines = state
            .asked
            .iter()
            .map(|r| format!("{} {}", r.method, r.path));
        lines.collect()
    }
}

fn serve(mut stream: TcpStream, own: &str, state: &Mutex<State>, fault: &Fault) {
    let request = read(&stream);
    let mut state = state.lock().unwrap();
    let answer = fault(&request, state.asked.len());
    state.asked.push(request.clone());
    let (status, headers, content) = answer.unwrap_or_else(|| usual(&request, own, &mut state));
    let length = content.len();
    let text = format!(
        "HTTP/1.1 {status} as asked\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{content}"
    );
    // whoever asked may be gone
    let _ = stream.write_all(text.as_bytes());
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let field = |name: &str| {
        let named = |line: &String| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        lines.iter().find_map(named).unwrap_or_default()
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let mut words = lines[0].split(' ').map(str::to_owned);
    Request {
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        token: field("authorization"),
        body: String::from_utf8(body).unwrap(),
    }
}

/// Two comments a page, so that there are several.
fn usual(request: &Request, own: &str, state: &mut State) -> Answer {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let body = || -> String {
        let value: Value = serde_json::from_str(&request.body).unwrap();
        value["body"].as_str().unwrap().to_owned()
    };
    let number = path.rsplit('/').next().and_then(|n| n.parse::<u64>().ok());
    match (request.method.as_str(), number) {
        ("GET", None) if path == COMMENTS => {
            let page: usize = query.split("page=").last().unwrap().parse().unwrap();
            let page = if query.contains("&page=") { page } else { 1 };
            let shown = state.comments.iter().skip((page - 1) * 2).take(2);
            let shown: Vec<Value> = shown
                .map(|(id, body)| json!({"id": id, "body": body}))
                .collect();
            let more = state.comments.len() > page * 2;
            let link = format!(
                "Link: <{own}{COMMENTS}?per_page=100&page={}>; rel=\"next\", <{own}{COMMENTS}?page=9>; rel=\"last\"\r\n",
                page + 1
            );
            let link = if more { link } else { String::new() };
            (200, link, json!(shown).to_string())
        }
        ("POST", None) if path == COMMENTS => {
            let id = state.comments.len() as u64 + 1;
            state.comments.push((id, body()));
            (201, String::new(), json!({"id": id}).to_string())
        }
        ("PATCH", Some(number)) if path == format!("/repos/a/b/issues/comments/{number}") => {
            match state.comments.iter_mut().find(|(id, _)| *id == number) {
                Some((_, text)) => {
                    *text = body();
                    (200, String::new(), "{}".into())
                }
                None => (404, String::new(), "{\"message\": \"Not Found\"}".into()),
            }
        }
        _ => (404, String::new(), "{\"message\": \"Not Found\"}".into()),
    }
}

/// An error.
pub fn answer(status: u16, headers: &str, message: &str) -> Option<Answer> {
    Some((
        status,
        headers.into(),
        format!("{{\"message\": \"{message}\"}}"),
    ))
}
