//! Firmware with a slot, laid out at random in a file, patched, and judged by esptool.

#[path = "../../../tests/support/firmware.rs"]
mod firmware;
#[path = "../../image/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::env;
use std::ops::Range;

use fastlua::{
    Bundle, Firmware, FirmwareError, Head, Module, Options, PatchOptions, Project, Slot,
};
use support::esptool::{Ask, elf2image, judge_each};
use support::{Random, elf, filled, table};

const VARIANT: &str = "lua53-int32-float32";
const CAPACITY: u32 = 8 << 10;
/// Bytes before the slot in its section.
const BEFORE: usize = 0x230;
/// How many layouts the tests try; `scripts/layouts` tries more.
const SHORT: usize = 160;

const XTENSA: u16 = 94;
const RISCV: u16 = 243;

/// A chip's firmware as esptool makes it.
struct Sample {
    chip: &'static str,
    /// Images with a slot, or without.
    with: Vec<u8>,
    without: Vec<u8>,
    /// Of an ESP8266's version 1, which has the slot in this raw file.
    raw: Option<Vec<u8>>,
    /// Where boot loaders of the chip lie.
    boot: usize,
}

fn with_slot(section: u32) -> Vec<u8> {
    let head = Head {
        address: section + BEFORE as u32,
        ..firmware::head(VARIANT, CAPACITY)
    };
    [filled(BEFORE), head.to_slot(), filled(0x101)].concat()
}

fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for (chip, machine, drom, irom, dram, iram, boot) in [
        (
            "esp32",
            XTENSA,
            0x3f40_0020,
            0x400d_0020,
            0x3ffb_0000,
            0x4008_0000,
            0x1000,
        ),
        (
            "esp32s2",
            XTENSA,
            0x3f00_0020,
            0x4008_0020,
            0x3ffb_0000,
            0x4002_8000,
            0x1000,
        ),
        (
            "esp32s3",
            XTENSA,
            0x3c00_0020,
            0x4201_0020,
            0x3fc8_8000,
            0x4037_4000,
            0,
        ),
        (
            "esp32c2",
            RISCV,
            0x3c00_0020,
            0x4201_0020,
            0x3fca_0000,
            0x4037_c000,
            0,
        ),
        (
            "esp32c3",
            RISCV,
            0x3c00_0020,
            0x4201_0020,
            0x3fc8_0000,
            0x4038_0000,
            0,
        ),
        (
            "esp32c5",
            RISCV,
            0x4200_0020,
            0x4201_0020,
            0x4082_0000,
            0x4080_0000,
            0x2000,
        ),
        (
            "esp32c6",
            RISCV,
            0x4200_0020,
            0x4201_0020,
            0x4082_0000,
            0x4080_0000,
            0,
        ),
        (
            "esp32h2",
            RISCV,
            0x4200_0020,
            0x4201_0020,
            0x4082_0000,
            0x4080_0000,
            0,
        ),
        (
            "esp32p4",
            RISCV,
            0x4000_0020,
            0x4001_0020,
            0x4ff4_0000,
            0x4ff0_0000,
            0x2000,
        ),
    ] {
        let make = |rodata: Vec<u8>, arguments: &str| {
            let sections = [
                (".flash.rodata", drom, rodata),
                (".flash.text", irom, filled(0x904)),
                (".dram0.data", dram, filled(0x84)),
                (".iram0.text", iram, filled(0x308)),
            ];
            elf2image(chip, arguments, &elf(machine, &sections))
                .remove(0)
                .1
        };
        let digest = if chip == "esp32s2" {
            "--dont-append-digest"
        } else {
            ""
        };
        all.push(Sample {
            chip,
            with: make(with_slot(drom), digest),
            without: make(filled(0x700), ""),
            raw: None,
            boot,
        });
    }
    for (version, irom) in [(1, 0x4021_0000), (2, 0x4020_1010), (2, 0x4020_2010)] {
        let make = |flash: Vec<u8>| {
            let sections = [
                (".irom0.text", irom, flash),
                (".data", 0x3ffe_8000, filled(0x90)),
                (".text", 0x4010_0000, filled(0x304)),
            ];
            elf2image(
                "esp8266",
                &format!("--version {version}"),
                &elf(XTENSA, &sections),
            )
        };
        let mut files = make(with_slot(irom));
        let without = make(filled(0x1800)).remove(0).1;
        all.push(Sample {
            chip: "esp8266",
            with: files.remove(0).1,
            without,
            raw: files.pop().map(|(_, bytes)| bytes),
            boot: 0,
        });
    }
    all
}

