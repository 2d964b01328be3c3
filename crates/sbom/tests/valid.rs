//! The documents are valid, and what CycloneDX's own crate writes of the same content.

use cyclonedx_bom::models::bom::SpecVersion;
use cyclonedx_bom::prelude::{Bom, Validate};
use fastlua::{Module, Options, Overrides, Project};
use fastlua_sbom::cyclonedx;

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
    let bundle = plan.build(|| {}).unwrap();
    let ours = cyclonedx(&plan, &bundle, "6c98aff9f56173f0").unwrap();
    let bom = Bom::parse_from_json(ours.as_bytes()).unwrap();
    let validity = bom.validate_version(SpecVersion::V1_5);
    assert!(validity.passed(), "{validity:?}");
    let mut theirs = Vec::new();
    bom.output_as_json_v1_5(&mut theirs).unwrap();
    assert_eq!(ours, String::from_utf8(theirs).unwrap() + "\n");
}
