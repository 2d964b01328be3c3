//! The documents are valid, and what CycloneDX's own crate writes of the same content.

use std::collections::BTreeSet;

use cyclonedx_bom::models::bom::SpecVersion;
use cyclonedx_bom::prelude::{Bom, Validate};
use fastlua::{Module, Options, Overrides, Project, VERSION};
use serde_json::Value;

/// A module with everything, one with nothing and a shipped one of several chunks.
fn project() -> Project {
    let manifest = "[[module]]\npath = \"a.lua\"\nversion = \"1.2\\t\\\"b\\\"\\r\\nä\"\nlicense = \"MIT OR Apache-2.0\"\n\
        [[module]]\npath = \"b.lua\"\n";
    let mut files = std::collections::BTreeMap::new();
    for (name, text) in [
        ("fast.toml", manifest),
        ("a.lua", "return 1"),
        ("b.lua", "return 2"),
    ] {
        files.insert(name.to_owned(), text.as_bytes().to_vec());
    }
    let mut project = Project::from_manifest(&files, "fast.toml", &Overrides::default()).unwrap();
    project
        .add_shipped(&["telnet".into()], &Overrides::default())
        .unwrap();
    project.add(Module::new("c.lua", "return 3")).unwrap();
    project
}

#[test]
fn the_crate_reads_it_and_writes_the_same_bytes() {
    let plan = project().plan(&Options::default()).unwrap();
    let bundle = plan.build(None).unwrap();
    for runtime in [true, false] {
        let ours = bundle.cyclonedx("6c98aff9f56173f0", runtime).unwrap();
        is_valid(&ours);
    }
}

fn is_valid(ours: &str) {
    let bom = Bom::parse_from_json(ours.as_bytes()).unwrap();
    let validity = bom.validate_version(SpecVersion::V1_5);
    assert!(validity.passed(), "{validity:?}");
    let mut theirs = Vec::new();
    bom.output_as_json_v1_5(&mut theirs).unwrap();
    assert_eq!(ours, String::from_utf8(theirs).unwrap() + "\n");
}

/// Each part can be named, once; what fastlua puts in says its licence and where it comes from, what others wrote only
/// what they said of it.
#[test]
fn each_component_has_a_reference_and_what_is_fastluas_a_licence() {
    let plan = project().plan(&Options::default()).unwrap();
    let bundle = plan.build(None).unwrap();
    let of = |runtime| {
        let text = bundle.cyclonedx("6c98aff9f56173f0", runtime).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let document = of(true);
    let modules = document["components"].as_array().unwrap();
    let chunks = modules.iter().filter_map(|m| m["components"].as_array());
    let all: Vec<&Value> = modules
        .iter()
        .chain(chunks.flatten())
        .chain([&document["metadata"]["component"]])
        .collect();
    let references: BTreeSet<&str> = all
        .iter()
        .map(|part| part["bom-ref"].as_str().unwrap())
        .collect();
    assert_eq!(references.len(), all.len(), "{references:?}");
    let find = |name: &str| modules.iter().find(|m| m["name"] == name).unwrap();
    for (name, part) in [("fast", ""), ("telnet", "#lua/telnet.lua")] {
        let found = find(name);
        assert_eq!(found["licenses"][0]["expression"], "MIT");
        assert_eq!(found["version"], VERSION);
        let purl = format!("pkg:cargo/fastlua-firmware@{VERSION}{part}");
        assert_eq!(found["purl"], *purl);
    }
    for name in ["a", "b", "c"] {
        assert!(find(name)["purl"].is_null(), "{name}");
    }
    assert!(find("b")["licenses"].is_null());
    let without = of(false);
    let without = without["components"].as_array().unwrap();
    assert_eq!(without.len() + 1, modules.len());
    assert!(without.iter().all(|module| module["name"] != "fast"));
}
