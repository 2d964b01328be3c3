//! What is read of images made here, changed and fixed_up or refused.

mod support;

use fastlua_image::{Algorithm, Error, FixedUp, Image, Protection, Wrong};
use support::samples::{APPLICATION, all, esp32_flash, joined, linked};
use support::{ESP32_APPLICATION, ESP8266_RAM, esp32, filled, v2};

#[test]
fn kinds() {
    for (kind, bytes) in all() {
        let image = Image::read(&bytes).unwrap();
        assert_eq!(image.kind(), kind);
        assert!(image.verify(&bytes).iter().all(|(_, right)| *right));
    }
}

/// What is changed in any segment is fixed_up, and nothing else is touched.
#[test]
fn fixed_up() {
    for (kind, original) in all() {
        let image = Image::read(&original).unwrap();
        let before = image.verify(&original);
        for segment in image.segments() {
            let mut bytes = original.clone();
            let changed = segment.range.end - 1..segment.range.end;
            bytes[changed.start] ^= 0x40;
            let wrong = image.verify(&bytes);
            let checksums = image
                .fix_up(&mut bytes, changed.clone(), Wrong::Refuse)
                .unwrap()
                .checksums;
            assert_eq!(image.verify(&bytes), before, "{kind}");
            let wrong = wrong.iter().filter(|(_, right)| !right);
            assert!(wrong.map(|(checksum, _)| checksum).eq(&checksums), "{kind}");
            for at in (0..bytes.len()).filter(|at| bytes[*at] != original[*at]) {
                let guarded = checksums
                    .iter()
                    .any(|checksum| checksum.range().contains(&at));
                assert!(at == changed.start || guarded, "{kind}");
            }
        }
    }
}

#[test]
fn addresses() {
    let flash = Image::read(&joined()).unwrap();
    assert_eq!(flash.address(0x1_0004), Some(0x4021_0004));
    assert_eq!(flash.address(16), Some(0x4010_0000));
    assert_eq!(flash.address(15), None);
    let bytes = all().swap_remove(3).1;
    let dump = Image::read(&bytes).unwrap();
    assert_eq!(dump.address(0x1010), Some(0x4020_1010));
    assert_eq!(dump.address(0x8_1011), Some(0x4028_1011));
    let alone = Image::read(&v2(0x400, ESP8266_RAM)).unwrap();
    assert_eq!(alone.address(16), None);
    let bytes = linked();
    let elf = Image::read(&bytes).unwrap();
    let at = bytes.windows(8).position(|w| w == &filled(0x30)[..8]);
    assert_eq!(elf.address(at.unwrap() + 1), Some(0x3ffe_8001));
}

/// Without program headers an ELF file has its sections.
#[test]
fn elf_without_program_headers() {
    let mut bytes = linked();
    bytes[44] = 0;
    let linked = Image::read(&bytes).unwrap();
    let addresses: Vec<_> = linked.segments().map(|segment| segment.address).collect();
    assert_eq!(addresses, [Some(0x4021_0000), Some(0x3ffe_8000)]);
    bytes[16] = 1;
    let object = Image::read(&bytes).unwrap();
    assert!(object.segments().all(|segment| segment.address.is_none()));
    assert_eq!(object.segments().count(), 2);
    bytes[4] = 2;
    assert!(matches!(Image::read(&bytes), Err(Error::Elf(_))));
}

#[test]
fn what_is_not_mended() {
    let mut bytes = esp32_flash();
    let image = Image::read(&bytes).unwrap();
    assert_eq!(
        image.fix_up(&mut bytes, 0x9000..0x9001, Wrong::Refuse),
        Ok(FixedUp::default())
    );
    assert_eq!(
        image.fix_up(&mut bytes, 7..7, Wrong::Refuse),
        Ok(FixedUp::default())
    );
    assert_eq!(
        image.fix_up(&mut bytes, 0x8010..0x8011, Wrong::Refuse),
        Err(Error::Table { offset: 0x8000 })
    );
    let (end, len) = (bytes.len() + 1, bytes.len());
    assert_eq!(
        image.fix_up(&mut bytes, 0..end, Wrong::Refuse),
        Err(Error::Outside { end, len })
    );
    let size = APPLICATION + 28;
    bytes[size] ^= 4;
    assert_eq!(
        image.fix_up(&mut bytes, size..size + 1, Wrong::Refuse),
        Err(Error::Restructured)
    );
    bytes[size] ^= 4;
    assert_eq!(
        image.fix_up(&mut bytes[..len - 1], 7..7, Wrong::Refuse),
        Err(Error::Restructured)
    );
    // The flash's size, in the header, counts for the hash only.
    let field = APPLICATION + 3;
    bytes[field] = 0x10;
    let fixed_up = image.fix_up(&mut bytes, field..field + 1, Wrong::Refuse);
    let fixed_up = fixed_up.unwrap().checksums;
    assert_eq!(fixed_up.len(), 1);
    assert_eq!(fixed_up[0].algorithm, Algorithm::Sha256);
    assert!(image.verify(&bytes).iter().all(|(_, right)| *right));
}

#[test]
fn sealed() {
    let mut encrypted = esp32_flash();
    encrypted.resize(0x2_0000, 0xff);
    encrypted.extend(filled(0x300));
    let image = Image::read(&encrypted).unwrap();
    let refused = image
        .fix_up(&mut encrypted, 0x2_0010..0x2_0012, Wrong::Refuse)
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "offset 0x20000: no image in an app partition: the partition table marks it as encrypted"
    );

    let mut signed = esp32(5, ESP32_APPLICATION);
    let end = signed.len();
    signed.resize(end.next_multiple_of(4096), 0xff);
    signed.extend([0xe7, 2, 0, 0]);
    signed.extend(filled(1212));
    signed.resize(signed.len().next_multiple_of(4096), 0xff);
    let image = Image::read(&signed).unwrap();
    let offset = end.next_multiple_of(4096);
    let protection = Protection::Signed { version: 2, offset };
    assert_eq!(
        protection.to_string(),
        "offset 0x1000: a secure boot signature, version 2: a changed image must be signed again"
    );
    assert_eq!(
        image.fix_up(&mut signed, 40..41, Wrong::Refuse),
        Err(Error::Protected(protection))
    );
}
