//! The documentation: links that lead somewhere, examples that print what they show.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::docs::{blocks, examples, pages};
use support::firmware;
use support::{fastlua, put, root, succeed};
use tempfile::TempDir;

/// Bytes of a front page.
const FRONT_PAGE: u64 = 9000;

/// A folder with the files that the examples name.
fn prepared() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let firmware = root().join("crates/firmware");
    for module in ["hello.lua", "telnet.lua"] {
        let text = fs::read(firmware.join("lua").join(module)).unwrap();
        put(here, &format!("crates/firmware/lua/{module}"), &text);
        put(here, module, &text);
    }
    let led = fs::read(firmware.join("example/led.lua")).unwrap();
    put(here, "led.lua", &led);
    put(here, "lua/led.lua", &led);
    put(here, "vendor/mqtt_client.lua", "return {}");
    put(
        here,
        "www/index.html",
        "<link rel=stylesheet href=css/main.css>\n<h1>NodeMCU</h1>\n",
    );
    put(here, "www/css/main.css", "body {font: 1em serif}\n\n");
    put(here, "nodemcu-firmware/app/include/user_config.h", "");
    put(
        here,
        "nodemcu.bin",
        firmware::raw(&[firmware::head("lua51-float", 64 << 10)]),
    );
    folder
}

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
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let heading = heading.replace(' ', "-");
            let kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
            heading.chars().filter(kept).collect()
        })
        .collect()
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
    let help = succeed(fastlua(root()).arg("--help"));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let examples = examples(&root().join("README.md"));
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        let start = format!("fastlua {name}");
        let shows = examples.iter().any(|e| e.command.starts_with(&start));
        assert!(shows || name == "help", "{name}");
    }
}

/// But for those that need the emulator (`tests/bench.rs`) or clients (`tests/clients`).
#[test]
fn examples_print_what_is_shown() {
    for page in pages() {
        let folder = prepared();
        for example in examples(&page) {
            if !example.is_for_the_chip() && !example.serves() {
                example.check(folder.path(), "");
            }
        }
    }
}

#[test]
fn every_manifest_can_be_built() {
    let mut count = 0;
    for page in pages() {
        for (language, text) in blocks(&fs::read_to_string(page).unwrap()).0 {
            if language == "toml" {
                let folder = prepared();
                put(folder.path(), "fast.toml", text);
                succeed(fastlua(folder.path()).args(["build", "-o", "out"]));
                count += 1;
            }
        }
    }
    assert!(count > 0);
}
