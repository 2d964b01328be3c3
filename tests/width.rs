//! Tables fit a terminal of 80 columns, whatever the command, with the variants that it has by default.

mod support;

use std::path::Path;

use support::{call, firmware, put, root, succeed};

/// The lines of a table that are too wide; paths and sentences about one file do not count.
fn wide(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| line.chars().count() > 80);
    lines.collect()
}

fn shipped(folder: &Path) {
    for module in ["telnet.lua", "ftp.lua", "http.lua", "hello.lua"] {
        let text = std::fs::read(root().join("crates/firmware/lua").join(module)).unwrap();
        put(folder, module, text);
    }
    let long = format!("{}.lua", "a-name-of-many-letters".repeat(2));
    put(folder, &long, "return 'a'");
    put(
        folder,
        "nodemcu.bin",
        firmware::raw(&[firmware::head("lua51-float", 64 << 10)]),
    );
}

#[test]
fn tables_fit_80_columns() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shipped(here);
    for arguments in [
        "build *.lua -o out",
        "build *.lua -o out --as packed --costs",
        "build *.lua -o out --as frozen",
        "build *.lua -o out --as deflated",
        "build *.lua -o out --data *.bin --slot 64k",
        "bench telnet.lua --chip host",
        "lfs *.lua --variant lua51-int -o lfs.img",
        "check lfs.img",
        "inspect lfs.img",
        "variants",
    ] {
        let text = succeed(&mut call(here, arguments));
        assert_eq!(wide(&text), [""; 0], "{arguments}");
    }
    succeed(&mut call(
        here,
        "patch nodemcu.bin telnet.lua ftp.lua --in-place",
    ));
    for file in ["nodemcu.bin", "out/fast_chunks.h"] {
        let text = succeed(&mut call(here, &format!("inspect {file}")));
        let chunks: Vec<&str> = text.lines().filter(|line| line.starts_with("  ")).collect();
        assert!(chunks.len() > 2, "{text}");
        assert_eq!(wide(&chunks.join("\n")), [""; 0], "{file}");
    }
}

/// Each chunk with its form, the variants by name or by a letter that is explained.
#[test]
fn a_build_shows_forms_and_variants() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shipped(here);
    put(
        here,
        "fast.toml",
        "[[module]]\npath = \"hello.lua\"\nas = \"deflated\"\n[[module]]\npath = \"telnet.lua\"\nas = \"frozen\"\n\
         [[module]]\npath = \"nodemcu.bin\"\nas = \"data\"\n",
    );
    let text = succeed(&mut call(here, "build fast.toml -o out"));
    for (chunk, form) in [
        ("hello", "deflated"),
        ("telnet-open", "frozen"),
        ("nodemcu.bin", "data"),
    ] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{chunk} ")));
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        assert_eq!(words[1], form, "{text}");
        assert_eq!(words.len(), 3 + 6, "{text}");
    }
    assert!(text.contains("A lua51-float, B lua51-int, "), "{text}");
    assert!(text.contains(" F lua53-int64-float64\n"), "{text}");
    let text = succeed(&mut call(
        here,
        "build fast.toml -o out --variant lua51-int",
    ));
    assert!(
        text.lines().next().unwrap().ends_with("  lua51-int"),
        "{text}"
    );
}
