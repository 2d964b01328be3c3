//! Each shipped module loads in every form on the ESP32-C3, for every variant of its firmware. (The
//! ESP8266 has this in `figures.rs`, `frozen.rs` and the figures of `fastlua bench`.)

mod common;

use common::{TIMEOUT, bundle, models, shipped, tools, variant, work};
use fastlua_bundle::c_header;
use fastlua_bundle::{Form, Input};
use fastlua_bytecode::Strip;
use fastlua_emulator::{Chip, Core, Image, fast_files};

/// The forms that a core is for, each with a strip level and what the chip calls it.
fn forms(core: Core) -> Vec<(Form, Strip, &'static str)> {
    let [both, alone] = [true, false].map(|fallback| Form::Frozen { fallback });
    match core {
        Core::Stock | Core::Lfs => vec![
            (Form::Plain, Strip::Lines, "source"),
            (Form::Squashed, Strip::Lines, "source"),
            (Form::Deflated, Strip::Lines, "deflated"),
            (Form::Packed, Strip::Lines, "packed"),
            (Form::Bytecode, Strip::Keep, "bytecode"),
            (Form::Bytecode, Strip::Names, "bytecode"),
            (Form::Bytecode, Strip::Lines, "bytecode"),
            (both, Strip::Lines, "bytecode"),
        ],
        // beside its bytecode a chunk may be loaded from that, where shadows would need more
        Core::ReadOnly => vec![(alone, Strip::Lines, "frozen")],
        Core::Hooked => vec![
            (both, Strip::Lines, "frozen"),
            (alone, Strip::Lines, "frozen"),
        ],
    }
}

/// Each module in each form, under a name that tells it, and what is printed of it.
fn inputs(core: Core) -> Vec<(Input, String)> {
    let modules = shipped();
    let mut all = Vec::new();
    for (i, (form, strip, word)) in forms(core).into_iter().enumerate() {
        for module in &modules {
            let name = format!("{}-{i}", module.name);
            let line = format!("{name}\t{word}\tfunction\tfunction");
            let input = Input {
                name,
                form,
                strip,
                ..module.clone()
            };
            all.push((input, line));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    all
}

/// Loads each chunk twice, and says what it is.
const EACH: &[u8] = b"
    for name, size, form in fast.list() do
      print(name, form, type((assert(fast.load(name)))), type((assert(fast.load(name)))))
      collectgarbage()
    end
    print(fast.info().frozen)";

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn every_module_loads_in_every_form() {
    let chip = Chip::Esp32c3;
    let all = models(chip);
    assert_eq!(all.len(), 6);
    for model in all {
        let variant = variant(model);
        for core in [Core::Stock, Core::ReadOnly, Core::Hooked] {
            let (inputs, expected): (Vec<_>, Vec<_>) = inputs(core).into_iter().unzip();
            let header = c_header(&bundle(&inputs, &variant), "0").to_string();
            let image = Image::script(
                &tools(chip),
                &work(),
                &variant.layout,
                core,
                &fast_files(&header),
                EACH,
                false,
            );
            let output = image.unwrap().run(TIMEOUT).unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status, 0, "{model} {core:?}: {errors}");
            let printed = String::from_utf8(output.stdout).unwrap();
            let mut lines: Vec<&str> = printed.lines().collect();
            let way = match core {
                Core::Stock | Core::Lfs => "no",
                Core::Hooked => "hook",
                Core::ReadOnly if model.starts_with("51") => "table",
                Core::ReadOnly => "shadows",
            };
            assert_eq!(lines.pop(), Some(way), "{model} {core:?}");
            assert_eq!(lines, expected, "{model} {core:?}");
        }
    }
}
