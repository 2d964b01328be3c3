//! The heap that `fast.load` asks for before it loads a chunk, against what the load takes on the
//! emulated ESP8266 and ESP32-C3: never too small, at most 15 % too large. Every string of a chunk is
//! counted; those that the state knew before are set aside for the upper bound. Of a small chunk 15 %
//! is less than what three blocks of the chip's heap may vary by: there 128 bytes too much are fine.

mod support;

use fastlua_bundle::c_header;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::BString;
use fastlua_bundle::{Build, BundledChunk, Form, Input};
use fastlua_bytecode::{Constant, Strip};
use fastlua_emulator::{
    Chip, Core, Data, File, Image, Job, Load, Measure, Mode, Toolchain, fast_files, measure,
};
use fastlua_source::split::{Loader, split};
use fastlua_variants::{Variant, Variants};

/// Bytes by which the need of a small chunk may be too large, besides strings that were known: 64 and a sixteenth of it, and a
/// few steps of the heap, which depend on the places of its holes.
const SMALL: u32 = 160;

const TIMEOUT: Duration = Duration::from_secs(120);

/// The shipped modules' chunks, and what they do not have: a long string, many strings.
fn inputs(form: Form, strip: Strip) -> Vec<Input> {
    let mut texts = Vec::new();
    for (file, text) in fastlua_firmware::modules() {
        match split(text, Loader::Fast).unwrap() {
            Some(pieces) => texts.extend(pieces.into_iter().map(|p| (p.name, p.text))),
            None => texts.push((file.trim_end_matches(".lua").into(), text.to_vec())),
        }
    }
    let long = format!("return '{}', '{}'", "x".repeat(3000), "y".repeat(41));
    texts.push(("long".into(), long.into_bytes()));
    let table: String = (0..300).map(|i| format!("k{i} = 'v{}',", i % 7)).collect();
    texts.push(("table".into(), format!("return {{{table}}}").into_bytes()));
    let input = |(name, text): (String, Vec<u8>)| Input {
        module: name.clone(),
        file: format!("{name}.lua"),
        name,
        text,
        form,
        strip,
        variants: None,
    };
    texts.into_iter().map(input).collect()
}

/// Strings that each state of the measuring program knows before it loads a chunk, besides 5.1's and
/// 5.3's reserved words and event names that the shipped modules do not use as constants.
const KNOWN: [&str; 16] = [
    "__index", "__gc", "__call", "__len", "fast", "load", "list", "info", "data", "size",
    "searcher", "verbose", "package", "preload", "loaded", "end",
];

/// Heap that the chunk's strings of [`KNOWN`], and its name, would take if they were new.
fn known(chip: Chip, chunk: &BundledChunk, variant: &Variant) -> u32 {
    let dump = chunk.unpacked(chunk.dumps[0].as_ref().unwrap()).unwrap();
    let name = chunk.name.as_str();
    let chunk = fastlua_bytecode::read(&dump, &variant.layout).unwrap();
    let mut found = BTreeSet::new();
    chunk.main.clone().for_each_mut(&mut |function| {
        for constant in &function.constants {
            if let Constant::String(s) = constant
                && (*s == name || KNOWN.iter().any(|k| *s == **k))
            {
                found.insert(s.clone());
            }
        }
    });
    let block = |s: &BString| {
        let bytes = 16 + s.len() as u32 + 1;
        match chip {
            Chip::Esp8266 => (bytes + 16 + 7) & !7,
            Chip::Esp32c3 => 4 + ((bytes + 3) & !3),
        }
    };
    let sum: u32 = found.iter().map(block).sum();
    sum + sum / 16
}

/// An image for the emulated chip.
struct Device<'a> {
    tools: Toolchain,
    work: PathBuf,
    variant: &'a Variant,
    files: [File<'a>; 2],
    names: Vec<String>,
}

