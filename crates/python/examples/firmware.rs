//! Writes firmware with slots into a folder, for the tests in Python: no code in it can run, but fastlua can't tell.
//!
//! `cargo run -p fastlua-python --example firmware -- FOLDER [BYTES]`: BYTES is about the size of `esp32c3.bin`.

#[path = "../../../tests/support/firmware.rs"]
mod firmware;
#[path = "../../image/tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use fastlua_bundle::slot::Head;
use firmware::{head, raw};
use support::{esp32_of, filled};

const SLOT: u32 = 64 << 10;

/// Where an ESP32-C3 sees its constants.
const CONSTANTS: u32 = 0x3c00_0020;

/// An application of an ESP32-C3 with a slot, with its checksum and SHA-256.
fn application(variant: &str, bytes: usize) -> Vec<u8> {
    let before = 0x40;
    let head = Head {
        address: CONSTANTS + before,
        ..head(variant, SLOT)
    };
    let with_slot = [filled(before as usize), head.to_slot(), filled(0x80)].concat();
    esp32_of(
        5,
        &[
            (CONSTANTS, with_slot),
            (0x3fc8_0000, filled(0x84)),
            (
                0x4201_0020,
                filled(bytes.saturating_sub(SLOT as usize) & !3),
            ),
        ],
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, bytes) = match &arguments[..] {
        [folder] => (folder, 100_000),
        [folder, bytes] => (folder, bytes.parse()?),
        _ => return Err("give a folder, and perhaps bytes".into()),
    };
    let float = || head("lua51-float", SLOT);
    for (name, bytes) in [
        ("esp8266.bin", raw(&[float()])),
        (
            "two-slots.bin",
            raw(&[float(), head("lua53-int32-float32", SLOT)]),
        ),
        ("no-slot.bin", raw(&[])),
        ("esp32c3.bin", application("lua53-int32-float32", bytes)),
    ] {
        fs::write(Path::new(folder).join(name), bytes)?;
    }
    Ok(())
}
