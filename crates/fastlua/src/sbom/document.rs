//! The part of CycloneDX 1.5 that a bundle's document has, its keys in the order in which they are written.

use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub bom_format: &'static str,
    pub spec_version: &'static str,
    /// Of the document, not of what it describes.
    pub version: u32,
    pub metadata: Metadata,
    pub components: Vec<Component>,
}

#[derive(Serialize)]
pub(crate) struct Metadata {
    pub tools: [Tool; 1],
    pub component: Component,
}

#[derive(Serialize)]
pub(crate) struct Tool {
    pub vendor: &'static str,
    pub name: &'static str,
    pub version: &'static str,
}

/// A list that would be empty is left out.
#[derive(Serialize)]
pub(crate) struct Component {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The reference by which other parts of the document, and other documents, name it.
    #[serde(rename = "bom-ref")]
    pub bom_ref: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<License>,
    /// Its origin, if that is a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
}

impl Component {
    /// `part` is what it is for the document: names of one part are there once.
    pub fn new(kind: &'static str, part: &str, name: &str) -> Component {
        Component {
            kind,
            bom_ref: super::line(&format!("{part}/{name}")),
            name: super::line(name),
            version: None,
            hashes: Vec::new(),
            licenses: Vec::new(),
            purl: None,
            properties: Vec::new(),
            components: Vec::new(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Hash {
    pub alg: &'static str,
    pub content: String,
}

impl Hash {
    pub fn sha256(hash: &[u8; 32]) -> Hash {
        Hash {
            alg: "SHA-256",
            content: base16ct::lower::encode_string(hash),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct License {
    pub expression: String,
}

#[derive(Serialize)]
pub(crate) struct Property {
    pub name: String,
    pub value: String,
}
