//! Images with chunks that are compiled in, put into a slot, or linked from an object file.

use fastlua_bundle::{c_header_with_slot, fill_slot, object_for};
use std::cell::Cell;

use fastlua_bundle::slot::{Slot, find};
use fastlua_bundle::{CoreLayout, Input, Machine};
use fastlua_emulator::{Chip, Core, Image, fast_files};
use fastlua_variants::Variant;

use super::{TIMEOUT, bundle, input, tools, work};

pub const CAPACITY: u32 = 128 << 10;

/// The header of firmware with an empty slot, beside these modules.
pub fn header(inputs: &[Input], variant: &Variant) -> String {
    let bundle = match inputs {
        [] => {
            let mut empty = bundle(&[input("nothing", b"")], variant);
            empty.chunks.clear();
            empty
        }
        inputs => bundle(inputs, variant),
    };
    c_header_with_slot(&bundle, "0", CAPACITY)
        .unwrap()
        .to_string()
}

/// The one slot of an ELF file.
pub fn slot(elf: &[u8]) -> Slot {
    let [slot] = &find(elf)[..] else {
        panic!("there is one slot");
    };
    slot.clone().unwrap()
}

/// Puts modules into the slot of an ELF file.
pub fn put(inputs: &[Input], variant: &Variant) -> impl Fn(&mut [u8]) + use<> {
    let bundle = bundle(inputs, variant);
    move |elf| {
        let Slot { offset, head, .. } = slot(elf);
        let bytes = &mut elf[offset..offset + head.capacity as usize];
        fill_slot(&bundle, &head, bytes).unwrap();
    }
}

/// What a script prints in this image.
pub fn output(image: &Image, what: &str) -> String {
    let output = image.run(TIMEOUT).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status, 0, "{what}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn script(chip: Chip, variant: &Variant, core: Core, header: &str, script: &[u8]) -> Image {
    let files = fast_files(header);
    let (tools, work) = (tools(chip), work());
    Image::script(&tools, &work, &variant.layout, core, &files, script, false).unwrap()
}

/// An image that is linked with the chunks as an object file, and runs this script. `of_slot` is one of the same core, whose slot says what
/// structures that has.
pub fn linked(
    inputs: &[Input],
    variant: &Variant,
    (chip, core): (Chip, Core),
    text: &[u8],
    of_slot: &Image,
) -> Image {
    let head = Cell::new(None);
    of_slot
        .patched(&|elf| head.set(Some(slot(elf).head)))
        .unwrap();
    let head = head.take().unwrap();
    let (layout, tags) = CoreLayout::recorded(&variant.layout, &head.core).unwrap();
    let machine = Machine {
        core: layout,
        tags,
        heap: head.heap,
    };
    let linker = match chip {
        Chip::Esp8266 => fastlua_bundle::Chip::Esp8266,
        Chip::Esp32c3 => fastlua_bundle::Chip::RiscV,
    };
    let bundle = bundle(inputs, variant);
    let (header, object) = object_for(&bundle, "0", linker, &machine).unwrap();
    let [module, header] = fast_files(&header);
    let files = [module, header, ("fast_chunks.o", &object)];
    let (tools, work) = (tools(chip), work());
    Image::script(&tools, &work, &variant.layout, core, &files, text, false).unwrap()
}
