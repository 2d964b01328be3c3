//! A connection to a broker. Lua hears of it through callbacks, which the event loop calls when no other runs.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use mlua::{AnyUserData, BString, Function, IntoLuaMulti, Lua};

use super::packet::{self, Header, Identity, Message};
use crate::device::{Alarm, Call, Device};
use crate::error::{Raise, raise};
use crate::modules::net::{Lookup, Names, Objects, Peer};

pub(super) const SERVER_NOT_FOUND: i64 = -5;
pub(super) const NOT_A_CONNACK: i64 = -4;
pub(super) const DNS: i64 = -3;
pub(super) const TIMEOUT: i64 = -2;

/// How long the broker may take to accept.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Connect,
    Connfail,
    Offline,
    Message,
    Overflow,
    Puback,
    Suback,
    Unsuback,
}

pub(super) const EVENTS: [(&str, Event); 8] = [
    ("connect", Event::Connect),
    ("connfail", Event::Connfail),
    ("offline", Event::Offline),
    ("message", Event::Message),
    ("overflow", Event::Overflow),
    ("puback", Event::Puback),
    ("suback", Event::Suback),
    ("unsuback", Event::Unsuback),
];

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Offline,
    /// Until the broker has accepted.
    Connecting,
    Online,
}

#[derive(Default)]
struct Link {
    state: State,
    socket: usize,
    /// Keeps the object while it is connected.
    object: Option<AnyUserData>,
    received: Vec<u8>,
    /// Bytes still to come of a message that was too long.
    skip: usize,
    /// Messages without acknowledgement that wait to be sent.
    unsent: usize,
    is_ping_unanswered: bool,
    alarm: Option<Alarm>,
}

pub(super) struct Client {
    objects: Rc<Objects>,
    names: Rc<Names>,
    identity: RefCell<Identity>,
    limit: usize,
    callbacks: RefCell<[Option<Function>; EVENTS.len()]>,
    link: RefCell<Link>,
    last_number: Cell<u16>,
}

impl Client {
    pub fn new(objects: &Rc<Objects>, names: &Rc<Names>, identity: Identity, limit: usize) -> Self {
        Self {
            objects: Rc::clone(objects),
            names: Rc::clone(names),
            identity: RefCell::new(identity),
            limit,
            callbacks: RefCell::default(),
            link: RefCell::default(),
            last_number: Cell::default(),
        }
    }

    pub fn set_will(&self, will: Message) {
        self.identity.borrow_mut().will = Some(will);
    }

    /// Sets a callback; without a function the one before stays.
    pub fn on(&self, event: Event, function: Option<Function>) {
        if function.is_some() {
            let old = std::mem::replace(&mut self.callbacks.borrow_mut()[event as usize], function);
            drop(old);
        }
    }

    pub fn number(&self) -> u16 {
        let number = self.last_number.get().checked_add(1).unwrap_or(1);
        self.last_number.set(number);
        number
    }

    pub fn check(&self) -> Result<(), Raise> {
        match self.link.borrow().state {
            State::Online => Ok(()),
            _ => raise("not connected"),
        }
    }

    pub fn connect(
        self: &Rc<Self>,
        host: &str,
        port: u16,
        object: Option<AnyUserData>,
    ) -> Result<(), Raise> {
        if self.link.borrow().state != State::Offline {
            return raise("already connected");
        }
        self.names.check(host)?;
        let socket = self.objects.add_peer(Rc::clone(self) as Rc<dyn Peer>, port);
        self.link.replace(Link {
            state: State::Connecting,
            socket,
            object,
            ..Link::default()
        });
        self.set_alarm(PATIENCE);
        // The event loop reports the result, not this call.
        let (names, host) = (Rc::clone(&self.names), host.to_owned());
        let job = move |_: &Lua, _: &Rc<Device>| {
            Ok(names.resolve(&host, Lookup::Connection { id: socket })?)
        };
        self.objects.device().after(Duration::ZERO, Box::new(job));
        Ok(())
    }

    pub fn send(&self, packet: &[u8]) {
        let socket = self.link.borrow().socket;
        self.objects.queue(socket, packet);
        if self.link.borrow().state == State::Online {
            self.keep_alive();
        }
    }

    /// One more message whose sending is reported to Lua.
    pub fn await_sent(&self) {
        self.link.borrow_mut().unsent += 1;
    }

    /// Says goodbye; `offline` follows.
    pub fn close(self: &Rc<Self>) {
        if self.link.borrow().state != State::Online {
            return;
        }
        self.send(&packet::disconnect());
        let (client, socket) = (Rc::clone(self), self.link.borrow().socket);
        let job = move |_: &Lua, _: &Rc<Device>| {
            if client.link.borrow().socket == socket {
                client.leave(None);
            }
            Ok(())
        };
        self.objects.device().after(Duration::ZERO, Box::new(job));
    }

    /// Ends the connection and notifies Lua: of a failure to connect with this number, or of its end.
    fn leave(&self, failure: Option<i64>) {
        let link = self.link.take();
        if let Some(alarm) = link.alarm {
            self.objects.device().cancel(alarm);
        }
        self.objects.remove_peer(link.socket);
        let Some(object) = link.object else { return };
        match (link.state, failure) {
            (State::Offline, _) => {}
            (State::Online, _) => self.tell_with(Event::Offline, object),
            (State::Connecting, failure) => {
                let number = failure.unwrap_or(SERVER_NOT_FOUND);
                self.tell_with(Event::Connfail, (object, number));
            }
        }
    }

