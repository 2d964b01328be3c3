//! Figures of the shipped modules, and that they are what they say.

mod common;

use std::time::Instant;

use common::{TIMEOUT, bundle, input, shipped, tools, variant, work};
use fastlua_bundle::{Bundle, Input, Representation};
use fastlua_emulator::{Data, Job, Measure, Measured, fast_files, measure};
use fastlua_variants::Variant;

const MODELS: [&str; 3] = ["51-int", "51-float", "53-int32-float32"];

/// The ways in which a module is loaded. Each is a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    FastBytecode,
    RamBytecode,
    FastSquashed,
    RamSquashed,
    RamSource,
}

const WAYS: [Way; 5] = [
    Way::FastBytecode,
    Way::RamBytecode,
    Way::FastSquashed,
    Way::RamSquashed,
    Way::RamSource,
];

/// Name of the squashed source of a module in the bundle.
fn squashed(name: &str) -> String {
    format!("{name}-source")
}

/// Each module as bytecode and as squashed source.
fn both_forms() -> Vec<Input> {
    let modules = shipped();
    let sources = modules.iter().map(|module| Input {
        name: squashed(&module.name),
        representation: Representation::Source,
        ..module.clone()
    });
    sources.chain(modules.iter().cloned()).collect()
}

fn job(way: Way, module: &Input, bundle: &Bundle) -> Job {
    let bytes = |name: &str| {
        let chunk = bundle.chunks.iter().find(|c| c.name == name).unwrap();
        chunk.dumps[0].as_ref().unwrap().bytes.clone()
    };
    let name = match way {
        Way::FastBytecode => module.name.clone(),
        Way::FastSquashed => squashed(&module.name),
        _ => format!("@{}", module.file),
    };
    let data = match way {
        Way::FastBytecode | Way::FastSquashed => Data::Fast,
        Way::RamBytecode => Data::Ram(bytes(&module.name)),
        Way::RamSquashed => Data::Ram(bytes(&squashed(&module.name))),
        Way::RamSource => Data::Ram(module.text.clone()),
    };
    Job {
        name,
        data,
        warm: false,
        run: false,
    }
}

fn figures(variant: &Variant, header: &str, jobs: &[Job], count_reads: bool) -> Vec<Measured> {
    let how = Measure {
        tools: &tools(),
        work: &work(),
        layout: &variant.layout,
        files: &fast_files(header),
        heap_limit: 0,
        count_reads,
        timeout: TIMEOUT,
    };
    measure(&how, jobs).unwrap()
}

#[test]
fn the_shipped_modules() {
    for model in MODELS {
        let variant = variant(model);
        let bundle = bundle(&both_forms(), &variant);
        let modules = shipped();
        let jobs: Vec<Job> = modules
            .iter()
            .flat_map(|module| WAYS.map(|way| job(way, module, &bundle)))
            .collect();
        let since = Instant::now();
        let found = figures(&variant, &bundle.c_header("0"), &jobs, true);
        println!("{model}: {:?}", since.elapsed());
        for (module, found) in modules.iter().zip(found.chunks(WAYS.len())) {
            for (way, m) in WAYS.iter().zip(found) {
                println!("{:12} {way:?} {:?} {:?}", module.name, m.load, m.reads);
            }
        }
    }
}
