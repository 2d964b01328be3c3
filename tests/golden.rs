//! Every golden source compiled by us is byte for byte what NodeMCU's cross compilers write.

mod support;

use std::fs;

use fastlua_bytecode::{Strip, read, write, write_as_reference};
use fastlua_compiler::{HEAP_LIMIT, compile, line_notes, load_back};
use fastlua_variants::Variants;
use sha2::{Digest, Sha256};
use support::{fail, fastlua, root, succeed};

/// Lines of a table in `tests/golden`, without the heading.
fn table(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("tests/golden").join(name)).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|l| l.split('\t').map(str::to_owned).collect())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn all_chunks_are_the_references() {
    let variants = Variants::built_in();
    let table = table("expected.tsv");
    assert_eq!(table.len(), 360);
    for row in &table {
        let [variant, strip, name, length, sha256] = &row[..] else {
            panic!("{row:?}");
        };
        let layout = &variants.get(variant).unwrap().layout;
        let source = fs::read(root().join(format!("tests/golden/src/{name}.lua"))).unwrap();
        let chunk_name = format!("@{name}.lua");
        let mut chunk = compile(layout, chunk_name.as_bytes(), &source, HEAP_LIMIT).unwrap();
        chunk.strip(match strip.as_str() {
            "strip1" => Strip::Names,
            _ => Strip::Lines,
        });
        let bytes = write(&chunk).unwrap();
        assert_eq!(&bytes.len().to_string(), length, "{row:?}");
        assert_eq!(&hex(&Sha256::digest(&bytes)), sha256, "{row:?}");
        let notes = line_notes(layout, chunk_name.as_bytes(), &source, HEAP_LIMIT).unwrap();
        assert!(
            write_as_reference(&chunk, &notes).unwrap() == bytes,
            "{row:?}"
        );
        assert_eq!(read(&bytes, layout).unwrap(), chunk, "{row:?}");
        assert_eq!(
            load_back(&bytes, layout, HEAP_LIMIT).unwrap(),
            chunk,
            "{row:?}"
        );
    }
}

#[test]
fn what_the_references_refuse_is_refused_in_the_same_words() {
    let variants = Variants::built_in();
    for row in table("rejected.tsv") {
        let [variant, file, message] = &row[..] else {
            panic!("{row:?}");
        };
        let layout = &variants.get(variant).unwrap().layout;
        let source = fs::read(root().join("tests/golden/src").join(file)).unwrap();
        let error = compile(layout, format!("@{file}").as_bytes(), &source, HEAP_LIMIT);
        assert_eq!(&error.unwrap_err().to_string(), message);
    }
}

/// The same through the command, in the folder of the sources as with luac.cross.
#[test]
fn the_command_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.lc");
    let sources = root().join("tests/golden/src");
    for variant in ["lua51-int", "lua53-int64-float64"] {
        for (level, how) in [("1", "shortest"), ("1", "reference"), ("2", "reference")] {
            for name in ["closures", "line_gaps", "line_long"] {
                succeed(
                    fastlua(&sources)
                        .args(["compile", "--variant", variant, "--strip", level])
                        .args(["--line-info", how])
                        .arg(format!("{name}.lua"))
                        .arg("-o")
                        .arg(&output),
                );
                let golden = format!("tests/golden/expected/{variant}/strip{level}/{name}.lc");
                let golden = fs::read(root().join(golden)).unwrap();
                assert!(
                    fs::read(&output).unwrap() == golden,
                    "{variant} {level} {how} {name}"
                );
            }
        }
    }
    let errors = fail(fastlua(&sources).args([
        "compile",
        "--variant=lua51-int",
        "-o-",
        "float_constants.lua",
    ]));
    let first = errors.lines().next();
    let expected = "error: float_constants.lua:1: malformed number near '0.5'";
    assert_eq!(first, Some(expected));
}
