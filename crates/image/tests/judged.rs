//! Images that esptool makes, changed here, fixed_up, and judged by esptool.

mod support;

use std::fs;
use std::ops::Range;

use fastlua_image::{Algorithm, Chip, Error, FixedUp, Image, Kind, Protection, Wrong};
use support::esptool::{Verdict, elf2image, judge, run};
use support::{elf, filled, flash, table};

const XTENSA: u16 = 94;
const RISCV: u16 = 243;

type Sections = &'static [(&'static str, u32, usize)];

const ESP8266: Sections = &[
    (".irom0.text", 0x4021_0000, 0x1234),
    (".data", 0x3ffe_8000, 0x90),
    (".text", 0x4010_0000, 0x304),
];
const ESP32: Sections = &[
    (".flash.rodata", 0x3f40_0020, 0x1200),
    (".flash.text", 0x400d_0020, 0x2404),
    (".dram0.data", 0x3ffb_0000, 0x180),
    (".iram0.text", 0x4008_0000, 0x1408),
];
const C3: Sections = &[
    (".flash.rodata", 0x3c00_0020, 0x1200),
    (".flash.text", 0x4201_0020, 0x2404),
    (".dram0.data", 0x3fc8_0000, 0x180),
    (".iram0.text", 0x4038_0000, 0x1408),
];
const C6: Sections = &[
    (".flash.rodata", 0x4200_0020, 0x1200),
    (".flash.text", 0x4201_0020, 0x2404),
    (".iram0.text", 0x4080_0000, 0x1408),
];
const S2: Sections = &[
    (".flash.rodata", 0x3f00_0020, 0x1200),
    (".flash.text", 0x4008_0020, 0x2404),
    (".dram0.data", 0x3ffb_0000, 0x180),
    (".iram0.text", 0x4002_8000, 0x1408),
];

fn linked(machine: u16, sections: Sections) -> Vec<u8> {
    let filled: Vec<_> = sections
        .iter()
        .map(|(name, address, len)| (*name, *address, filled(*len)))
        .collect();
    elf(machine, &filled)
}

fn make(chip: &'static str, arguments: &str, machine: u16, sections: Sections) -> Vec<u8> {
    let (_, image) = elf2image(chip, arguments, &linked(machine, sections)).remove(0);
    image
}

/// Three bytes in the middle of a segment, changed so that their xor is another.
fn change(image: &mut [u8], segment: &Range<usize>) -> Range<usize> {
    let start = segment.start + (segment.len() - 3) / 2;
    for (number, byte) in image[start..start + 3].iter_mut().enumerate() {
        *byte ^= 1 << number;
    }
    start..start + 3
}

/// Each segment in turn: esptool refuses the change, accepts it fixed_up, and we say the same.
fn each_segment(chip: &'static str, original: &[u8], sections: Sections) -> Image {
    let image = Image::read(original).unwrap();
    for (_, address, len) in sections {
        let data = filled(*len);
        if let Some(at) = original.windows(16).position(|bytes| bytes == &data[..16])
            && image.kind() != Kind::Esp8266V2
        {
            assert_eq!(image.address(at + 5), Some(address + 5));
        }
    }
    let mut images = vec![original.to_vec()];
    for segment in image.segments().filter(|segment| segment.range.len() >= 3) {
        let mut changed = original.to_vec();
        let range = change(&mut changed, &segment.range);
        let mut fixed_up = changed.clone();
        let checksums = image
            .fix_up(&mut fixed_up, range.clone(), Wrong::Refuse)
            .unwrap()
            .checksums;
        assert_eq!(
            checksums
                .iter()
                .any(|checksum| checksum.algorithm == Algorithm::Xor),
            segment.checksummed
        );
        for (at, (before, after)) in original.iter().zip(&fixed_up).enumerate() {
            let ours = range.contains(&at)
                || checksums
                    .iter()
                    .any(|checksum| checksum.range().contains(&at));
            assert!(before == after || ours, "offset {at:#x}");
        }
        images.push(changed);
        images.push(fixed_up);
    }
    let ours = images
        .iter()
        .map(|bytes| Verdict::ours(&image.verify(bytes)));
    let verdicts = judge(chip, &images);
    assert_eq!(ours.collect::<Vec<_>>(), verdicts);
    assert!(images.len() >= 5);
    assert!(verdicts[0].all_right());
    for pair in verdicts[1..].chunks(2) {
        assert!(!pair[0].all_right() && pair[1].all_right(), "{pair:?}");
    }
    image
}

