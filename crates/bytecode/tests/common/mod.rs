//! The golden chunks, as the tests of this crate use them.

#![allow(dead_code)] // each test uses its part

use std::fs;
use std::path::PathBuf;

use fastlua_bytecode::{Format, Layout};
use sha2::{Digest, Sha256};

/// A line of `expected.tsv`.
pub struct Golden {
    pub layout: Layout,
    /// `lua51-int strip1 hello`.
    pub name: String,
    pub length: usize,
    /// The chunk, where the repository has it, and then with the listed length and hash.
    pub bytes: Option<Vec<u8>>,
}

pub fn golden() -> Vec<Golden> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden"));
    let table = fs::read_to_string(folder.join("expected.tsv")).expect("expected.tsv");
    let rows = table.lines().skip(1).map(|line| {
        let [variant, strip, name, length, sha256] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("expected.tsv: {line}");
        };
        let length = length.parse().expect("length");
        let file = folder.join(format!("expected/{variant}/{strip}/{name}.lc"));
        let bytes = file.exists().then(|| fs::read(file).expect("chunk"));
        if let Some(bytes) = &bytes {
            let hash: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(
                (bytes.len(), &*hash),
                (length, sha256),
                "{variant} {strip} {name}"
            );
        }
        let name = format!("{variant} {strip} {name}");
        Golden {
            layout: layout(variant),
            name,
            length,
            bytes,
        }
    });
    rows.collect()
}

fn layout(variant: &str) -> Layout {
    let (format, integer, float) = match variant {
        "lua51-int" => (Format::NodeMcu51, 4, 0),
        "lua51-float" => (Format::NodeMcu51, 0, 8),
        "lua53-int32-float32" => (Format::NodeMcu53, 4, 4),
        "lua53-int64-float64" => (Format::NodeMcu53, 8, 8),
        _ => panic!("variant {variant}"),
    };
    Layout {
        format,
        integer,
        float,
        size_t: 4,
    }
}
