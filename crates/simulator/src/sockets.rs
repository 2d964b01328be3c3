//! TCP over the PC's sockets, as lwIP offers it: what arrives and what may be sent, without Lua.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::closing::Closing;
use crate::datagrams::Datagrams;
use crate::error::Error;

/// lwIP's segment: what one `receive` gets at most.
const SEGMENT: usize = 1460;
/// What the peer may send before the device has taken it in.
const WINDOW: usize = 4 * SEGMENT;
/// How much lwIP copies before it has been acknowledged, in bytes and in buffers.
const SEND_BYTES: usize = 2 * SEGMENT;
const SEND_BUFFERS: usize = 8;
const WAKE: Token = Token(usize::MAX);

/// lwIP's numbers of errors.
pub(crate) const ABORTED: i64 = -8;
pub(crate) const RESET: i64 = -9;

/// The events of a socket, in the order in which lwIP reports them.
pub(crate) enum Event {
    Accepted(usize),
    Connected,
    Sent,
    Received(Vec<u8>),
    /// 0 where the peer closed, else lwIP's error.
    Ended(i64),
}

#[derive(Default)]
struct Server {
    listener: Option<TcpListener>,
    port: u16,
    is_ready: bool,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Resolving,
    Connecting,
    Open,
}

#[derive(Default)]
struct Client {
    state: State,
    stream: Option<TcpStream>,
    is_readable: bool,
    is_writable: bool,
    unsent: Vec<u8>,
    buffers: usize,
    window: usize,
    is_held: bool,
    /// The port as the device sees it, where a port map changed it.
    local_port: Option<u16>,
    remote_port: u16,
}

pub(crate) struct Sockets {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    next: usize,
    servers: BTreeMap<usize, Server>,
    clients: BTreeMap<usize, Client>,
    closing: BTreeMap<usize, Closing>,
    pub datagrams: Datagrams,
}

impl Sockets {
    pub fn new() -> Result<Self, Error> {
        let open = || {
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
            Ok((poll, waker))
        };
        let (poll, waker) = open().map_err(|source| Error::Io {
            what: "cannot open the event queue".to_owned(),
            source,
        })?;
        Ok(Self {
            poll,
            waker,
            events: Events::with_capacity(64),
            next: 0,
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            closing: BTreeMap::new(),
            datagrams: Datagrams::default(),
        })
    }

    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    pub fn reset(&mut self) {
        self.servers.clear();
        self.clients.clear();
        self.closing.clear();
        self.datagrams.clear();
    }

    pub fn is_idle(&self) -> bool {
        self.servers
            .values()
            .all(|server| server.listener.is_none())
            && self
                .clients
                .values()
                .all(|client| client.state == State::Closed)
            && self.closing.is_empty()
            && self.datagrams.is_idle()
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.closing.values().map(|closing| closing.until).min()
    }

    fn new_id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    pub fn add_server(&mut self) -> usize {
        let id = self.new_id();
        self.servers.insert(id, Server::default());
        id
    }

    pub fn add_client(&mut self) -> usize {
        let id = self.new_id();
        self.clients.insert(id, Client::default());
        id
    }

    pub fn add_datagrams(&mut self) -> usize {
        let id = self.new_id();
        self.datagrams.add(id);
        id
    }

    /// As [`Datagrams::bind`].
    pub fn bind_datagrams(
        &mut self,
        id: usize,
        address: SocketAddrV4,
        port: u16,
    ) -> io::Result<()> {
        self.datagrams.bind(self.poll.registry(), id, address, port)
    }

    /// Forgets a socket at once, as when Lua has collected it.
    pub fn delete(&mut self, id: usize) {
        self.servers.remove(&id);
        self.clients.remove(&id);
        self.datagrams.delete(id);
    }

    pub fn listen(&mut self, id: usize, address: SocketAddrV4, port: u16) -> io::Result<()> {
        let mut listener = TcpListener::bind(SocketAddr::V4(address))?;
        self.poll
            .registry()
            .register(&mut listener, Token(id), Interest::READABLE)?;
        let port = if port == 0 {
            listener.local_addr()?.port()
        } else {
            port
        };
        self.servers.insert(
            id,
            Server {
                listener: Some(listener),
                port,
                is_ready: true,
            },
        );
        Ok(())
    }

    pub fn is_listening(&self, id: usize) -> bool {
        self.servers
            .get(&id)
            .is_some_and(|server| server.listener.is_some())
    }

