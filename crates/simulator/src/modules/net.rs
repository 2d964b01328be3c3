//! `net`: TCP servers and clients, datagrams, and names.
//!
//! The order of callbacks is lwIP's: `sent`, then `receive`, then `disconnection`; an accepted connection gets its
//! `connection` callback after the server's callback has returned. `sent` comes once when all that was given to
//! `send` has gone out, however many calls that were. At most 2,920 bytes and 8 buffers wait to be sent; `send`
//! raises "out of memory" beyond that. A connection that the module closes itself gets no `disconnection`, and where
//! the peer closed, `close` within that callback raises "not connected". After `hold` up to 5,840 bytes still arrive.
//! As on the device, a closed socket keeps its callbacks, so a callback that has its own socket as an upvalue keeps
//! both for ever; one that uses its argument does not.
//! An error in a callback ends the run, since the firmware calls these callbacks unprotected.
//!
//! Connections, datagrams and questions for names stay on this PC, unless
//! [`Options::allow_network`](crate::Options::allow_network) is set.
//!
//! Every server listens on [`Options::listen`](crate::Options::listen), at the port that the port map gives.

mod dns;
mod events;
mod sockets;
mod udp;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use mlua::{Lua, LuaString, Value};

use super::wifi::Wifi;
use crate::api::{Args, Library};
use crate::device::Device;
use crate::error::{Raise, raise};
pub(crate) use dns::{Lookup, Names};
use sockets::{CONNECTION, DNS, EVENTS, SENT, Server, Socket};
pub(crate) use sockets::{Objects, Peer};

/// What the event loop has to do with sockets and names.
pub(crate) struct Net {
    objects: Rc<Objects>,
    names: Rc<Names>,
}

impl Drop for Net {
    fn drop(&mut self) {
        self.objects.forget_peers();
    }
}

impl Net {
    pub fn is_idle(&self) -> bool {
        self.names.is_idle() && self.objects.sockets().is_idle()
    }

    pub fn objects(&self) -> Rc<Objects> {
        Rc::clone(&self.objects)
    }

    pub fn names(&self) -> Rc<Names> {
        Rc::clone(&self.names)
    }

    /// How many objects Lua has not yet collected.
    pub fn count(&self) -> usize {
        self.objects.count()
    }

    /// Drops what Lua has collected.
    pub fn reap(&self) {
        self.objects.reap();
    }

