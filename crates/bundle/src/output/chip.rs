//! NodeMCU's chips, as far as a compiler's output for them differs.

use std::str::FromStr;

use crate::slot::Heap;
use fastlua_bytecode::{Dialect, Layout};
use object::Architecture;

use super::region::Machine;
use crate::structures::{CoreLayout, Tags};

/// A chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chip {
    /// The ESP8266: an lx106.
    Esp8266,
    /// The Xtensa chips of the ESP32 family: ESP32, S2, S3.
    Esp32,
    /// Its RISC-V chips: C3, C6 and others.
    RiscV,
}

/// No chip has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown chip {name}{}; chips: {}", processor(name), names())]
pub struct NoChip {
    /// The name.
    pub name: String,
}

/// As `IDF_TARGET` names them.
const NAMES: [(&str, Chip); 10] = [
    ("esp8266", Chip::Esp8266),
    ("esp32", Chip::Esp32),
    ("esp32s2", Chip::Esp32),
    ("esp32s3", Chip::Esp32),
    ("esp32c2", Chip::RiscV),
    ("esp32c3", Chip::RiscV),
    ("esp32c5", Chip::RiscV),
    ("esp32c6", Chip::RiscV),
    ("esp32c61", Chip::RiscV),
    ("esp32h2", Chip::RiscV),
];

/// Advice if a processor is given in place of a chip.
fn processor(name: &str) -> &'static str {
    match name {
        "lx106" => ", which is the processor of esp8266",
        "rv32" => ", which is the processor of esp32c3 and others",
        _ => "",
    }
}

fn names() -> String {
    Vec::from_iter(Chip::names()).join(", ")
}

impl FromStr for Chip {
    type Err = NoChip;

    fn from_str(name: &str) -> Result<Chip, NoChip> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        let known = found.map(|(_, chip)| *chip);
        known.ok_or_else(|| NoChip { name: name.into() })
    }
}

impl Chip {
    /// The names of all chips.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().map(|(name, _)| name)
    }

    /// The name of this chip's firmware in a variant's conditions.
    pub fn target(self) -> &'static str {
        match self {
            Chip::Esp8266 => "esp8266",
            Chip::Esp32 | Chip::RiscV => "esp32",
        }
    }

    /// What a linker calls its code, and the flags that it compares: instructions and literals (Xtensa);
    /// short instructions, floats in software (RISC-V).
    pub(super) fn architecture(self) -> (Architecture, u32) {
        match self {
            Chip::Esp8266 | Chip::Esp32 => (Architecture::Xtensa, 0x300),
            Chip::RiscV => (Architecture::Riscv32, 1),
        }
    }

    /// NodeMCU's core of this layout on it. `fast_index.h` has the heaps.
    pub fn machine(self, layout: &Layout) -> Machine {
        let heap = match self {
            Chip::Esp8266 => [16, 1, 8],
            Chip::Esp32 | Chip::RiscV => [4, 12, 4],
        };
        let [head, least, align] = heap;
        Machine {
            core: CoreLayout::of(layout.numbers()),
            tags: Tags::of(layout.dialect()),
            heap: Heap { head, least, align },
        }
    }
}

impl Tags {
    /// NodeMCU's, as `lua.h`, `lobject.h` and `lgc.h` of its cores have them.
    pub fn of(dialect: Dialect) -> Tags {
        let [nil, boolean, number, string] = [0, 1, 3, 4];
        let variant = 1 << 4; // the second of two kinds
        match dialect {
            Dialect::Lua51 => Tags {
                nil,
                boolean,
                integer: number,
                float: number,
                string,
                long_string: string,
                string_object: string,
                long_string_object: string,
                string_mark: 1 << 6,
                proto: 9,
                mark: 1 << 6,
            },
            Dialect::Lua53 => {
                let collectable = 1 << 6;
                Tags {
                    nil,
                    boolean,
                    integer: number | variant,
                    float: number,
                    string: string | collectable,
                    long_string: string | variant | collectable,
                    string_object: string,
                    long_string_object: string | variant,
                    string_mark: 1 << 5 | collectable,
                    proto: 9,
                    mark: 1 << 5,
                }
            }
        }
    }
}