    pub fn server_port(&self, id: usize) -> Option<u16> {
        self.servers
            .get(&id)
            .filter(|server| server.listener.is_some())
            .map(|server| server.port)
    }

    /// Whether one of the device's servers listens on this port.
    pub fn has_server(&self, port: u16) -> bool {
        let mut servers = self.servers.values();
        servers.any(|server| server.listener.is_some() && server.port == port)
    }

    /// Whether the device holds a control block for this connection.
    pub fn is_open(&self, id: usize) -> bool {
        self.clients
            .get(&id)
            .is_some_and(|client| client.state != State::Closed)
            || self.datagrams.is_open(id)
    }

    pub fn resolving(&mut self, id: usize, port: u16) {
        self.clients.insert(
            id,
            Client {
                state: State::Resolving,
                remote_port: port,
                ..Client::default()
            },
        );
    }

    /// Whether the name of the peer is still being looked up, and the port it is wanted for.
    pub fn wanted_port(&self, id: usize) -> Option<u16> {
        self.clients
            .get(&id)
            .filter(|client| client.state == State::Resolving)
            .map(|client| client.remote_port)
    }

    pub fn connect(&mut self, id: usize, address: SocketAddrV4) -> io::Result<()> {
        let mut stream = TcpStream::connect(SocketAddr::V4(address))?;
        register(self.poll.registry(), &mut stream, id)?;
        let client = Client {
            state: State::Connecting,
            stream: Some(stream),
            window: WINDOW,
            remote_port: address.port(),
            ..Client::default()
        };
        self.clients.insert(id, client);
        Ok(())
    }

    /// Why these bytes cannot be taken now, in lwIP's words as NodeMCU gives them.
    pub fn send(&mut self, id: usize, bytes: &[u8], is_strict: bool) -> Result<(), &'static str> {
        let client = self
            .clients
            .get_mut(&id)
            .filter(|client| client.stream.is_some())
            .ok_or("not connected")?;
        if is_strict && !client.unsent.is_empty() {
            return Err(
                "send before the 'sent' event of the previous send: NodeMCU allows one at a time",
            );
        }
        let buffers = client.buffers + bytes.len().div_ceil(SEGMENT);
        if client.unsent.len() + bytes.len() > SEND_BYTES || buffers > SEND_BUFFERS {
            return Err("out of memory");
        }
        client.buffers = buffers;
        client.unsent.extend_from_slice(bytes);
        Ok(())
    }

    /// Has bytes sent, however many they are, for what is no Lua code.
    pub fn queue(&mut self, id: usize, bytes: &[u8]) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.unsent.extend_from_slice(bytes);
        }
    }

    pub fn hold(&mut self, id: usize, is_held: bool) {
        if let Some(client) = self
            .clients
            .get_mut(&id)
            .filter(|client| client.stream.is_some())
        {
            client.is_held = is_held;
            if !is_held {
                client.window = WINDOW;
            }
        }
    }

    /// The device has taken in what it received: the peer may send more, unless it is held.
    pub fn received(&mut self, id: usize) {
        if let Some(client) = self.clients.get_mut(&id).filter(|client| !client.is_held) {
            client.window = WINDOW;
        }
    }

    pub fn ttl(&self, id: usize, ttl: Option<u32>) -> Option<io::Result<u32>> {
        let stream = self.clients.get(&id)?.stream.as_ref()?;
        Some(match ttl {
            Some(ttl) => stream.set_ttl(ttl).map(|()| ttl),
            None => stream.ttl(),
        })
    }

    pub fn peer(&self, id: usize) -> Option<(u16, Ipv4Addr)> {
        v4(self.clients.get(&id)?.stream.as_ref()?.peer_addr().ok()?)
    }

    pub fn local(&self, id: usize) -> Option<(u16, Ipv4Addr)> {
        let client = self.clients.get(&id)?;
        let (port, address) = v4(client.stream.as_ref()?.local_addr().ok()?)?;
        Some((client.local_port.unwrap_or(port), address))
    }

    /// Closes a server or a connection; what was sent still goes out. False where it was not open.
    pub fn close(&mut self, id: usize) -> bool {
        if let Some(server) = self.servers.get_mut(&id) {
            return server.listener.take().is_some();
        }
        if self.datagrams.has(id) {
            return self.datagrams.close(id);
        }
        let Some(client) = self.clients.get_mut(&id) else {
            return false;
        };
        let Client {
            state,
            stream,
            unsent,
            ..
        } = std::mem::take(client);
        if state == State::Open
            && let Some(mut stream) = stream
        {
            let id = self.new_id();
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self
                .poll
                .registry()
                .reregister(&mut stream, Token(id), interest)
                .is_ok()
            {
                self.closing.insert(id, Closing::new(stream, unsent));
            }
        }
        state != State::Closed
    }

    pub fn poll(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(|source| Error::Io {
                what: "cannot wait for events".to_owned(),
                source,
            })?,
        }
        for event in &self.events {
            let id = event.token().0;
            if let Some(client) = self.clients.get_mut(&id) {
                client.is_readable |=
                    event.is_readable() || event.is_read_closed() || event.is_error();
                client.is_writable |=
                    event.is_writable() || event.is_write_closed() || event.is_error();
            } else if let Some(server) = self.servers.get_mut(&id) {
                server.is_ready = true;
            } else {
                self.datagrams.is_ready(id);
            }
        }
        let now = Instant::now();
        self.closing
            .retain(|_, closing| closing.until > now && closing.go_on());
        Ok(())
    }

    pub fn ids(&self) -> Vec<usize> {
        self.servers
            .keys()
            .chain(self.clients.keys())
            .copied()
            .chain(self.datagrams.ids())
            .collect()
    }

    /// The next thing that happened to a socket, if anything did.
    pub fn next_event(&mut self, id: usize) -> Option<Event> {
        if self.servers.contains_key(&id) {
            return self.accept(id).map(Event::Accepted);
        }
        let client = self.clients.get_mut(&id)?;
        match client.state {
            State::Closed | State::Resolving => None,
            State::Connecting => client.finish_connecting(),
            State::Open => client.send_some().or_else(|| client.receive_some()),
        }
    }

    fn accept(&mut self, id: usize) -> Option<usize> {
        let server = self.servers.get_mut(&id).filter(|server| server.is_ready)?;
        let (mut stream, _) = match server.listener.as_ref()?.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                // Unless the PC ran out of handles, nothing is left to accept.
                server.is_ready = error.kind() != ErrorKind::WouldBlock;
                return None;
            }
        };
        let port = server.port;
        let id = self.new_id();
        register(self.poll.registry(), &mut stream, id).ok()?;
        let local_port = stream
            .local_addr()
            .ok()
            .filter(|local| local.port() != port)
            .map(|_| port);
        let client = Client {
            state: State::Open,
            stream: Some(stream),
            window: WINDOW,
            local_port,
            ..Client::default()
        };
        self.clients.insert(id, client);
        Some(id)
    }
}

