//! The report of `variants`.

use std::collections::BTreeMap;

use fastlua_variants::Variants;
use serde::Serialize;

/// All variants that are known.
#[derive(Debug, Clone, Serialize)]
pub struct VariantsReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// The variants, by name.
    pub variants: Vec<VariantReport>,
}

/// A variant.
#[derive(Debug, Clone, Serialize)]
pub struct VariantReport {
    /// Its name.
    pub name: String,
    /// One line for a person.
    pub summary: String,
    /// The format of its dumps.
    pub format: String,
    /// Bytes of an integer; 0 where there are none.
    pub integer: u8,
    /// Bytes of a float; 0 where there are none.
    pub float: u8,
    /// Bytes of a `size_t` in its dumps.
    pub size_t: u8,
    /// The preprocessor condition that chooses it, by target.
    pub select: BTreeMap<String, String>,
}

impl VariantsReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-variants/1";

    /// Of these.
    pub fn of(known: &Variants) -> VariantsReport {
        let variants = known.iter().map(|v| VariantReport {
            name: v.name.clone(),
            summary: v.summary.clone(),
            format: format!("{:?}", v.layout.format).to_lowercase(),
            integer: v.layout.integer,
            float: v.layout.float,
            size_t: v.layout.size_t,
            select: v
                .select
                .iter()
                .map(|(target, condition)| (target.clone(), condition.to_string()))
                .collect(),
        });
        VariantsReport {
            schema: VariantsReport::SCHEMA,
            variants: variants.collect(),
        }
    }
}