impl Device<'_> {
    /// The load of each chunk in a state of its own without Lua's libraries, or the refusal.
    /// `warm`: the state has loaded it once before, so that its string table has grown already.
    fn loads(&self, warm: bool, heap_limit: u32) -> Vec<Result<Load, String>> {
        let job = |name: &String| Job {
            name: name.clone(),
            data: Data::Fast,
            warm,
            run: false,
        };
        let jobs: Vec<Job> = self.names.iter().map(job).collect();
        let how = Measure {
            tools: &self.tools,
            work: &self.work,
            layout: &self.variant.layout,
            core: Core::Stock,
            egc: Mode::Always,
            files: &self.files,
            heap_limit,
            count_reads: false,
            timeout: TIMEOUT,
        };
        let found = measure(&how, &jobs).unwrap();
        found.into_iter().map(|measured| measured.load).collect()
    }

    /// What `fast.list` says that each chunk needs, in a state with Lua's libraries whose string
    /// table has been made roomy enough for any chunk's strings.
    fn listed(&self) -> Vec<u32> {
        let script = b"do local t = {} for i = 1, 600 do t[i] = 'x' .. i end end \
            collectgarbage() for _, _, _, need in fast.list() do print(need) end";
        let layout = &self.variant.layout;
        let core = Core::Stock;
        let image = Image::script(
            &self.tools,
            &self.work,
            layout,
            core,
            &self.files,
            script,
            false,
        );
        let output = image.unwrap().run(TIMEOUT).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// What each chunk is said to need where it is refused in a state without libraries; none
    /// where it loads with `little` bytes of heap.
    fn refused(&self, little: u32) -> Vec<Option<u32>> {
        let numbers = |message: &str| -> Vec<u32> {
            assert!(message.contains("bytes of heap"), "{message}");
            let parts = message.split(|c: char| !c.is_ascii_digit());
            parts.filter_map(|n| n.parse().ok()).collect()
        };
        let some = 12_000;
        let message = self
            .loads(false, some)
            .into_iter()
            .find_map(Result::err)
            .unwrap();
        let free = numbers(&message)[1];
        let short = self.loads(false, some - free + little).into_iter();
        short
            .map(|load| load.err().map(|message| numbers(&message)[0]))
            .collect()
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn is_never_too_small_and_at_most_15_percent_too_large() {
    Chip::ALL.into_iter().for_each(check);
}

fn check(chip: Chip) {
    let tools = Toolchain::find(chip).unwrap_or_else(|missing| panic!("{missing}"));
    let variants = Variants::built_in();
    for (model, form, strip) in [
        ("51-int", Form::Bytecode, Strip::Lines),
        ("51-int", Form::Packed, Strip::Lines),
        ("51-float", Form::Bytecode, Strip::Lines),
        ("51-float", Form::Packed, Strip::Lines),
        ("51-float", Form::Bytecode, Strip::Keep),
        ("53-int32-float32", Form::Bytecode, Strip::Lines),
        ("53-int32-float32", Form::Packed, Strip::Lines),
        ("53-int32-float32", Form::Bytecode, Strip::Keep),
        ("53-int64-float64", Form::Bytecode, Strip::Lines),
        ("53-int64-float64", Form::Packed, Strip::Lines),
    ] {
        let variant = variants.get(&format!("puc{model}-32bit")).unwrap();
        let build = Build {
            inputs: &inputs(form, strip),
            variants: std::slice::from_ref(variant),
            heap_limit: fastlua_compiler::HEAP_LIMIT,
        };
        let bundle = build.run().unwrap();
        let header = c_header(&bundle, "0").to_string();
        let device = Device {
            tools: tools.clone(),
            work: Path::new(env!("CARGO_TARGET_TMPDIR")).join("need"),
            variant,
            files: fast_files(&header),
            names: bundle.chunks.iter().map(|c| c.name.clone()).collect(),
        };
        let loads = |warm| -> Vec<Load> {
            let loads = device.loads(warm, 0).into_iter();
            loads.map(|load| load.unwrap()).collect()
        };
        let (mut worst, mut all) = (0.0f64, 0.0f64);
        for ((chunk, need), load) in bundle.chunks.iter().zip(device.listed()).zip(loads(true)) {
            if load.string_table > 0 {
                continue; // the table has shrunk again after the first load
            }
            let peak = load.heap_peak;
            let of_new = need - known(chip, chunk, variant);
            let [new, of_all] = [of_new, need].map(|n| f64::from(n) / f64::from(peak));
            let name = &chunk.name;
            let is_near = new <= 1.15 || of_new <= peak + SMALL;
            assert!(
                of_all >= 1.0 && is_near,
                "{chip} {model} {name}: {need} for {peak}, {new:.3}"
            );
            if need > peak + SMALL {
                (worst, all) = (worst.max(new), all.max(of_all));
            }
        }
        let mut refusals = 0;
        for ((name, need), load) in device
            .names
            .iter()
            .zip(device.refused(900))
            .zip(loads(false))
        {
            let peak = load.heap_peak;
            refusals += usize::from(need.is_some());
            assert!(
                need.unwrap_or(900) >= peak,
                "{chip} {model} {name}: {need:?} for {peak}"
            );
        }
        assert!(refusals > 20);
        let count = device.names.len();
        println!(
            "{chip} {model}, {form}, {strip:?}: {count} chunks, at most {worst:.3} of the peak ({all:.3} with known \
             strings), {refusals} refused"
        );
    }
}
