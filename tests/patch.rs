//! `fastlua build --slot`, `fastlua patch` and `fastlua inspect`, as a user types them.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bundle::slot::{Head, MAGIC, find};
use support::firmware::{FIRST, head, raw};
use support::{call, fail, fastlua, put, succeed};
use tempfile::TempDir;

const VARIANT: &str = "lua53-int32-float32";
const CAPACITY: u32 = 32 << 10;

/// A folder with modules, and firmware with one empty slot.
fn folder(variant: &str, capacity: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "a.lua",
        "local n = ... return {n, 'text', 1.5}",
    );
    put(
        folder.path(),
        "b.lua",
        "return function (x) return function () return x end end",
    );
    put(
        folder.path(),
        "nodemcu.bin",
        raw(&[head(variant, capacity)]),
    );
    folder
}

fn patch(folder: &Path, arguments: &str) -> Command {
    call(folder, &format!("patch {arguments}"))
}

fn inspect(folder: &Path, arguments: &str) -> Command {
    call(folder, &format!("inspect {arguments}"))
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn what_is_put_in_is_found_and_goes_again() {
    for form in [
        "bytecode", "packed", "frozen", "source", "deflated", "plain", "auto",
    ] {
        let folder = folder(VARIANT, CAPACITY);
        let f = folder.path();
        let before = bytes(f, "nodemcu.bin");
        let said = succeed(&mut patch(
            f,
            &format!("nodemcu.bin a.lua b.lua --as {form} -o mine.bin"),
        ));
        assert!(said.contains(&format!("{VARIANT}: 2 chunks, ")), "{said}");
        assert_eq!(bytes(f, "nodemcu.bin"), before);
        // nothing but the slot differs
        let after = bytes(f, "mine.bin");
        let slot = FIRST..FIRST + CAPACITY as usize;
        assert_eq!(after.len(), before.len());
        assert_eq!(after[..slot.start], before[..slot.start]);
        assert_eq!(after[slot.end..], before[slot.end..]);
        let found = succeed(&mut inspect(f, "mine.bin"));
        let shown = if form == "auto" { "frozen" } else { form };
        for name in ["a", "b"] {
            let is_it = |line: &&str| line.starts_with(&format!("  {name}  {shown} "));
            let mut lines = found.lines().skip_while(|line| !is_it(line)).skip(1);
            let hash = lines.next().unwrap_or_else(|| panic!("{form}: {found}"));
            assert!(hash.starts_with("      SHA-256 "), "{hash}");
        }
        // the same modules make the same file, whatever was there before, and emptied it is as it was
        succeed(&mut patch(f, "mine.bin b.lua -o other.bin"));
        succeed(&mut patch(
            f,
            &format!("other.bin b.lua a.lua --as {form} -o again.bin"),
        ));
        assert_eq!(bytes(f, "again.bin"), after, "{form}");
        succeed(&mut patch(f, "again.bin --empty --in-place"));
        assert_eq!(bytes(f, "again.bin"), before, "{form}");
        let empty = succeed(&mut inspect(f, "again.bin"));
        assert!(
            empty.contains(&format!("empty, {CAPACITY} bytes")),
            "{empty}"
        );
    }
}

#[test]
fn a_chunk_comes_out_as_it_would_be_compiled() {
    let folder = folder("lua51-int", CAPACITY);
    let f = folder.path();
    put(f, "a.lua", "return 7");
    succeed(&mut patch(f, "nodemcu.bin a.lua -o mine.bin"));
    succeed(&mut inspect(f, "mine.bin --extract a"));
    succeed(fastlua(f).args("compile --variant lua51-int --strip 2 -o luac.lc a.lua".split(' ')));
    assert_eq!(bytes(f, "a.lc"), bytes(f, "luac.lc"));
    succeed(&mut inspect(f, "a.lc"));
    succeed(&mut patch(f, "nodemcu.bin a.lua --as packed -o mine.bin"));
    succeed(&mut inspect(f, "mine.bin --extract a -o packed.lc"));
    assert_eq!(bytes(f, "packed.lc"), bytes(f, "luac.lc"));
    succeed(&mut patch(f, "nodemcu.bin a.lua --as plain -o mine.bin"));
    succeed(&mut inspect(f, "mine.bin --extract a -o copy.lua"));
    assert_eq!(bytes(f, "copy.lua"), b"return 7");
    let long = "return {'a text', 'a text', 'a text'}";
    put(f, "a.lua", long);
    succeed(&mut patch(f, "nodemcu.bin a.lua --as deflated -o mine.bin"));
    succeed(&mut inspect(f, "mine.bin --extract a -o copy.lua"));
    assert_eq!(bytes(f, "copy.lua"), b"return{'a text','a text','a text'}");
    let missing = fail(&mut inspect(f, "mine.bin --extract b"));
    assert!(missing.contains("no chunk is named b"), "{missing}");
    succeed(&mut patch(f, "nodemcu.bin a.lua --as frozen -o mine.bin"));
    let frozen = fail(&mut inspect(f, "mine.bin --extract a"));
    assert!(frozen.contains("only as frozen objects"), "{frozen}");
}

#[test]
fn a_manifest_and_shipped_modules_go_in_too() {
    let folder = folder("lua51-float", 256 << 10);
    let f = folder.path();
    put(
        f,
        "fast.toml",
        "as = \"frozen\"\nvariants = [\"lua51-int\"]\n[[module]]\npath = \"*.lua\"\n",
    );
    let said = succeed(&mut patch(
        f,
        "nodemcu.bin fast.toml --with provisioning -o mine.bin --json",
    ));
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["schema"], "fastlua-patch/3");
    assert_eq!(report["slot"]["variant"], "lua51-float");
    assert_eq!(report["chunks"].as_array().unwrap().len(), 46);
    let found = succeed(&mut inspect(f, "mine.bin --json"));
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["schema"], "fastlua-inspect/4");
    let place = &found["places"][0];
    assert_eq!(place["bundle"], report["slot"]["bundle"]);
    assert_eq!(place["used"], report["slot"]["used"]);
    let hash = |chunks: &serde_json::Value| -> Vec<String> {
        let chunks = chunks.as_array().unwrap().iter();
        chunks
            .map(|c| format!("{} {}", c["name"], c["sha256"]))
            .collect()
    };
    assert_eq!(hash(&place["chunks"]), hash(&report["chunks"]));
}

