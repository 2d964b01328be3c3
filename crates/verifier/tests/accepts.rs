//! Whatever a compiler makes is accepted: the golden chunks of NodeMCU's own compilers, and our
//! compilers' chunks of every Lua file of this repository and of made-up programs, for every variant
//! and strip level. Whatever else there is is accepted or refused.

use fastlua_testing::programs::program;
use std::fs;
use std::path::{Path, PathBuf};

use fastlua_bytecode::{Chunk, Dialect, Format, Layout, NumberModel, Strip, read, write};
use fastlua_compiler::compile;
use fastlua_testing::luac::{dumps, join};
use fastlua_testing::mutate::mutate;
use fastlua_testing::random::Random;
use fastlua_variants::Variants;
use fastlua_verifier::{Rule, verify};

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

/// The layouts that a compiler here has, NodeMCU's and stock Lua's.
fn compiled_layouts() -> Vec<Layout> {
    let has_compiler = |layout: &Layout| compile(layout, b"=?", b"", HEAP).is_ok();
    let layouts: Vec<_> = Layout::all().filter(has_compiler).collect();
    assert!(layouts.len() >= 12, "{}", layouts.len());
    layouts
}

/// `luac` of several files, also of files that it made so, and `string.dump` of each function.
#[test]
fn what_luac_and_string_dump_make() {
    let texts = [
        "local a, b = 1, {} return function(...) a = a + 1 return b, a, function() b[a] = i end end",
        "for i = 1, 3 do print(function() return i end) end return print",
        "return",
    ];
    let mut upvalues = 0;
    for layout in compiled_layouts() {
        let compiled =
            texts.map(|text| compile(&layout, b"@c.lua", text.as_bytes(), HEAP).unwrap());
        for strip in Strip::ALL {
            let mut chunks = compiled.clone();
            chunks.iter_mut().for_each(|chunk| chunk.strip(strip));
            let joined = join(layout, &chunks);
            let twice = join(layout, &[joined.clone(), chunks[0].clone()]);
            accept(&joined, &format!("{layout} {strip:?}"));
            accept(&twice, &format!("{layout} {strip:?}, of joined ones"));
            for dump in dumps(&twice) {
                accept(&dump, &format!("{layout} {strip:?}, dumped"));
                let back = read(&write(&dump).unwrap(), &layout).unwrap();
                accept(&back, &format!("{layout} {strip:?}, read"));
                upvalues = upvalues.max(dump.main.upvalues.len());
            }
        }
    }
    assert!(upvalues >= 2, "{upvalues}");
}

/// `luac` puts dumps of functions with upvalues together as if they were main functions. Nothing makes their upvalues then.
#[test]
fn what_luac_makes_of_dumped_closures_is_refused() {
    for layout in compiled_layouts() {
        let text = b"local a, b, c, d, e return function() return c, d, e end";
        let whole = compile(&layout, b"@c.lua", text, HEAP).unwrap();
        let dumped = dumps(&whole).pop().unwrap();
        accept(&dumped, "alone");
        let refusal = verify(&join(layout, &[dumped])).unwrap_err();
        let rule = match layout.format {
            Format::NodeMcu51 | Format::Puc51 => Rule::Companion,
            Format::NodeMcu53 => Rule::Upvalues,
            Format::Puc53 => Rule::Unset,
        };
        assert_eq!(refusal.rule, rule, "{layout}: {refusal}");
    }
}

#[test]
fn what_our_compilers_make_of_generated_programs() {
    let mut count = 0;
    for model in NumberModel::ALL {
        for seed in 0..60 {
            let text = program(seed, model.dialect == Dialect::Lua53);
            let layout = Layout::stock(model, 8);
            // integer 5.1 does not take all numerals
            if let Ok(chunk) = compile(&layout, b"=?", text.as_bytes(), HEAP) {
                accept(&chunk, &format!("program {seed} for {model}"));
                count += 1;
            }
        }
    }
    assert!(count >= 300, "{count}");
}

/// Made-up chunks, whose code means nothing, and chunks that are damaged more and more.
#[test]
fn no_chunk_makes_it_panic() {
    let text = fs::read(root().join("crates/firmware/lua/ftp.lua")).unwrap();
    for layout in Layout::all() {
        for seed in 0..200 {
            let chunk = fastlua_testing::generate::chunk(layout, seed);
            assert!(verify(&chunk).is_err(), "{seed} {layout}");
        }
    }
    let mut verdicts = [0, 0];
    for model in NumberModel::ALL {
        let whole = compile(&Layout::stock(model, 8), b"=?", &text, HEAP).unwrap();
        for seed in 0..100 {
            let (mut chunk, mut random) = (whole.clone(), Random::new(seed));
            for _ in 0..20 {
                mutate(&mut chunk, &mut random);
                verdicts[usize::from(verify(&chunk).is_ok())] += 1;
            }
        }
    }
    assert!(verdicts.iter().all(|&count| count > 100), "{verdicts:?}");
}
