//! `fastlua build --emit object`, and object files that are inspected.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{call, fail, fastlua, put, run, succeed};
use tempfile::TempDir;

/// A chip, its variant, and the tools that link for it.
const CHIPS: [(&str, &str, &str, &str); 3] = [
    ("esp8266", "lua51-float", "xtensa-lx106-elf", "elf32xtensa"),
    (
        "esp32s3",
        "lua53-int64-float64",
        "xtensa-lx106-elf",
        "elf32xtensa",
    ),
    (
        "esp32c3",
        "lua53-int32-float32",
        "riscv64-unknown-elf",
        "elf32lriscv",
    ),
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.lua", "return {1, 'text', print}");
    put(
        folder.path(),
        "b.lua",
        "local n = ... return function () return n, 'text' end",
    );
    folder
}

fn build(folder: &Path, arguments: &str) -> Command {
    call(folder, &format!("build {arguments}"))
}

fn inspect(folder: &Path, arguments: &str) -> Command {
    call(folder, &format!("inspect {arguments}"))
}

/// Builds for each chip in each form; the folder and the name of the object file.
fn each(mut judge: impl FnMut(&Path, &str, (&str, &str, &str, &str))) {
    for chip in CHIPS {
        let (name, variant, ..) = chip;
        for form in ["bytecode", "packed", "source", "deflated", "frozen"] {
            let folder = folder();
            let f = folder.path();
            let arguments = format!(
                "a.lua b.lua --emit object --chip {name} --variant {variant} --as {form} -o out"
            );
            succeed(&mut build(f, &arguments));
            judge(f, form, chip);
        }
    }
}

#[test]
fn what_is_in_an_object_file_is_found() {
    each(|f, form, (chip, variant, ..)| {
        let found = succeed(&mut inspect(f, "out/fast_chunks.o"));
        assert!(found.starts_with("object file\n"), "{found}");
        assert!(found.contains(variant), "{found}");
        for name in ["a", "b"] {
            let is_it = |line: &&str| line.starts_with(&format!("  {name}  {form} "));
            let mut lines = found.lines().skip_while(|line| !is_it(line)).skip(1);
            let hash = lines.next().unwrap_or_else(|| panic!("{chip}: {found}"));
            assert!(hash.starts_with("      SHA-256 "), "{hash}");
        }
        succeed(&mut inspect(f, "out/fast_chunks.o --extract b"));
        if form == "source" || form == "deflated" {
            let text = fs::read(f.join("b.lua")).unwrap();
            assert_eq!(text, b"local a=...return function()return a,'text'end");
            put(
                f,
                "b.lua",
                "local n = ... return function () return n, 'text' end",
            );
        } else {
            let check = format!("check --variant {variant} b.lc");
            succeed(fastlua(f).args(check.split(' ')));
        }
        // the bundle is called as in C
        succeed(&mut build(
            f,
            &format!("a.lua b.lua --variant {variant} --as {form} -o c"),
        ));
        let name = |file: &str| {
            let found = succeed(&mut inspect(f, file));
            found
                .rsplit_once("bundle ")
                .unwrap()
                .1
                .split('\n')
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(name("c/fast_chunks.h"), name("out/fast_chunks.o"));
        let refused = fail(fastlua(f).args("patch out/fast_chunks.o a.lua -o x.o".split(' ')));
        assert!(refused.contains("no slot in this object file"), "{refused}");
    });
}

#[test]
fn the_same_modules_make_the_same_object_file() {
    each(|f, form, (chip, variant, ..)| {
        let arguments = format!(
            "b.lua a.lua --emit object --chip {chip} --variant {variant} --as {form} --jobs 1 -o again"
        );
        succeed(&mut build(f, &arguments));
        for file in ["fast.c", "fast_chunks.h", "fast_chunks.o"] {
            let read = |folder: &str| fs::read(f.join(folder).join(file)).unwrap();
            assert_eq!(read("out"), read("again"), "{chip} {form}: {file}");
        }
    });
}

#[test]
fn a_tree_tells_chip_and_variant() {
    let folder = folder();
    let f = folder.path();
    put(
        f,
        "tree/sdkconfig",
        "CONFIG_IDF_TARGET=\"esp32c6\"\nCONFIG_LUA_VERSION_53=y\n",
    );
    succeed(&mut build(f, "a.lua --emit object --firmware tree -o o"));
    let object = fs::read(f.join("o/fast_chunks.o")).unwrap();
    assert_eq!(object[18], 243, "RISC-V");
}

/// Each cut and each changed byte of an object file is read without a panic.
#[test]
fn damaged_object_files_are_refused_or_read() {
    let folder = folder();
    let f = folder.path();
    succeed(&mut build(
        f,
        "a.lua --emit object --chip esp8266 --variant lua51-int --as frozen -o out",
    ));
    let whole = fs::read(f.join("out/fast_chunks.o")).unwrap();
    for i in 0..whole.len() {
        let mut changed = whole.clone();
        changed[i] ^= 0xff;
        let _ = fastlua::Firmware::read(changed);
        let _ = fastlua::Firmware::read(whole[..i].to_vec());
    }
}

#[test]
#[ignore = "needs binutils for the lx106 and for RISC-V"]
fn linkers_take_it() {
    each(|f, form, (chip, _, tools, emulation)| {
        let what = format!("{chip} {form}");
        let tool = |name: &str, arguments: &str| {
            let mut command = Command::new(format!("{tools}-{name}"));
            run(command.current_dir(f).args(arguments.split(' ')))
        };
        let read = tool("readelf", "-aW out/fast_chunks.o");
        assert!(
            read.status.success() && read.stderr.is_empty(),
            "{what}: {read:?}"
        );
        // the linker sees each pointer, and drops what is said of the sources
        let linked = tool(
            "ld",
            &format!(
                "-m {emulation} -e 0 -Ttext-segment=0x40210000 --gc-sections -u {} out/fast_chunks.o -o linked.elf",
                symbol(f)
            ),
        );
        assert!(
            linked.status.success() && linked.stderr.is_empty(),
            "{what}: {linked:?}"
        );
        let sections = tool("readelf", "-SW linked.elf");
        let sections = String::from_utf8(sections.stdout).unwrap();
        assert!(!sections.contains(".fastlua"), "{what}: {sections}");
        let relocations = tool("readelf", "-rW linked.elf");
        let relocations = String::from_utf8(relocations.stdout).unwrap();
        assert!(
            relocations.contains("no relocations"),
            "{what}: {relocations}"
        );
        let whole = tool(
            "ld",
            &format!("-m {emulation} -r out/fast_chunks.o -o whole.o"),
        );
        assert!(whole.status.success(), "{what}: {whole:?}");
        let archived = tool("ar", "rc lib.a whole.o out/fast_chunks.h");
        assert!(archived.status.success(), "{what}: {archived:?}");
        let [one, other] = ["whole.o", "lib.a"].map(|file| succeed(&mut inspect(f, file)));
        // a line for the bundle, two for each chunk
        let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(&one), lines(&other), "{what}");
        assert_eq!(lines(&one).len(), 5, "{what}: {one}");
    });
}

/// The name of the chunks.
fn symbol(f: &Path) -> String {
    let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
    let (_, after) = header.split_once("extern const uint32_t ").unwrap();
    after.split('[').next().unwrap().to_owned()
}
