//! Compiles every input for every variant and proves each dump.

use std::collections::BTreeMap;

use fastlua_bytecode::{Strip, write};
use fastlua_compiler::load_back;
use fastlua_variants::Variant;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{Need, compile_text, strip_for_bundle};

/// A Lua text that becomes one chunk.
#[derive(Debug, Clone)]
pub struct Input {
    /// The chunk's name, checked by [`crate::check_names`].
    pub name: String,
    /// The file as the user gave it, for messages.
    pub file: String,
    /// Its text.
    pub text: Vec<u8>,
    /// What to drop.
    pub strip: Strip,
    /// Names of the variants that carry it; none for all.
    pub variants: Option<Vec<String>>,
}

impl Input {
    fn is_for(&self, variant: &Variant) -> bool {
        let among = |names: &Vec<String>| names.contains(&variant.name);
        self.variants.as_ref().is_none_or(among)
    }

    /// The file's name without folders.
    pub fn file_name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file)
    }
}

/// What to build.
#[derive(Debug)]
pub struct Build<'a> {
    /// The texts.
    pub inputs: &'a [Input],
    /// For these variants.
    pub variants: &'a [Variant],
    /// Bytes of heap for one compilation.
    pub heap_limit: usize,
}

/// Every chunk for every variant, proved to load back.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The variants, in the order of the blocks.
    pub variants: Vec<Variant>,
    /// The chunks, sorted by name.
    pub chunks: Vec<BundledChunk>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// A chunk of a bundle.
#[derive(Debug, Clone)]
pub struct BundledChunk {
    /// Its name.
    pub name: String,
    /// Its file as the user gave it.
    pub file: String,
    /// The file's name without folders, which is all that the output says of it.
    pub file_name: String,
    /// Bytes of its source.
    pub source_len: usize,
    /// SHA-256 of its source.
    pub sha256: [u8; 32],
    /// What was dropped.
    pub strip: Strip,
    /// Its dump for each of the bundle's variants; none where the variant does not carry it.
    pub dumps: Vec<Option<Dump>>,
}

/// A chunk's bytes for one variant.
#[derive(Debug, Clone)]
pub struct Dump {
    /// The bytes as they lie in flash.
    pub bytes: Vec<u8>,
    /// Their CRC-32 (IEEE 802.3, as in zlib).
    pub crc32: u32,
    /// What loading them allocates.
    pub need: Need,
}

/// An error in one input, and the variants that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File, line where there is one, and reason.
    pub message: String,
    /// Names of the variants.
    pub variants: Vec<String>,
}

/// A remark on one input, and the variants that it concerns.
pub type Warning = Fault;

impl Build<'_> {
    /// Compiles, strips, writes, and loads each dump back. `done` is called after each chunk and
    /// variant, from any thread. Runs in rayon's current pool; the outcome does not depend on it.
    pub fn run(&self, done: impl Fn() + Sync) -> Result<Bundle, Vec<Fault>> {
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let jobs: Vec<(&Input, &Variant)> = inputs
            .iter()
            .flat_map(|&input| self.variants.iter().map(move |variant| (input, variant)))
            .collect();
        let outcomes: Vec<Outcome> = jobs
            .par_iter()
            .map(|(input, variant)| {
                let outcome = match input.is_for(variant) {
                    true => self.one(input, variant),
                    false => Outcome::default(),
                };
                done();
                outcome
            })
            .collect();
        let faults = gather(&jobs, &outcomes, |o| &o.faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let warnings = gather(&jobs, &outcomes, |o| &o.warnings);
        let mut dumps = outcomes.into_iter().map(|outcome| outcome.dump);
        let chunks: Vec<BundledChunk> = inputs
            .iter()
            .map(|input| BundledChunk {
                name: input.name.clone(),
                file: input.file.clone(),
                file_name: input.file_name().into(),
                source_len: input.text.len(),
                sha256: Sha256::digest(&input.text).into(),
                strip: input.strip,
                dumps: dumps.by_ref().take(self.variants.len()).collect(),
            })
            .collect();
        let empty = |v: &usize| !chunks.iter().any(|c| c.dumps[*v].is_some());
        match (0..self.variants.len()).find(empty) {
            Some(v) => Err(vec![Fault {
                message: "no module is built for this variant".into(),
                variants: vec![self.variants[v].name.clone()],
            }]),
            None => Ok(Bundle {
                variants: self.variants.to_vec(),
                chunks,
                warnings,
            }),
        }
    }

    fn one(&self, input: &Input, variant: &Variant) -> Outcome {
        let layout = &variant.layout;
        let mut outcome = Outcome::default();
        let chunk_name = format!("@{}", input.file);
        let compiled = compile_text(
            layout,
            chunk_name.as_bytes(),
            &input.file,
            &input.text,
            self.heap_limit,
        );
        let mut chunk = match compiled {
            Ok((chunk, warnings)) => {
                outcome.warnings = warnings;
                chunk
            }
            Err(message) => {
                outcome.faults.push(message);
                return outcome;
            }
        };
        strip_for_bundle(&mut chunk, input.strip, input.file_name());
        let proved = write(&chunk).map_err(|e| e.to_string()).and_then(|bytes| {
            let back = load_back(&bytes, layout, self.heap_limit).map_err(|e| e.to_string())?;
            match back == chunk {
                true => Ok(bytes),
                false => Err("it reads back as another chunk".into()),
            }
        });
        match proved {
            Ok(bytes) => {
                outcome.dump = Some(Dump {
                    crc32: crc32fast::hash(&bytes),
                    need: Need::of(&chunk),
                    bytes,
                })
            }
            Err(reason) => outcome.faults.push(format!(
                "{}: its dump does not load back: {reason}",
                input.file
            )),
        }
        outcome
    }
}

/// What became of one input for one variant.
#[derive(Default)]
struct Outcome {
    dump: Option<Dump>,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Messages in the order of the inputs, each once with the variants that gave it.
fn gather(
    jobs: &[(&Input, &Variant)],
    outcomes: &[Outcome],
    of: impl Fn(&Outcome) -> &Vec<String>,
) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, variant), outcome) in jobs.iter().zip(outcomes) {
        for message in of(outcome) {
            let place = *places.entry(message).or_insert_with(|| {
                faults.push(Fault {
                    message: message.clone(),
                    variants: Vec::new(),
                });
                faults.len() - 1
            });
            let names = &mut faults[place].variants;
            if !names.contains(&variant.name) {
                names.push(variant.name.clone());
            }
        }
    }
    faults
}