    /// Calls the callbacks of what has happened; true if anything has.
    pub fn step(&self, lua: &Lua) -> bool {
        let has_answers = self.names.step();
        events::step(lua, &self.objects) || has_answers
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>, wifi: &Rc<Wifi>) -> mlua::Result<Net> {
    let objects = &Rc::new(Objects::new(device));
    let names = &Rc::new(Names::new(objects));
    let library = Library::new(lua, "net.")?;
    library.constant("TCP", 1)?.constant("UDP", 2)?;
    library.unsimulated(&["multicastJoin", "multicastLeave", "ping"])?;
    open_server(lua, objects)?;
    udp::open(lua, &library, names)?;
    open_socket(lua, objects, names)?;
    library.with(objects, "createServer", |lua, objects, _| {
        let id = objects.sockets_mut().add_server();
        Ok(lua.create_any_userdata(Server(objects.handle(id)))?)
    })?;
    library.with(objects, "createConnection", move |lua, objects, args| {
        if args.is_true(2) && args.opt_integer(2, 0)? != 0 {
            return raise("net.createConnection with TLS is not simulated");
        }
        let id = objects.sockets_mut().add_client();
        Ok(objects.new_socket(lua, id)?)
    })?;
    library.with(wifi, "ifinfo", move |lua, wifi, args| {
        let is_station = args.opt_integer(1, 0)? == 0;
        let Some(address) = wifi.ip().filter(|_| is_station) else {
            return Ok(None);
        };
        let table = lua.create_table_from([("ip", address.clone()), ("gateway", address)])?;
        table.raw_set("netmask", "255.0.0.0")?;
        Ok(Some(table))
    })?;
    library.constant("dns", dns::open(lua, names)?)?;
    library.global("net")?;
    Ok(Net {
        objects: Rc::clone(objects),
        names: Rc::clone(names),
    })
}

fn open_server(lua: &Lua, objects: &Rc<Objects>) -> mlua::Result<()> {
    let library = Library::methods(lua, "net.server:")?;
    library.with(objects, "listen", move |_, objects, args| {
        listen(objects, args)
    })?;
    library.with(objects, "getaddr", move |_, objects, args| {
        let port = objects.sockets().server_port(server(args)?);
        Ok((port, port.map(|_| "0.0.0.0")))
    })?;
    library.with(objects, "close", move |_, objects, args| {
        close(objects, server(args)?)
    })?;
    library.with(objects, "__gc", move |_, objects, args| {
        let id = server(args)?;
        objects.sockets_mut().close(id);
        objects.detach(id);
        Ok(())
    })?;
    library.methods_of::<Server>()
}

fn open_socket(lua: &Lua, objects: &Rc<Objects>, names: &Rc<Names>) -> mlua::Result<()> {
    let library = Library::methods(lua, "net.socket:")?;
    library.with(objects, "on", |_, objects, args| {
        on(objects, socket(args)?, args)
    })?;
    library.with(objects, "send", |_, objects, args| {
        send(objects, socket(args)?, args)
    })?;
    library.with(objects, "close", |_, objects, args| {
        close(objects, socket(args)?)
    })?;
    for (name, is_held) in [("hold", true), ("unhold", false)] {
        library.with(objects, name, move |_, objects, args| {
            objects.sockets_mut().hold(socket(args)?, is_held);
            Ok(())
        })?;
    }
    library.with(objects, "getpeer", move |_, objects, args| {
        Ok(place(objects.sockets().peer(socket(args)?)))
    })?;
    library.with(objects, "getaddr", move |_, objects, args| {
        Ok(place(objects.sockets().local(socket(args)?)))
    })?;
    library.with(names, "connect", move |_, names, args| {
        connect(names, socket(args)?, args)
    })?;
    library.with(names, "dns", move |_, names, args| {
        let (id, name) = (socket(args)?, args.text(2)?);
        let has_callback = {
            let mut attached = names.objects.attached(id);
            attached.callbacks[DNS] = args
                .opt_function(3)
                .or_else(|| attached.callbacks[DNS].take());
            attached.object = args.value(1).as_userdata().cloned();
            attached.callbacks[DNS].is_some()
        };
        if !has_callback {
            return raise("no callback specified");
        }
        names.resolve(&name, Lookup::Socket { id })
    })?;
    library.with(objects, "ttl", move |_, objects, args| {
        let ttl = args.opt_integer(2, -1)?;
        match objects
            .sockets()
            .ttl(socket(args)?, u32::try_from(ttl).ok())
        {
            Some(Ok(ttl)) => Ok(ttl),
            Some(Err(error)) => raise(error.to_string()),
            None => raise("socket is not open/bound yet"),
        }
    })?;
    library.with(objects, "__gc", move |_, objects, args| {
        let id = socket(args)?;
        objects.sockets_mut().close(id);
        objects.detach(id);
        Ok(())
    })?;
    library.methods_of::<Socket>()
}

fn server(args: &Args) -> Result<usize, Raise> {
    Ok(args.object::<Server>("net.tcpserver")?.0.id)
}

fn socket(args: &Args) -> Result<usize, Raise> {
    Ok(args.object::<Socket>("net.tcpsocket")?.0.id)
}

fn place(address: Option<(u16, Ipv4Addr)>) -> (Option<u16>, Option<String>) {
    (
        address.map(|(port, _)| port),
        address.map(|(_, address)| address.to_string()),
    )
}

fn listen(objects: &Objects, args: &Args) -> Result<(), Raise> {
    let id = server(args)?;
    if objects.sockets().is_listening(id) {
        return raise("already listening");
    }
    let (port, index) = port_and_address(args)?;
    let Some(callback) = args.opt_function(index) else {
        return raise("need callback");
    };
    let options = &objects.device.options;
    let host_port = options.host_port(port);
    let address = SocketAddrV4::new(options.listen, host_port);
    let result = objects.sockets_mut().listen(id, address, port);
    listening(objects, port, address, result)?;
    let mut attached = objects.attached(id);
    attached.callbacks[CONNECTION] = Some(callback);
    attached.object = args.value(1).as_userdata().cloned();
    Ok(())
}

/// The port of the device and the address that `listen` may be given, which is looked at only; the port, and the
/// place of the argument behind them.
fn port_and_address(args: &Args) -> Result<(u16, usize), Raise> {
    let mut index = 2;
    let mut port = 0;
    if args.is_number(index) {
        port = args.integer(index)? as u16;
        index += 1;
    }
    if let Value::String(address) = args.value(index) {
        if address.to_string_lossy().parse::<Ipv4Addr>().is_err() {
            return raise("invalid IP address");
        }
        index += 1;
    }
    Ok((port, index))
}

/// Tells of the PC's address that a port of the device has now, or why it has none.
fn listening(
    objects: &Objects,
    port: u16,
    address: SocketAddrV4,
    result: io::Result<()>,
) -> Result<(), Raise> {
    let host_port = address.port();
    if let Err(error) = result {
        return raise(match error.kind() {
            ErrorKind::AddrInUse => format!("address in use: port {host_port} of the PC"),
            ErrorKind::PermissionDenied => {
                format!(
                    "no permission to listen on port {host_port} of the PC: map {port} to another"
                )
            }
            _ => format!("cannot listen on {address}: {error}"),
        });
    }
    if host_port != port {
        objects.device.tell_port(port, address);
    }
    Ok(())
}

fn on(objects: &Objects, id: usize, args: &Args) -> Result<(), Raise> {
    let name = args.text(2)?;
    let Some(event) = EVENTS.iter().position(|event| *event == name) else {
        return raise("invalid callback name");
    };
    if !args.value(3).is_nil() && !args.value(3).is_function() {
        return raise("invalid callback function");
    }
    objects.attached(id).callbacks[event] = args.opt_function(3);
    Ok(())
}

fn send(objects: &Objects, id: usize, args: &Args) -> Result<(), Raise> {
    let data: LuaString = args.string(2)?;
    let data = data.as_bytes();
    if data.is_empty() {
        return raise("no data to send");
    }
    if let Some(callback) = args.opt_function(3) {
        objects.attached(id).callbacks[SENT] = Some(callback);
    }
    let is_strict = objects.device.options.strict_send;
    objects
        .sockets_mut()
        .send(id, &data, is_strict)
        .map_err(|text| Raise::Text(text.to_owned()))
}

fn close(objects: &Objects, id: usize) -> Result<(), Raise> {
    if !objects.sockets_mut().close(id) {
        return raise("not connected");
    }
    objects.release(id);
    Ok(())
}

fn connect(names: &Names, id: usize, args: &Args) -> Result<(), Raise> {
    if names.objects.sockets().is_open(id) {
        return raise("already connected");
    }
    let Some(port) = u16::try_from(args.integer(2)?)
        .ok()
        .filter(|port| *port != 0)
    else {
        return raise("specify port");
    };
    let host = args
        .opt_string(3)?
        .map_or_else(|| "127.0.0.1".to_owned(), |host| host.to_string_lossy());
    let callback = if args.len() > 3 {
        Some(args.function(4)?)
    } else {
        None
    };
    names.check(&host)?;
    names.objects.sockets_mut().resolving(id, port);
    {
        let mut attached = names.objects.attached(id);
        attached.object = args.value(1).as_userdata().cloned();
        attached.callbacks[CONNECTION] = callback.or_else(|| attached.callbacks[CONNECTION].take());
    }
    names.resolve(&host, Lookup::Connection { id })
}
