//! The kind of a file or of a part of it.
//!
//! Chip numbers: `esp_chip_id_t` in ESP-IDF's `esp_app_format.h`, `IMAGE_CHIP_ID` in esptool's `targets/`.

use std::fmt;

/// The kind of a file or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Segments for the RAM of an ESP8266, such as `0x00000.bin`.
    Esp8266V1,
    /// The flash segment of an ESP8266 and an image of version 1, for a boot loader.
    Esp8266V2,
    /// Several parts at their places in the flash of an ESP8266: `0x00000.bin` joined with `0x10000.bin`, or a dump.
    Esp8266Flash,
    /// An application or a boot loader for a chip of the ESP32 family.
    Esp32(Chip),
    /// The flash of a chip of the ESP32 family: boot loader, table of partitions, applications.
    Esp32Flash,
    /// The output of a linker.
    Elf,
    /// The output of a compiler, for a linker.
    Object,
    /// Several of them.
    Archive,
    /// Anything else, such as an ESP8266's `0x10000.bin`.
    Raw,
}

/// A chip of the ESP32 family, by the number in its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chip(pub u16);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Kind::Esp8266V1 => f.write_str("ESP8266 image, version 1"),
            Kind::Esp8266V2 => f.write_str("ESP8266 image, version 2"),
            Kind::Esp8266Flash => f.write_str("ESP8266 flash"),
            Kind::Esp32(chip) => write!(f, "{chip} image"),
            Kind::Esp32Flash => f.write_str("ESP32 flash"),
            Kind::Elf => f.write_str("ELF file"),
            Kind::Object => f.write_str("object file"),
            Kind::Archive => f.write_str("archive of object files"),
            Kind::Raw => f.write_str("raw file"),
        }
    }
}

impl Chip {
    /// None for a number that is newer.
    pub(crate) fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "ESP32",
            2 => "ESP32-S2",
            5 => "ESP32-C3",
            9 => "ESP32-S3",
            12 => "ESP32-C2",
            13 => "ESP32-C6",
            16 => "ESP32-H2",
            18 => "ESP32-P4",
            20 => "ESP32-C61",
            23 => "ESP32-C5",
            25 => "ESP32-H21",
            28 => "ESP32-H4",
            31 => "ESP32-E22",
            32 => "ESP32-S31",
            _ => return None,
        })
    }
}

impl fmt::Display for Chip {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "ESP32 family, chip {}", self.0),
        }
    }
}
