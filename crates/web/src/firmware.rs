//! What a firmware file is, and what is in its slots.

use std::collections::BTreeMap;

use fastlua::{CheckState, Firmware, FirmwareError, FirmwareSlot, Variants, form_of};
use serde_json::{Value, json};

use crate::message::Files;
use crate::said::Said;
use crate::{Answer, failed};

/// The kind of the file, what checksums it, and its slots.
pub(crate) fn about(file: &str, files: &BTreeMap<String, Vec<u8>>) -> Answer {
    let Some(bytes) = files.get(file) else {
        return failed(vec![Said::of_file(file, "the firmware is missing")]);
    };
    let firmware = match Firmware::read(bytes.clone()) {
        Ok(firmware) => firmware,
        Err(error) => return failed(vec![Said::of_file(file, format!("{file}: {error}"))]),
    };
    let mut messages = Vec::new();
    let wrong = firmware
        .checksums()
        .filter(|checksum| checksum.1 == CheckState::Wrong);
    for (checksum, _) in wrong {
        messages.push(Said::of_file(
            file,
            format!("{file}: the {checksum} is wrong"),
        ));
    }
    let mut slots = Vec::new();
    for (slot, number) in firmware.slots().zip(1..) {
        match slot.and_then(|slot| shown(&slot, number)) {
            Ok(slot) => slots.push(slot),
            Err(error) => messages.push(Said::of_file(file, format!("{file}: {error}"))),
        }
    }
    let kind = firmware.kind();
    if slots.is_empty() && messages.is_empty() {
        let none = FirmwareError::NoSlot(kind.clone());
        messages.push(Said::of_file(file, format!("{file}: {none}")));
    }
    let descriptors = firmware.descriptors().flatten();
    let variants: Vec<String> = descriptors
        .map(|descriptor| descriptor.variant.clone())
        .collect();
    (
        json!({"kind": kind, "slots": slots, "compiled_in": variants, "messages": messages}),
        Files::new(),
    )
}

fn shown(slot: &FirmwareSlot, number: usize) -> Result<Value, FirmwareError> {
    let chunks = slot.chunks()?;
    let chunks = chunks
        .iter()
        .map(|c| json!({"name": c.name, "as": form_of(c).name()}));
    let head = &slot.head;
    Ok(json!({
        "number": number,
        "offset": slot.offset,
        "variant": head.variant,
        "known": slot.variant(&Variants::built_in()).is_ok(),
        "capacity": head.capacity,
        "used": slot.contents.as_ref().map_or(0, |contents| contents.used),
        "chunks": chunks.collect::<Vec<_>>(),
    }))
}
