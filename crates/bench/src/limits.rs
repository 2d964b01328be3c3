//! What a chip has, to see figures against.

use fastlua_bundle::ESP8266_FLASH;

use crate::On;

/// A line in a chart.
pub(crate) struct Limit {
    /// What it is.
    pub(crate) title: &'static str,
    pub(crate) bytes: u64,
}

/// Flash for the firmware, modules and all.
pub(crate) fn flash(on: On) -> Limit {
    match on {
        On::Esp32c3 => Limit {
            title: "the firmware's partition in NodeMCU's table for 4 MB",
            bytes: 0x18_0000,
        },
        On::Esp8266 | On::Host => Limit {
            title: "flash segment of an ESP8266",
            bytes: ESP8266_FLASH as u64,
        },
    }
}

/// Heap that is free at the prompt, about. What an ESP32-C3 has depends on its configuration.
pub(crate) fn heap(on: On) -> Option<Limit> {
    (on == On::Esp8266).then_some(Limit {
        title: "heap of a chip at its prompt",
        bytes: 44 * 1024,
    })
}

/// How the chip's allocator counts.
pub(crate) fn allocator(on: On) -> &'static str {
    match on {
        On::Esp32c3 => "4 for each block, steps of 4, and at least 12",
        On::Esp8266 | On::Host => "16 for each block, and steps of 8",
    }
}
