//! A request on its way, and what its answer leads to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mlua::{BString, Function, Lua};

use super::response::{Progress, Response};
use crate::device::{Alarm, Call, Device};
use crate::error::Raise;
use crate::modules::net::{Lookup, Names, Objects, Peer};

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many times another place is tried.
const REDIRECTIONS: usize = 20;
const FAILED: i64 = -1;

/// Where a request goes.
#[derive(Clone)]
pub(super) struct Target {
    host: String,
    port: u16,
    path: String,
}

impl Target {
    /// What a URL names; nothing where it is no HTTP.
    pub fn of(url: &str) -> Option<Target> {
        let rest = url.strip_prefix("http://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(end);
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, 80),
        };
        let path = path.split('#').next().unwrap_or_default();
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        let is_line = !url.contains(|c: char| c.is_ascii_control() || c == ' ');
        (!host.is_empty() && port != 0 && is_line).then(|| Target {
            host: host.to_owned(),
            port,
            path,
        })
    }

    /// Where a redirection from here leads.
    fn redirected(&self, location: &str) -> Option<Target> {
        let base = match self.port {
            80 => format!("http://{}", self.host),
            port => format!("http://{}:{port}", self.host),
        };
        if location.contains("://") {
            Target::of(location)
        } else if location.starts_with('/') {
            Target::of(&format!("{base}{location}"))
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Target::of(&format!("{base}{folder}/{location}"))
        }
    }
}

pub(super) struct Request {
    pub method: String,
    pub target: Target,
    /// Lines that Lua gives, each with its end.
    pub headers: Vec<u8>,
    pub body: Vec<u8>,
    pub callback: Option<Function>,
    pub redirections: usize,
}

impl Request {
    /// What is sent.
    fn text(&self) -> Vec<u8> {
        let Target { host, port, path } = &self.target;
        let mut text = format!("{} {path} HTTP/1.1\r\n", self.method).into_bytes();
        let given = self.headers.to_ascii_lowercase();
        let is_given = |name: &str| {
            let lines = given.split(|byte| *byte == b'\n');
            lines
                .into_iter()
                .any(|line| line.starts_with(name.as_bytes()))
        };
        let place = match port {
            80 => host.clone(),
            port => format!("{host}:{port}"),
        };
        for (name, value) in [("Host", place.as_str()), ("User-Agent", "ESP8266")] {
            if !is_given(&format!("{}:", name.to_lowercase())) {
                text.extend(format!("{name}: {value}\r\n").into_bytes());
            }
        }
        text.extend(b"Connection: close\r\n");
        if !self.body.is_empty() && !is_given("content-length:") {
            text.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        text.extend(&self.headers);
        if !self.headers.is_empty() && !self.headers.ends_with(b"\n") {
            text.extend(b"\r\n");
        }
        text.extend(b"\r\n");
        text.extend(&self.body);
        text
    }

    /// Sends it. The event loop reports the result, not this call.
    pub fn start(self, objects: &Rc<Objects>, names: &Rc<Names>) -> Result<(), Raise> {
        names.check(&self.target.host)?;
        let (host, port) = (self.target.host.clone(), self.target.port);
        let response = Response::new(self.method.eq_ignore_ascii_case("HEAD"));
        let exchange = Rc::new(Exchange {
            objects: Rc::clone(objects),
            names: Rc::clone(names),
            request: RefCell::new(Some(self)),
            response: RefCell::new(response),
            socket: Cell::default(),
            alarm: Cell::default(),
        });
        let socket = objects.add_peer(Rc::clone(&exchange) as Rc<dyn Peer>, port);
        exchange.socket.set(socket);
        let late = Rc::clone(&exchange);
        let job = move |_: &Lua, _: &Rc<Device>| {
            late.alarm.take();
            late.finish(None);
            Ok(())
        };
        let alarm = objects.device().after(PATIENCE, Box::new(job));
        exchange.alarm.set(Some(alarm));
        let names = Rc::clone(names);
        let job = move |_: &Lua, _: &Rc<Device>| {
            Ok(names.resolve(&host, Lookup::Connection { id: socket })?)
        };
        objects.device().after(Duration::ZERO, Box::new(job));
        Ok(())
    }
}

struct Exchange {
    objects: Rc<Objects>,
    names: Rc<Names>,
    /// Until Lua has been notified.
    request: RefCell<Option<Request>>,
    response: RefCell<Response>,
    socket: Cell<usize>,
    alarm: Cell<Option<Alarm>>,
}

impl Exchange {
    /// Ends the connection, then follows a redirect or notifies Lua.
    fn finish(&self, response: Option<Response>) {
        if let Some(alarm) = self.alarm.take() {
            self.objects.device().cancel(alarm);
        }
        let Some(mut request) = self.request.take() else {
            return;
        };
        self.objects.remove_peer(self.socket.get());
        let location = response.as_ref().and_then(Response::location);
        if let Some(location) = location {
            let target = request.target.redirected(&location);
            let callback = request.callback.clone();
            request.redirections += 1;
            if request.redirections <= REDIRECTIONS
                && let Some(target) = target
            {
                request.target = target;
                if request.start(&self.objects, &self.names).is_ok() {
                    return;
                }
            }
            return self.tell(callback, None);
        }
        self.tell(request.callback, response);
    }

    fn tell(&self, callback: Option<Function>, response: Option<Response>) {
        let Some(callback) = callback else { return };
        let device = self.objects.device();
        match response {
            None => device.call(Call::Unprotected, &callback, FAILED),
            Some(response) => {
                let status = response.status();
                let headers = response.headers();
                let body = BString::from(response.into_body());
                device.call(Call::Unprotected, &callback, (status, body, headers));
            }
        }
    }

    /// Hands the response on once it is whole.
    fn look(&self, is_over: bool) {
        let progress = self.response.borrow_mut().progress(is_over);
        match progress {
            Progress::Waits => {}
            Progress::Whole => {
                let response = self.response.replace(Response::new(false));
                self.finish(Some(response));
            }
            Progress::Broken => self.finish(None),
        }
    }
}

impl Peer for Exchange {
    fn connected(self: Rc<Self>) {
        let text = self.request.borrow().as_ref().map(Request::text);
        if let Some(text) = text {
            self.objects.queue(self.socket.get(), &text);
        }
    }

    fn sent(self: Rc<Self>) {}

    fn received(self: Rc<Self>, data: Vec<u8>) {
        self.response.borrow_mut().add(&data);
        self.look(false);
    }

    fn ended(self: Rc<Self>, _: bool) {
        self.look(true);
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn urls_are_taken_apart() {
        let parts = |url: &str| Target::of(url).map(|t| (t.host, t.port, t.path));
        let whole = |host: &str, port, path: &str| Some((host.into(), port, path.into()));
        assert_eq!(parts("http://a"), whole("a", 80, "/"));
        assert_eq!(parts("http://a:81/b?c#d"), whole("a", 81, "/b?c"));
        assert_eq!(parts("http://a?b"), whole("a", 80, "/?b"));
        for wrong in [
            "a",
            "https://a",
            "http://",
            "http://a:b",
            "http://a/ b",
            "http://a:0",
        ] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
        let from = Target::of("http://a:81/b/c").unwrap();
        for (location, port, path) in [
            ("d", 81, "/b/d"),
            ("/d", 81, "/d"),
            ("http://a/d", 80, "/d"),
        ] {
            let to = from.redirected(location).unwrap();
            assert_eq!((to.port, to.path.as_str()), (port, path));
        }
        assert!(from.redirected("https://a/").is_none());
    }
}
