//! Frozen chunks on the emulated chips: they print what their bytecode prints, nothing writes to
//! them, and a load of them costs next to nothing whatever their size.

mod common;

use fastlua_bundle::c_header;
use std::fs;
use std::path::Path;

use common::{TIMEOUT, bundle, carried, input, models, overlays, shipped, tools, variant, work};
use fastlua_bundle::{Form, Input};
use fastlua_emulator::{
    Chip, Core, Data, Image, Job, Load, Measure, Mode, Output, fast_files, measure,
};
use fastlua_variants::Variant;

const MODELS: [&str; 3] = ["51-int", "51-float", "53-int32-float32"];

/// The chunks of the frozen chunks' own test, of which one needs floats.
fn scripts(variant: &Variant) -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/frozen");
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let skipped = name == "run" || (name == "floats" && variant.layout.float == 0);
        if path.extension().unwrap() == "lua" && !skipped {
            inputs.push(input(name, &fs::read(&path).unwrap()));
        }
    }
    assert!(inputs.len() >= 8);
    inputs
}

/// Runs each chunk.
const EACH: &[u8] = b"
        if pcall(chip.reads) then chip.reads(true) end
        for name, _, form in fast.list() do
          local results = {pcall(assert(fast.load(name)), 'an argument')}
          print(name, (unpack or table.unpack)(results))
        end
        print(fast.info().frozen)";

/// Runs a script with these chunks.
fn run(
    chip: Chip,
    script: &[u8],
    variant: &Variant,
    core: Core,
    inputs: &[Input],
    count_reads: bool,
) -> Output {
    let header = c_header(&bundle(inputs, variant), "0").to_string();
    let files = fast_files(&header);
    let image = Image::script(
        &tools(chip),
        &work(),
        &variant.layout,
        core,
        &files,
        script,
        count_reads,
    );
    image.unwrap().run(TIMEOUT).unwrap()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn frozen_chunks_print_what_their_bytecode_prints_lx106() {
    frozen_chunks_print_what_their_bytecode_prints(Chip::Esp8266);
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn frozen_chunks_print_what_their_bytecode_prints_rv32() {
    frozen_chunks_print_what_their_bytecode_prints(Chip::Esp32c3);
}

fn frozen_chunks_print_what_their_bytecode_prints(chip: Chip) {
    let models = match chip {
        Chip::Esp8266 => MODELS.to_vec(),
        Chip::Esp32c3 => models(chip),
    };
    for model in models {
        let variant = variant(model);
        let inputs = scripts(&variant);
        let frozen = carried(&inputs, Form::Frozen { fallback: false });
        let text = |output: Output| {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status, 0, "{chip} {model}: {errors}");
            String::from_utf8(output.stdout).unwrap()
        };
        let bytecode = text(run(chip, EACH, &variant, Core::Stock, &inputs, false));
        let lines = bytecode.strip_suffix("no\n").unwrap();
        assert!(lines.lines().count() > 60, "{lines}");
        let open = if model.starts_with("51") {
            "table"
        } else {
            "shadows"
        };
        // where reads are counted, a write to flash ends the run; on the rv32 it always does
        let ways = [
            (Core::Hooked, "hook", false),
            (Core::ReadOnly, open, false),
            (Core::Hooked, "hook", true),
        ];
        let ways = ways
            .into_iter()
            .filter(|(_, _, count)| chip.counts_reads() || !count);
        for (core, way, count_reads) in ways {
            let found = text(run(chip, EACH, &variant, core, &frozen, count_reads));
            assert_eq!(found, format!("{lines}{way}\n"), "{chip} {model} {core:?}");
        }
    }
}

/// What a load may take of the stack: the ESP8266's task has 4 kB, the ESP32-C3's 8, some of it for what
/// calls `fast.load`.
fn stack(chip: Chip) -> u32 {
    match chip {
        Chip::Esp8266 => 3 * 1024,
        Chip::Esp32c3 => 6 * 1024,
    }
}

/// A load goes down as many levels of functions as the stack is for. With the hook a frozen chunk is not walked.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_is_too_deep_for_the_stack_is_refused() {
    Chip::ALL.into_iter().for_each(too_deep);
}