#[test]
#[ignore = "needs esptool"]
fn esp8266_version_1() {
    let elf = linked(XTENSA, ESP8266);
    let files = elf2image("esp8266", "--version 1", &elf);
    let [(first, ram), (second, irom)] = files.as_slice() else {
        panic!("{} files", files.len())
    };
    assert_eq!(
        [first.as_str(), second],
        ["out0x00000.bin", "out0x10000.bin"]
    );
    let image = each_segment("esp8266", ram, ESP8266);
    assert_eq!(image.kind(), Kind::Esp8266V1);
    assert_eq!(Image::read(irom).unwrap().kind(), Kind::Raw);

    // Joined by esptool, and changed in both parts.
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    run(
        folder.path(),
        "esptool",
        "--chip esp8266 merge-bin -o joined 0 out0x00000.bin 0x10000 out0x10000.bin",
    );
    let joined = fs::read(folder.path().join("joined")).unwrap();
    assert_eq!(joined, flash(&[(0, ram), (0x10000, irom)]));
    let image = Image::read(&joined).unwrap();
    assert_eq!(image.kind(), Kind::Esp8266Flash);
    assert_eq!(image.address(0x10010), Some(0x4021_0010));
    let mut changed = joined.clone();
    let range = change(&mut changed, &image.parts()[1].range);
    assert_eq!(
        image.fix_up(&mut changed, range, Wrong::Refuse),
        Ok(FixedUp::default())
    );
    let range = change(&mut changed, &image.parts()[0].segments[0].range);
    assert_eq!(
        image
            .fix_up(&mut changed, range, Wrong::Refuse)
            .unwrap()
            .checksums
            .len(),
        1
    );
    assert!(judge("esp8266", &[changed])[0].all_right());
}

#[test]
#[ignore = "needs esptool"]
fn esp8266_version_2() {
    let original = make("esp8266", "--version 2", XTENSA, ESP8266);
    let image = each_segment("esp8266", &original, ESP8266);
    assert_eq!(image.kind(), Kind::Esp8266V2);
    assert_eq!(image.parts()[0].range, 0..original.len());
    assert_eq!(image.parts()[0].checksums.len(), 2);
}

#[test]
#[ignore = "needs esptool"]
fn esp32_family() {
    for (chip, number, machine, sections) in [
        ("esp32", 0, XTENSA, ESP32),
        ("esp32s2", 2, XTENSA, S2),
        ("esp32s3", 9, XTENSA, C3),
        ("esp32c3", 5, RISCV, C3),
        ("esp32c6", 13, RISCV, C6),
    ] {
        let original = make(chip, "", machine, sections);
        let image = each_segment(chip, &original, sections);
        assert_eq!(image.kind(), Kind::Esp32(Chip(number)));
        assert_eq!(image.parts()[0].range, 0..original.len());
        assert_eq!(image.parts()[0].checksums.len(), 2);
    }
}

#[test]
#[ignore = "needs esptool"]
fn other_ways_to_make_an_esp32_image() {
    for (arguments, checksums) in [
        ("--dont-append-digest", 1),
        ("--secure-pad", 2),
        ("--secure-pad-v2", 2),
        ("--use-segments", 2),
        ("--pad-to-size 256KB", 2),
        ("--ram-only-header", 1),
    ] {
        let original = make("esp32", arguments, XTENSA, ESP32);
        let sections = if arguments == "--ram-only-header" {
            &ESP32[2..]
        } else {
            ESP32
        };
        let image = each_segment("esp32", &original, sections);
        assert_eq!(image.parts()[0].checksums.len(), checksums, "{arguments}");
        assert_eq!(image.parts()[0].protection, None, "{arguments}");
    }
}

