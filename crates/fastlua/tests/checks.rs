//! What is said to be right is as it was built.

use fastlua::{CheckState, Chip, Firmware, Form, Module, Options, Project};
use fastlua_bundle::{shared_places, unpacked};

const TEXT: &str =
    "local t = {} for i = 1, 10 do t[i] = tostring(i) end return table.concat(t, ',')";

/// An object file with two packed chunks, and a frozen one.
fn object() -> Vec<u8> {
    let mut project = Project::new();
    for (name, form) in [
        ("a.lua", Form::Packed),
        ("b.lua", Form::Packed),
        ("c.lua", Form::Frozen { fallback: true }),
    ] {
        project
            .add(Module::new(name, format!("{TEXT} -- {name}")).form(form))
            .unwrap();
    }
    let options = Options {
        variants: Some(vec!["lua51-float".into()]),
        ..Options::default()
    };
    let bundle = project.plan(&options).unwrap().build(None).unwrap();
    let [.., object] = bundle.c_module_with_object(Chip::Esp32).unwrap();
    object.bytes()
}

/// The names, states and dumps of the chunks whose bytes are said to be right.
fn right(file: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let Ok(firmware) = Firmware::read(file) else {
        return Vec::new();
    };
    let layout = fastlua::Variants::built_in()
        .get("lua51-float")
        .unwrap()
        .layout;
    let bytes = firmware.bytes();
    let mut found = Vec::new();
    for descriptor in firmware.descriptors().flatten() {
        let Ok(chunks) = descriptor.chunks() else {
            continue;
        };
        for chunk in chunks {
            let checks = descriptor.checks(&chunk);
            // nothing but the bytes has a checksum here
            assert_eq!(checks.name, CheckState::NotChecked);
            assert_ne!(checks.objects, Some(CheckState::Right));
            if checks.bytes != Some(CheckState::Right) {
                continue;
            }
            let dump = &bytes[chunk.words.clone().unwrap()];
            let dump = match fastlua::form_of(&chunk) {
                Form::Packed => shared_places(bytes, layout.dialect())
                    .iter()
                    .find_map(|place| unpacked(&bytes[*place..], dump, &layout).ok())
                    .expect("it was said to be right"),
                _ => dump.to_vec(),
            };
            found.push((chunk.name, dump));
        }
    }
    found
}

#[test]
fn tables_that_packed_chunks_share_are_compared() {
    let file = object();
    let whole = right(file.clone());
    assert_eq!(whole.len(), 3);
    let firmware = Firmware::read(file.clone()).unwrap();
    let places = shared_places(firmware.bytes(), fastlua_bytecode::Dialect::Lua51);
    let [place] = places[..] else {
        panic!("{places:?}")
    };
    let start = &firmware.bytes()[place..place + 64];
    let start = file.windows(64).position(|w| w == start).unwrap();
    for n in 0..400 {
        let mut changed = file.clone();
        changed[start + n * 7 % 1500] ^= 1 << (n % 8);
        let found = right(changed);
        assert!(
            found.iter().all(|chunk| chunk.0 == "c"),
            "{n}: {}",
            found.len()
        );
    }
}

#[test]
fn what_is_right_is_what_was_built() {
    let file = object();
    let dumps: Vec<Vec<u8>> = right(file.clone())
        .into_iter()
        .map(|chunk| chunk.1)
        .collect();
    for at in (0..file.len()).step_by(3) {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        for (name, dump) in right(changed) {
            assert!(dumps.contains(&dump), "{name}, byte {at:#x}");
        }
    }
}
