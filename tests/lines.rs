//! Chunks of NodeMCU's own compilers with debug data that is wrong, missing or longer than needed: they load
//! on the chip, so they are sound.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use fastlua_bytecode::{Function, Strip, compare, read};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_variants::Variants;
use support::{fastlua, put, root, succeed};

/// Variant, name and file of each chunk.
fn chunks() -> Vec<(String, String, PathBuf)> {
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let pattern = root().join("tests/golden/lines/*/*.lc");
    let files = glob::glob(pattern.to_str().unwrap()).unwrap();
    let chunks = files.map(|file| {
        let file = file.unwrap();
        (name(&file.parent().unwrap().to_owned()), name(&file), file)
    });
    chunks.collect()
}

#[test]
fn they_pass_check_and_can_be_listed() {
    let mut negative = 0;
    for (variant, name, file) in chunks() {
        let check = succeed(
            fastlua(root())
                .args(["check", "--variant", &variant])
                .arg(&file),
        );
        assert!(check.contains(": ok, "), "{check}");
        let listing = succeed(fastlua(root()).arg("list").arg(&file));
        assert!(
            listing.contains(&format!("main <{name}.lua:0,0>")),
            "{listing}"
        );
        negative += listing.matches("\t[-").count();
    }
    assert_eq!(
        negative, 12,
        "three lines below zero in each of four chunks"
    );
}

/// They are the chunks that our compilers make of the sources, but for lines.
#[test]
fn only_their_lines_are_wrong() {
    let variants = Variants::built_in();
    let chunks = chunks();
    assert_eq!(chunks.len(), 16);
    for (variant, name, file) in chunks {
        let layout = &variants.get(&variant).unwrap().layout;
        let mut theirs = read(&fs::read(&file).unwrap(), layout).unwrap();
        let source = fs::read(root().join(format!("tests/golden/lines/{name}.lua"))).unwrap();
        let chunk_name = format!("@{name}.lua");
        let mut ours = compile(layout, chunk_name.as_bytes(), &source, HEAP_LIMIT).unwrap();
        ours.strip(Strip::Names);
        let right = ["again", "names"].contains(&name.as_str());
        assert_eq!(ours == theirs, right, "{variant} {name}");
        for chunk in [&mut ours, &mut theirs] {
            chunk
                .main
                .for_each_mut(&mut |function: &mut Function| function.lines.clear());
        }
        compare(&ours.main, &theirs.main).unwrap();
    }
}

/// But for the announcement of names that are none.
#[test]
fn the_command_gives_the_same_wrong_lines() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.lc");
    for (variant, name, file) in chunks() {
        let theirs = fs::read(&file).unwrap();
        for how in ["reference", "shortest"] {
            succeed(
                fastlua(&root().join("tests/golden/lines"))
                    .args(["compile", "--variant", &variant, "--line-info", how])
                    .arg(format!("{name}.lua"))
                    .arg("-o")
                    .arg(&output),
            );
            let lua51 = variant.starts_with("lua51");
            let same = match name.as_str() {
                "again" => how == "reference" || !lua51,
                "names" => lua51,
                _ => how == "reference",
            };
            let ours = fs::read(&output).unwrap();
            assert_eq!(ours == theirs, same, "{variant} {name} {how}");
        }
    }
}

/// Makes an image of the modules in `folder` as the reference does; gives the reference's, too.
fn images(folder: &Path, variant: &str) -> (Vec<u8>, Vec<u8>) {
    let theirs = fs::read(root().join(format!("tests/golden/lines/{variant}/lfs.img"))).unwrap();
    let image = fastlua_lfs::read(&theirs).unwrap().image;
    let ours = tempfile::NamedTempFile::new().unwrap();
    let mut command = fastlua(folder);
    command.args(["lfs", "--variant", variant, "--line-info", "reference"]);
    command.args(["--timestamp", &image.timestamp.to_string()]);
    if variant.starts_with("lua51") {
        command.args(["--address", "0x40280000"]);
    }
    command.arg("-o").arg(ours.path());
    succeed(command.args(["again.lua", "far.lua", "names.lua", "replaced.lua"]));
    (fs::read(ours.path()).unwrap(), theirs)
}

/// All of an image that depends on nothing but its modules: in 5.3 that is the strings and what is behind them.
fn behind_the_seed(image: &[u8]) -> &[u8] {
    let strings = image.windows(3).position(|bytes| bytes == b"\x19ss");
    &image[strings.unwrap_or(0)..]
}

#[test]
fn images_have_the_references_line_info() {
    let bytes_of_chunks = tempfile::tempdir().unwrap();
    let mut variants = Vec::new();
    for (variant, name, file) in chunks() {
        let chunk = fs::read(file).unwrap();
        let path = format!("{variant}/{name}.lua");
        put(bytes_of_chunks.path(), &path, chunk);
        variants.push(variant);
    }
    variants.dedup();
    assert_eq!(variants.len(), 4);
    for variant in variants {
        // of sources, and of what luac.cross made of them
        for folder in [
            root().join("tests/golden/lines"),
            bytes_of_chunks.path().join(&variant),
        ] {
            let (ours, theirs) = images(&folder, &variant);
            assert!(
                behind_the_seed(&ours) == behind_the_seed(&theirs),
                "{variant} {folder:?}"
            );
            let [ours, theirs] = [ours, theirs].map(|image| fastlua_lfs::read(&image).unwrap());
            assert_eq!(ours.sizes, theirs.sizes, "{variant}");
        }
    }
}
