//! The objects of sockets, and the delivery of their events to Lua.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use mlua::{AnyUserData, Function, IntoLuaMulti, Lua};

use crate::device::{Call, Device};
use crate::sockets::Sockets;

/// The callbacks, by their place in `EVENTS`.
pub(super) const CONNECTION: usize = 0;
pub(super) const RECONNECTION: usize = 1;
pub(super) const DISCONNECTION: usize = 2;
pub(super) const RECEIVE: usize = 3;
pub(super) const SENT: usize = 4;
pub(super) const DNS: usize = 5;
pub(super) const EVENTS: [&str; 6] = [
    "connection",
    "reconnection",
    "disconnection",
    "receive",
    "sent",
    "dns",
];

/// What Lua has attached to a socket.
#[derive(Default)]
pub(super) struct Attached {
    /// The callbacks, in the order of [`EVENTS`]; a server has its one at `CONNECTION`.
    pub callbacks: [Option<Function>; 6],
    /// Keeps the object while it is open.
    pub object: Option<AnyUserData>,
}

/// What has a connection in place of Lua code: a module that speaks a protocol itself.
pub(crate) trait Peer {
    fn connected(self: Rc<Self>);
    /// All that was queued has gone out.
    fn sent(self: Rc<Self>);
    fn received(self: Rc<Self>, data: Vec<u8>);
    /// It was closed or never established; `is_known` is whether there was an address.
    fn ended(self: Rc<Self>, is_known: bool);
}

pub(crate) struct Objects {
    pub(super) device: Rc<Device>,
    peers: RefCell<BTreeMap<usize, Rc<dyn Peer>>>,
    attached: RefCell<BTreeMap<usize, Attached>>,
    /// Sockets whose objects Lua has collected, which it may do in the middle of anything: they go when no
    /// callback runs.
    garbage: RefCell<Vec<usize>>,
}

/// The Lua object of a server.
pub(super) struct Server(pub Handle);
/// The Lua object of a connection.
pub(super) struct Socket(pub Handle);

pub(super) struct Handle {
    pub id: usize,
    objects: Rc<Objects>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.objects.garbage.borrow_mut().push(self.id);
    }
}

impl Objects {
    pub(super) fn new(device: &Rc<Device>) -> Self {
        Self {
            device: Rc::clone(device),
            peers: RefCell::default(),
            attached: RefCell::default(),
            garbage: RefCell::default(),
        }
    }

    pub(super) fn sockets(&self) -> Ref<'_, Sockets> {
        self.device.sockets.borrow()
    }

    pub(super) fn sockets_mut(&self) -> RefMut<'_, Sockets> {
        self.device.sockets.borrow_mut()
    }

    pub fn device(&self) -> &Rc<Device> {
        &self.device
    }

    /// The socket for a connection that this peer will have, to this port.
    pub fn add_peer(&self, peer: Rc<dyn Peer>, port: u16) -> usize {
        let id = self.sockets_mut().add_client();
        self.sockets_mut().resolving(id, port);
        self.peers.borrow_mut().insert(id, peer);
        id
    }

    /// Lets go of all peers, which hold what holds them.
    pub fn forget_peers(&self) {
        let peers = self.peers.take();
        drop(peers);
    }

    /// Closes a peer's connection. What was queued still goes out.
    pub fn remove_peer(&self, id: usize) {
        let peer = self.peers.borrow_mut().remove(&id);
        drop(peer);
        let mut sockets = self.sockets_mut();
        sockets.close(id);
        sockets.delete(id);
    }

    /// The PC's port for a connection: the device's own servers may have another one there.
    pub(super) fn port_at(&self, address: Ipv4Addr, port: u16) -> u16 {
        let options = &self.device.options;
        let is_here = address.is_loopback() || address == options.listen;
        match is_here && self.sockets().has_server(port) {
            true => options.host_port(port),
            false => port,
        }
    }

    pub fn queue(&self, id: usize, bytes: &[u8]) {
        self.sockets_mut().queue(id, bytes);
    }

    pub(super) fn peer(&self, id: usize) -> Option<Rc<dyn Peer>> {
        self.peers.borrow().get(&id).cloned()
    }

    /// Notifies a peer that its connection has ended; false if there is none.
    pub(super) fn end_peer(&self, id: usize, is_known: bool) -> bool {
        let Some(peer) = self.peer(id) else {
            return false;
        };
        peer.ended(is_known);
        self.remove_peer(id);
        true
    }

    /// How many objects Lua has not yet collected.
    pub fn count(&self) -> usize {
        self.attached.borrow().len()
    }

    /// Drops the sockets that Lua has collected.
    pub fn reap(&self) {
        for id in self.garbage.take() {
            self.sockets_mut().delete(id);
            self.detach(id);
        }
    }

    pub(super) fn handle(self: &Rc<Self>, id: usize) -> Handle {
        Handle {
            id,
            objects: Rc::clone(self),
        }
    }

    pub(super) fn new_socket(self: &Rc<Self>, lua: &Lua, id: usize) -> mlua::Result<AnyUserData> {
        let object = lua.create_any_userdata(Socket(self.handle(id)))?;
        self.attached.borrow_mut().insert(id, Attached::default());
        Ok(object)
    }

    pub(super) fn attached(&self, id: usize) -> RefMut<'_, Attached> {
        RefMut::map(self.attached.borrow_mut(), |attached| {
            attached.entry(id).or_default()
        })
    }

    pub(super) fn detach(&self, id: usize) {
        let attached = self.attached.borrow_mut().remove(&id);
        drop(attached);
    }

    /// Lets Lua collect a socket's object, unless it is open.
    pub(super) fn release(&self, id: usize) {
        if !self.sockets().is_open(id)
            && let Some(attached) = self.attached.borrow_mut().get_mut(&id)
        {
            attached.object = None;
        }
    }

    pub(super) fn callback(&self, id: usize, event: usize) -> Option<Function> {
        self.attached.borrow().get(&id)?.callbacks[event].clone()
    }

    fn object(&self, id: usize) -> Option<AnyUserData> {
        self.attached.borrow().get(&id)?.object.clone()
    }

    /// Calls a callback of a socket with the socket and what else it gets.
    pub(super) fn tell(&self, id: usize, event: usize, arguments: impl IntoLuaMulti) {
        if let (Some(callback), Some(object)) = (self.callback(id, event), self.object(id)) {
            self.device
                .call(Call::Unprotected, &callback, (object, arguments));
        }
    }

    /// A connection has ended from outside: it is closed first, then Lua gets the event.
    pub(super) fn ended(&self, id: usize, error: i64) {
        if self.end_peer(id, true) {
            return;
        }
        self.sockets_mut().close(id);
        let event = if error != 0 && self.callback(id, RECONNECTION).is_some() {
            RECONNECTION
        } else {
            DISCONNECTION
        };
        self.tell(id, event, error);
        self.release(id);
    }
}
