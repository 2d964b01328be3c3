//! Whatever a compiler makes is accepted: the golden chunks of NodeMCU's own compilers, and our
//! compilers' chunks of every Lua file of this repository, for every variant and strip level.

use std::fs;
use std::path::{Path, PathBuf};

use fastlua_bytecode::{Chunk, Strip, read};
use fastlua_compiler::compile;
use fastlua_variants::Variants;
use fastlua_verifier::verify;

const HEAP: usize = 64 << 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder whose names end so.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

fn accept(chunk: &Chunk, what: &str) {
    if let Err(refusal) = verify(chunk) {
        panic!("{what}: {refusal}");
    }
}

#[test]
fn golden_chunks() {
    let mut found = Vec::new();
    files(&root().join("tests/golden/expected"), ".lc", &mut found);
    assert!(found.len() > 100, "{}", found.len());
    let known = Variants::built_in();
    for file in found {
        let bytes = fs::read(&file).unwrap();
        let layouts: Vec<_> = known.iter().map(|variant| variant.layout).collect();
        let chunks = layouts
            .iter()
            .filter_map(|layout| read(&bytes, layout).ok());
        let mut count = 0;
        for chunk in chunks {
            accept(&chunk, &file.display().to_string());
            count += 1;
        }
        assert!(count > 0, "{}", file.display());
    }
}

#[test]
fn what_our_compilers_make() {
    let mut found = Vec::new();
    files(&root().join("crates"), ".lua", &mut found);
    files(&root().join("tests"), ".lua", &mut found);
    let mut count = 0;
    for file in found {
        let text = fs::read(&file).unwrap();
        for variant in Variants::built_in().iter() {
            let Ok(chunk) = compile(&variant.layout, b"@c.lua", &text, HEAP) else {
                continue;
            };
            for strip in [Strip::Keep, Strip::Names, Strip::Lines] {
                let mut chunk = chunk.clone();
                chunk.strip(strip);
                let what = format!("{} {} {strip:?}", file.display(), variant.name);
                accept(&chunk, &what);
                count += 1;
            }
        }
    }
    assert!(count > 3000, "{count}");
}
