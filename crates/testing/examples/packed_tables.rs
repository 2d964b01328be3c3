//! Writes the tables that packed chunks are coded by, `crates/bytecode/src/packed/words51.rs` and `words53.rs`,
//! trained on the Lua text of this repository:
//!
//! ```console
//! $ cargo run --release -p fastlua-testing --example packed_tables
//! ```
//!
//! New tables make other bytes of every packed chunk. With `--figures` it prints what the shipped modules
//! take instead of writing, with these tables and with tables trained without those modules.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bstr::BString;
use fastlua_bytecode::packed::{Pool, Tables, write_with};
use fastlua_bytecode::{Chunk, Dialect, Format, Layout, NumberModel, Strip, write};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_testing::{tans, train};

/// What the tables are trained on. Texts that are made to have many of one thing are left out.
const FOLDERS: [&str; 12] = [
    "crates/emulator/tests/scripts",
    "crates/firmware/example",
    "crates/firmware/lua",
    "crates/fuzz/seeds",
    "crates/simulator/tests/scripts",
    "crates/source/tests/split",
    "crates/source/tests/squash",
    "examples",
    "scripts",
    "tests/device",
    "tests/frozen",
    "tests/golden/src",
];
const LEFT_OUT: [&str; 13] = [
    "bytes",
    "deep_nesting",
    "hash_sizes",
    "line_",
    "long_jump",
    "lua53_long_strings",
    "many_constants",
    "many_functions",
    "many_locals",
    "many_params",
    "many_upvalues",
    "setlist_extra",
    "setlist_many",
];

/// The modules that figures are given for.
const MODULES: [&str; 6] = ["config", "ftp", "get", "hello", "http", "telnet"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file and what is in it.
type Text = (PathBuf, Vec<u8>);

/// The texts to train on, with their paths from the root, in order.
fn texts() -> Result<Vec<Text>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for folder in FOLDERS {
        let Ok(files) = fs::read_dir(root().join(folder)) else {
            continue;
        };
        for file in files {
            let path = file?.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let lua = path.extension().is_some_and(|extension| extension == "lua");
            if lua && !LEFT_OUT.iter().any(|start| stem.starts_with(start)) {
                let text = fs::read(&path)?;
                texts.push((path.strip_prefix(root())?.to_owned(), text));
            }
        }
    }
    texts.sort();
    Ok(texts)
}

fn layout(numbers: &NumberModel) -> Layout {
    Layout {
        format: match numbers.dialect {
            Dialect::Lua51 => Format::NodeMcu51,
            Dialect::Lua53 => Format::NodeMcu53,
        },
        integer: numbers.integer,
        float: numbers.float,
        size_t: 4,
    }
}

/// Those of the texts that the variant's compiler takes, at strip level 2 and without a source name.
fn chunks(texts: &[(PathBuf, Vec<u8>)], numbers: &NumberModel) -> Vec<Chunk> {
    let compiled = texts.iter().filter_map(|(_, text)| {
        let mut chunk = compile(&layout(numbers), b"=?", text, HEAP_LIMIT).ok()?;
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        Some(chunk)
    });
    compiled.collect()
}

fn names() -> Result<Vec<BString>, Box<dyn Error>> {
    let text = fs::read_to_string(root().join("crates/bytecode/src/packed/names.txt"))?;
    Ok(text.lines().map(BString::from).collect())
}

fn trained(dialect: Dialect, texts: &[(PathBuf, Vec<u8>)]) -> Result<Tables, Box<dyn Error>> {
    // The variants of a dialect differ in few constants.
    let numbers = match dialect {
        Dialect::Lua51 => NumberModel::ALL[1],
        Dialect::Lua53 => NumberModel::ALL[2],
    };
    Ok(train::tables(dialect, &chunks(texts, &numbers), &names()?)?)
}

fn figures() -> Result<(), Box<dyn Error>> {
    let texts = texts()?;
    let shipped = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        path.starts_with("crates/firmware/lua") && MODULES.contains(&&*stem)
    };
    let (modules, others): (Vec<_>, Vec<_>) =
        texts.iter().cloned().partition(|(path, _)| shipped(path));
    for dialect in [Dialect::Lua51, Dialect::Lua53] {
        let foreign = trained(dialect, &others)?;
        for (what, tables) in [
            ("built in", Tables::built_in(dialect)),
            ("without these", &foreign),
        ] {
            for numbers in NumberModel::ALL
                .iter()
                .filter(|numbers| numbers.dialect == dialect)
            {
                let modules = chunks(&modules, numbers);
                let pool = Pool::with(tables, &modules);
                let (mut dumps, mut packed) = (0, 0);
                for chunk in &modules {
                    dumps += write(chunk)?.len();
                    packed += write_with(tables, chunk, &pool)?.len();
                }
                let (table, pooled) = (tables.words().len() * 4, pool.words().len() * 4);
                println!(
                    "{:21} {what:13}  dumps {dumps}  packed {packed} + tables {table} + pool {pooled} = {}",
                    numbers.name(),
                    packed + table + pooled
                );
                for log in 6..=9 {
                    let trained = match what {
                        "built in" => chunks(&texts, numbers),
                        _ => chunks(&others, numbers),
                    };
                    if let Some((packed, table)) = tans::tans(tables, &trained, &modules, log)? {
                        println!(
                            "    tANS of {log} bits: packed {packed} + tables {table} + pool {pooled} = {}",
                            packed + table + pooled
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--figures") {
        return figures();
    }
    let texts = texts()?;
    for dialect in [Dialect::Lua51, Dialect::Lua53] {
        let tables = trained(dialect, &texts)?;
        let words = tables.words();
        let mut text =
            String::from("//! Made by `packed_tables`, an example of `fastlua-testing`.\n\n");
        text += &format!("pub(crate) static WORDS: [u32; {}] = [\n", words.len());
        for eight in words.chunks(8) {
            let words: Vec<String> = eight.iter().map(|word| format!("{word:#010x}")).collect();
            text += &format!("    {},\n", words.join(", "));
        }
        text += "];\n";
        let path = format!(
            "crates/bytecode/src/packed/words{}.rs",
            if dialect == Dialect::Lua51 { 51 } else { 53 }
        );
        fs::write(root().join(&path), text)?;
        println!("{path}: {} bytes of tables", words.len() * 4);
    }
    Ok(())
}
