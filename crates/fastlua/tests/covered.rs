//! Slots in images that begin anywhere, in images that are damaged or cut, and in files of other formats.

#[path = "../../../tests/support/firmware.rs"]
mod firmware;
#[path = "../../image/tests/support/mod.rs"]
mod support;

use fastlua::{
    Bundle, CheckState, Firmware, FirmwareError, Form, Head, ImageError, Module, Options,
    PatchOptions, Patched, Project, SlotContents,
};
use support::{ESP8266_RAM, elf, esp32, esp32_of, filled, flash, table, v1, v2, v2_of};

const VARIANT: &str = "lua53-int32-float32";
const CAPACITY: u32 = 4096;
const BEFORE: usize = 0x40;
const DROM: u32 = 0x3c00_0020;

fn with_slot(section: u32) -> Vec<u8> {
    let head = Head {
        address: section + BEFORE as u32,
        ..firmware::head(VARIANT, CAPACITY)
    };
    [filled(BEFORE), head.to_slot(), filled(0x80)].concat()
}

/// An application of an ESP32-C3 with a slot.
fn application() -> Vec<u8> {
    let segments = [
        (DROM, with_slot(DROM)),
        (0x3fc8_0000, filled(0x84)),
        (0x4201_0020, filled(0x500)),
        (0x4038_0000, filled(0x200)),
    ];
    esp32_of(5, &segments)
}

/// An ESP8266's version 2, for the place 0x2000 of the flash, as rBoot has it.
fn for_rboot() -> Vec<u8> {
    v2_of(with_slot(0x4020_2010), ESP8266_RAM)
}

fn bundle(variant: &str) -> Bundle {
    let mut project = Project::new();
    project.add(Module::new("own.lua", "return 'own'")).unwrap();
    let options = Options {
        variants: Some(vec![variant.into()]),
        ..Options::default()
    };
    project.plan(&options).unwrap().build(None).unwrap()
}

type Outcome = Result<(Vec<u8>, Patched), FirmwareError>;

fn patch(file: &[u8], number: usize, options: PatchOptions) -> Outcome {
    let mut firmware = Firmware::read(file.to_vec())?;
    let patched = firmware.patch(Some(number), &bundle(VARIANT), options)?;
    Ok((firmware.to_file(), patched))
}

/// Patches, and looks at each byte. The image at `place` of the file has its checksums right afterwards.
fn is_patched(what: &str, file: &[u8], number: usize, checksums: usize) {
    let slot = Firmware::read(file.to_vec()).unwrap();
    let slot = slot.slot(Some(number)).unwrap().range();
    let (after, patched) = patch(file, number, PatchOptions::default())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(patched.checksums.len(), checksums, "{what}");
    for (at, (a, b)) in file.iter().zip(&after).enumerate() {
        let is_guard = patched
            .checksums
            .iter()
            .any(|checksum| checksum.range().contains(&at));
        assert!(a == b || slot.contains(&at) || is_guard, "{what}: {at:#x}");
    }
    let read = Firmware::read(after).unwrap();
    assert_eq!(read.image().wrong(), [], "{what}");
}

fn refused(file: &[u8]) -> FirmwareError {
    patch(file, 1, PatchOptions::default()).unwrap_err()
}

