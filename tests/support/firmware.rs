//! Firmware with slots, as a firmware's build makes it: no code in it can run, but fastlua can't tell.

#![allow(dead_code)] // each test uses its part

use fastlua_bundle::slot::{Head, Heap};
use fastlua_bundle::{CoreLayout, Tags};
use fastlua_variants::Variants;

/// Where an ESP8266 sees the raw part of its flash.
pub const IROM: u32 = 0x4021_0000;

/// Where the first slot is, and how far behind it the next one begins.
pub const FIRST: usize = 0x1230;
pub const GAP: usize = 0x340;

/// The header of a slot in firmware of this variant with the start-up hook.
pub fn head(variant: &str, capacity: u32) -> Head {
    let known = Variants::built_in();
    let layout = known.get(variant).expect("it is a built-in variant").layout;
    let tags = Tags {
        nil: 0,
        boolean: 1,
        integer: 5,
        float: 5,
        string: 6,
        long_string: 6,
        string_object: 6,
        long_string_object: 6,
        string_mark: 64,
        proto: 11,
        mark: 64,
    };
    Head {
        capacity,
        address: IROM + FIRST as u32,
        freezes: true,
        hook: true,
        inflates: true,
        unpacks: true,
        heap: Heap {
            head: 16,
            least: 1,
            align: 8,
        },
        most_chunks: capacity / 128,
        most_functions: capacity / 128,
        variant: variant.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        core: CoreLayout::of(layout.numbers()).record(&tags),
    }
}

/// The raw part of a firmware with these slots, one after the other; their addresses are set here.
pub fn raw(slots: &[Head]) -> Vec<u8> {
    let noise = |n: usize| (0..n).map(|i| (i * 37 % 251) as u8);
    let mut file: Vec<u8> = noise(FIRST).collect();
    for head in slots {
        let address = IROM + file.len() as u32;
        file.extend(
            Head {
                address,
                ..head.clone()
            }
            .to_slot(),
        );
        file.extend(noise(GAP));
    }
    file
}
