//! Each target is a test of its name: its seeds, what once found a fault, and mutants of both.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use fastlua_fuzz::mutate::mutant;
use fastlua_fuzz::{TARGETS, Target};
use fastlua_testing::random::Random;
use libtest_mimic::{Arguments, Failed, Trial};

/// How many mutants of each target; `scripts/mutants` tries more.
const MUTANTS: u64 = 1000;

fn mutants() -> u64 {
    let count = env::var("FASTLUA_MUTANTS");
    count.map_or(MUTANTS, |count| count.parse().unwrap())
}

fn regressions(target: &Target) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("regressions").join(target.name);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| fs::read(path).unwrap()).collect()
}

fn smoke(target: &Target) -> Result<(), Failed> {
    let mut inputs = regressions(target);
    inputs.extend((target.seeds)());
    inputs.iter().for_each(|input| (target.run)(input));
    for seed in 0..mutants() {
        let mut random = Random::new(seed);
        (target.run)(&mutant(&inputs, &mut random));
    }
    Ok(())
}

fn main() -> ExitCode {
    let trial = |target: &'static Target| Trial::test(target.name, || smoke(target));
    let trials = TARGETS.iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
