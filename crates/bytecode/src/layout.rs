//! How wide the fields of a dump are, and which of the four dump formats it follows.

use std::fmt;

use crate::number_model::{Dialect, NumberModel};

/// The structure of a dump. What differs only in width is in [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// NodeMCU's Lua 5.1: stock header, own body with aligned code and packed line info.
    NodeMcu51,
    /// NodeMCU's Lua 5.3: format byte `0A`, variable-length integers, packed line info.
    NodeMcu53,
    /// Stock Lua 5.1, `ldump.c`.
    Puc51,
    /// Stock Lua 5.3, `ldump.c`.
    Puc53,
}

impl Format {
    /// The language whose chunks this format holds.
    pub fn dialect(self) -> Dialect {
        match self {
            Format::NodeMcu51 | Format::Puc51 => Dialect::Lua51,
            Format::NodeMcu53 | Format::Puc53 => Dialect::Lua53,
        }
    }

    /// Whether it is NodeMCU's own.
    pub fn is_nodemcu(self) -> bool {
        matches!(self, Format::NodeMcu51 | Format::NodeMcu53)
    }
}

/// The format and the widths that a dump's header declares. Every layout is little-endian
/// with `int` and `Instruction` of 4 bytes, as on every chip that NodeMCU runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layout {
    /// Structure of the dump.
    pub format: Format,
    /// Bytes of an integer: 4 or 8, or 0 where the variant has none (5.1 with floats).
    pub integer: u8,
    /// Bytes of a float: 4 or 8, or 0 where the variant has none (5.1 with integers).
    pub float: u8,
    /// Bytes of a string length: 4 or 8. NodeMCU's formats use 4.
    pub size_t: u8,
}

impl Layout {
    /// The language of the chunks that have this layout.
    pub fn dialect(&self) -> Dialect {
        self.format.dialect()
    }

    /// The language and the widths of its numbers.
    pub fn numbers(&self) -> NumberModel {
        NumberModel {
            dialect: self.dialect(),
            integer: self.integer,
            float: self.float,
        }
    }

    /// Stock Lua's, on a machine whose `size_t` has so many bytes.
    pub fn stock(numbers: NumberModel, size_t: u8) -> Layout {
        Layout {
            format: match numbers.dialect {
                Dialect::Lua51 => Format::Puc51,
                Dialect::Lua53 => Format::Puc53,
            },
            integer: numbers.integer,
            float: numbers.float,
            size_t,
        }
    }

    /// Every layout that a dump can have.
    pub fn all() -> impl Iterator<Item = Layout> {
        const NUMBERS_51: [(u8, u8); 4] = [(4, 0), (0, 8), (8, 0), (0, 4)];
        const NUMBERS_53: [(u8, u8); 4] = [(4, 4), (8, 8), (8, 4), (4, 8)];
        let formats = [
            (Format::NodeMcu51, NUMBERS_51, &[4][..]),
            (Format::NodeMcu53, NUMBERS_53, &[4]),
            (Format::Puc51, NUMBERS_51, &[4, 8]),
            (Format::Puc53, NUMBERS_53, &[4, 8]),
        ];
        formats.into_iter().flat_map(|(format, numbers, sizes)| {
            sizes.iter().flat_map(move |&size_t| {
                numbers.map(|(integer, float)| Layout {
                    format,
                    integer,
                    float,
                    size_t,
                })
            })
        })
    }

    /// Whether a dump can have this layout: whether it is one of [`Layout::all`].
    pub fn is_possible(&self) -> bool {
        Layout::all().any(|layout| layout == *self)
    }
}

/// `NodeMCU 5.3, 32-bit integers, 64-bit floats`; a stock layout adds `, 64-bit size_t`.
impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stock = !self.format.is_nodemcu();
        let maker = if stock { "stock" } else { "NodeMCU" };
        write!(f, "{maker} {}", self.dialect())?;
        let widths = [
            (self.integer, "integers", self.integer != 0),
            (self.float, "floats", self.float != 0),
            (self.size_t, "size_t", stock),
        ];
        for (bytes, what, shown) in widths {
            if shown {
                write!(f, ", {}-bit {what}", u32::from(bytes) * 8)?;
            }
        }
        Ok(())
    }
}
