//! Tells Lua what has happened to its sockets, in lwIP's order.

use std::rc::Rc;

use mlua::Lua;

use super::sockets::{CONNECTION, Objects, RECEIVE, SENT};
use crate::device::Call;
use crate::sockets::Event;

/// Calls the callbacks of what has happened; true if anything has.
pub(super) fn step(lua: &Lua, objects: &Rc<Objects>) -> bool {
    let mut is_busy = false;
    let ids = objects.sockets().ids();
    for id in ids {
        let datagram = objects.sockets_mut().datagrams.receive(id);
        if let Some((data, port, from)) = datagram {
            is_busy = true;
            let data = mlua::BString::from(data);
            objects.tell(id, RECEIVE, (data, port, from.to_string()));
            continue;
        }
        // One round of one segment: a `sent` and a `receive`.
        for _ in 0..2 {
            if objects.device.is_stopped() {
                return true;
            }
            let event = objects.sockets_mut().next_event(id);
            let Some(event) = event else { break };
            is_busy = true;
            if let Some(peer) = objects.peer(id) {
                match event {
                    Event::Connected => peer.connected(),
                    Event::Sent => peer.sent(),
                    Event::Received(data) => {
                        peer.received(data);
                        objects.sockets_mut().received(id);
                    }
                    Event::Ended(error) => objects.ended(id, error),
                    Event::Accepted(_) => {}
                }
                continue;
            }
            match event {
                Event::Accepted(client) => accepted(lua, objects, id, client),
                Event::Connected => objects.tell(id, CONNECTION, ()),
                Event::Sent => objects.tell(id, SENT, ()),
                Event::Received(data) => {
                    objects.tell(id, RECEIVE, mlua::BString::from(data));
                    objects.sockets_mut().received(id);
                    break;
                }
                Event::Ended(error) => objects.ended(id, error),
            }
        }
    }
    is_busy
}

fn accepted(lua: &Lua, objects: &Rc<Objects>, server: usize, client: usize) {
    let callback = objects.callback(server, CONNECTION);
    let object = match objects.new_socket(lua, client) {
        Ok(object) => object,
        Err(error) => return objects.device.failed(Call::Unprotected, &error),
    };
    let Some(callback) = callback else { return };
    objects.attached(client).object = Some(object.clone());
    objects.device.call(Call::Unprotected, &callback, object);
    if objects.sockets().is_open(client) {
        objects.tell(client, CONNECTION, ());
    }
}