/// A file, what was put where, and what was done to it.
struct Layout {
    chip: &'static str,
    file: Vec<u8>,
    /// The images, from their first byte to the last, those with a slot first.
    images: Vec<Range<usize>>,
    slots: usize,
    is_raw: bool,
    cut_front: usize,
    flipped: Option<usize>,
    what: String,
}

/// Puts bytes at a place; what is there already stays.
fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) -> bool {
    if file.len() > at {
        return false;
    }
    file.resize(at, 0xff);
    file.extend(bytes);
    true
}

fn lay_out(random: &mut Random, samples: &[Sample]) -> Layout {
    let sample = &samples[random.next() % samples.len()];
    let mut pick = |n: usize| random.next() % n;
    let mut what = vec![sample.chip.to_owned()];
    let mut file = Vec::new();
    let mut slots = Vec::new();
    let mut others = Vec::new();
    // what stands in front
    match pick(5) {
        0 => {}
        1 => {
            file = filled(1 + pick(700));
            what.push(format!("{} bytes in front", file.len()));
        }
        2 => {
            file = [
                filled(16 + pick(64)),
                vec![0xff; pick(200)],
                vec![0xe9, 3, 2, 0x20],
            ]
            .concat();
            what.push("a magic in front".into());
        }
        _ => {
            put(&mut file, sample.boot, &sample.without);
            others.push(sample.boot..file.len());
            what.push("a boot loader".into());
        }
    }
    if pick(3) > 0 && sample.chip != "esp8266" {
        let at = [0x8000, 0x9000, 0xa000, 0xe000][if pick(2) == 0 { 0 } else { pick(4) }];
        let start = [0x1_0000, 0x1_0000, 0x2_0000, 0x1_1000][pick(4)];
        let size = [0x4_0000, 0x1000, 0x10_0000][pick(3)];
        let entries = table(&[
            (1, 0x9000, 0x5000, 0),
            (0, start, size, 0),
            (0, start + size, size, 0),
        ]);
        if put(&mut file, at, &entries) {
            what.push(format!(
                "a table at {at:#x} that says {start:#x}, {size:#x} bytes"
            ));
        }
    }
    // the applications
    let count = 1 + pick(3) / 2;
    for n in 0..count {
        let at = match (pick(5), sample.raw.is_some()) {
            (_, true) if n > 0 => break,
            (0, false) => file.len(),
            (1, false) => file.len().next_multiple_of(0x1000),
            (2, false) => file.len() + pick(5000),
            (_, false) => file.len().next_multiple_of(0x1_0000),
            (0, true) => file.len(),
            _ => file.len().next_multiple_of(0x1_0000),
        };
        if let Some(raw) = &sample.raw {
            let is_joined = pick(2) == 0;
            if is_joined {
                put(&mut file, at, &sample.with);
                others.push(at..file.len());
            }
            let at = if is_joined { at + 0x1_0000 } else { at };
            put(&mut file, at, raw);
            slots.push(at..file.len());
        } else {
            put(&mut file, at, &sample.with);
            slots.push(at..file.len());
        }
        what.push(format!("an application at {at:#x}"));
    }
    if pick(4) == 0 && sample.raw.is_none() {
        let at = file.len().next_multiple_of(16) + 16 * pick(3);
        put(&mut file, at, &sample.without);
        others.push(at..file.len());
        what.push("another image behind".into());
    }
    match pick(5) {
        0 => file.extend(filled(1 + pick(3000))),
        1 => file.resize(file.len() + pick(9000), 0xff),
        2 => file.resize(file.len() + pick(900), 0),
        _ => {}
    }
    let count = slots.len();
    let mut images = [slots, others].concat();
    // cut
    let mut cut_front = 0;
    match pick(6) {
        0 => {
            let end = file.len() - pick(file.len() / 2);
            file.truncate(end);
            what.push(format!("cut at {end:#x}"));
        }
        1 => {
            cut_front = match pick(3) {
                0 => pick(file.len()),
                1 => sample.boot,
                _ => 0x8000,
            };
            cut_front = cut_front.min(file.len());
            file.drain(..cut_front);
            images = images
                .iter()
                .map(|i| i.start.wrapping_sub(cut_front)..i.end.wrapping_sub(cut_front))
                .collect();
            what.push(format!("cut in front by {cut_front:#x}"));
        }
        _ => {}
    }
    let mut flipped = None;
    if pick(4) == 0 && !file.is_empty() {
        let near = images[pick(images.len())].start;
        let at = match pick(3) {
            0 => near.wrapping_add(pick(0x30)),
            _ => pick(file.len()),
        };
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 << pick(8);
            flipped = Some(at);
            what.push(format!("a bit wrong at {at:#x}"));
        }
    }
    Layout {
        chip: sample.chip,
        is_raw: sample.raw.is_some(),
        images,
        slots: count,
        cut_front,
        flipped,
        what: what.join(", "),
        file,
    }
}