#[test]
fn the_image_is_found_wherever_it_begins() {
    let app = application();
    let boot = esp32(5, &[(0x3fcd_0000, 0x100), (0x403c_c000, 0x200)]);
    let right = table(&[(1, 0x9000, 0x6000, 0), (0, 0x1_0000, 0x10_0000, 0)]);
    let small = table(&[(0, 0x1_0000, 0x1000, 0), (0, 0x2_0000, 0x1000, 0)]);
    let elsewhere = table(&[(0, 0x3_0000, 0x1000, 0)]);
    for (what, file) in [
        ("alone", app.clone()),
        ("behind a header", [filled(333), app.clone()].concat()),
        ("with a tail", [app.clone(), filled(100)].concat()),
        (
            "the table is right",
            flash(&[(0, &boot), (0x8000, &right), (0x1_0000, &app)]),
        ),
        (
            "the partition is too small",
            flash(&[(0, &boot), (0x8000, &small), (0x1_0000, &app)]),
        ),
        (
            "the table says elsewhere",
            flash(&[(0, &boot), (0x8000, &elsewhere), (0x1_0000, &app)]),
        ),
        (
            "the table is at 0x9000",
            flash(&[(0, &boot), (0x9000, &right), (0x1_0000, &app)]),
        ),
        (
            "the table is at 0x10000",
            flash(&[(0, &boot), (0x1_0000, &right), (0x2_0000, &app)]),
        ),
        ("no table", flash(&[(0, &boot), (0x1_0000, &app)])),
        (
            "a part of a flash",
            flash(&[(0, &boot), (0x8000, &right), (0x1_0000, &app)])[0x8000..].to_vec(),
        ),
        (
            "a small image in front",
            [boot.clone(), app.clone()].concat(),
        ),
        (
            "the other image is cut",
            [app.clone(), boot[..0x100].to_vec()].concat(),
        ),
        (
            "in another image",
            esp32_of(5, &[(0x3c00_0020, [filled(0x40), app.clone()].concat())]),
        ),
    ] {
        let checksums = if what == "in another image" { 4 } else { 2 };
        is_patched(what, &file, 1, checksums);
    }
    is_patched(
        "the second of two",
        &[app.clone(), app.clone()].concat(),
        2,
        2,
    );
    let boot = v1(ESP8266_RAM);
    for (what, file) in [
        ("rBoot", flash(&[(0, &boot), (0x2000, &for_rboot())])),
        (
            "rBoot's second",
            flash(&[
                (0, &boot),
                (0x2000, &v2(0x400, ESP8266_RAM)),
                (0x8_2000, &v2_of(with_slot(0x4028_2010), ESP8266_RAM)),
            ]),
        ),
        ("behind a header", [filled(77), for_rboot()].concat()),
        (
            "merged with an offset",
            flash(&[(0, &boot), (0x2000, &for_rboot())])[0x1000..].to_vec(),
        ),
    ] {
        is_patched(what, &file, 1, 1);
    }
    let irom = with_slot(0x4021_0000);
    for (what, file) in [
        ("raw", irom.clone()),
        ("joined", flash(&[(0, &boot), (0x1_0000, &irom)])),
        (
            "joined behind a header",
            [filled(48), flash(&[(0, &boot), (0x1_0000, &irom)])].concat(),
        ),
        ("a part of a flash", flash(&[(0x8000, &irom)])),
        (
            "ELF",
            elf(94, &[(".irom0.text", 0x4021_0000, irom.clone())]),
        ),
    ] {
        is_patched(what, &file, 1, 0);
    }
}

