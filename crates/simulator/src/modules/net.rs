//! `net`: TCP servers and clients, and names.
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
//! Every server listens on [`Options::listen`](crate::Options::listen), at the port that the port map gives.

mod names;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use mlua::{AnyUserData, Function, IntoLuaMulti, Lua, LuaString, Value};

use crate::api::{Args, Library, Raise, raise};
use crate::device::{Call, Device, Garbage};
use crate::error::Error;
use crate::sockets::{Event, Sockets};
use names::{Lookup, resolve};
pub(crate) use names::{Resolved, resolved};

const EVENTS: [&str; 6] = [
    "connection",
    "reconnection",
    "disconnection",
    "receive",
    "sent",
    "dns",
];

/// What Lua has attached to a socket.
#[derive(Default)]
struct Attached {
    /// The callbacks, in the order of [`EVENTS`]; a server has its one at 0.
    callbacks: [Option<Function>; 6],
    /// Keeps the object while it is open.
    object: Option<AnyUserData>,
}

pub(crate) struct Net {
    sockets: Sockets,
    attached: BTreeMap<usize, Attached>,
    lookups: BTreeMap<usize, Lookup>,
    ticket: usize,
    dns_servers: [Option<Ipv4Addr>; 2],
}

impl Deref for Net {
    type Target = Sockets;
    fn deref(&self) -> &Sockets {
        &self.sockets
    }
}

impl DerefMut for Net {
    fn deref_mut(&mut self) -> &mut Sockets {
        &mut self.sockets
    }
}

impl Net {
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            sockets: Sockets::new()?,
            attached: BTreeMap::new(),
            lookups: BTreeMap::new(),
            ticket: 0,
            dns_servers: [None; 2],
        })
    }

    pub fn reset(&mut self) {
        self.sockets.reset();
        self.attached.clear();
        self.lookups.clear();
    }

    /// How many objects Lua has not yet collected.
    pub fn count(&self) -> usize {
        self.attached.len()
    }

    pub fn delete(&mut self, id: usize) {
        self.sockets.delete(id);
        self.attached.remove(&id);
    }

    /// Lets Lua collect a socket's object, unless it is open.
    fn release(&mut self, id: usize) {
        if !self.sockets.is_open(id)
            && let Some(attached) = self.attached.get_mut(&id)
        {
            attached.object = None;
        }
    }

    fn callback(&self, id: usize, event: usize) -> Option<Function> {
        self.attached.get(&id)?.callbacks[event].clone()
    }

    fn object(&self, id: usize) -> Option<AnyUserData> {
        self.attached.get(&id)?.object.clone()
    }
}

/// The Lua object of a server.
struct Server(Handle);
/// The Lua object of a connection.
struct Socket(Handle);

struct Handle {
    id: usize,
    device: Rc<Device>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Lua may collect in the middle of anything: the socket goes when no callback runs.
        self.device
            .garbage
            .borrow_mut()
            .push(Garbage::Socket(self.id));
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "net.")?;
    library.constant("TCP", 1)?.constant("UDP", 2)?;
    library.unsimulated(&["createUDPSocket", "multicastJoin", "multicastLeave", "ping"])?;
    open_server(lua, device)?;
    open_socket(lua, device)?;
    library.with(device, "createServer", |lua, device, _| {
        let id = device.net.borrow_mut().add_server();
        Ok(lua.create_any_userdata(Server(Handle {
            id,
            device: Rc::clone(device),
        }))?)
    })?;
    library.with(device, "createConnection", move |lua, device, args| {
        if args.is_true(2) && args.opt_integer(2, 0)? != 0 {
            return raise("net.createConnection with TLS is not simulated");
        }
        let id = device.net.borrow_mut().add_client();
        Ok(new_socket(lua, device, id)?)
    })?;
    library.with(device, "ifinfo", move |lua, device, args| {
        if args.opt_integer(1, 0)? != 0 || !device.wifi.borrow().has_ip() {
            return Ok(None);
        }
        let address = device.options.station_ip().to_string();
        let table = lua.create_table_from([("ip", address.clone()), ("gateway", address)])?;
        table.raw_set("netmask", "255.0.0.0")?;
        Ok(Some(table))
    })?;
    library.constant("dns", names::open(lua, device)?)?;
    library.global("net")
}