#[test]
fn a_bill_of_materials_names_what_is_in_the_slot() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    let manifest = "license = \"MIT\"\n[[module]]\npath = \"a.lua\"\nversion = \"1.2\"\n\
        [[module]]\npath = \"b.lua\"\nlicense = \"MIT OR Apache-2.0\"\n";
    put(f, "fast.toml", manifest);
    succeed(&mut patch(
        f,
        "nodemcu.bin fast.toml -o mine.bin --sbom mine.json",
    ));
    let text = bytes(f, "mine.json");
    let bom: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        (&bom["bomFormat"], &bom["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    let found = succeed(&mut inspect(f, "mine.bin --json"));
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        bom["metadata"]["component"]["version"],
        found["places"][0]["bundle"]
    );
    let [a, b] = &bom["components"].as_array().unwrap()[..] else {
        panic!("{bom}");
    };
    assert_eq!((&a["name"], &a["version"]), (&"a".into(), &"1.2".into()));
    assert_eq!(a["licenses"][0]["expression"], "MIT");
    assert_eq!(b["licenses"][0]["expression"], "MIT OR Apache-2.0");
    let hash = &found["places"][0]["chunks"][0]["sha256"];
    assert_eq!(&a["hashes"][0]["content"], hash);
    assert_eq!(&a["components"][0]["hashes"][0]["content"], hash);
    // the same bytes again, and with build the name that its report has
    succeed(&mut patch(
        f,
        "nodemcu.bin fast.toml -o other.bin --sbom other.json",
    ));
    assert_eq!(bytes(f, "other.json"), text);
    let report = succeed(fastlua(f).args(
        "build fast.toml --variant lua53-int32-float32 -o out --sbom out.json --json".split(' '),
    ));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let bom: serde_json::Value = serde_json::from_slice(&bytes(f, "out.json")).unwrap();
    assert_eq!(bom["metadata"]["component"]["version"], report["bundle"]);
    put(f, "fast.toml", manifest.replace("MIT OR", "Mine or"));
    fs::remove_file(f.join("mine.bin")).unwrap();
    refuses(
        f,
        "nodemcu.bin fast.toml -o mine.bin --sbom new.json",
        "is not an SPDX expression",
    );
    assert!(!f.join("new.json").exists());
}

