use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::interrupt::Interrupt;
use crate::pins::PinInputs;

/// What `node.restart()` does, once the callback that called it has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The run ends with [`Ended::Restart`](crate::Ended::Restart).
    End,
    /// A fresh Lua state runs the boot command, or `init.lua`; files and settings are kept.
    Reboot,
}

/// The PC's port for port 80 is 8080, unless a port map says otherwise.
pub const LOW_PORTS: u16 = 8000;

/// Takes a port that a module listens on, and the PC's address for it.
pub type Listening = Box<dyn Fn(u16, SocketAddrV4)>;

/// Writes a file.
pub type WriteFile = Box<dyn Fn(&Path, &[u8]) -> io::Result<()>>;

/// What a simulated device is made of.
pub struct Options {
    /// The folder that is the flash file system. It must exist.
    ///
    /// The file system is flat: subfolders, links and names longer than 31 bytes are not seen. A `/`, a `%` or a
    /// control character in a name is written as `%` and two hexadecimal digits, so no name leads out of the folder.
    pub root: PathBuf,
    /// Pairs of the port that a module listens on and the port that the PC opens for it, such as (21, 2121). Without a pair
    /// it is the same port, but [`LOW_PORTS`] more below 1024, where a PC wants privileges.
    pub port_map: Vec<(u16, u16)>,
    /// The address that every server listens on, whatever address the module names.
    pub listen: Ipv4Addr,
    /// Is called when the PC's port for a module is another one than the device's.
    pub listening: Option<Listening>,
    /// A file that keeps what the device keeps outside its file system: boot command, partition table, station.
    /// Without one they last as long as the [`Simulator`](crate::Simulator).
    pub settings: Option<PathBuf>,
    /// How that file is written over; else its old content goes before the new one is there.
    pub write_settings: WriteFile,
    /// What `node.restart()` does.
    pub restart: Restart,
    /// The networks (name, password) that the station can join. Empty: it joins any.
    pub networks: Vec<(String, String)>,
    /// How long the station takes to join.
    pub join_after: Duration,
    /// Whether a `send` before the `sent` event of the one before raises an error. NodeMCU's documentation asks for
    /// one at a time; the firmware takes as many as fit in 2,920 bytes, and so does the simulator without this.
    pub strict_send: bool,
    /// Whether `file.format()` deletes the files of the folder instead of refusing.
    pub allow_format: bool,
    /// Whether connections and questions for names may leave this PC. Without it only loopback addresses and the
    /// name `localhost` are known.
    pub allow_network: bool,
    /// The size of the file system in bytes, whatever the partition table says. A write beyond it fails.
    pub flash_size: u64,
    /// Whether Lua has `simulator.skip(ms)`, for tests that would wait for a timer: once nothing else is to be
    /// done, the device's clock goes straight to the next timer, if that is due within `ms` milliseconds.
    pub can_skip: bool,
    /// What `node.heap()` says at the start, in bytes.
    pub heap: usize,
    /// Where a line is written for each thing that happens at the pins.
    pub pin_trace: Option<Box<dyn Write>>,
    /// What comes to the pins from outside, by the time since each start of the device.
    pub pin_inputs: PinInputs,
    /// Stops the chunk or callback that runs. With it Lua is slower by a little.
    pub interrupt: Option<Interrupt>,
    /// The file that keeps what was typed at a terminal.
    pub history: Option<PathBuf>,
    /// Where `print` and `uart.write` go.
    pub output: Box<dyn Write>,
}

impl Options {
    /// A device with `root` as its file system, on the loopback address, that writes to standard output.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            port_map: Vec::new(),
            listen: Ipv4Addr::LOCALHOST,
            listening: None,
            settings: None,
            write_settings: Box::new(|path, bytes| fs::write(path, bytes)),
            restart: Restart::End,
            networks: Vec::new(),
            join_after: Duration::from_millis(300),
            strict_send: false,
            allow_format: false,
            allow_network: false,
            flash_size: 0x300000,
            can_skip: false,
            heap: 44 * 1024,
            pin_trace: None,
            pin_inputs: Vec::new(),
            interrupt: None,
            history: None,
            output: Box::new(io::stdout()),
        }
    }

    /// The port of the PC that the port map has for one of the device.
    pub(crate) fn mapped_port(&self, port: u16) -> Option<u16> {
        let pair = self.port_map.iter().find(|(device, _)| *device == port);
        pair.map(|(_, host)| *host)
    }

    /// The port of the PC for the port that a module names.
    pub(crate) fn host_port(&self, port: u16) -> u16 {
        self.mapped_port(port).unwrap_or(match port {
            1..1024 => port + LOW_PORTS,
            _ => port,
        })
    }

    /// The address that the station says it has.
    pub(crate) fn station_ip(&self) -> Ipv4Addr {
        if self.listen.is_unspecified() {
            Ipv4Addr::LOCALHOST
        } else {
            self.listen
        }
    }
}
