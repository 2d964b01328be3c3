//! Number models: a dialect with the widths of its numbers.

use std::fmt;

/// The language a chunk is written in; it decides the instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Lua 5.1, as released in 5.1.5.
    Lua51,
    /// Lua 5.3, as released in 5.3.6.
    Lua53,
}

impl Dialect {
    /// Both.
    pub const ALL: [Dialect; 2] = [Dialect::Lua51, Dialect::Lua53];

    /// 51 or 53.
    pub fn version(self) -> u32 {
        match self {
            Dialect::Lua51 => 51,
            Dialect::Lua53 => 53,
        }
    }

    /// The dialect with this number: 51 or 53.
    pub fn from_version(version: u32) -> Option<Dialect> {
        Dialect::ALL
            .into_iter()
            .find(|dialect| dialect.version() == version)
    }
}

/// `5.1` or `5.3`.
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version() / 10, self.version() % 10)
    }
}

/// A dialect and the widths of its numbers: what decides how a text compiles and which core runs the
/// result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberModel {
    /// The language.
    pub dialect: Dialect,
    /// Bytes of an integer: 4 or 8, or 0 where there is none (5.1 with floats).
    pub integer: u8,
    /// Bytes of a float: 4 or 8, or 0 where there is none (5.1 with integers).
    pub float: u8,
}

impl NumberModel {
    /// The six that NodeMCU has, each with a vendored core: both of 5.1, then the four of 5.3.
    pub const ALL: [NumberModel; 6] = [
        NumberModel::new(Dialect::Lua51, 4, 0),
        NumberModel::new(Dialect::Lua51, 0, 8),
        NumberModel::new(Dialect::Lua53, 4, 4),
        NumberModel::new(Dialect::Lua53, 8, 8),
        NumberModel::new(Dialect::Lua53, 8, 4),
        NumberModel::new(Dialect::Lua53, 4, 8),
    ];

    const fn new(dialect: Dialect, integer: u8, float: u8) -> NumberModel {
        NumberModel {
            dialect,
            integer,
            float,
        }
    }

    /// Its name, as names of variants have it: `51-int`, `53-int32-float64`.
    pub fn name(&self) -> String {
        let bits = |bytes: u8| u32::from(bytes) * 8;
        let version = self.dialect.version();
        match (self.integer, self.float) {
            (_, 0) => format!("{version}-int"),
            (0, _) => format!("{version}-float"),
            (integer, float) => format!("{version}-int{}-float{}", bits(integer), bits(float)),
        }
    }

    /// The C macros that tell the model, with their values: `numbers.h` of `fastlua-cores` makes it
    /// of them.
    pub fn defines(&self) -> [(&'static str, u32); 3] {
        [
            ("FASTLUA_LUA", self.dialect.version()),
            ("FASTLUA_INTEGER", self.integer.into()),
            ("FASTLUA_FLOAT", self.float.into()),
        ]
    }

    /// [`defines`](Self::defines) as arguments of a C compiler.
    pub fn flags(&self) -> [String; 3] {
        self.defines()
            .map(|(name, value)| format!("-D{name}={value}"))
    }

    /// The highest integer; 0 where there are none.
    pub fn max_integer(&self) -> u64 {
        match self.integer {
            0 => 0,
            4 => i32::MAX as u64,
            _ => i64::MAX as u64,
        }
    }
}

/// `Lua 5.3, 32-bit integers, 64-bit floats`.
impl fmt::Display for NumberModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lua {}", self.dialect)?;
        for (bytes, what) in [(self.integer, "integers"), (self.float, "floats")] {
            if bytes != 0 {
                write!(f, ", {}-bit {what}", u32::from(bytes) * 8)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_variants() {
        let names = NumberModel::ALL.map(|model| model.name());
        assert_eq!(names[..3], ["51-int", "51-float", "53-int32-float32"]);
        assert_eq!(names[5], "53-int32-float64");
        let shown = NumberModel::ALL[5].to_string();
        assert_eq!(shown, "Lua 5.3, 32-bit integers, 64-bit floats");
    }
}
