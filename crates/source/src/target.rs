//! Which Lua a text is meant for, as far as its meaning depends on it.

use fastlua_bytecode::{Dialect, Layout};

/// A dialect and its number model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The language.
    pub dialect: Dialect,
    /// Bytes of an integer: 4 or 8, or 0 where there is none (5.1 with floats).
    pub integer: u8,
    /// Bytes of a float: 4 or 8, or 0 where there is none (5.1 with integers).
    pub float: u8,
}

impl Target {
    /// The six number models of NodeMCU: both of 5.1, then the four of 5.3.
    pub const ALL: [Target; 6] = [
        Target {
            dialect: Dialect::Lua51,
            integer: 4,
            float: 0,
        },
        Target {
            dialect: Dialect::Lua51,
            integer: 0,
            float: 8,
        },
        Target {
            dialect: Dialect::Lua53,
            integer: 4,
            float: 4,
        },
        Target {
            dialect: Dialect::Lua53,
            integer: 8,
            float: 8,
        },
        Target {
            dialect: Dialect::Lua53,
            integer: 8,
            float: 4,
        },
        Target {
            dialect: Dialect::Lua53,
            integer: 4,
            float: 8,
        },
    ];

    /// The highest integer; 0 where there are none.
    pub(crate) fn max_integer(&self) -> u64 {
        match self.integer {
            0 => 0,
            4 => i32::MAX as u64,
            _ => i64::MAX as u64,
        }
    }
}

impl From<&Layout> for Target {
    fn from(layout: &Layout) -> Self {
        Target {
            dialect: layout.dialect(),
            integer: layout.integer,
            float: layout.float,
        }
    }
}

/// `Lua 5.3, 32-bit integers, 64-bit floats`.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.dialect {
            Dialect::Lua51 => "Lua 5.1",
            Dialect::Lua53 => "Lua 5.3",
        })?;
        for (bytes, what) in [(self.integer, "integers"), (self.float, "floats")] {
            if bytes != 0 {
                write!(f, ", {}-bit {what}", u32::from(bytes) * 8)?;
            }
        }
        Ok(())
    }
}
