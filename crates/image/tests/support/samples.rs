//! A small image of each kind.

use fastlua_image::{Chip, Kind};

use super::{ESP32_APPLICATION, ESP8266_RAM, elf, esp32, filled, flash, table, v1, v2};

pub const APPLICATION: usize = 0x1_0000;

/// An ESP32's flash: a boot loader, a table with two places for an application, and one application.
pub fn esp32_flash() -> Vec<u8> {
    let partitions = table(&[
        (1, 0x9000, 0x6000, 0),
        (0, APPLICATION as u32, 0x1000, 0),
        (0, 0x2_0000, 0x1000, 1),
    ]);
    let boot = esp32(0, &[(0x3fff_0000, 0x100)]);
    let application = esp32(0, ESP32_APPLICATION);
    flash(&[
        (0x1000, &boot),
        (0x8000, &partitions),
        (APPLICATION, &application),
    ])
}

pub fn joined() -> Vec<u8> {
    flash(&[(0, &v1(ESP8266_RAM)), (0x1_0000, &filled(0x500))])
}

pub fn linked() -> Vec<u8> {
    elf(
        94,
        &[
            (".irom0.text", 0x4021_0000, filled(0x200)),
            (".data", 0x3ffe_8000, filled(0x30)),
        ],
    )
}

/// One of each kind.
pub fn all() -> Vec<(Kind, Vec<u8>)> {
    let over_the_air = flash(&[
        (0, &v1(ESP8266_RAM)),
        (0x1000, &v2(0x400, ESP8266_RAM)),
        (0x8_1000, &v2(0x410, ESP8266_RAM)),
    ]);
    vec![
        (Kind::Esp8266V1, v1(ESP8266_RAM)),
        (Kind::Esp8266V2, v2(0x400, ESP8266_RAM)),
        (Kind::Esp8266Flash, joined()),
        (Kind::Esp8266Flash, over_the_air),
        (Kind::Esp32(Chip(0)), esp32(0, ESP32_APPLICATION)),
        (Kind::Esp32(Chip(13)), esp32(13, ESP32_APPLICATION)),
        (Kind::Esp32Flash, esp32_flash()),
        (Kind::Elf, linked()),
        (Kind::Raw, filled(0x500)),
    ]
}