/// Fails, says this, and leaves nothing behind.
fn refuses(folder: &Path, arguments: &str, says: &str) {
    let before = bytes(folder, "nodemcu.bin");
    let error = fail(&mut patch(folder, arguments));
    assert!(error.contains(says), "{arguments}: {error}");
    assert_eq!(bytes(folder, "nodemcu.bin"), before, "{arguments}");
    assert!(!folder.join("mine.bin").exists(), "{arguments}");
}

#[test]
fn what_does_not_fit_is_refused_with_sizes() {
    let folder = folder(VARIANT, 2048);
    let f = folder.path();
    put(f, "large.lua", format!("return '{}'", "x".repeat(2000)));
    refuses(
        f,
        "nodemcu.bin a.lua large.lua -o mine.bin",
        "the slot has 2048 bytes, but ",
    );
    let error = fail(&mut patch(f, "nodemcu.bin a.lua large.lua -o mine.bin"));
    assert!(
        error
            .lines()
            .any(|line| line.trim_start().starts_with("large ")),
        "{error}"
    );
    // the least slot that holds it, and one that is smaller by the least step
    succeed(&mut patch(
        f,
        "nodemcu.bin a.lua b.lua --as frozen -o least.bin",
    ));
    let used = find(&bytes(f, "least.bin"))[0]
        .clone()
        .unwrap()
        .contents
        .unwrap()
        .used;
    let least = used.next_multiple_of(16);
    let many = |head: Head| Head {
        most_chunks: 2,
        most_functions: 9,
        ..head
    };
    put(f, "nodemcu.bin", raw(&[many(head(VARIANT, least))]));
    succeed(&mut patch(
        f,
        "nodemcu.bin a.lua b.lua --as frozen -o fits.bin",
    ));
    put(f, "nodemcu.bin", raw(&[many(head(VARIANT, least - 16))]));
    refuses(
        f,
        "nodemcu.bin a.lua b.lua --as frozen -o mine.bin",
        &format!("but {used} are needed"),
    );
    put(
        f,
        "nodemcu.bin",
        raw(&[Head {
            most_chunks: 1,
            ..head(VARIANT, CAPACITY)
        }]),
    );
    refuses(
        f,
        "nodemcu.bin a.lua b.lua -o mine.bin",
        "2 chunks are too many: this slot holds at most 1",
    );
    put(
        f,
        "nodemcu.bin",
        raw(&[Head {
            most_functions: 1,
            ..head(VARIANT, CAPACITY)
        }]),
    );
    refuses(
        f,
        "nodemcu.bin b.lua --as frozen -o mine.bin",
        "3 functions of frozen chunks are too many",
    );
    let plain = Head {
        freezes: false,
        hook: false,
        ..head(VARIANT, CAPACITY)
    };
    put(f, "nodemcu.bin", raw(&[plain]));
    refuses(
        f,
        "nodemcu.bin a.lua --as frozen --no-fallback -o mine.bin",
        "can't run frozen chunks",
    );
    succeed(&mut patch(f, "nodemcu.bin a.lua --as frozen -o falls.bin"));
    let found = succeed(&mut inspect(f, "falls.bin"));
    assert!(found.contains("no frozen chunks"), "{found}");
    let before = Head {
        inflates: false,
        unpacks: false,
        ..head(VARIANT, CAPACITY)
    };
    put(f, "nodemcu.bin", raw(&[before]));
    refuses(
        f,
        "nodemcu.bin a.lua --as deflated -o mine.bin",
        "a is deflated, which this firmware can't load",
    );
    refuses(
        f,
        "nodemcu.bin a.lua --as packed -o mine.bin",
        "a is packed, which this firmware can't load",
    );
    succeed(&mut patch(f, "nodemcu.bin a.lua --as source -o mine.bin"));
}

