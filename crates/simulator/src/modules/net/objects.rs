//! The objects of sockets, and how Lua is told what happened to them.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
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

pub(crate) struct Objects {
    pub(super) device: Rc<Device>,
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

    /// A connection has ended from outside: it is closed first, then Lua is told.
    pub(super) fn ended(&self, id: usize, error: i64) {
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
