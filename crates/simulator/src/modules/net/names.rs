//! `net.dns`, and the names that sockets look up.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, ToSocketAddrs};
use std::rc::Rc;
use std::thread;

use mlua::{Function, Lua, Table, Value};

use super::{ended, tell};
use crate::api::{Library, Raise, raise};
use crate::device::{Call, Completion, Device};
use crate::sockets::ABORTED;

/// Who asked for a name.
pub(super) enum Lookup {
    Function(Function),
    Socket { id: usize },
    Connection { id: usize },
}

/// The answer to a name: the address, where there is one.
pub(crate) struct Resolved {
    ticket: usize,
    address: Option<Ipv4Addr>,
}

pub(super) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "net.dns.")?;
    library.with(device, "resolve", move |_, device, args| {
        resolve(device, &args.text(1)?, Lookup::Function(args.function(2)?))
    })?;
    library.with(device, "setdnsserver", move |_, device, args| {
        let Ok(address) = args.text(1)?.parse::<Ipv4Addr>() else {
            return raise("invalid dns server ip");
        };
        let index = dns_index(args.opt_integer(2, 0)?)?;
        device.net.borrow_mut().dns_servers[index] = Some(address);
        Ok(())
    })?;
    library.with(device, "getdnsserver", move |_, device, args| {
        let index = dns_index(args.opt_integer(1, 0)?)?;
        Ok(device.net.borrow().dns_servers[index].map(|address| address.to_string()))
    })?;
    Ok(library.table)
}

fn dns_index(index: i64) -> Result<usize, Raise> {
    match index {
        0 | 1 => Ok(index as usize),
        _ => raise("server index out of range [0-1]"),
    }
}

/// Looks a name up: at once where it is an address, else in a thread.
pub(super) fn resolve(device: &Rc<Device>, name: &str, lookup: Lookup) -> Result<(), Raise> {
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        found(device, lookup, Some(address));
        return Ok(());
    }
    let (ticket, waker) = {
        let mut net = device.net.borrow_mut();
        net.ticket += 1;
        let ticket = net.ticket;
        net.lookups.insert(ticket, lookup);
        (ticket, net.waker())
    };
    let sender = device.completions.0.clone();
    let name = name.to_owned();
    let work = move || {
        let address = (name.as_str(), 0)
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| {
                addresses.find_map(|address| match address.ip() {
                    IpAddr::V4(address) => Some(address),
                    IpAddr::V6(_) => None,
                })
            });
        if sender
            .send(Completion::Dns(Resolved { ticket, address }))
            .is_ok()
        {
            let _ = waker.wake();
        }
    };
    match thread::Builder::new().name("dns".to_owned()).spawn(work) {
        Ok(_) => {
            device.awaited.set(device.awaited.get() + 1);
            Ok(())
        }
        Err(error) => raise(format!("cannot look up a name: {error}")),
    }
}

/// Takes the answer of a lookup thread.
pub(crate) fn resolved(device: &Rc<Device>, resolved: Resolved) {
    let lookup = device.net.borrow_mut().lookups.remove(&resolved.ticket);
    if let Some(lookup) = lookup {
        found(device, lookup, resolved.address);
    }
}

fn found(device: &Rc<Device>, lookup: Lookup, address: Option<Ipv4Addr>) {
    let text = address.map(|address| address.to_string());
    let id = match lookup {
        Lookup::Function(function) => {
            return device.call(Call::Unprotected, &function, (Value::Nil, text));
        }
        Lookup::Socket { id } | Lookup::Connection { id } => id,
    };
    tell(device, id, 5, text);
    if matches!(lookup, Lookup::Socket { .. }) {
        return device.net.borrow_mut().release(id);
    }
    let port = device.net.borrow().wanted_port(id);
    if let Some(port) = port {
        let result = address.map(|address| {
            device
                .net
                .borrow_mut()
                .connect(id, SocketAddrV4::new(address, port))
        });
        if !matches!(result, Some(Ok(()))) {
            ended(device, id, ABORTED);
        }
    }
}