#[test]
fn auto_freezes_as_many_as_fit() {
    let folder = folder("lua51-float", 80 << 10);
    let f = folder.path();
    let frozen = |hook: bool| {
        put(
            f,
            "nodemcu.bin",
            raw(&[Head {
                hook,
                inflates: true,
                unpacks: true,
                ..head("lua51-float", 80 << 10)
            }]),
        );
        succeed(&mut patch(
            f,
            "nodemcu.bin --with provisioning --as auto -o mine.bin",
        ));
        let found = succeed(&mut inspect(f, "mine.bin"));
        found
            .lines()
            .filter(|line| line.contains("  frozen "))
            .count()
    };
    let (with, without) = (frozen(true), frozen(false));
    println!("{with} frozen with the hook, {without} without");
    // without it they have their bytecode beside them
    assert!(
        with >= 2 * without && without > 0 && with < 44,
        "{with} {without}"
    );
}

#[test]
fn what_can_not_be_meant_is_refused() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    put(
        f,
        "two.bin",
        raw(&[head(VARIANT, CAPACITY), head("lua51-int", CAPACITY)]),
    );
    refuses(
        f,
        "two.bin a.lua -o mine.bin",
        "there are 2 slots: choose one (--slot N)",
    );
    put(f, "a51.lua", "return 1");
    succeed(&mut patch(f, "two.bin a51.lua --slot 2 -o second.bin"));
    let found = succeed(&mut inspect(f, "second.bin"));
    assert!(
        found.contains("lua51-int, fastlua") && found.contains("empty, "),
        "{found}"
    );
    let other = Head {
        variant: "their-own".into(),
        ..head(VARIANT, CAPACITY)
    };
    put(f, "nodemcu.bin", raw(&[other]));
    refuses(
        f,
        "nodemcu.bin a.lua -o mine.bin",
        "unknown variant their-own",
    );
}

#[test]
fn each_damaged_byte_of_a_header_is_told() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    succeed(&mut patch(
        f,
        "nodemcu.bin a.lua b.lua --as frozen -o whole.bin",
    ));
    for name in ["nodemcu.bin", "whole.bin"] {
        let whole = bytes(f, name);
        for place in 0..256 {
            for bit in 0..8 {
                let mut file = whole.clone();
                file[FIRST + place] ^= 1 << bit;
                let found = find(&file);
                match place < MAGIC.len() {
                    true => assert!(found.is_empty(), "{name}: byte {place}"),
                    false => assert!(found[0].is_err(), "{name}: byte {place}, bit {bit}"),
                }
            }
        }
    }
    // as the commands tell it
    let mut file = bytes(f, "whole.bin");
    file[FIRST + 300] ^= 1;
    put(f, "nodemcu.bin", &file);
    refuses(
        f,
        "nodemcu.bin a.lua -o other.bin",
        "wrong checksum of its contents",
    );
    let error = fail(&mut inspect(f, "nodemcu.bin"));
    assert!(error.contains("nodemcu.bin is damaged"), "{error}");
    // cut anywhere
    let whole = bytes(f, "whole.bin");
    for end in (0..whole.len()).step_by(97) {
        let found = find(&whole[..end]);
        let is_there = end >= FIRST + CAPACITY as usize;
        assert_eq!(found.iter().any(Result::is_ok), is_there, "cut at {end}");
    }
    put(f, "nodemcu.bin", &whole[..FIRST + 5000]);
    let cut = fail(&mut patch(f, "nodemcu.bin a.lua -o other.bin"));
    assert!(
        cut.contains("the file ends within it: 5000 of 32768 bytes"),
        "{cut}"
    );
}

