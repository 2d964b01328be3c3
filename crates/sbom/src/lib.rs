//! What is in a bundle, as a software bill of materials: [CycloneDX](https://cyclonedx.org) 1.5, JSON.
//!
//! The bundle is the document's subject; its version is the bundle's name, which `fast.info` and
//! `fastlua inspect` tell too. Each module is a component with its SHA-256, and its version and licence if
//! its `fast.toml` gives them; each of its chunks is a component of it. The document has no time and no serial
//! number, so that the same bundle gives the same bytes.

use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::spdx::SpdxExpression;
use cyclonedx_bom::models::bom::SpecVersion;
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{Bom, Validate};
use fastlua::{Bundle, BundledChunk, ModuleFacts, Plan, VERSION};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A module's licence has no meaning for others.
    #[error(
        "{file}: the licence {license:?} is no SPDX expression, such as MIT or \"MIT OR Apache-2.0\""
    )]
    License {
        /// The module's file.
        file: String,
        /// The licence.
        license: String,
    },
    /// The document can't be written, or would not be valid.
    #[error("no CycloneDX document: {0}")]
    Document(String),
}

/// The document of a bundle that was built of a plan, and has this name.
///
/// # Errors
/// [`Error`].
pub fn cyclonedx(plan: &Plan, bundle: &Bundle, name: &str) -> Result<String, Error> {
    let modules = plan.modules.iter();
    let modules = modules.filter_map(|(module, facts)| {
        let chunks = bundle.chunks.iter().filter(|c| c.module == *module);
        let chunks: Vec<&BundledChunk> = chunks.collect();
        (!chunks.is_empty()).then_some((module, facts, chunks))
    });
    let components = modules.map(|(name, facts, chunks)| component(name, facts, &chunks));
    let subject = Component {
        properties: Some(Properties(
            bundle
                .variants
                .iter()
                .map(|variant| Property::new("fastlua:variant", &variant.name))
                .collect(),
        )),
        ..Component::new(Classification::Firmware, "fastlua bundle", name, None)
    };
    let bom = Bom {
        serial_number: None,
        metadata: Some(Metadata {
            tools: Some(Tools::List(vec![Tool::new("fastlua", "fastlua", VERSION)])),
            component: Some(subject),
            ..Metadata::default()
        }),
        components: Some(Components(components.collect::<Result<_, _>>()?)),
        ..Bom::default()
    };
    let validity = bom.validate_version(SpecVersion::V1_5);
    if !validity.passed() {
        return Err(Error::Document(format!("{validity:?}")));
    }
    let mut json = Vec::new();
    bom.output_as_json_v1_5(&mut json)
        .map_err(|error| Error::Document(error.to_string()))?;
    Ok(String::from_utf8_lossy(&json).into_owned() + "\n")
}

fn component(
    name: &str,
    facts: &ModuleFacts,
    chunks: &[&BundledChunk],
) -> Result<Component, Error> {
    let license = |license: &String| match SpdxExpression::try_from(license.clone()) {
        Ok(expression) => Ok(Licenses(vec![LicenseChoice::Expression(expression)])),
        Err(_) => Err(Error::License {
            file: facts.file.clone(),
            license: license.clone(),
        }),
    };
    let version = facts.version.as_deref().map(NormalizedString::new);
    Ok(Component {
        version,
        hashes: Some(sha256(&facts.sha256)),
        licenses: facts.license.as_ref().map(license).transpose()?,
        components: Some(Components(chunks.iter().map(|c| chunk(c)).collect())),
        ..Component::new(Classification::Library, name, "", None)
    })
}

fn chunk(chunk: &BundledChunk) -> Component {
    let property = |name: &str, value: &str| Property::new(format!("fastlua:{name}"), value);
    Component {
        version: None,
        hashes: Some(sha256(&chunk.sha256)),
        properties: Some(Properties(vec![
            property("as", chunk.form.name()),
            property("strip", &(chunk.strip as u8).to_string()),
        ])),
        ..Component::new(Classification::File, &chunk.name, "", None)
    }
}

fn sha256(hash: &[u8; 32]) -> Hashes {
    let hex = hash.iter().map(|b| format!("{b:02x}")).collect();
    Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(hex),
    }])
}
