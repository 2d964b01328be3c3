//! Images that esptool makes of an ELF file with a slot, patched, and judged by esptool.

#[path = "../../../tests/support/firmware.rs"]
mod firmware;
#[path = "../../image/tests/support/mod.rs"]
mod support;

use std::fs;

use fastlua::{
    Bundle, Firmware, Form, Head, ImageKind, Module, Options, Overrides, PatchOptions, Project,
    Slot,
};
use support::esptool::{elf2image, judge, run};
use support::{elf, filled};

const XTENSA: u16 = 94;
const RISCV: u16 = 243;
const CAPACITY: u32 = 192 << 10;
/// Bytes before the slot in its section.
const BEFORE: usize = 0x230;

/// The bytes of a section that begins at this address, with a slot in it.
fn with_slot(variant: &str, section: u32) -> Vec<u8> {
    let head = Head {
        address: section + BEFORE as u32,
        ..firmware::head(variant, CAPACITY)
    };
    [filled(BEFORE), head.to_slot(), filled(0x100)].concat()
}

/// The shipped modules, frozen.
fn bundle(variant: &str) -> Bundle {
    let overrides = Overrides {
        form: Some(Form::Frozen { fallback: true }),
        ..Overrides::default()
    };
    let mut project = Project::new();
    project
        .add_shipped(&["provisioning".into()], &overrides)
        .unwrap();
    project.add(Module::new("own.lua", "return 'own'")).unwrap();
    let options = Options {
        variants: Some(vec![variant.into()]),
        ..Options::default()
    };
    project.plan(&options).unwrap().build(None).unwrap()
}

/// Patches the slot of an image; nothing else changes but the checksums. Gives the image, and how many checksums.
fn patched(image: &[u8], variant: &str) -> (Vec<u8>, usize) {
    let mut firmware = Firmware::read(image.to_vec()).unwrap();
    let slot = Slot::clone(&*firmware.slot(None).unwrap());
    let bundle = bundle(variant);
    let patched = firmware
        .patch(None, &bundle, PatchOptions::default())
        .unwrap();
    let range = slot.offset..slot.offset + CAPACITY as usize;
    let checksums = patched.checksums;
    for (at, (before, after)) in image.iter().zip(firmware.bytes()).enumerate() {
        let ours = range.contains(&at) || checksums.iter().any(|g| g.range().contains(&at));
        assert!(before == after || ours, "offset {at:#x}");
    }
    assert_eq!(image.len(), firmware.bytes().len());
    let slot = firmware.slot(None).unwrap();
    let chunks = slot.chunks().unwrap();
    assert_eq!(chunks.len(), bundle.chunks.len());
    assert_eq!(slot.contents, patched.contents);
    (firmware.to_file(), checksums.len())
}