fn too_deep(chip: Chip) {
    let nested = |levels: usize| {
        let (open, close) = ("return function() ", " end");
        let text = format!("return print, {levels}");
        [&*open.repeat(levels - 1), &text, &*close.repeat(levels - 1)].concat()
    };
    let inputs = [24, 25].map(|levels| input(&format!("n{levels}"), nested(levels).as_bytes()));
    let script = b"for _, name in ipairs {'n24', 'n25'} do print((select(2, fast.load(name)))) end";
    for model in MODELS {
        let variant = variant(model);
        for (core, form, refused) in [
            (Core::Stock, Form::Bytecode, true),
            (Core::ReadOnly, Form::Frozen { fallback: false }, true),
            (Core::Hooked, Form::Frozen { fallback: false }, false),
        ] {
            let inputs = carried(&inputs, form);
            let output = run(chip, script, &variant, core, &inputs, false);
            let second = match refused {
                true => "chunk 'n25' has 25 levels of functions, the limit is 24",
                false => "nil",
            };
            let printed = String::from_utf8(output.stdout).unwrap();
            assert_eq!(
                printed,
                format!("nil\n{second}\n"),
                "{chip} {model} {core:?}"
            );
            let [first, _] = loads(chip, &variant, core, &inputs[..1])[0];
            println!("{chip} {model} {core:?}: {} bytes of stack", first.stack);
            assert!(
                first.stack < stack(chip),
                "{model} {core:?}: {}",
                first.stack
            );
        }
    }
}

/// How it is known that nothing writes to frozen chunks: what does ends the run.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_write_to_a_frozen_object_is_a_fault() {
    Chip::ALL.into_iter().for_each(a_write);
}

fn a_write(chip: Chip) {
    let poke = br#"
#define luaopen_fast opened_fast
#include "fast.inc"
#undef luaopen_fast
#include "runtime.h"

int luaopen_fast (lua_State *L) {
  volatile int *word = (volatile int *)fast_frozen_chunks[0]->main;
  opened_fast(L);
  trap_set(1);
  *word = *word;
  return 1;
}
"#;
    for model in MODELS {
        let variant = variant(model);
        let one = [input("one", b"return 'one'")];
        let header = c_header(
            &bundle(&carried(&one, Form::Frozen { fallback: false }), &variant),
            "0",
        )
        .to_string();
        let [(_, fast), chunks] = fast_files(&header);
        let image = Image::script(
            &tools(chip),
            &work(),
            &variant.layout,
            Core::ReadOnly,
            &[("poke.c", poke), ("fast.inc", fast), chunks],
            b"print 'alive'",
            chip.counts_reads(),
        );
        let output = image.unwrap().run(TIMEOUT).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status, &output.stdout[..]),
            (70, &b""[..]),
            "{chip} {model}"
        );
        let prohibited = match chip {
            Chip::Esp8266 => "CPU exception 29 ",
            Chip::Esp32c3 => "CPU exception 7 ",
        };
        assert!(errors.contains(prohibited), "{chip} {model}: {errors}");
    }
}

/// The loads of these chunks, first and later, for each chunk.
fn loads(chip: Chip, variant: &Variant, core: Core, inputs: &[Input]) -> Vec<[Load; 2]> {
    let bundle = bundle(inputs, variant);
    let job = |name: &str, warm| Job {
        name: name.into(),
        data: Data::Fast,
        warm,
        run: false,
    };
    let chunks = bundle.chunks.iter();
    let jobs: Vec<Job> = chunks
        .flat_map(|c| [job(&c.name, false), job(&c.name, true)])
        .collect();
    let header = c_header(&bundle, "0").to_string();
    let how = Measure {
        tools: &tools(chip),
        work: &work(),
        layout: &variant.layout,
        core,
        egc: Mode::Always,
        files: &fast_files(&header),
        heap_limit: 0,
        count_reads: true, // so that a write to flash is a fault
        timeout: TIMEOUT,
    };
    let found = measure(&how, &jobs).unwrap();
    let load = |i: usize| *found[i].load.as_ref().unwrap();
    (0..jobs.len())
        .step_by(2)
        .map(|i| [load(i), load(i + 1)])
        .collect()
}

