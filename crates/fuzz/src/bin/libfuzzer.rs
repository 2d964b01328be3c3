//! A target under libFuzzer: `FASTLUA_FUZZ` names it; with `FASTLUA_SEEDS` its seeds go into that folder first.
#![no_main]

use std::sync::LazyLock;
use std::{env, fs};

use fastlua_fuzz::{TARGETS, Target, target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = env::var("FASTLUA_FUZZ").unwrap_or_default();
    let Some(target) = target(&name) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("no target {name:?}; there are {}", names.join(" "));
        std::process::exit(2);
    };
    if let Ok(folder) = env::var("FASTLUA_SEEDS") {
        for (i, seed) in (target.seeds)().iter().enumerate() {
            let file = format!("{folder}/seed-{i}");
            if let Err(error) = fs::write(&file, seed) {
                eprintln!("{file}: {error}");
                std::process::exit(2);
            }
        }
    }
    target
});

libfuzzer_sys::fuzz_target!(init: { LazyLock::force(&TARGET); }, |bytes: &[u8]| (TARGET.run)(bytes));
