//! Looks for false refusals: compiles every Lua file below the given folders for every variant, and
//! verifies each chunk at every strip level. Exits with 1 if one is refused.
//!
//! `cargo run --release -p fastlua-verifier --example corpus -- /usr/share`

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use fastlua_bytecode::{Function, Strip};
use fastlua_compiler::compile;
use fastlua_variants::Variants;
use fastlua_verifier::verify;

const HEAP: usize = 1 << 30;
const ENDINGS: [&str; 2] = ["lua", "nse"];

fn main() {
    let mut files = Vec::new();
    env::args_os()
        .skip(1)
        .for_each(|folder| find(Path::new(&folder), &mut files));
    files.sort();
    let mut seen = HashSet::new();
    let (mut compiled, mut chunks, mut functions, mut refused) = (0, 0, 0, 0);
    for file in files {
        let Ok(text) = fs::read(&file) else { continue };
        if text.first() == Some(&0x1b) || !seen.insert(text.clone()) {
            continue;
        }
        let before = chunks;
        for variant in Variants::built_in().iter() {
            let Ok(mut chunk) = compile(&variant.layout, b"@c.lua", &text, HEAP) else {
                continue;
            };
            functions += count(&chunk.main);
            for strip in [Strip::Keep, Strip::Names, Strip::Lines] {
                chunk.strip(strip);
                chunks += 1;
                if let Err(refusal) = verify(&chunk) {
                    refused += 1;
                    println!("{} {}: {refusal}", file.display(), variant.name);
                }
            }
        }
        compiled += usize::from(chunks > before);
    }
    println!(
        "{} different files, {compiled} of them compile; {functions} functions in {chunks} chunks, \
         {refused} refused",
        seen.len()
    );
    process::exit((refused > 0).into());
}

/// The Lua files below a folder, or the file itself. What can't be read is left out.
fn find(path: &Path, found: &mut Vec<PathBuf>) {
    let Ok(data) = fs::symlink_metadata(path) else {
        return;
    };
    if data.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| find(&entry.path(), found));
    } else if data.is_file()
        && path
            .extension()
            .is_some_and(|e| ENDINGS.iter().any(|x| e == *x))
    {
        found.push(path.into());
    }
}

fn count(function: &Function) -> usize {
    1 + function.functions.iter().map(count).sum::<usize>()
}
