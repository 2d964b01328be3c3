//! The contents of a bundle, as a software bill of materials: [CycloneDX](https://cyclonedx.org) 1.5, JSON.
//!
//! The bundle is the document's subject; its version is the bundle's name, which `fast.info` and
//! `fastlua inspect` tell too. Each module is a component with its SHA-256, and its version and licence if
//! its `fast.toml` gives them; each of its chunks is a component of it. The document has no time and no serial
//! number, so that the same bundle gives the same bytes. What fastlua itself puts into a firmware, `fast.c` and the
//! modules that it ships, has its licence and the package that it comes in.

mod document;

use document::{Component, Document, Hash, License, Metadata, Property, Tool};
use fastlua_bundle::{Bundle, BundledChunk};

use crate::{LICENSE, ModuleFacts, Plan, VERSION};

/// Which licences the format takes.
const MODE: spdx::ParseMode = spdx::ParseMode {
    allow_deprecated: true,
    ..spdx::ParseMode::STRICT
};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SbomError {
    /// A module's licence has no meaning for others.
    #[error(
        "{file}: the licence {license:?} is not an SPDX expression, such as MIT or \"MIT OR Apache-2.0\""
    )]
    License {
        /// The module's file.
        file: String,
        /// The licence.
        license: String,
    },
    /// The document can't be written.
    #[error("can't write the CycloneDX document: {0}")]
    Document(#[source] serde_json::Error),
}

/// The document of a bundle that was built of a plan, and has this name. `runtime` says whether `fast.c` goes with it,
/// rather than being in the firmware already.
///
/// # Errors
/// [`SbomError`].
pub(crate) fn cyclonedx(
    plan: &Plan,
    bundle: &Bundle,
    name: &str,
    runtime: bool,
) -> Result<String, SbomError> {
    let modules = plan.modules.iter();
    let modules = modules.filter_map(|(module, facts)| {
        let chunks = bundle.chunks.iter().filter(|c| c.module == *module);
        let chunks: Vec<&BundledChunk> = chunks.collect();
        (!chunks.is_empty()).then_some((module, facts, chunks))
    });
    let components = modules.map(|(name, facts, chunks)| component(name, facts, &chunks));
    let variants = bundle.variants.iter();
    let subject = Component {
        version: Some(line(name)),
        properties: variants.map(|v| property("variant", &v.name)).collect(),
        ..Component::new("firmware", "bundle", "fastlua bundle")
    };
    let fast = runtime.then(|| {
        Ok(Component {
            version: Some(VERSION.into()),
            licenses: vec![License {
                expression: LICENSE.into(),
            }],
            purl: Some(package("")),
            ..Component::new("library", "runtime", "fast")
        })
    });
    let tool = Tool {
        vendor: "fastlua",
        name: "fastlua",
        version: VERSION,
    };
    let document = Document {
        bom_format: "CycloneDX",
        spec_version: "1.5",
        version: 1,
        metadata: Metadata {
            tools: [tool],
            component: subject,
        },
        components: fast
            .into_iter()
            .chain(components)
            .collect::<Result<_, _>>()?,
    };
    let json = serde_json::to_string_pretty(&document).map_err(SbomError::Document)?;
    Ok(json + "\n")
}

fn component(
    name: &str,
    facts: &ModuleFacts,
    chunks: &[&BundledChunk],
) -> Result<Component, SbomError> {
    let license = |license: &String| match spdx::Expression::parse_mode(license, MODE) {
        Ok(_) => Ok(License {
            expression: license.clone(),
        }),
        Err(_) => Err(SbomError::License {
            file: facts.file.clone(),
            license: license.clone(),
        }),
    };
    let licenses = facts.license.iter().map(license);
    Ok(Component {
        version: facts.version.as_deref().map(line),
        hashes: vec![Hash::sha256(&facts.sha256)],
        licenses: licenses.collect::<Result<_, _>>()?,
        components: chunks.iter().map(|c| chunk(c)).collect(),
        purl: facts
            .shipped
            .then(|| package(&format!("#lua/{}", facts.file))),
        ..Component::new("library", "module", name)
    })
}

fn chunk(chunk: &BundledChunk) -> Component {
    let strip = (chunk.strip as u8).to_string();
    Component {
        hashes: vec![Hash::sha256(&chunk.sha256)],
        properties: vec![property("as", chunk.form.name()), property("strip", &strip)],
        ..Component::new("file", "chunk", &chunk.name)
    }
}

/// The package that has what fastlua puts into a firmware, and which part of it.
fn package(part: &str) -> String {
    format!("pkg:cargo/fastlua-firmware@{VERSION}{part}")
}

fn property(name: &str, value: &str) -> Property {
    Property {
        name: format!("fastlua:{name}"),
        value: line(value),
    }
}

/// A text as the format wants it: without line breaks and tabs.
fn line(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ")
}
