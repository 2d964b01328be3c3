//! The chip's inflate, `fast_inflate.h`, against that of the PC: whatever a chunk's bytes are, both find the same text or
//! both find it damaged. It runs under sanitizers, on its own and from what it is given only.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use fastlua_bundle::{Build, Form, Input, inflated};
use fastlua_bytecode::Strip;
use fastlua_compiler::HEAP_LIMIT;
use fastlua_variants::Variants;
use support::{put, root, succeed};

/// The deflated chunks of the shipped modules, and small ones in blocks of each kind.
fn chunks() -> Vec<Vec<u8>> {
    let numbers = (0..400).map(|n| format!("{},", n * n * 7919 % 1_000_003));
    let own = [
        ("empty", String::new()),
        (
            "stored",
            format!("return {{{}}}", numbers.collect::<String>()),
        ),
        (
            "far",
            format!("return '{}'", "0123456789 abcdefgh".repeat(400)),
        ),
        ("one", "local a".into()),
    ];
    let own = own.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let shipped = fastlua_firmware::modules();
    let shipped = shipped.map(|(file, text)| (file.replace(".lua", ""), text.to_vec()));
    let inputs: Vec<Input> = own
        .into_iter()
        .chain(shipped)
        .map(|(name, text)| Input {
            module: name.clone(),
            file: format!("{name}.lua"),
            name,
            text,
            form: Form::Deflated,
            strip: Strip::Lines,
            variants: None,
        })
        .collect();
    let known = Variants::built_in();
    let variant = known.get("lua51-float").unwrap();
    let build = Build {
        inputs: &inputs,
        variants: std::slice::from_ref(variant),
        heap_limit: HEAP_LIMIT,
    };
    let bundle = build.run().unwrap();
    let dumps = bundle.of_variant(0).map(|(_, dump)| dump.bytes.clone());
    dumps.collect()
}

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

/// A chunk with a change or two; most are near its start, where the codes stand.
fn changed(chunk: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = chunk.to_vec();
    for _ in 0..=numbers.below(2) {
        let near = bytes.len().min(60);
        let at = match numbers.below(3) {
            0 => numbers.below(bytes.len()),
            _ => numbers.below(near),
        };
        match numbers.below(8) {
            0 => bytes[at] = numbers.below(256) as u8,
            1 => bytes.truncate(5 + at),
            2 => bytes.push(numbers.below(3) as u8),
            3 => {
                let from = numbers.below(bytes.len());
                bytes.extend_from_within(from..);
            }
            _ => bytes[at] ^= 1 << numbers.below(8),
        }
    }
    bytes
}

fn program(folder: &Path) -> PathBuf {
    let program = folder.join("inflate");
    let mut compiler = Command::new("gcc");
    compiler.args([
        "-std=gnu11",
        "-O1",
        "-g",
        "-Wall",
        "-Wextra",
        "-Wundef",
        "-Werror",
    ]);
    compiler.args(["-Wno-unused-function", "-fno-sanitize-recover=all"]); // of fast_flash.h
    compiler.args(["-fsanitize=address,undefined", "-I"]);
    compiler.arg(root().join("crates/firmware"));
    compiler.arg("-o").arg(&program);
    succeed(compiler.arg(root().join("tests/inflate/inflate.c")));
    program
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let sized = |chunk: &Vec<u8>| [&(chunk.len() as u32).to_le_bytes()[..], chunk].concat();
    chunks.iter().flat_map(sized).collect()
}

/// What the program says of a chunk, as the PC's inflate finds it.
fn expected(chunk: &[u8]) -> String {
    match inflated(chunk) {
        Ok(text) => {
            let hash = text.iter().fold(0x811c_9dc5_u32, |hash, byte| {
                (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            });
            format!("{} {hash:08x}", text.len())
        }
        Err(_) => "damaged".into(),
    }
}

#[test]
#[ignore = "takes long"]
fn both_find_the_same_text_or_damage() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let whole = chunks();
    assert!(whole.iter().all(|chunk| inflated(chunk).is_ok()));
    let small: Vec<&Vec<u8>> = whole.iter().filter(|chunk| chunk.len() < 3000).collect();
    let mut numbers = Numbers(15);
    let mut all = whole.clone();
    for _ in 0..40_000 {
        let chunk = small[numbers.below(small.len())];
        all.push(changed(chunk, &mut numbers));
    }
    all.retain(|chunk| chunk.len() > 4);
    let (mut texts, mut damaged) = (0, 0);
    for part in all.chunks(4000) {
        let given = put(folder.path(), "chunks", file(part));
        let said = succeed(Command::new(&program).arg(given));
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), part.len());
        for (chunk, line) in part.iter().zip(lines) {
            assert_eq!(line, expected(chunk), "{chunk:02x?}");
            match line {
                "damaged" => damaged += 1,
                _ => texts += 1,
            }
        }
    }
    // both happen often: a change in a literal gives another text
    assert!(texts > 1000 && damaged > 10_000, "{texts} {damaged}");
}

#[test]
#[ignore = "takes long"]
fn nothing_is_read_or_written_outside() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let given = put(folder.path(), "chunks", file(&chunks()));
    let said = succeed(Command::new(&program).arg(given).args(["300000", "7"]));
    assert!(said.starts_with("300000 chunks, "), "{said}");
}
