//! Texts that do not become chunks, and the variants that would accept them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fastlua_bundle::{Because, Fault};

/// Why no bundle is made of texts: at least one of the variants does not take them. Displays a line for each fault, and
/// one for each reason that lies in the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The errors, in the order of the inputs.
    pub all: Vec<Fault>,
    /// Names of the variants that were built.
    pub variants: Vec<String>,
    /// Names of the variants that accept all texts: some of `variants`, or, if there are none, others of NodeMCU's.
    pub takers: Vec<String>,
}

impl Faults {
    /// Why variants refuse texts that others accept, a sentence each.
    pub fn reasons(&self) -> Vec<String> {
        let mut concerned: BTreeMap<Because, [BTreeSet<&str>; 2]> = BTreeMap::new();
        for fault in &self.all {
            if let Some(because) = fault.because {
                let [variants, files] = concerned.entry(because).or_default();
                variants.extend(fault.variants.iter().map(String::as_str));
                files.insert(&fault.file);
            }
        }
        let said = concerned.into_iter().map(|(because, [variants, files])| {
            let [variants, files] = [variants, files].map(Vec::from_iter);
            because.said(&variants, &files)
        });
        said.collect()
    }

    /// Whether some of the built variants accept all texts.
    pub fn some_take(&self) -> bool {
        self.takers.iter().any(|name| self.variants.contains(name))
    }

    /// Names of the variants that were built and refuse some text.
    pub fn refusing(&self) -> Vec<&str> {
        let faulty = |name: &&String| self.all.iter().any(|fault| fault.variants.contains(name));
        let names = self.variants.iter().filter(faulty);
        names.map(String::as_str).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variants = self.variants.len();
        let lines = self.all.iter().map(|fault| fault.shown(variants));
        let lines: Vec<String> = lines.chain(self.reasons()).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}