#[test]
#[ignore = "needs esptool"]
fn esptool_takes_what_was_patched() {
    let lua51 = "lua51-float";
    let lua53 = "lua53-int32-float32";
    let esp8266 = [
        (".irom0.text", 0x4021_0000, with_slot(lua51, 0x4021_0000)),
        (".data", 0x3ffe_8000, filled(0x90)),
        (".text", 0x4010_0000, filled(0x304)),
    ];
    let esp32 = [
        (".flash.rodata", 0x3f40_0020, with_slot(lua53, 0x3f40_0020)),
        (".flash.text", 0x400d_0020, filled(0x2404)),
        (".dram0.data", 0x3ffb_0000, filled(0x180)),
        (".iram0.text", 0x4008_0000, filled(0x1408)),
    ];
    let c3 = [
        (".flash.rodata", 0x3c00_0020, with_slot(lua53, 0x3c00_0020)),
        (".flash.text", 0x4204_0020, filled(0x2404)),
        (".dram0.data", 0x3fc8_0000, filled(0x180)),
        (".iram0.text", 0x4038_0000, filled(0x1408)),
    ];
    for (chip, arguments, machine, sections, variant, checksums) in [
        ("esp8266", "--version 2", XTENSA, &esp8266[..], lua51, 1),
        ("esp32", "", XTENSA, &esp32, lua53, 2),
        ("esp32c3", "", RISCV, &c3, lua53, 2),
    ] {
        let (_, image) = elf2image(chip, arguments, &elf(machine, sections)).remove(0);
        let (fixed_up, count) = patched(&image, variant);
        assert_eq!(count, checksums, "{chip}");
        // the same without the checksums is what esptool refuses: so it can tell
        let mut plain = image.clone();
        let at = Firmware::read(image.clone())
            .unwrap()
            .slot(None)
            .unwrap()
            .offset;
        let slot = at..at + CAPACITY as usize;
        plain[slot.clone()].copy_from_slice(&fixed_up[slot]);
        let verdicts = judge(chip, &[image, fixed_up, plain]);
        assert!(
            verdicts[0].all_right() && verdicts[1].all_right(),
            "{chip}: {verdicts:?}"
        );
        assert!(!verdicts[2].all_right(), "{chip}: {verdicts:?}");
    }
    // version 1: the slot is in the raw file, which nothing checksums; and both files joined
    let files = elf2image("esp8266", "--version 1", &elf(XTENSA, &esp8266));
    let [(_, ram), (_, irom)] = &files[..] else {
        panic!("{} files", files.len());
    };
    assert_eq!(
        Firmware::read(irom.clone()).unwrap().image().kind(),
        ImageKind::Raw
    );
    let (raw, checksums) = patched(irom, lua51);
    assert_eq!(checksums, 0);
    let joined = |irom: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("0.bin"), ram).unwrap();
        fs::write(folder.path().join("1.bin"), irom).unwrap();
        let merge = "--chip esp8266 merge-bin -o all.bin 0x0 0.bin 0x10000 1.bin";
        run(folder.path(), "esptool", merge);
        fs::read(folder.path().join("all.bin")).unwrap()
    };
    let (whole, checksums) = patched(&joined(irom), lua51);
    assert_eq!(checksums, 0);
    assert_eq!(whole, joined(&raw));
    assert!(judge("esp8266", &[whole])[0].all_right());
    // an ELF file, and the image of it
    let linked = elf(XTENSA, &esp8266);
    let (linked, _) = patched(&linked, lua51);
    let again = elf2image("esp8266", "--version 1", &linked);
    assert_eq!(again[1].1, raw);
}

/// UF2 files that esptool makes: what is patched is what esptool makes of the patched image.
#[test]
#[ignore = "needs esptool"]
fn uf2_files_are_those_of_the_patched_image() {
    let variant = "lua53-int32-float32";
    let sections = [
        (
            ".flash.rodata",
            0x3c00_0020,
            with_slot(variant, 0x3c00_0020),
        ),
        (".flash.text", 0x4204_0020, filled(0x2404)),
        (".iram0.text", 0x4038_0000, filled(0x1408)),
    ];
    let (_, image) = elf2image("esp32c3", "", &elf(RISCV, &sections)).remove(0);
    let (after, _) = patched(&image, variant);
    let uf2 = |image: &[u8], arguments: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.bin"), image).unwrap();
        fs::write(folder.path().join("nvs.bin"), filled(999)).unwrap();
        let merge = format!(
            "--chip esp32c3 merge-bin --format uf2 {arguments} -o all.uf2 0x9000 nvs.bin 0x10000 app.bin"
        );
        run(folder.path(), "esptool", &merge);
        fs::read(folder.path().join("all.uf2")).unwrap()
    };
    for arguments in [
        "",
        "--chunk-size 256",
        "--md5-disable",
        "--md5-disable --chunk-size 100",
    ] {
        let mut firmware = Firmware::read(uf2(&image, arguments)).unwrap();
        let bundle = bundle(variant);
        let patched = firmware.patch(None, &bundle, PatchOptions::default());
        assert_eq!(patched.unwrap().checksums.len(), 2, "{arguments}");
        assert!(firmware.to_file() == uf2(&after, arguments), "{arguments}");
    }
}