    fn tell_with(&self, event: Event, arguments: impl IntoLuaMulti) {
        let callback = self.callbacks.borrow()[event as usize].clone();
        if let Some(callback) = callback {
            let device = self.objects.device();
            device.call(Call::Unprotected, &callback, arguments);
        }
    }

    fn tell(&self, event: Event, arguments: impl IntoLuaMulti) {
        let object = self.link.borrow().object.clone();
        if let Some(object) = object {
            self.tell_with(event, (object, arguments));
        }
    }

    fn set_alarm(self: &Rc<Self>, delay: Duration) {
        let client: Weak<Self> = Rc::downgrade(self);
        let job = move |_: &Lua, _: &Rc<Device>| {
            if let Some(client) = client.upgrade() {
                client.rings();
            }
            Ok(())
        };
        let device = self.objects.device();
        let alarm = device.after(delay, Box::new(job));
        let old = self.link.borrow_mut().alarm.replace(alarm);
        if let Some(old) = old {
            device.cancel(old);
        }
    }

    /// Puts the next ping off, since something was sent.
    fn keep_alive(&self) {
        let device = self.objects.device();
        let keepalive = Duration::from_secs(self.identity.borrow().keepalive.into());
        if let Some(alarm) = &self.link.borrow().alarm {
            device.put_off(*alarm, keepalive);
        }
    }

    fn rings(self: &Rc<Self>) {
        let (state, is_unanswered) = {
            let link = self.link.borrow();
            (link.state, link.is_ping_unanswered)
        };
        match state {
            State::Offline => {}
            State::Connecting => self.leave(Some(TIMEOUT)),
            State::Online if is_unanswered => self.leave(None),
            State::Online => {
                self.link.borrow_mut().is_ping_unanswered = true;
                self.set_alarm(Duration::from_secs(self.identity.borrow().keepalive.into()));
                self.send(&packet::ping(packet::PINGREQ));
            }
        }
    }

    /// The next packet that is there as a whole, or as much of one that is too long as Lua gets.
    fn next_packet(&self) -> Result<Option<(Header, Vec<u8>)>, ()> {
        let link = &mut *self.link.borrow_mut();
        let skipped = link.skip.min(link.received.len());
        link.received.drain(..skipped);
        link.skip -= skipped;
        let Some(header) = Header::read(&link.received)? else {
            return Ok(None);
        };
        let wanted = header.total.min(self.limit.max(header.head));
        if link.skip > 0 || link.received.len() < wanted {
            return Ok(None);
        }
        link.skip = header.total - wanted;
        Ok(Some((header, link.received.drain(..wanted).collect())))
    }

    /// What the broker said first: whether it was a yes.
    fn answered(self: &Rc<Self>, header: &Header, packet: &[u8]) -> bool {
        let code = packet.get(header.head + 1).copied();
        let failure = match code {
            Some(0) if header.kind == packet::CONNACK => {
                self.link.borrow_mut().state = State::Online;
                self.set_alarm(Duration::from_secs(self.identity.borrow().keepalive.into()));
                self.tell(Event::Connect, ());
                return true;
            }
            Some(code) if header.kind == packet::CONNACK => code.into(),
            _ => NOT_A_CONNACK,
        };
        self.leave(Some(failure));
        false
    }

    fn take(&self, header: &Header, packet: &[u8]) {
        let number = packet::number(header, packet).unwrap_or(0);
        match header.kind {
            packet::PUBLISH => self.deliver(header, packet),
            packet::PUBACK | packet::PUBCOMP => self.tell(Event::Puback, ()),
            packet::PUBREC => self.send(&packet::answer(packet::PUBREL, number)),
            packet::PUBREL => self.send(&packet::answer(packet::PUBCOMP, number)),
            packet::SUBACK => self.tell(Event::Suback, ()),
            packet::UNSUBACK => self.tell(Event::Unsuback, ()),
            packet::PINGREQ => self.send(&packet::ping(packet::PINGRESP)),
            packet::PINGRESP => self.link.borrow_mut().is_ping_unanswered = false,
            _ => {}
        }
    }

    fn deliver(&self, header: &Header, packet: &[u8]) {
        let Some((topic, number, payload)) = packet::published(header, packet) else {
            return;
        };
        match header.qos() {
            1 => self.send(&packet::answer(packet::PUBACK, number)),
            2 => self.send(&packet::answer(packet::PUBREC, number)),
            _ => {}
        }
        let event = match packet.len() < header.total {
            true => Event::Overflow,
            false => Event::Message,
        };
        let topic = BString::from(topic);
        match payload.is_empty() {
            true => self.tell(event, topic),
            false => self.tell(event, (topic, BString::from(payload))),
        }
    }
}

impl Peer for Client {
    fn connected(self: Rc<Self>) {
        let packet = packet::connect(&self.identity.borrow());
        self.send(&packet);
    }

    fn sent(self: Rc<Self>) {
        let count = std::mem::take(&mut self.link.borrow_mut().unsent);
        for _ in 0..count {
            self.tell(Event::Puback, ());
        }
    }

    fn received(self: Rc<Self>, data: Vec<u8>) {
        self.link.borrow_mut().received.extend(data);
        loop {
            let state = self.link.borrow().state;
            if state == State::Offline || self.objects.device().is_stopped() {
                return;
            }
            match self.next_packet() {
                Ok(None) => return,
                Ok(Some((header, packet))) => match state {
                    State::Online => self.take(&header, &packet),
                    _ if self.answered(&header, &packet) => {}
                    _ => return,
                },
                Err(()) => return self.leave(Some(NOT_A_CONNACK)),
            }
        }
    }

    fn ended(self: Rc<Self>, is_known: bool) {
        self.leave(Some(if is_known { SERVER_NOT_FOUND } else { DNS }));
    }
}
