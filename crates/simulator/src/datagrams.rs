//! UDP over the PC's sockets, without Lua.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

/// The largest datagram that comes through a network's frames, and through a PC's loopback.
const LARGEST: usize = 65_507;

/// A datagram with the port and address that it came from.
pub(crate) type Datagram = (Vec<u8>, u16, Ipv4Addr);

#[derive(Default)]
struct Socket {
    socket: Option<UdpSocket>,
    port: u16,
    is_readable: bool,
}

/// The sockets by their numbers, which are those of [`Sockets`](crate::sockets::Sockets).
#[derive(Default)]
pub(crate) struct Datagrams(BTreeMap<usize, Socket>);

impl Datagrams {
    pub fn add(&mut self, id: usize) {
        self.0.insert(id, Socket::default());
    }

    pub fn has(&self, id: usize) -> bool {
        self.0.contains_key(&id)
    }

    pub fn ids(&self) -> impl Iterator<Item = usize> {
        self.0.keys().copied()
    }

    pub fn is_idle(&self) -> bool {
        self.0.values().all(|socket| socket.socket.is_none())
    }

    pub fn is_open(&self, id: usize) -> bool {
        self.0
            .get(&id)
            .is_some_and(|socket| socket.socket.is_some())
    }

    /// Opens a socket at an address, for this port of the device; 0 for any.
    pub fn bind(
        &mut self,
        registry: &Registry,
        id: usize,
        address: SocketAddrV4,
        port: u16,
    ) -> io::Result<()> {
        let mut socket = UdpSocket::bind(SocketAddr::V4(address))?;
        registry.register(&mut socket, Token(id), Interest::READABLE)?;
        let port = match port {
            0 => socket.local_addr()?.port(),
            port => port,
        };
        let socket = Socket {
            socket: Some(socket),
            port,
            is_readable: true,
        };
        self.0.insert(id, socket);
        Ok(())
    }

    pub fn port(&self, id: usize) -> Option<u16> {
        let socket = self.0.get(&id)?;
        socket.socket.as_ref().map(|_| socket.port)
    }

    /// Whether a datagram could be sent. As on a network, one that nobody receives is not an error.
    pub fn send(&self, id: usize, bytes: &[u8], to: SocketAddrV4) -> io::Result<()> {
        let Some(socket) = self.0.get(&id).and_then(|socket| socket.socket.as_ref()) else {
            return Err(ErrorKind::NotConnected.into());
        };
        match socket.send_to(bytes, SocketAddr::V4(to)) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    pub fn receive(&mut self, id: usize) -> Option<Datagram> {
        let socket = self.0.get_mut(&id).filter(|socket| socket.is_readable)?;
        let mut buffer = vec![0; LARGEST];
        match socket.socket.as_ref()?.recv_from(&mut buffer) {
            Ok((count, SocketAddr::V4(from))) => {
                buffer.truncate(count);
                Some((buffer, from.port(), *from.ip()))
            }
            Ok(_) => None,
            Err(error) => {
                // An ICMP error (port unreachable) says nothing about received data.
                socket.is_readable = error.kind() != ErrorKind::WouldBlock;
                None
            }
        }
    }

    /// Something may have come; false where the socket is another's.
    pub fn is_ready(&mut self, id: usize) -> bool {
        let socket = self.0.get_mut(&id);
        socket.map(|socket| socket.is_readable = true).is_some()
    }

    /// False where it was not open.
    pub fn close(&mut self, id: usize) -> bool {
        let socket = self.0.get_mut(&id);
        socket.is_some_and(|socket| socket.socket.take().is_some())
    }

    pub fn delete(&mut self, id: usize) {
        self.0.remove(&id);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
