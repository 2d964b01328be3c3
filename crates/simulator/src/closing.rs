//! Connections that Lua has closed and lwIP has not: what was sent still goes out.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use mio::net::TcpStream;

/// How long a closed connection may take to send what is left, and then to see the peer's end.
const LINGER: Duration = Duration::from_secs(10);
const LINGER_EMPTY: Duration = Duration::from_secs(1);

/// A connection that Lua has closed and that still has something to send, or waits for the peer to close.
pub(crate) struct Closing {
    pub stream: TcpStream,
    pub unsent: Vec<u8>,
    is_shut: bool,
    pub until: Instant,
}

impl Closing {
    pub fn new(stream: TcpStream, unsent: Vec<u8>) -> Self {
        Self {
            stream,
            unsent,
            is_shut: false,
            until: Instant::now() + LINGER,
        }
    }

    /// False once there is nothing left to do.
    pub fn go_on(&mut self) -> bool {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        if !std::mem::replace(&mut self.is_shut, true) {
            if self.stream.shutdown(Shutdown::Write).is_err() {
                return false;
            }
            self.until = Instant::now() + LINGER_EMPTY;
        }
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}