impl Client {
    fn finish_connecting(&mut self) -> Option<Event> {
        let stream = self.stream.as_ref().filter(|_| self.is_writable)?;
        if matches!(stream.take_error(), Ok(None)) {
            match stream.peer_addr() {
                Ok(_) => {
                    self.state = State::Open;
                    return Some(Event::Connected);
                }
                Err(error) if error.kind() == ErrorKind::NotConnected => {
                    self.is_writable = false;
                    return None;
                }
                Err(_) => {}
            }
        }
        Some(Event::Ended(RESET))
    }

    fn send_some(&mut self) -> Option<Event> {
        while self.is_writable && !self.unsent.is_empty() {
            match self.stream.as_mut()?.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Some(Event::Ended(RESET)),
            }
            if self.unsent.is_empty() {
                self.buffers = 0;
                return Some(Event::Sent);
            }
        }
        None
    }

    fn receive_some(&mut self) -> Option<Event> {
        let mut buffer = [0; SEGMENT];
        let wanted = SEGMENT.min(self.window);
        if !self.is_readable || wanted == 0 {
            return None;
        }
        match self.stream.as_mut()?.read(&mut buffer[..wanted]) {
            Ok(0) => Some(Event::Ended(0)),
            Ok(count) => {
                self.window -= count;
                Some(Event::Received(buffer[..count].to_vec()))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_readable = false;
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(_) => Some(Event::Ended(RESET)),
        }
    }
}

fn register(registry: &Registry, stream: &mut TcpStream, id: usize) -> io::Result<()> {
    // Else the PC holds a small segment back until the one before is acknowledged, which takes 40 ms.
    stream.set_nodelay(true)?;
    registry.register(stream, Token(id), Interest::READABLE | Interest::WRITABLE)
}

fn v4(address: SocketAddr) -> Option<(u16, Ipv4Addr)> {
    match address {
        SocketAddr::V4(address) => Some((address.port(), *address.ip())),
        SocketAddr::V6(_) => None,
    }
}
