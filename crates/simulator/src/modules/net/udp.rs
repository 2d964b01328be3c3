//! `net.createUDPSocket`: datagrams. They stay on this PC as connections do.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use mlua::Lua;

use super::dns::{Lookup, Names};
use super::sockets::{DNS, EVENTS, Handle, RECEIVE, SENT};
use super::{listening, port_and_address};
use crate::api::{Args, Library};
use crate::device::{Call, Device};
use crate::error::{Raise, raise};

/// The Lua object of a socket.
struct Udp(Handle);

pub(super) fn open(lua: &Lua, library: &Library, names: &Rc<Names>) -> mlua::Result<()> {
    let methods = Library::methods(lua, "net.udpsocket:")?;
    methods.unsimulated(&["ttl"])?;
    methods.with(names, "listen", |_, names, args| listen(names, args))?;
    methods.with(names, "send", |_, names, args| send(names, args))?;
    methods.with(names, "on", |_, names, args| {
        let (id, name) = (socket(args)?, args.text(2)?);
        let events = [RECEIVE, SENT, DNS];
        let Some(event) = events.into_iter().find(|event| EVENTS[*event] == name) else {
            return raise("invalid callback name");
        };
        if !args.value(3).is_nil() && !args.value(3).is_function() {
            return raise("invalid callback function");
        }
        names.objects.attached(id).callbacks[event] = args.opt_function(3);
        Ok(())
    })?;
    methods.with(names, "close", |_, names, args| {
        let id = socket(args)?;
        if !names.objects.sockets_mut().close(id) {
            return raise("not connected");
        }
        names.objects.attached(id).object = None;
        Ok(())
    })?;
    methods.with(names, "getaddr", |_, names, args| {
        let port = names.objects.sockets().datagrams.port(socket(args)?);
        Ok((port, port.map(|_| "0.0.0.0")))
    })?;
    methods.with(names, "dns", |_, names, args| {
        let (id, name) = (socket(args)?, args.text(2)?);
        {
            let mut attached = names.objects.attached(id);
            if let Some(function) = args.opt_function(3) {
                attached.callbacks[DNS] = Some(function);
            }
            if attached.callbacks[DNS].is_none() {
                return raise("no callback specified");
            }
            attached.object = args.value(1).as_userdata().cloned();
        }
        names.resolve(&name, Lookup::Socket { id })
    })?;
    methods.with(names, "__gc", |_, names, args| {
        let id = socket(args)?;
        names.objects.sockets_mut().close(id);
        names.objects.detach(id);
        Ok(())
    })?;
    methods.methods_of::<Udp>()?;
    library.with(names, "createUDPSocket", |lua, names, _| {
        let id = names.objects.sockets_mut().add_datagrams();
        Ok(lua.create_any_userdata(Udp(names.objects.handle(id)))?)
    })?;
    Ok(())
}

fn socket(args: &Args) -> Result<usize, Raise> {
    Ok(args.object::<Udp>("net.udpsocket")?.0.id)
}

/// Opens the socket at a port of the device, and keeps its object while it is open.
fn bind(names: &Names, args: &Args, port: u16) -> Result<(), Raise> {
    let (id, objects) = (socket(args)?, &names.objects);
    let options = &objects.device().options;
    let host_port = match port {
        0 => 0,
        port => options.host_port(port),
    };
    let address = SocketAddrV4::new(options.listen, host_port);
    let result = objects.sockets_mut().bind_datagrams(id, address, port);
    listening(objects, port, address, result)?;
    objects.attached(id).object = args.value(1).as_userdata().cloned();
    Ok(())
}

fn listen(names: &Names, args: &Args) -> Result<(), Raise> {
    if names.objects.sockets().datagrams.is_open(socket(args)?) {
        return raise("already listening");
    }
    bind(names, args, port_and_address(args)?.0)
}

fn send(names: &Rc<Names>, args: &Args) -> Result<(), Raise> {
    let id = socket(args)?;
    let Some(port) = u16::try_from(args.integer(2)?)
        .ok()
        .filter(|port| *port > 0)
    else {
        return raise("need port");
    };
    let host = args.text(3)?;
    let Ok(address) = host.parse::<Ipv4Addr>() else {
        return raise("invalid IP address");
    };
    let data = args.string(4)?;
    if data.as_bytes().is_empty() {
        return raise("no data to send");
    }
    names.check(&host)?;
    if let Some(callback) = args.opt_function(5) {
        names.objects.attached(id).callbacks[SENT] = Some(callback);
    }
    if !names.objects.sockets().datagrams.is_open(id) {
        bind(names, args, 0)?;
    }
    let to = SocketAddrV4::new(address, port);
    let result = names
        .objects
        .sockets()
        .datagrams
        .send(id, &data.as_bytes(), to);
    if let Err(error) = result {
        return raise(error.to_string());
    }
    // Lua gets the event when none of its code runs.
    if let (Some(callback), Some(object)) = (
        names.objects.callback(id, SENT),
        args.value(1).as_userdata().cloned(),
    ) {
        let job = move |_: &Lua, device: &Rc<Device>| {
            device.call(Call::Unprotected, &callback, object);
            Ok(())
        };
        names.objects.device().after(Duration::ZERO, Box::new(job));
    }
    Ok(())
}
