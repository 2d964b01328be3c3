//! A question and its answer (RFC 4330), in a thread of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

/// So many rounds over all servers.
const ATTEMPTS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(1);
/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;
const SIZE: usize = 48;

pub(super) struct Answer {
    pub server: String,
    /// The time since 1970 when the answer came, in microseconds.
    pub micros: i64,
    pub came: Instant,
    /// There and back, in microseconds.
    pub delay: i64,
    pub stratum: u8,
    pub leap: u8,
}

pub(super) enum Failure {
    /// No server has an address; the last name.
    Name(String),
    Send(String),
    Timeout,
}

impl Failure {
    pub fn code(&self) -> i64 {
        match self {
            Failure::Name(_) => 1,
            Failure::Send(_) => 3,
            Failure::Timeout => 4,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Failure::Name(text) | Failure::Send(text) => Some(text),
            Failure::Timeout => None,
        }
    }
}

/// Asks one after the other until one answers.
pub(super) fn ask(servers: &[String], port: u16) -> Result<Answer, Failure> {
    let addresses: Vec<Ipv4Addr> = servers.iter().filter_map(|name| address(name)).collect();
    if addresses.is_empty() {
        return Err(Failure::Name(servers.last().cloned().unwrap_or_default()));
    }
    let mut failure = Failure::Timeout;
    for _ in 0..ATTEMPTS {
        for address in &addresses {
            match exchange(SocketAddr::from((*address, port))) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => failure = Failure::Timeout,
                Err(error) => failure = Failure::Send(error.to_string()),
            }
        }
    }
    Err(failure)
}

fn address(name: &str) -> Option<Ipv4Addr> {
    let mut found = (name, 0).to_socket_addrs().ok()?;
    found.find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    })
}

/// Asks one server; nothing where no answer comes in time.
fn exchange(server: SocketAddr) -> io::Result<Option<Answer>> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut question = [0; SIZE];
    question[0] = 4 << 3 | 3; // version 4, from a client
    // What the answer has to repeat.
    question[40..].copy_from_slice(
        &u64::from(std::process::id())
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .to_be_bytes(),
    );
    let asked = Instant::now();
    socket.connect(server)?;
    socket.send(&question)?;
    let end = asked + PATIENCE;
    let mut packet = [0; SIZE];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut packet) {
            Ok(SIZE) if is_answer(&packet, &question) => {
                return Ok(Some(answer(&packet, server, asked, Instant::now())));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // Nobody listens there yet.
                std::thread::sleep(left.min(PATIENCE / 4));
                return Ok(None);
            }
            Err(_) => return Ok(None),
        }
    }
}

fn is_answer(packet: &[u8; SIZE], question: &[u8; SIZE]) -> bool {
    let is_from_server = packet[0] & 7 == 4;
    let is_synchronized = packet[0] >> 6 != 3 && (1..=15).contains(&packet[1]);
    is_from_server && is_synchronized && packet[24..32] == question[40..]
}

fn answer(packet: &[u8; SIZE], server: SocketAddr, asked: Instant, came: Instant) -> Answer {
    let received = micros(&packet[32..40]);
    let sent = micros(&packet[40..]);
    let elapsed = came.saturating_duration_since(asked).as_micros() as i64;
    let delay = (elapsed - (sent - received)).max(0);
    Answer {
        server: server.ip().to_string(),
        micros: sent + delay / 2,
        came,
        delay,
        stratum: packet[1],
        leap: packet[0] >> 6,
    }
}

/// A time stamp of 8 bytes, in microseconds since 1970. Seconds below 2^31 are those after 2036.
fn micros(stamp: &[u8]) -> i64 {
    let stamp = stamp
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let mut seconds = (stamp >> 32) as i64;
    if seconds < 1 << 31 {
        seconds += 1 << 32;
    }
    let fraction = stamp & 0xFFFF_FFFF;
    (seconds - EPOCH) * 1_000_000 + ((fraction * 1_000_000) >> 32) as i64
}
