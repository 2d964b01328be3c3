//! Files of bytecode: behind a first line with `#`, for another variant, of a variant that nobody named.

mod support;

use std::fs;
use std::path::Path;

use support::{call, fail, put, succeed};

const TEXT: &str = "local a, b = 1.5, 'text' return function() return a, b, 2 end";
const WHOLE: &str = "local a, b = 1, 'text' return function() return a, b, 2 end";

/// A `.lc` file for a variant, and the same behind a line as a script has it.
fn compiled(folder: &Path, variant: &str) {
    let text = if variant.ends_with("int") {
        WHOLE
    } else {
        TEXT
    };
    put(folder, "a.lua", text);
    succeed(&mut call(
        folder,
        &format!("compile --variant {variant} --strip 0 a.lua -o a.lc"),
    ));
    let dump = fs::read(folder.join("a.lc")).unwrap();
    put(
        folder,
        "script.lc",
        [&b"#!/usr/bin/lua\n"[..], &dump].concat(),
    );
}

const VARIANTS: [&str; 8] = [
    "lua51-int",
    "lua51-float",
    "lua53-int32-float32",
    "lua53-int64-float64",
    "lua53-int64-float32",
    "lua53-int32-float64",
    "puc51-float-64bit",
    "puc53-int64-float64-64bit",
];

#[test]
fn check_finds_the_variant() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    for variant in VARIANTS {
        compiled(f, variant);
        for file in ["a.lc", "script.lc"] {
            let said = succeed(&mut call(f, &format!("check {file}")));
            let wanted = format!("{file}: ok, 2 functions, ");
            assert!(
                said.starts_with(&wanted) && said.contains(variant),
                "{said}"
            );
            let listed = succeed(&mut call(f, &format!("list {file}")));
            assert!(listed.contains(variant), "{listed}");
            succeed(&mut call(f, &format!("check --variant {variant} {file}")));
            let built = call(
                f,
                &format!("build --variant {variant} {file} -o {variant}/{file}"),
            );
            succeed(&mut { built });
        }
        // but for the chunk's own name it is the same array
        let words = |file: &str| {
            let header = f.join(variant).join(file).join("fast_chunks.h");
            let text = fs::read_to_string(header).unwrap();
            let (_, array) = text
                .split_once("static const uint32_t fast_words_")
                .unwrap();
            let (array, _) = array.split_once("};").unwrap();
            let lines = array.lines().skip(1).map(str::to_owned);
            lines.collect::<Vec<_>>()
        };
        assert!(words("a.lc").len() > 2, "{variant}");
        assert_eq!(words("a.lc"), words("script.lc"), "{variant}");
        let json = succeed(&mut call(f, "check --json a.lc"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(json["variant"].is_null(), "{json}");
        let of = json["files"][0]["variants"].as_array().unwrap();
        assert!(of.iter().any(|name| name == variant), "{json}");
    }
}

#[test]
fn what_can_not_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    compiled(f, "lua51-int");
    let cut = fs::read(f.join("a.lc")).unwrap();
    put(f, "cut.lc", &cut[..cut.len() - 5]);
    let [checked, listed] =
        ["check", "list"].map(|verb| fail(&mut call(f, &format!("{verb} cut.lc"))));
    let reason = checked.lines().next().unwrap();
    assert!(listed.contains(reason), "{checked}: {listed}");
    let said = fail(&mut call(f, "run a.lc"));
    assert!(said.contains("fastlua compile --variant puc5"), "{said}");
}

/// Offsets are those of the file.
#[test]
fn damage_behind_a_first_line_is_found_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    compiled(f, "lua51-int");
    let mut offsets = Vec::new();
    for file in ["a.lc", "script.lc"] {
        let bytes = fs::read(f.join(file)).unwrap();
        put(f, file, &bytes[..bytes.len() - 1]);
        let said = fail(&mut call(f, &format!("check {file}")));
        let offset = said.split("offset ").nth(1).unwrap();
        let offset: usize = offset
            .split([':', ',', ' '])
            .next()
            .unwrap()
            .parse()
            .unwrap();
        offsets.push(offset);
        assert!(fail(&mut call(f, &format!("list {file}"))).contains(&format!("offset {offset}")));
    }
    assert_eq!(offsets[1], offsets[0] + "#!/usr/bin/lua\n".len());
}

/// Commands that expect source say that a file is bytecode, even if the bytecode follows a first line.
#[test]
fn bytecode_is_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    compiled(f, "lua51-int");
    for command in ["compile --variant lua51-int -o b.lc", "squash"] {
        let said = fail(&mut call(f, &format!("{command} script.lc")));
        assert!(said.contains("bytecode"), "{said}");
    }
    assert!(!f.join("b.lc").exists());
}

#[test]
fn scripts_run_as_bytecode() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "print('ran', ...)");
    let lua = if cfg!(feature = "lua53") {
        "puc53-int64-float64"
    } else {
        "puc51-float"
    };
    let variant = format!("{lua}-{}bit", usize::BITS);
    succeed(&mut call(
        f,
        &format!("compile --variant {variant} a.lua -o a.lc"),
    ));
    let dump = fs::read(f.join("a.lc")).unwrap();
    put(
        f,
        "files/script.lua",
        [&b"#!/usr/bin/lua\n"[..], &dump].concat(),
    );
    let said = succeed(call(f, "run --fs files -e").arg("dofile'script.lua'"));
    assert_eq!(said, "ran\n");
}

/// `luac5.3 -s` has no source name, and neither has `--strip 2`. NodeMCU's 5.3 keeps it, as luac.cross does.
#[test]
fn stock_53_has_no_source_name_at_strip_2() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", TEXT);
    for (variant, kept) in [
        ("puc53-int64-float64-64bit", false),
        ("lua53-int32-float32", true),
        ("puc51-float-64bit", false),
    ] {
        for (strip, has) in [(1, true), (2, kept)] {
            succeed(&mut call(
                f,
                &format!("compile --variant {variant} --strip {strip} a.lua -o a.lc"),
            ));
            let dump = fs::read(f.join("a.lc")).unwrap();
            let found = dump.windows(6).any(|bytes| bytes == b"@a.lua");
            assert_eq!(found, has, "{variant} {strip}");
        }
    }
}