#[test]
fn the_firmware_gets_a_slot_beside_what_is_compiled_in() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    let build = |arguments: &str| {
        let mut command = fastlua(f);
        command
            .args("build --variant lua53-int32-float32 -o".split(' '))
            .args(arguments.split(' '));
        command
    };
    succeed(&mut build("out --slot 64k"));
    let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
    assert!(
        header.contains("#define FAST_SLOT\t65536u\n") && !header.contains("FAST_CHUNK(fast_name")
    );
    succeed(&mut build("out --slot 64k a.lua"));
    let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
    assert!(
        header.contains("#define FAST_SLOT\t65536u\n") && header.contains("FAST_CHUNK(fast_name")
    );
}

/// What looks like a slot or a label in a module is a module's text.
#[test]
fn a_module_may_hold_what_a_slot_begins_with() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    let text = r"return 'fastlua slot\r\n\026\n', 'fastlua mods\r\n\026\n'";
    put(f, "magic.lua", text);
    for form in ["bytecode", "frozen"] {
        let arguments = format!("nodemcu.bin magic.lua --as {form} -o mine.bin");
        succeed(&mut patch(f, &arguments));
        let inside = bytes(f, "mine.bin")
            .windows(16)
            .filter(|w| **w == MAGIC)
            .count();
        assert!(inside > 1, "{form}: the magic is in the module");
        let found = succeed(&mut inspect(f, "mine.bin"));
        assert!(found.contains("  magic  "), "{found}");
        succeed(&mut patch(f, "mine.bin --empty -o empty.bin"));
        assert_eq!(bytes(f, "empty.bin"), bytes(f, "nodemcu.bin"));
    }
}

/// What the messages of the library lead to on the command line.
#[test]
fn a_slot_without_its_image_is_refused_unless_the_user_sets_the_checksums() {
    let folder = folder(VARIANT, CAPACITY);
    let f = folder.path();
    for address in [0x3f40_1230, 0x3c00_1230, 0x4200_1230, 0x4028_1230] {
        let head = Head {
            address,
            ..head(VARIANT, CAPACITY)
        };
        put(f, "cut.bin", [vec![0x5a; FIRST], head.to_slot()].concat());
        refuses(
            f,
            "cut.bin a.lua -o mine.bin",
            &format!("the slot is linked at {address:#010x}, in the flash of "),
        );
        refuses(f, "cut.bin a.lua -o mine.bin", "use --uncovered");
        succeed(&mut patch(f, "cut.bin a.lua --uncovered -o mine.bin"));
        fs::remove_file(f.join("mine.bin")).unwrap();
    }
}

/// Nothing is called right that has no checksum.
#[test]
fn what_is_not_checked_is_said() {
    let folder = folder("lua51-float", CAPACITY);
    let f = folder.path();
    let json = |arguments: &str| -> serde_json::Value {
        serde_json::from_str(&succeed(&mut inspect(f, arguments))).unwrap()
    };
    succeed(&mut call(
        f,
        "build a.lua b.lua --variant lua51-float -o out",
    ));
    let text = json("out/fast_chunks.h --json");
    assert_eq!(text["places"][0]["state"], "not checked");
    assert_eq!(
        text["places"][0]["chunks"][0]["sound"],
        serde_json::Value::Null
    );
    succeed(&mut call(f, "lfs --variant lua51-float -o lfs.img a.lua"));
    let lfs = json("lfs.img --json");
    assert_eq!(lfs["places"][0]["chunks"][0]["sound"], true);
    succeed(&mut call(
        f,
        "lfs --variant lua51-float --address 0x40280000 -o lfs.bin a.lua",
    ));
    let lfs = json("lfs.bin --json");
    assert_eq!(lfs["places"][0]["state"], "not checked");
    succeed(&mut patch(
        f,
        "nodemcu.bin a.lua b.lua --as frozen -o mine.bin",
    ));
    let slot = json("mine.bin --json");
    let place = &slot["places"][0];
    assert_eq!(place["state"], "right");
    assert_eq!(place["image"], "not checked");
    assert_eq!(place["chunks"][0]["checks"]["objects"], "right");
    assert_eq!(
        place["chunks"][0]["checks"]["bytes"],
        serde_json::Value::Null
    );
}