#[test]
#[ignore = "needs esptool"]
fn signed_images_are_refused() {
    for (version, scheme, skip, chip, machine, sections) in [
        (1, "", "", "esp32", XTENSA, ESP32),
        (2, "--scheme ecdsa256", "", "esp32c6", RISCV, C6),
        (
            2,
            "--scheme ecdsa384",
            "--skip-padding",
            "esp32c6",
            RISCV,
            C6,
        ),
        (2, "--scheme rsa3072", "", "esp32", XTENSA, ESP32),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let original = make(chip, "", machine, sections);
        fs::write(folder.path().join("app"), &original).unwrap();
        for arguments in [
            format!("generate-signing-key --version {version} {scheme} key"),
            format!("sign-data --version {version} {skip} --keyfile key --output signed app"),
        ] {
            run(folder.path(), "espsecure", &arguments);
        }
        let mut signed = fs::read(folder.path().join("signed")).unwrap();
        let image = Image::read(&signed).unwrap();
        let part = &image.parts()[0];
        let offset = match (version, skip) {
            (2, "") => original.len().next_multiple_of(4096),
            _ => original.len(),
        };
        assert_eq!(part.range, 0..signed.len());
        assert_eq!(
            part.protection,
            Some(Protection::Signed { version, offset })
        );
        let range = change(&mut signed, &part.segments[0].range);
        let before = signed.clone();
        let refused = image.fix_up(&mut signed, range, Wrong::Refuse);
        assert!(
            matches!(refused, Err(Error::Protected(Protection::Signed { .. }))),
            "{refused:?}"
        );
        assert_eq!(signed, before);
    }
}

#[test]
#[ignore = "needs esptool"]
fn flash_of_an_esp32() {
    let folder = tempfile::tempdir().unwrap();
    let application = make("esp32", "", XTENSA, ESP32);
    let boot_loader = make("esp32", "", XTENSA, &ESP32[2..]);
    let partitions = table(&[
        (1, 0x9000, 0x6000, 0),
        (0, 0x1_0000, 0x4_0000, 0),
        (0, 0x5_0000, 0x4_0000, 0),
    ]);
    for (name, bytes) in [
        ("boot", &boot_loader),
        ("table", &partitions),
        ("app", &application),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    for (program, arguments) in [
        (
            "esptool",
            "--chip esp32 merge-bin -o flash 0x1000 boot 0x8000 table 0x10000 app",
        ),
        ("espsecure", "generate-flash-encryption-key key"),
        (
            "espsecure",
            "encrypt-flash-data --keyfile key --address 0x50000 -o encrypted app",
        ),
    ] {
        run(folder.path(), program, arguments);
    }
    let merged = fs::read(folder.path().join("flash")).unwrap();
    let encrypted = fs::read(folder.path().join("encrypted")).unwrap();
    assert_eq!(Image::read(&encrypted).unwrap().kind(), Kind::Raw);

    // esptool leaves out what is erased in front of the first file, which in a flash dump is there.
    let mut bytes = flash(&[(0x1000, &merged), (0x5_0000, &encrypted)]);
    if merged.starts_with(&[0xff; 16]) {
        bytes = flash(&[(0, &merged), (0x5_0000, &encrypted)]);
    }
    let image = Image::read(&bytes).unwrap();
    assert_eq!(image.kind(), Kind::Esp32Flash);
    let places: Vec<_> = image.parts().iter().map(|part| part.range.start).collect();
    assert_eq!(places, [0x1000, 0x1_0000, 0x5_0000]);
    assert_eq!(image.address(0x1_0020), Some(0x3f40_0020));

    for part in &image.parts()[..2] {
        let range = change(&mut bytes, &part.segments[1].range);
        assert!(image.verify(&bytes).iter().any(|(_, right)| !right));
        let fixed_up = image.fix_up(&mut bytes, range, Wrong::Refuse).unwrap();
        assert_eq!(fixed_up.checksums, part.checksums);
        assert!(judge("esp32", &[bytes[part.range.clone()].to_vec()])[0].all_right());
    }
    assert!(image.verify(&bytes).iter().all(|(_, right)| *right));
    assert_eq!(
        image.fix_up(&mut bytes, 0x5_0100..0x5_0101, Wrong::Refuse),
        Err(Error::Protected(Protection::Unreadable {
            offset: 0x5_0000,
            marked: false
        }))
    );
}
