//! NodeMCU's API on a PC, for tests and for trying a module before flashing.
//!
//! A [`Simulator`] is one device: a Lua state (5.1 or 5.3, chosen by the feature of that name), a folder as its
//! flash file system, TCP over the PC's real sockets, and one event loop in one thread. As on the device, every
//! callback runs to its end before the next begins.
//!
//! ```no_run
//! use fastlua_simulator::{Options, Simulator, Until};
//!
//! let mut options = Options::new("flash");
//! options.port_map.push((21, 2121));
//! let mut simulator = Simulator::new(options)?;
//! simulator.exec("=example", b"print(node.heap())")?;
//! simulator.run(Until::Idle)?;
//! # Ok::<(), fastlua_simulator::Error>(())
//! ```
//!
//! The modules are `adc`, `bit`, `crypto`, `encoder`, `file`, `gpio`, `http`, `i2c`, `mqtt`, `net`, `node`, `ow`, `pipe`,
//! `pwm`, `rtctime`, `sjson`, `sntp`, `struct`, `tmr`, `uart` and `wifi`. Exactly one of the features
//! `lua51` (default) and `lua53` must be on, since a program links one Lua.
//!
//! What is there follows the documentation and the C sources of NodeMCU's branch `release` (ESP8266). A name that
//! NodeMCU does not have is nil, as on the device, so code may test for it. A name that NodeMCU has and the
//! simulator lacks is a function that raises "net.multicastJoin is not simulated" when it is called. A module of
//! NodeMCU's that is not simulated at all raises such an error whatever is asked of it.
//!
//! What differs from the device: numbers are those of stock Lua (doubles in 5.1, 64 bits in 5.3), pointers have
//! 64 bits, so [`Options::heap`] and `node.heap()` are an estimate only; there is no watchdog; the network works
//! whether or not the station has joined.

mod api;
mod clock;
mod closing;
mod collector;
mod datagrams;
mod device;
mod error;
mod flash;
mod handle;
mod image;
mod input;
mod interrupt;
mod modules;
mod open_file;
mod options;
mod pins;
mod settings;
mod simulator;
mod sockets;
mod stdin;
mod terminal;

pub use error::Error;
pub use fastlua_firmware::ChunkKind;
pub use handle::Handle;
pub use image::{Image, ImageChunk};
pub use interrupt::Interrupt;
pub use mlua;
pub use options::{LOW_PORTS, Listening, Options, Restart, WriteFile};
pub use pins::{PinInput, PinInputs, read_pin_inputs};
pub use simulator::{Ended, Simulator, Until};

/// The Lua that this build links: "5.1" or "5.3".
pub const LUA: &str = if cfg!(feature = "lua53") {
    "5.3"
} else {
    "5.1"
};
