//! What packed chunks take on the chips: the code that unpacks them, and their loads beside those of other forms, with
//! checksums.

mod common;

use fastlua_bundle::c_header;
use std::fs;

use common::{TIMEOUT, bundle, models, shipped, tools, variant, work};
use fastlua_bundle::{Form, Input};
use fastlua_emulator::{Chip, Core, Data, Image, Job, Load, Measure, Mode, fast_files, measure};
use object::{Object, ObjectSection, SectionKind};

/// The modules as packed, as bytecode and as squashed source, under names of one length.
const FORMS: [(&str, Form); 3] = [
    ("packed", Form::Packed),
    ("dumped", Form::Bytecode),
    ("source", Form::Squashed),
];

/// Bytes of code in an image that has a chunk in this form and the libraries of a script.
fn code(chip: Chip, model: &str, form: Form) -> u64 {
    let hello = shipped().into_iter().find(|input| input.name == "hello");
    let input = Input {
        form,
        ..hello.unwrap()
    };
    let variant = variant(model);
    let header = c_header(&bundle(&[input], &variant), "0").to_string();
    let (tools, files) = (tools(chip), fast_files(&header));
    let (layout, script) = (&variant.layout, b"print(1)");
    let image = Image::script(&tools, &work(), layout, Core::Stock, &files, script, false);
    let elf = fs::read(image.unwrap().path()).unwrap();
    let elf = object::File::parse(&*elf).unwrap();
    let sections = elf.sections().filter(|s| s.kind() == SectionKind::Text);
    sections.map(|section| section.size()).sum()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_unpacks_is_small() {
    for chip in Chip::ALL {
        for model in models(chip) {
            let [packed, without] = [Form::Packed, Form::Bytecode].map(|f| code(chip, model, f));
            println!("{chip} {model}: {} bytes", packed - without);
            let most = match chip {
                Chip::Esp8266 => 3840,
                Chip::Esp32c3 => 4096,
            };
            assert!(
                packed > without && packed - without <= most,
                "{chip} {model}"
            );
        }
    }
}

/// Loads of each module in each form, the first ones after a reset.
fn loads(chip: Chip, model: &str) -> Vec<[Load; 3]> {
    let inputs = FORMS.iter().flat_map(|(name, form)| {
        shipped().into_iter().map(move |module| Input {
            name: format!("{}-{name}", module.name),
            form: *form,
            ..module
        })
    });
    let inputs: Vec<Input> = inputs.collect();
    let variant = variant(model);
    let header = c_header(&bundle(&inputs, &variant), "0").to_string();
    let jobs = shipped().into_iter().flat_map(|module| {
        FORMS.map(|(form, _)| Job {
            name: format!("{}-{form}", module.name),
            data: Data::Fast,
            warm: false,
            run: false,
        })
    });
    let jobs: Vec<Job> = jobs.collect();
    let how = Measure {
        tools: &tools(chip),
        work: &work(),
        layout: &variant.layout,
        core: Core::Stock,
        egc: Mode::Always,
        files: &fast_files(&header),
        heap_limit: 0,
        count_reads: chip.counts_reads(),
        timeout: TIMEOUT,
    };
    let found = measure(&how, &jobs).unwrap();
    if chip.counts_reads() {
        for (job, measured) in jobs.iter().zip(&found) {
            let narrow = measured.reads.unwrap().narrow;
            assert!(!job.name.ends_with("packed") || narrow == 0, "{}", job.name);
        }
    }
    let loads: Vec<Load> = found
        .iter()
        .map(|measured| *measured.load.as_ref().unwrap())
        .collect();
    loads
        .chunks(3)
        .map(|three| [three[0], three[1], three[2]])
        .collect()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn loads_are_cheap() {
    for chip in Chip::ALL {
        for model in ["51-int", "51-float", "53-int32-float32"] {
            for (module, [packed, bytecode, squashed]) in shipped().iter().zip(loads(chip, model)) {
                let share = f64::from(packed.instructions) / f64::from(squashed.instructions);
                let what = format!("{chip} {model} {}", module.name);
                let more = packed.heap_peak as i64 - bytecode.heap_peak as i64;
                println!(
                    "{what}: {} / {} / {} instructions, {:.1} %, {more} bytes more than bytecode",
                    packed.instructions,
                    bytecode.instructions,
                    squashed.instructions,
                    share * 100.0
                );
                assert!(more <= 600, "{what}: {more}");
                assert_eq!(packed.live_kept, bytecode.live_kept, "{what}");
                let most = match chip {
                    Chip::Esp8266 => 0.4,
                    Chip::Esp32c3 => 0.45,
                };
                if module.text.len() > 2048 {
                    assert!(share <= most, "{what}: {share:.3}");
                }
            }
        }
    }
}
