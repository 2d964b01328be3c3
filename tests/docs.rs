//! The documentation: links that lead somewhere, examples of all there is. `tests/commands.rs` runs its commands.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::docs::{blocks, examples, names_of_commands, pages, prepared};
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
    let examples = examples(&root().join("README.md"));
    for name in names_of_commands() {
        let start = format!("fastlua {name}");
        let shows = examples.iter().any(|e| e.command.starts_with(&start));
        assert!(shows || name == "help", "{name}");
    }
}

#[test]
fn every_manifest_can_be_built() {
    let mut count = 0;
    for page in pages() {
        for (language, text) in blocks(&fs::read_to_string(&page).unwrap()).0 {
            if language == "toml" {
                let folder = prepared(&page);
                put(folder.path(), "fast.toml", text);
                succeed(fastlua(folder.path()).args(["build", "-o", "out"]));
                count += 1;
            }
        }
    }
    assert!(count > 0);
}