#[test]
fn without_its_image_a_slot_is_not_changed() {
    let app = application();
    let mut no_magic = app.clone();
    no_magic[0] = 0xe8;
    let mut no_second = for_rboot();
    no_second[0] = 0;
    let joined = flash(&[(0, &v1(ESP8266_RAM)), (0x2000, &for_rboot())]);
    for (what, file) in [
        ("cut in front", app[24..].to_vec()),
        ("no magic", no_magic),
        ("cut behind", app[..app.len() - 0x300].to_vec()),
        ("no magic of version 2", no_second),
        ("version 2, cut in front", joined[0x2008..].to_vec()),
        ("the slot alone", app[0x20 + BEFORE..].to_vec()),
        (
            "an ESP8266's slot alone",
            with_slot(0x4021_0000)[BEFORE..].to_vec(),
        ),
    ] {
        match refused(&file) {
            FirmwareError::Uncovered(error) => {
                let text = error.to_string();
                assert!(
                    text.contains("by header, lengths and checksums"),
                    "{what}: {text}"
                );
            }
            FirmwareError::Image(ImageError::Cut { .. }) => assert_eq!(what, "cut behind"),
            other => panic!("{what}: {other}"),
        }
        // who sets the checksums may say so
        if what != "cut behind" {
            let options = PatchOptions {
                uncovered: true,
                ..PatchOptions::default()
            };
            patch(&file, 1, options).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

#[test]
fn damage_is_not_hidden() {
    let app = application();
    let mut damaged = app.clone();
    let at = app.len() - 0x100;
    damaged[at] ^= 4;
    assert!(matches!(
        refused(&damaged),
        FirmwareError::Image(ImageError::Damaged(_))
    ));
    let fix = PatchOptions {
        fix_checksums: true,
        ..PatchOptions::default()
    };
    let (file, patched) = patch(&damaged, 1, fix).unwrap();
    assert_eq!(patched.fixed.len(), 2);
    assert_eq!(Firmware::read(file).unwrap().image().wrong(), []);
    // nothing is fixed that was right
    assert_eq!(patch(&app, 1, fix).unwrap().1.fixed, []);
    // each of the checksums, too
    for at in [app.len() - 33, app.len() - 1] {
        let mut damaged = app.clone();
        damaged[at] ^= 1;
        assert!(matches!(
            refused(&damaged),
            FirmwareError::Image(ImageError::Damaged(_))
        ));
    }
    // in another image of the file
    let two = [app, damaged].concat();
    assert!(matches!(refused(&two), FirmwareError::Elsewhere(_)));
    assert!(matches!(
        patch(&two, 1, fix).unwrap_err(),
        FirmwareError::Elsewhere(_)
    ));
    let keep = PatchOptions {
        keep_damaged: true,
        ..PatchOptions::default()
    };
    let (file, patched) = patch(&two, 1, keep).unwrap();
    assert_eq!(
        (patched.damaged_elsewhere.len(), patched.fixed.len()),
        (2, 0)
    );
    let half = two.len() / 2;
    assert_eq!(file[half..], two[half..]);
}

#[test]
fn a_bundle_of_another_variant_is_refused() {
    let mut firmware = Firmware::read(application()).unwrap();
    let before = firmware.to_file();
    for other in [
        "lua51-float",
        "lua51-int",
        "lua53-int64-float64",
        "lua53-int32-float64",
    ] {
        let error = firmware.patch(None, &bundle(other), PatchOptions::default());
        let error = error.unwrap_err().to_string();
        assert_eq!(
            error,
            format!("the slot is for {VARIANT}, but the modules are built for {other}")
        );
        assert_eq!(firmware.to_file(), before);
    }
}

/// What was made for one file goes into each file with the same firmware, and into no other.
#[test]
fn contents_fit_the_same_firmware_only() {
    let first = Firmware::read(with_slot(0x4021_0000)).unwrap();
    let bundle = bundle(VARIANT);
    let contents = bundle.slot_contents(&first.slot(None).unwrap()).unwrap();
    let kept = SlotContents::from_bytes(contents.as_bytes().to_vec()).unwrap();
    assert_eq!(kept, contents);
    let (mut by_bundle, mut by_contents) = (first.clone(), first);
    let options = PatchOptions::default();
    let patched = by_bundle.patch(None, &bundle, options).unwrap();
    assert_eq!(by_contents.put(None, &kept, options).unwrap(), patched);
    assert_eq!(by_contents.to_file(), by_bundle.to_file());
    assert_eq!(
        by_contents.slot(None).unwrap().contents(),
        Some(kept.clone())
    );
    let mut other = Firmware::read(with_slot(0x4021_1000)).unwrap();
    let before = other.to_file();
    let error = other.put(None, &kept, options).unwrap_err();
    assert_eq!(error, FirmwareError::OtherSlot);
    assert_eq!(other.to_file(), before);
    for cut in [0, 100, kept.as_bytes().len() - 1] {
        assert!(SlotContents::from_bytes(kept.as_bytes()[..cut].to_vec()).is_err());
    }
}

/// The blocks of a UF2 file, as esptool writes them.
fn uf2(family: u32, at: usize, bytes: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    let mut file = Vec::new();
    let count = bytes.len().div_ceil(256);
    for (n, data) in bytes.chunks(256).enumerate() {
        let address = (at + 256 * n) as u32;
        let mut block = b"UF2\nWQ]\x9e".to_vec();
        for word in [
            0x6000,
            address,
            data.len() as u32,
            n as u32,
            count as u32,
            family,
        ] {
            block.extend(word.to_le_bytes());
        }
        block.extend(data);
        block.extend(address.to_le_bytes());
        block.extend((data.len() as u32).to_le_bytes());
        block.extend(Md5::digest(data));
        block.resize(508, 0);
        block.extend(0x0ab1_6f30u32.to_le_bytes());
        file.extend(block);
    }
    file
}

#[test]
fn a_uf2_file_stays_one() {
    let app = application();
    let file = [
        uf2(0xd42b_a06c, 0x8000, &filled(300)),
        uf2(0xd42b_a06c, 0x1_0000, &app),
    ]
    .concat();
    let (patched_app, _) = patch(&app, 1, PatchOptions::default()).unwrap();
    let (after, patched) = patch(&file, 1, PatchOptions::default()).unwrap();
    assert_eq!(patched.checksums.len(), 2);
    let expected = [
        uf2(0xd42b_a06c, 0x8000, &filled(300)),
        uf2(0xd42b_a06c, 0x1_0000, &patched_app),
    ];
    assert!(after == expected.concat());
    let read = Firmware::read(after).unwrap();
    assert_eq!(read.kind(), "UF2 file for ESP32-C3");
    assert_eq!(read.slot(None).unwrap().offset, 0x1_0020 + BEFORE);

    let says = |file: Vec<u8>, text: &str| {
        let error = Firmware::read(file).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    says(file[..file.len() - 5].to_vec(), "ends within a block");
    let change = |at: usize| {
        let mut file = file.clone();
        file[at] ^= 1;
        file
    };
    says(change(512 * 5 + 40), "wrong MD5 of a block");
    says(change(512 * 5), "not a UF2 block");
    says(change(512 * 5 + 28), "not a chip family of Espressif");
    says(change(512 * 5 + 17 + 2), "from 1 to 476 bytes");
    says(
        [file.clone(), uf2(0x1c5f_21b0, 0, &[1])].concat(),
        "several chip families",
    );
    says(
        [file.clone(), uf2(0xd42b_a06c, 0x1_0000, &[1])].concat(),
        "different data for the same address",
    );
    // a block is missing: the image is not whole, and its checksums are wrong
    let mut missing = file.clone();
    missing.drain(512 * 20..512 * 21);
    assert!(patch(&missing, 1, PatchOptions::default()).is_err());
}

#[test]
fn other_formats_are_named() {
    let hex = b":020000040000FA\n:1000000000000000000000000000000000000000F0\n:00000001FF\n";
    let records = b"S00600004844521B\nS107000000000000F8\nS9030000FC\n";
    for (file, says) in [
        (
            &hex[..],
            "this is an Intel HEX file: convert it with `objcopy -I ihex -O binary",
        ),
        (
            &records[..],
            "this is an S-record file: convert it with `objcopy -I srec",
        ),
        (b"\x1f\x8b\x08\x08abcdefg", "this is a gzip file"),
        (b"PK\x03\x04abcd", "this is a zip archive"),
        (b"\xfd7zXZ\0abc", "this is an xz file"),
    ] {
        let error = Firmware::read(file.to_vec()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(Firmware::read(b":-) no firmware".to_vec()).is_ok());
}

#[test]
fn a_signature_is_told() {
    let mut signed = application();
    signed.resize(signed.len().next_multiple_of(4096), 0xff);
    let offset = signed.len();
    signed.extend([0xe7, 2, 0, 0]);
    signed.extend(filled(1212));
    signed.resize(offset + 4096, 0xff);
    let firmware = Firmware::read(signed.clone()).unwrap();
    let told: Vec<String> = firmware.signatures().collect();
    assert_eq!(
        told,
        [format!(
            "secure boot signature, version 2, at offset {offset:#x}"
        )]
    );
    assert!(
        firmware
            .checksums()
            .all(|(_, state)| state == CheckState::Right)
    );
    assert!(matches!(
        refused(&signed),
        FirmwareError::Image(ImageError::Protected(_))
    ));
}

/// Data may be firmware, whole, damaged or cut.
#[test]
fn a_module_may_hold_an_image() {
    let segments = [(0x4010_0000, 0x104), (0x3ffe_8000, 0x90)];
    let whole = [
        esp32(5, &[(0x3fc8_0000, 0x84), (0x4038_0000, 0x200)]),
        v2(0x200, &segments),
    ];
    let damaged = whole.clone().map(|mut image| {
        image[0x40] ^= 1;
        image
    });
    let cut = whole.clone().map(|image| image[..0x80].to_vec());
    for data in [whole, damaged, cut].concat() {
        let mut project = Project::new();
        let module = Module::new("fw.bin", data.clone()).form(Form::Data { frozen: false });
        project.add(module).unwrap();
        let options = Options {
            variants: Some(vec![VARIANT.into()]),
            ..Options::default()
        };
        let bundle = project.plan(&options).unwrap().build(None).unwrap();
        let irom = with_slot(0x4021_0000);
        let joined = flash(&[(0, &v1(ESP8266_RAM)), (0x1_0000, &irom)]);
        for file in [application(), irom, joined, for_rboot()] {
            let before = Firmware::read(file.clone()).unwrap();
            let mut firmware = before.clone();
            firmware
                .patch(None, &bundle, PatchOptions::default())
                .unwrap();
            let mut firmware = Firmware::read(firmware.to_file()).unwrap();
            assert_eq!(firmware.kind(), before.kind());
            assert!(
                firmware
                    .checksums()
                    .all(|(_, state)| state == CheckState::Right)
            );
            assert_eq!(firmware.broken().count(), 0);
            firmware.clear(None, PatchOptions::default()).unwrap();
            assert_eq!(firmware.to_file(), file);
        }
    }
}