fn bundle() -> Bundle {
    let mut project = Project::new();
    project.add(Module::new("own.lua", "return 'own'")).unwrap();
    let options = Options {
        variants: Some(vec![VARIANT.into()]),
        ..Options::default()
    };
    project.plan(&options).unwrap().build(None).unwrap()
}

/// A short name for the reason of a refusal.
fn reason(error: &FirmwareError) -> &'static str {
    match error {
        FirmwareError::NoSlot(_) => "no slot is whole",
        FirmwareError::Slot(_) => "the slot is damaged",
        FirmwareError::Image(fastlua::ImageError::Damaged(_)) => "a checksum was wrong before",
        FirmwareError::Image(fastlua::ImageError::Cut { .. }) => "the only image is cut",
        FirmwareError::Image(_) => "the file can't be read or changed",
        FirmwareError::Moved { .. } => "the slot is linked elsewhere",
        FirmwareError::Uncovered(_) => "no image covers the slot",
        FirmwareError::Elsewhere(_) => "another image is damaged",
        other => panic!("{other}"),
    }
}

#[test]
#[ignore = "needs esptool"]
fn what_is_written_is_right_for_esptool() {
    let count = env::var("FASTLUA_LAYOUTS").map_or(SHORT, |n| n.parse().unwrap());
    let seed = env::var("FASTLUA_SEED").map_or(1, |n| n.parse().unwrap());
    let samples = samples();
    let bundle = bundle();
    let mut random = Random::new(seed);
    let mut asks = Vec::new();
    let mut may_fail = Vec::new();
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut patched = 0;
    for n in 0..count {
        let layout = lay_out(&mut random, &samples);
        let what = format!("layout {n}: {}", layout.what);
        let is_there = |i: &Range<usize>| i.start <= i.end && i.end <= layout.file.len();
        let number = 1 + random.next() % layout.slots;
        let outcome = Firmware::read(layout.file.clone()).and_then(|mut firmware| {
            let number = number.min(firmware.slots().len().max(1));
            let slot = Slot::clone(&*firmware.slot(Some(number))?);
            let done = firmware.patch(Some(number), &bundle, PatchOptions::default())?;
            Ok((firmware, slot, done))
        });
        let (firmware, slot, done) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                assert!(error.to_string().len() > 20, "{what}: {error}");
                *refused.entry(reason(&error)).or_default() += 1;
                // of what is whole and right nothing is refused
                let is_whole = layout.images[..layout.slots].iter().all(is_there);
                let is_cut_raw = layout.is_raw && layout.cut_front > 0;
                assert!(
                    !is_whole || is_cut_raw || layout.flipped.is_some(),
                    "{what}: {error}"
                );
                continue;
            }
        };
        patched += 1;
        assert!(
            done.fixed.is_empty() && firmware.image().wrong().is_empty(),
            "{what}"
        );
        let after = firmware.to_file();
        assert_eq!(after.len(), layout.file.len(), "{what}");
        for (at, (before, after)) in layout.file.iter().zip(&after).enumerate() {
            let is_ours = slot.range().contains(&at)
                || done
                    .checksums
                    .iter()
                    .any(|checksum| checksum.range().contains(&at));
            assert!(before == after || is_ours, "{what}: offset {at:#x}");
        }
        for image in layout.images.iter().filter(|i| is_there(i)) {
            if layout.is_raw && after[image.start] != 0xe9 {
                continue;
            }
            // one that can't be read any more, and has no slot, is not changed
            let is_broken = layout.flipped.is_some_and(|at| image.contains(&at))
                && !image.contains(&slot.offset);
            asks.push(Ask {
                chip: layout.chip,
                image: after[image.clone()].to_vec(),
                what: format!("{what}: image at {:#x}", image.start),
            });
            may_fail.push(is_broken);
        }
    }
    for ((ask, verdict), may_fail) in asks.iter().zip(judge_each(&asks)).zip(may_fail) {
        let is_right = verdict.map_or(may_fail, |v| v.all_right());
        assert!(is_right, "{}: {verdict:?}", ask.what);
    }
    println!(
        "{count} layouts: {patched} patched ({} %), {} images right for esptool",
        100 * patched / count,
        asks.len()
    );
    for (reason, count) in refused {
        println!("{count:6} refused: {reason}");
    }
    assert!(patched * 3 > count);
}
