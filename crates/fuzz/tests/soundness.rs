//! A short trial, and one of rules with a hole in them.

use std::fs;
use std::path::Path;

use fastlua_bytecode::{Chunk, Layout, NumberModel};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_fuzz::soundness::{CoreProcess, CrashFound, SoundnessFuzzer, Tally};
use fastlua_verifier::Rule;

fn seed(model: NumberModel) -> Chunk {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/both.lua");
    let text = fs::read(file).unwrap();
    compile(&Layout::stock(model, 8), b"@both.lua", &text, HEAP_LIMIT).unwrap()
}

/// Walks until a crash.
fn trial(
    core: &mut CoreProcess,
    model: NumberModel,
    hole: Option<Rule>,
) -> (Tally, Option<CrashFound>) {
    let (fuzzer, whole) = (SoundnessFuzzer { hole }, seed(model));
    let mut tally = Tally::default();
    let mut walks = 0..60;
    let found = walks.find_map(|walk| fuzzer.walk(core, &whole, walk, &mut tally).unwrap());
    (tally, found)
}

#[test]
#[ignore = "takes long"]
fn what_the_rules_accept_is_safe_and_holes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    for model in [NumberModel::ALL[0], NumberModel::ALL[2]] {
        let mut core = CoreProcess::new(model, folder.path()).unwrap();
        let (tally, found) = trial(&mut core, model, None);
        let report = found.map(|found| found.crash.report);
        assert!(report.is_none(), "{model}: {}", report.unwrap_or_default());
        assert!(
            tally.accepted > 500 && tally.ran > 100,
            "{model}: {tally:?}"
        );
        for hole in [Rule::Register, Rule::Target, Rule::Open] {
            let (tally, found) = trial(&mut core, model, Some(hole));
            assert!(found.is_some(), "{model} without {hole}: {tally:?}");
        }
    }
}