/// `fast.load` of one chunk among those of all shipped modules, as a chip boots.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_frozen_chunk_is_found_and_pushed_in_few_instructions() {
    for model in MODELS {
        let variant = variant(model);
        let inputs = overlays(Form::Frozen { fallback: false });
        assert!(inputs.len() >= 44);
        let found = loads(Chip::Esp8266, &variant, Core::Hooked, &inputs);
        let counts = found.iter().flatten().map(|load| load.instructions);
        let (least, most) = (counts.clone().min().unwrap(), counts.clone().max().unwrap());
        println!(
            "{model}: {least} to {most} instructions, {} on average",
            counts.sum::<u32>() / (2 * found.len() as u32)
        );
        assert_eq!(least, most, "{model}: the name's length does not matter");
        assert!(most <= 300, "{model}: {most}");
    }
}

/// Most bytes that a block of at most 24 takes of a chip's heap, where it fills a hole.
fn largest_block(chip: Chip) -> i32 {
    match chip {
        Chip::Esp8266 => 16 + 24 + 32,
        Chip::Esp32c3 => 4 + 24 + 12,
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_frozen_chunk_loads_for_next_to_nothing() {
    Chip::ALL.into_iter().for_each(next_to_nothing);
}

fn next_to_nothing(chip: Chip) {
    let most = match chip {
        Chip::Esp8266 => 1000,
        Chip::Esp32c3 => 1500,
    };
    for model in MODELS {
        let variant = variant(model);
        let inputs = shipped();
        let bytecode = loads(chip, &variant, Core::Stock, &inputs);
        let frozen = carried(&inputs, Form::Frozen { fallback: false });
        let hooked = loads(chip, &variant, Core::Hooked, &frozen);
        let open = loads(chip, &variant, Core::ReadOnly, &frozen);
        let modules = inputs.iter().zip(&bytecode).zip(&hooked).zip(&open);
        println!("{chip} {model}: instructions, bytes asked for, of heap at the peak, and kept");
        for (((module, [bytecode, _]), [first, later]), [shadow, again]) in modules {
            let name = format!("{chip} {model} {}", module.name);
            let figures = |l: &Load| {
                format!(
                    "{} {} {} {}",
                    l.instructions, l.live_kept, l.heap_peak, l.heap_kept
                )
            };
            println!(
                "{:8} bytecode {}, hook {}, no hook {}, then {}",
                module.name,
                figures(bytecode),
                figures(first),
                figures(shadow),
                figures(again)
            );
            for load in [first, later] {
                assert!(load.instructions <= most, "{name}: {load:?}");
                assert!(
                    load.live_peak <= 64 && load.live_kept <= 64,
                    "{name}: {load:?}"
                );
                assert!(
                    load.heap_peak as i32 <= largest_block(chip) * load.blocks,
                    "{name}: {load:?}"
                );
            }
            // 5.3's shadows have strings of their own: those of a small chunk do not pay
            let pays = model.starts_with("51") || bytecode.live_kept > 500;
            assert!(
                !pays || shadow.heap_kept < bytecode.heap_kept,
                "{name}: {shadow:?}"
            );
            // 5 % of the bytecode's heap; of a small chunk, one closure
            let allowed = first.live_kept.max(bytecode.live_kept / 20);
            assert!(again.live_kept <= allowed, "{name}: {again:?}");
        }
    }
}
