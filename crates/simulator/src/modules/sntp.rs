//! `sntp`: asks servers for the time and sets the calendar clock of `rtctime`.
//!
//! A server on this PC is asked at the port that the port map gives for 123.

mod query;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mlua::{Function, Lua, Value};

use super::net::Names;
use crate::api::{Args, Library};
use crate::clock::Calendar;
use crate::device::{Alarm, Call, Device};
use crate::error::{Raise, raise};
use query::{Answer, Failure};

const PORT: u16 = 123;
const MICROS: i64 = 1_000_000;
/// How often the time is asked for again where that is wanted.
const REPEAT: Duration = Duration::from_secs(1000);

type Outcome = Result<Answer, Failure>;

/// What is asked and who wants to know.
#[derive(Clone)]
struct Sync {
    servers: Vec<String>,
    callback: Option<Function>,
    failed: Option<Function>,
    is_repeated: bool,
}

pub(crate) struct Sntp {
    device: Rc<Device>,
    names: Rc<Names>,
    /// What a thread is at.
    running: RefCell<Option<Sync>>,
    last_servers: RefCell<Vec<String>>,
    repeat: Cell<Option<Alarm>>,
    answers: (Sender<Outcome>, Receiver<Outcome>),
    offset: Cell<i64>,
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>, names: Rc<Names>) -> mlua::Result<Rc<Sntp>> {
    let sntp = Rc::new(Sntp {
        device: Rc::clone(device),
        names,
        running: RefCell::default(),
        last_servers: RefCell::default(),
        repeat: Cell::default(),
        answers: channel(),
        offset: Cell::default(),
    });
    let library = Library::new(lua, "sntp.")?;
    library.with(&sntp, "sync", |_, sntp, args| {
        if let Some(alarm) = sntp.repeat.take() {
            sntp.device.cancel(alarm);
        }
        if sntp.running.borrow().is_some() {
            return raise("sync in progress");
        }
        let sync = Sync {
            servers: servers(args, &sntp.last_servers.borrow())?,
            callback: function(args, 2)?,
            failed: function(args, 3)?,
            is_repeated: !args.value(4).is_nil(),
        };
        sntp.start(sync)
    })?;
    library.with(&sntp, "setoffset", |_, sntp, args| {
        sntp.offset.set(args.opt_integer(1, 0)?);
        Ok(())
    })?;
    library.with(&sntp, "getoffset", |_, sntp, _| Ok(sntp.offset.get()))?;
    library.global("sntp")?;
    Ok(sntp)
}

fn function(args: &Args, index: usize) -> Result<Option<Function>, Raise> {
    match args.value(index) {
        Value::Nil => Ok(None),
        _ => args.function(index).map(Some),
    }
}

fn servers(args: &Args, last: &[String]) -> Result<Vec<String>, Raise> {
    match args.value(1) {
        Value::Table(table) => Ok(table
            .sequence_values::<String>()
            .collect::<mlua::Result<_>>()?),
        Value::Nil if !last.is_empty() => Ok(last.to_vec()),
        Value::Nil => Ok((0..4)
            .map(|i| format!("{i}.nodemcu.pool.ntp.org"))
            .collect()),
        _ => {
            let name = args.text(1)?;
            match name.len() > 128 {
                true => raise("need <128 hostname"),
                false => Ok(vec![name]),
            }
        }
    }
}

impl Sntp {
    pub fn is_idle(&self) -> bool {
        self.running.borrow().is_none()
    }

    fn start(&self, sync: Sync) -> Result<(), Raise> {
        for server in &sync.servers {
            self.names.check(server)?;
        }
        let port = self.device.options.mapped_port(PORT).unwrap_or(PORT);
        let (servers, sender) = (sync.servers.clone(), self.answers.0.clone());
        let waker = self.device.sockets.borrow().waker();
        let work = move || {
            if sender.send(query::ask(&servers, port)).is_ok() {
                let _ = waker.wake();
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("sntp".to_owned())
            .spawn(work)
        {
            return raise(format!("cannot ask for the time: {error}"));
        }
        self.running.replace(Some(sync));
        Ok(())
    }

    /// Tells Lua what a thread has found; true if there was anything.
    pub fn step(self: &Rc<Self>, lua: &Lua) -> bool {
        let Ok(answer) = self.answers.1.try_recv() else {
            return false;
        };
        let Some(sync) = self.running.take() else {
            return true;
        };
        if sync.is_repeated {
            self.repeat_later(sync.clone());
        }
        match answer {
            Ok(answer) => self.found(lua, &sync, &answer),
            Err(failure) => {
                if let Some(failed) = sync.failed {
                    let arguments = (failure.code(), failure.text());
                    self.device.call(Call::Unprotected, &failed, arguments);
                }
            }
        }
        true
    }

    fn repeat_later(self: &Rc<Self>, sync: Sync) {
        let sntp = Rc::clone(self);
        let job = move |_: &Lua, _: &Rc<Device>| {
            sntp.repeat.take();
            Ok(sntp.start(sync)?)
        };
        let alarm = self.device.after(REPEAT, Box::new(job));
        self.repeat.set(Some(alarm));
    }

    fn found(&self, lua: &Lua, sync: &Sync, answer: &Answer) {
        self.last_servers.replace(vec![answer.server.clone()]);
        let clock = &self.device.clock;
        let old = clock.calendar.get();
        let now = clock.now();
        let elapsed = Instant::now().saturating_duration_since(answer.came);
        let micros = answer.micros + elapsed.as_micros() as i64 + self.offset.get() * MICROS;
        let before = old.set.map_or(0, |(set, micros)| {
            micros + now.saturating_duration_since(set).as_micros() as i64
        });
        clock.calendar.set(Calendar {
            set: Some((now, micros)),
            ..old
        });
        let Some(callback) = &sync.callback else {
            return;
        };
        let info = || {
            let info = lua.create_table()?;
            let offset = micros - before;
            match i32::try_from(offset) {
                Ok(offset) => info.raw_set("offset_us", offset)?,
                Err(_) => info.raw_set("offset_s", offset / MICROS)?,
            }
            info.raw_set("delay_us", answer.delay)?;
            info.raw_set("stratum", answer.stratum)?;
            info.raw_set("leap", answer.leap)?;
            mlua::Result::Ok(info)
        };
        match info() {
            Ok(info) => self.device.call(
                Call::Unprotected,
                callback,
                (
                    micros.div_euclid(MICROS),
                    micros.rem_euclid(MICROS),
                    answer.server.as_str(),
                    info,
                ),
            ),
            Err(error) => self.device.failed(Call::Unprotected, &error),
        }
    }
}