fn new_socket(lua: &Lua, device: &Rc<Device>, id: usize) -> mlua::Result<AnyUserData> {
    let object = lua.create_any_userdata(Socket(Handle {
        id,
        device: Rc::clone(device),
    }))?;
    device
        .net
        .borrow_mut()
        .attached
        .insert(id, Attached::default());
    Ok(object)
}

fn open_server(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::methods(lua, "net.server:")?;
    library.with(device, "listen", move |_, device, args| {
        listen(device, args)
    })?;
    library.with(device, "getaddr", move |_, device, args| {
        let port = device.net.borrow().server_port(server(args)?);
        Ok((port, port.map(|_| "0.0.0.0")))
    })?;
    library.with(device, "close", move |_, device, args| {
        close(device, server(args)?)
    })?;
    library.with(device, "__gc", move |_, device, args| {
        let id = server(args)?;
        device.net.borrow_mut().close(id);
        device.net.borrow_mut().attached.remove(&id);
        Ok(())
    })?;
    library.methods_of::<Server>()
}

fn open_socket(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::methods(lua, "net.socket:")?;
    library.with(device, "on", |_, device, args| {
        on(device, socket(args)?, args)
    })?;
    library.with(device, "send", |_, device, args| {
        send(device, socket(args)?, args)
    })?;
    library.with(device, "close", |_, device, args| {
        close(device, socket(args)?)
    })?;
    for (name, is_held) in [("hold", true), ("unhold", false)] {
        library.with(device, name, move |_, device, args| {
            device.net.borrow_mut().hold(socket(args)?, is_held);
            Ok(())
        })?;
    }
    library.with(device, "getpeer", move |_, device, args| {
        Ok(place(device.net.borrow().peer(socket(args)?)))
    })?;
    library.with(device, "getaddr", move |_, device, args| {
        Ok(place(device.net.borrow().local(socket(args)?)))
    })?;
    library.with(device, "connect", move |_, device, args| {
        connect(device, socket(args)?, args)
    })?;
    library.with(device, "dns", move |_, device, args| {
        let (id, name) = (socket(args)?, args.text(2)?);
        let has_callback = {
            let mut net = device.net.borrow_mut();
            let attached = net.attached.entry(id).or_default();
            attached.callbacks[5] = args
                .opt_function(3)
                .or_else(|| attached.callbacks[5].take());
            attached.object = args.value(1).as_userdata().cloned();
            attached.callbacks[5].is_some()
        };
        if !has_callback {
            return raise("no callback specified");
        }
        resolve(device, &name, Lookup::Socket { id })
    })?;
    library.with(device, "ttl", move |_, device, args| {
        let ttl = args.opt_integer(2, -1)?;
        match device
            .net
            .borrow()
            .ttl(socket(args)?, u32::try_from(ttl).ok())
        {
            Some(Ok(ttl)) => Ok(ttl),
            Some(Err(error)) => raise(error.to_string()),
            None => raise("socket is not open/bound yet"),
        }
    })?;
    library.with(device, "__gc", move |_, device, args| {
        let id = socket(args)?;
        let mut net = device.net.borrow_mut();
        net.close(id);
        net.attached.remove(&id);
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

fn listen(device: &Device, args: &Args) -> Result<(), Raise> {
    let id = server(args)?;
    if device.net.borrow().is_listening(id) {
        return raise("already listening");
    }
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
    let Some(callback) = args.opt_function(index) else {
        return raise("need callback");
    };
    let host_port = device.options.host_port(port);
    let address = SocketAddrV4::new(device.options.listen, host_port);
    let mut net = device.net.borrow_mut();
    if let Err(error) = net.listen(id, address, port) {
        return raise(match error.kind() {
            ErrorKind::AddrInUse => "address in use".to_owned(),
            ErrorKind::PermissionDenied => {
                format!(
                    "the PC does not let us listen on port {host_port}: map it, for example {port}:{}",
                    port + 2100
                )
            }
            _ => format!("cannot listen on {address}: {error}"),
        });
    }
    let object = args.value(1).as_userdata().cloned();
    let attached = net.attached.entry(id).or_default();
    attached.callbacks[0] = Some(callback);
    attached.object = object;
    Ok(())
}

fn on(device: &Device, id: usize, args: &Args) -> Result<(), Raise> {
    let name = args.text(2)?;
    let Some(event) = EVENTS.iter().position(|event| *event == name) else {
        return raise("invalid callback name");
    };
    if !args.value(3).is_nil() && !args.value(3).is_function() {
        return raise("invalid callback function");
    }
    device
        .net
        .borrow_mut()
        .attached
        .entry(id)
        .or_default()
        .callbacks[event] = args.opt_function(3);
    Ok(())
}

fn send(device: &Device, id: usize, args: &Args) -> Result<(), Raise> {
    let data: LuaString = args.string(2)?;
    let data = data.as_bytes();
    if data.is_empty() {
        return raise("no data to send");
    }
    let mut net = device.net.borrow_mut();
    if let Some(callback) = args.opt_function(3) {
        net.attached.entry(id).or_default().callbacks[4] = Some(callback);
    }
    net.send(id, &data, device.options.strict_send)
        .map_err(|text| Raise::Text(text.to_owned()))
}

fn close(device: &Device, id: usize) -> Result<(), Raise> {
    let mut net = device.net.borrow_mut();
    if !net.close(id) {
        return raise("not connected");
    }
    net.release(id);
    Ok(())
}

fn connect(device: &Rc<Device>, id: usize, args: &Args) -> Result<(), Raise> {
    if device.net.borrow().is_open(id) {
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
    {
        let mut net = device.net.borrow_mut();
        net.resolving(id, port);
        let attached = net.attached.entry(id).or_default();
        attached.object = args.value(1).as_userdata().cloned();
        attached.callbacks[0] = callback.or_else(|| attached.callbacks[0].take());
    }
    resolve(device, &host, Lookup::Connection { id })
}

/// Calls a callback of a socket with the socket and what else it gets.
fn tell(device: &Device, id: usize, event: usize, arguments: impl IntoLuaMulti) {
    let (callback, object) = {
        let net = device.net.borrow();
        (net.callback(id, event), net.object(id))
    };
    if let (Some(callback), Some(object)) = (callback, object) {
        device.call(Call::Unprotected, &callback, (object, arguments));
    }
}

/// A connection has ended from outside: it is closed first, then Lua is told.
fn ended(device: &Device, id: usize, error: i64) {
    let event = {
        let mut net = device.net.borrow_mut();
        net.close(id);
        if error != 0 && net.callback(id, 1).is_some() {
            1
        } else {
            2
        }
    };
    tell(device, id, event, error);
    device.net.borrow_mut().release(id);
}

/// Calls the callbacks of what has happened; true if anything has.
pub(crate) fn step(lua: &Lua, device: &Rc<Device>) -> bool {
    let mut is_busy = false;
    let ids = device.net.borrow().ids();
    for id in ids {
        // One round of one segment: a `sent` and a `receive`.
        for _ in 0..2 {
            if device.is_stopped() {
                return true;
            }
            let event = device.net.borrow_mut().next_event(id);
            let Some(event) = event else { break };
            is_busy = true;
            match event {
                Event::Accepted(client) => accepted(lua, device, id, client),
                Event::Connected => tell(device, id, 0, ()),
                Event::Sent => tell(device, id, 4, ()),
                Event::Received(data) => {
                    tell(device, id, 3, mlua::BString::from(data));
                    device.net.borrow_mut().received(id);
                    break;
                }
                Event::Ended(error) => ended(device, id, error),
            }
        }
    }
    is_busy
}

fn accepted(lua: &Lua, device: &Rc<Device>, server: usize, client: usize) {
    let callback = device.net.borrow().callback(server, 0);
    let object = match new_socket(lua, device, client) {
        Ok(object) => object,
        Err(error) => return device.failed(Call::Unprotected, &error),
    };
    let Some(callback) = callback else { return };
    device
        .net
        .borrow_mut()
        .attached
        .entry(client)
        .or_default()
        .object = Some(object.clone());
    device.call(Call::Unprotected, &callback, object);
    if device.net.borrow().is_open(client) {
        tell(device, client, 0, ());
    }
}
