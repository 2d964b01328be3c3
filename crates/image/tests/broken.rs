//! Images that are cut or changed at random.

mod support;

use fastlua_image::{Error, Image, Kind, Wrong};
use support::samples::{APPLICATION, all, esp32_flash};
use support::{ESP8266_RAM, Random, v1};

/// A cut image is refused, whatever the cut, unless its magic is gone or what was cut off is an image of its own.
#[test]
fn cut() {
    for (kind, bytes) in all() {
        let first = Image::read(&bytes).unwrap().parts()[0].range.clone();
        if matches!(kind, Kind::Elf | Kind::Raw | Kind::Esp32Flash) {
            for end in 0..bytes.len().min(0x800) {
                let _ = Image::read(&bytes[..end]);
            }
            continue;
        }
        let crc = first.end - 4;
        for end in 0..first.end {
            match Image::read(&bytes[..end]) {
                Err(Error::Cut {
                    end: at, needed, ..
                }) => assert!(at == end && needed > end),
                Ok(image) if end < 2 => assert_eq!(image.kind(), Kind::Raw),
                // The CRC32 may be left out.
                Ok(image) if kind == Kind::Esp8266V2 && end == crc => {
                    assert_eq!(image.verify(&bytes[..end]).len(), 1);
                }
                other => panic!("{kind} cut at {end:#x}: {other:?}"),
            }
        }
    }
    assert_eq!(
        Image::read(&v1(ESP8266_RAM)[..0x200])
            .unwrap_err()
            .to_string(),
        "offset 0x200: the image ends here, but the data of a segment extends to 0x314"
    );
}

/// Of a flash that is cut within the application, the boot loader remains, and the cut application is reported.
#[test]
fn cut_flash() {
    let bytes = esp32_flash();
    let application = Image::read(&bytes).unwrap().parts()[1].range.clone();
    for end in APPLICATION + 0x24..application.end {
        let image = Image::read(&bytes[..end]).unwrap();
        assert_eq!(image.parts().len(), 1, "{end:#x}");
        let [broken] = image.broken() else {
            panic!("{end:#x}: {:?}", image.broken())
        };
        assert_eq!(broken.start, APPLICATION);
        assert!(matches!(broken.error, Error::Cut { .. }), "{end:#x}");
    }
    let without = Image::read(&bytes[..APPLICATION]).unwrap();
    assert_eq!(without.parts().len(), 1);
    // An image itself gives its end, not its partition.
    let mut small = bytes.clone();
    small[0x8020 + 8..][..4].copy_from_slice(&0x400u32.to_le_bytes());
    let image = Image::read(&small).unwrap();
    assert_eq!(image.parts()[1].range, application);
}

/// Bytes of good images, changed at random and cut: no panic, and what is read can be changed and fixed_up.
#[test]
fn random_changes() {
    let mut random = Random::new(1);
    let (mut read, mut refused) = (0, 0);
    for (_, original) in all() {
        let interesting: Vec<usize> = Image::read(&original)
            .unwrap()
            .parts()
            .iter()
            .flat_map(|part| [part.range.clone(), part.range.end..part.range.end + 64])
            .flat_map(|range| [range.start, range.end.saturating_sub(48)])
            .chain([0, 0x8000, original.len().saturating_sub(200)])
            .collect();
        for _ in 0..1000 {
            let mut bytes = original.clone();
            for _ in 0..1 + random.next() % 4 {
                let base = match random.next() % 8 {
                    0 => random.next(),
                    other => interesting[other % interesting.len()],
                };
                let at = (base + random.next() % 200) % bytes.len();
                bytes[at] = match random.next() % 4 {
                    0 => 0xff,
                    1 => 0,
                    _ => random.next() as u8,
                };
            }
            if random.next().is_multiple_of(4) {
                bytes.truncate(random.next() % (bytes.len() + 1));
            }
            let Ok(image) = Image::read(&bytes) else {
                refused += 1;
                continue;
            };
            read += 1;
            let _ = image.verify(&bytes[..bytes.len() / 2]);
            for _ in 0..2 {
                let start = random.next() % (bytes.len() + 2);
                let range = start..start + random.next() % 40;
                if image.fix_up(&mut bytes, range.clone(), Wrong::Fix).is_ok() {
                    for offset in range {
                        image.address(offset);
                    }
                }
            }
            image.verify(&bytes);
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}
