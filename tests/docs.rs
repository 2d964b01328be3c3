//! The documentation: links that lead somewhere, examples of all there is. `tests/commands.rs` runs its commands.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::docs::{blocks, examples, names_of_commands, pages, prepared};
use support::firmware::{head, raw};
use support::{fastlua, put, root, succeed};

/// Bytes of a front page.
const FRONT_PAGE: u64 = 9000;

/// Targets of the links in a page's prose.
fn links(page: &Path) -> Vec<String> {
    let (_, prose) = blocks(&fs::read_to_string(page).unwrap());
    let without_code: String = prose.split('`').step_by(2).collect();
    let targets = without_code.split("](").skip(1);
    targets
        .map(|rest| rest.split_once(')').unwrap().0.to_owned())
        .collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let (_, prose) = blocks(&fs::read_to_string(page).unwrap());
    let named = prose.split("<a id=\"").skip(1);
    let named = named.map(|rest| rest.split('"').next().unwrap().to_owned());
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let heading = heading.replace(' ', "-");
        let kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
        heading.chars().filter(kept).collect()
    });
    headings.chain(named).collect()
}

#[test]
fn the_readme_is_short() {
    let bytes = fs::metadata(root().join("README.md")).unwrap().len();
    assert!(bytes <= FRONT_PAGE, "README.md has {bytes} bytes");
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        for link in links(&page).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let leads = match anchor {
                "" => target.exists(),
                anchor => target.is_file() && anchors(&target).contains(anchor),
            };
            if !leads {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_leads_to_every_page() {
    let links = links(&root().join("README.md"));
    for page in pages() {
        let page = page.strip_prefix(root()).unwrap().to_str().unwrap();
        let is_linked = |link: &String| link.split('#').next() == Some(page);
        assert!(page == "README.md" || links.iter().any(is_linked), "{page}");
    }
}

#[test]
fn the_readme_has_an_example_of_each_command() {
    let examples = examples(&root().join("README.md"));
    for name in names_of_commands() {
        let start = format!("fastlua {name}");
        let shows = examples.iter().any(|e| e.command.starts_with(&start));
        assert!(shows || name == "help", "{name}");
    }
}

/// Words of NodeMCU and fastlua, as they stand in `docs/words.md`, with the pages that explain them themselves.
const WORDS: [(&str, &str, &[&str]); 18] = [
    ("chunk", "chunk", &[]),
    ("variant", "variant", &["firmware.md"]),
    ("strip level", "strip", &["manifest.md"]),
    ("slot", "slot", &["images.md"]),
    ("hook", "hook", &["frozen.md"]),
    ("bundle", "bundle", &["library.md"]),
    ("frozen", "frozen", &["frozen.md"]),
    ("packed chunk", "packed", &["packed.md"]),
    ("LFS", "lfs", &["lfs.md"]),
    ("SPIFFS", "spiffs", &[]),
    ("overlay", "overlay", &["manifest.md"]),
    ("luac.cross", "luac-cross", &[]),
    ("SPLIT marker", "split-marker", &["manifest.md"]),
    ("narrow read", "narrow-read", &[]),
    ("shadow", "shadow", &[]),
    ("undump", "undump", &[]),
    ("squashed", "squashed", &[]),
    ("boot command", "boot-command", &[]),
];

/// A page's sentences without code, headings and links.
fn plain(page: &Path) -> String {
    let (_, prose) = blocks(&fs::read_to_string(page).unwrap());
    let lines = prose.lines().filter(|line| !line.starts_with('#'));
    let prose: String = lines.map(|line| format!("{line}\n")).collect();
    let without_code: String = prose.split('`').step_by(2).collect();
    let mut text = String::new();
    for (n, part) in without_code.split("](").enumerate() {
        let after = match n {
            0 => part,
            _ => part.split_once(')').map_or("", |(_, rest)| rest),
        };
        text += after.rsplit_once('[').map_or(after, |(before, _)| before);
    }
    text
}

/// A page explains each of these words, or links to its explanation.
#[test]
fn words_are_explained() {
    let explained = anchors(&root().join("docs/words.md"));
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        let is_for_users = page.starts_with(root().join("docs")) || page.ends_with("lua/README.md");
        if !is_for_users || name == "words.md" {
            continue;
        }
        let (text, all) = (plain(&page), fs::read_to_string(&page).unwrap());
        for (word, anchor, own) in WORDS {
            assert!(explained.contains(anchor), "{anchor}");
            let is_linked = all.contains(&format!("words.md#{anchor})"));
            let is_used = text.contains(word);
            assert!(
                !is_used || is_linked || own.contains(&name),
                "{name}: {word}"
            );
        }
    }
}

/// What the shipped modules take of a slot, in firmware with the start-up hook and without it.
#[test]
fn the_page_on_images_has_the_sizes_of_the_shipped_modules() {
    let folder = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(root().join("docs/images.md")).unwrap();
    let bytes = |hook: bool, modules: &[&str], form: &str| {
        let mut firmware = head("lua51-float", 256 << 10);
        firmware.hook = hook;
        put(folder.path(), "nodemcu.bin", raw(&[firmware]));
        let mut patch = fastlua(folder.path());
        patch.args(["patch", "nodemcu.bin", "-o", "mine.bin", "--as", form]);
        for module in modules {
            patch.args(["--with", module]);
        }
        let said = succeed(&mut patch);
        let bytes = said.split(" chunks, ").nth(1).unwrap();
        let bytes = bytes.split(" of").next().unwrap();
        let (thousands, rest) = bytes.split_at(bytes.len() - 3);
        format!("{thousands},{rest}")
    };
    for (form, hook, row) in [
        ("packed", false, "packed"),
        ("bytecode", false, "bytecode"),
        ("frozen", true, "frozen, firmware with the start-up hook"),
        ("frozen", false, "frozen, without it: bytecode is added"),
    ] {
        let usual = bytes(hook, &["provisioning"], form);
        let all = bytes(hook, &["provisioning", "hello", "web"], form);
        let row = format!("| {row} | {usual} | {all} |\n");
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn the_modules_of_provisioning_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut report = fastlua(folder.path());
    report.args([
        "build",
        "--with",
        "provisioning",
        "--whole",
        "--json",
        "-o",
        "out",
    ]);
    let report: serde_json::Value = serde_json::from_str(&succeed(&mut report)).unwrap();
    let chunks = report["chunks"].as_array().unwrap().iter();
    let mut modules: Vec<&str> = chunks
        .map(|chunk| chunk["module"].as_str().unwrap())
        .collect();
    modules.sort_unstable();
    let page = fs::read_to_string(root().join("docs/simulator.md")).unwrap();
    let (_, list) = page.split_once("for setting up a blank chip:").unwrap();
    let (list, _) = list.split_once(". ").unwrap();
    let mut named: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    named.sort_unstable();
    assert_eq!(named, modules);
}

#[test]
fn every_manifest_can_be_built() {
    let mut count = 0;
    for page in pages() {
        for (language, text) in blocks(&fs::read_to_string(&page).unwrap()).0 {
            // a dependency of a Cargo.toml is none
            if language == "toml" && !text.starts_with("fastlua = ") {
                let folder = prepared(&page);
                put(folder.path(), "fast.toml", text);
                succeed(fastlua(folder.path()).args(["build", "-o", "out"]));
                count += 1;
            }
        }
    }
    assert!(count > 0);
}
