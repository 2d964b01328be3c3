//! `net.dns`, and the names that sockets look up.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, ToSocketAddrs};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mlua::{Function, Lua, Table, Value};

use super::sockets::{DNS, Objects};
use crate::api::Library;
use crate::device::Call;
use crate::error::{Raise, raise};
use crate::sockets::ABORTED;

/// Who asked for a name.
pub(crate) enum Lookup {
    Function(Function),
    Socket { id: usize },
    Connection { id: usize },
}

/// The answer to a name, from a thread: the address, where there is one.
struct Answer {
    ticket: usize,
    address: Option<Ipv4Addr>,
}

pub(crate) struct Names {
    pub(super) objects: Rc<Objects>,
    /// The lookups that threads are at, by ticket.
    lookups: RefCell<BTreeMap<usize, Lookup>>,
    last_ticket: Cell<usize>,
    answers: (Sender<Answer>, Receiver<Answer>),
    servers: Cell<[Option<Ipv4Addr>; 2]>,
}

pub(super) fn open(lua: &Lua, names: &Rc<Names>) -> mlua::Result<Table> {
    let library = Library::new(lua, "net.dns.")?;
    library.with(names, "resolve", move |_, names, args| {
        names.resolve(&args.text(1)?, Lookup::Function(args.function(2)?))
    })?;
    library.with(names, "setdnsserver", move |_, names, args| {
        let Ok(address) = args.text(1)?.parse::<Ipv4Addr>() else {
            return raise("invalid dns server ip");
        };
        let index = server_index(args.opt_integer(2, 0)?)?;
        let mut servers = names.servers.get();
        servers[index] = Some(address);
        names.servers.set(servers);
        Ok(())
    })?;
    library.with(names, "getdnsserver", move |_, names, args| {
        let index = server_index(args.opt_integer(1, 0)?)?;
        Ok(names.servers.get()[index].map(|address| address.to_string()))
    })?;
    Ok(library.table)
}

fn server_index(index: i64) -> Result<usize, Raise> {
    match index {
        0 | 1 => Ok(index as usize),
        _ => raise("server index out of range [0-1]"),
    }
}

impl Names {
    pub fn new(objects: &Rc<Objects>) -> Self {
        Self {
            objects: Rc::clone(objects),
            lookups: RefCell::default(),
            last_ticket: Cell::default(),
            answers: channel(),
            servers: Cell::default(),
        }
    }

    pub fn is_idle(&self) -> bool {
        self.lookups.borrow().is_empty()
    }

    /// Raises an error where this host is not the PC itself, and no other is allowed.
    pub fn check(&self, host: &str) -> Result<(), Raise> {
        let is_here = match host.parse::<Ipv4Addr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host == "localhost",
        };
        match is_here || self.objects.device.options.allow_network {
            true => Ok(()),
            false => raise(format!(
                "{host} is not this PC, and network access is not allowed"
            )),
        }
    }

    /// Looks a name up: at once where it is an address, else in a thread.
    pub fn resolve(&self, name: &str, lookup: Lookup) -> Result<(), Raise> {
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            self.found(lookup, Some(address));
            return Ok(());
        }
        self.check(name)?;
        let ticket = self.last_ticket.get() + 1;
        let (sender, waker) = (self.answers.0.clone(), self.objects.sockets().waker());
        let name = name.to_owned();
        let work = move || {
            let address = look_up(&name);
            if sender.send(Answer { ticket, address }).is_ok() {
                let _ = waker.wake();
            }
        };
        if let Err(error) = thread::Builder::new().name("dns".to_owned()).spawn(work) {
            return raise(format!("cannot look up a name: {error}"));
        }
        self.last_ticket.set(ticket);
        self.lookups.borrow_mut().insert(ticket, lookup);
        Ok(())
    }

    /// Takes the answers of the threads; true if there was one.
    pub fn step(&self) -> bool {
        let mut is_busy = false;
        while !self.objects.device.is_stopped() {
            let Ok(answer) = self.answers.1.try_recv() else {
                break;
            };
            is_busy = true;
            let lookup = self.lookups.borrow_mut().remove(&answer.ticket);
            if let Some(lookup) = lookup {
                self.found(lookup, answer.address);
            }
        }
        is_busy
    }

    fn found(&self, lookup: Lookup, address: Option<Ipv4Addr>) {
        let objects = &self.objects;
        let text = address.map(|address| address.to_string());
        let id = match lookup {
            Lookup::Function(function) => {
                let device = &objects.device;
                return device.call(Call::Unprotected, &function, (Value::Nil, text));
            }
            Lookup::Socket { id } | Lookup::Connection { id } => id,
        };
        if address.is_none() && objects.end_peer(id, false) {
            return;
        }
        objects.tell(id, DNS, text);
        if matches!(lookup, Lookup::Socket { .. }) {
            return objects.release(id);
        }
        let port = objects.sockets().wanted_port(id);
        if let Some(port) = port {
            let result = address.map(|address| {
                let port = objects.port_at(address, port);
                objects
                    .sockets_mut()
                    .connect(id, SocketAddrV4::new(address, port))
            });
            if !matches!(result, Some(Ok(()))) {
                objects.ended(id, ABORTED);
            }
        }
    }
}

fn look_up(name: &str) -> Option<Ipv4Addr> {
    (name, 0)
        .to_socket_addrs()
        .ok()?
        .find_map(|address| match address.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
}
