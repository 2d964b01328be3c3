//! Damaged images: cut at every length, every byte changed. Reading them never panics, and nothing is mistaken for something else.

mod common;

use common::{layouts, made_up};
use fastlua_bytecode::{Dialect, Layout};
use fastlua_lfs::{Image, Place, read, region, write};

fn images() -> Vec<(String, Image)> {
    let mut images = Vec::new();
    // two of 5.3 are enough: images of the others differ in the width of numbers
    let same_width = |l: &Layout| l.dialect() == Dialect::Lua51 || l.integer == l.float;
    for layout in layouts().into_iter().filter(same_width) {
        let image = made_up(layout, 2, 1);
        images.push((layout.to_string(), image.clone()));
        if layout.dialect() == Dialect::Lua51 {
            let place = Place::At(0x4028_0000);
            images.push((format!("{layout} at an address"), Image { place, ..image }));
        }
    }
    images
}

#[test]
fn no_part_is_taken_for_the_whole() {
    for (what, image) in images() {
        let bytes = write(&image).unwrap().0;
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{what}, cut at {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(read(&longer).is_err(), "{what}, a byte longer");
    }
}

/// An image can say the same in other words now and then: by a match at another distance, or that names follow
/// where there are none. What is compressed has a sum that guards what it says, the others have none.
#[test]
fn a_changed_byte_is_refused_or_changes_the_image() {
    for (what, image) in images() {
        let bytes = write(&image).unwrap().0;
        let whole = read(&bytes).unwrap().image;
        let compressed = bytes.starts_with(&[0x1f, 0x8b]);
        let (mut refused, mut same) = (0, 0);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= if at % 3 == 0 { 0xff } else { 1 << (at % 8) };
            match read(&flipped) {
                Err(_) => refused += 1,
                Ok(found) if found.image == whole => same += 1,
                Ok(_) => assert!(!compressed, "{what}, byte {at}"),
            }
        }
        // most of a made-up module is code, text and numbers, any of which will do
        let least = if compressed { 99 } else { 5 };
        let all = bytes.len();
        assert!(same * 50 < all, "{what}: {same} of {all} the same");
        assert!(
            refused * 100 > least * all,
            "{what}: {refused} of {all} refused"
        );
    }
}

/// The chip accepts no compressed image for a fixed address: its length is not the expected one.
#[test]
fn an_image_for_an_address_is_not_compressed() {
    for (what, image) in images().iter().filter(|(_, i)| i.place != Place::Anywhere) {
        let memory = write(image).unwrap().0;
        assert!(read(&memory).is_ok(), "{what}");
        let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
        member.extend(fastlua_firmware::deflate::stored(&memory).unwrap());
        member.extend(crc32fast::hash(&memory).to_le_bytes());
        member.extend((memory.len() as u32).to_le_bytes());
        for error in [read(&member).unwrap_err(), region(&member).unwrap_err()] {
            assert!(error.to_string().contains("for a fixed address"), "{error}");
        }
    }
}

/// The region of what can be read is made, or there is an error.
#[test]
fn the_region_of_damaged_images_is_an_error() {
    for (what, image) in images() {
        let bytes = write(&image).unwrap().0;
        let mut random = fastlua_testing::random::Random::new(3);
        for _ in 0..2000 {
            let mut changed = bytes.clone();
            for _ in 0..1 + random.below(4) {
                let at = random.below(changed.len() as u64) as usize;
                changed[at] = random.below(256) as u8;
            }
            if region(&changed).is_ok() {
                assert!(read(&changed).is_ok(), "{what}");
            }
        }
    }
}
