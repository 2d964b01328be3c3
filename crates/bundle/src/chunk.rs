//! Compiles every input for every variant and proves each dump.

use std::collections::BTreeMap;

use fastlua_bytecode::{Chunk, Strip, write};
use fastlua_compiler::load_back;
use fastlua_variants::Variant;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh32::xxh32;

use crate::compile::misread_as_source;
use crate::{Costs, Need, compile_text, squash_proved, strip_for_bundle};

/// How a chunk lies in flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Representation {
    /// Stripped bytecode, one dump for each variant.
    #[default]
    Bytecode,
    /// Squashed source, one text for all variants that compile it.
    Source,
    /// Constant objects of the core's own, and bytecode for cores that have none such.
    Frozen,
    /// The same without the bytecode: `as = "frozen"` with `fallback = false`.
    FrozenAlone,
}

impl Representation {
    /// As `as` in `fast.toml` names it.
    pub fn name(self) -> &'static str {
        match self {
            Representation::Bytecode => "bytecode",
            Representation::Source => "source",
            Representation::Frozen | Representation::FrozenAlone => "frozen",
        }
    }

    /// Whether it is constant objects.
    pub fn is_frozen(self) -> bool {
        matches!(self, Representation::Frozen | Representation::FrozenAlone)
    }
}

/// A Lua text that becomes one chunk.
#[derive(Debug, Clone)]
pub struct Input {
    /// The chunk's name, checked by [`crate::check_names`].
    pub name: String,
    /// The module that it is a part of: the name of its first chunk.
    pub module: String,
    /// The file as the user gave it, for messages.
    pub file: String,
    /// Its text.
    pub text: Vec<u8>,
    /// How it is to lie in flash.
    pub representation: Representation,
    /// What to drop from bytecode.
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
    /// The module that it is a part of.
    pub module: String,
    /// Its file as the user gave it.
    pub file: String,
    /// The file's name without folders, which is all that the output says of it.
    pub file_name: String,
    /// Bytes of its source.
    pub source_len: usize,
    /// SHA-256 of its source.
    pub sha256: [u8; 32],
    /// How it lies in flash.
    pub representation: Representation,
    /// What was dropped from its bytecode.
    pub strip: Strip,
    /// Its dump for each of the bundle's variants; none where the variant does not carry it.
    pub dumps: Vec<Option<Dump>>,
    /// What it takes as bytecode and frozen, likewise; unknown for source.
    pub costs: Vec<Option<Costs>>,
}

/// A chunk's bytes for one variant: its dump, or its squashed source.
#[derive(Debug, Clone)]
pub struct Dump {
    /// The bytes as they lie in flash.
    pub bytes: Vec<u8>,
    /// Their XXH32 with seed 0.
    pub xxh32: u32,
    /// What loading them allocates; unknown for source.
    pub need: Option<Need>,
    /// The chunk, where it is frozen.
    pub frozen: Option<Chunk>,
}

impl Dump {
    /// Of a chunk that is carried as this text.
    pub fn source(text: Vec<u8>) -> Dump {
        Dump {
            xxh32: xxh32(&text, 0),
            bytes: text,
            need: None,
            frozen: None,
        }
    }
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
        let squashed: Vec<Squash> = inputs.par_iter().map(|input| self.squash(input)).collect();
        let jobs: Vec<(&Input, &Variant, &Squash)> = inputs
            .iter()
            .zip(&squashed)
            .flat_map(|(&input, text)| self.variants.iter().map(move |v| (input, v, text)))
            .collect();
        let outcomes: Vec<Outcome> = jobs
            .par_iter()
            .map(|(input, variant, squashed)| {
                let outcome = match input.is_for(variant) {
                    true => self.one(input, variant, squashed),
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
        let costs: Vec<Option<Costs>> = outcomes.iter().map(|outcome| outcome.costs).collect();
        let mut costs = costs.into_iter();
        let mut dumps = outcomes.into_iter().map(|outcome| outcome.dump);
        let chunks: Vec<BundledChunk> = inputs
            .iter()
            .map(|input| BundledChunk {
                name: input.name.clone(),
                module: input.module.clone(),
                file: input.file.clone(),
                file_name: input.file_name().into(),
                source_len: input.text.len(),
                sha256: Sha256::digest(&input.text).into(),
                representation: input.representation,
                strip: input.strip,
                dumps: dumps.by_ref().take(self.variants.len()).collect(),
                costs: costs.by_ref().take(self.variants.len()).collect(),
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

    /// The squashed text of an input that is to be source, for all variants that carry it.
    fn squash(&self, input: &Input) -> Squash {
        let variants = self.variants.iter().filter(|v| input.is_for(v));
        let variants: Vec<Variant> = variants.cloned().collect();
        match input.representation {
            Representation::Source if !variants.is_empty() => Some(
                squash_proved(&input.text, &input.file, &variants, self.heap_limit)
                    .map(|squashed| squashed.text),
            ),
            _ => None,
        }
    }

    fn one(&self, input: &Input, variant: &Variant, squashed: &Squash) -> Outcome {
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
        match squashed {
            Some(Ok(text)) => {
                let misread = misread_as_source(layout, &input.file, &input.text);
                outcome.warnings.extend(misread);
                outcome.dump = Some(Dump::source(text.clone()));
                return outcome;
            }
            Some(Err(message)) => {
                outcome.faults.push(message.clone());
                return outcome;
            }
            None => {}
        }
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
                let need = Need::of(&chunk);
                outcome.costs = Some(Costs::of(&chunk, bytes.len(), &need));
                outcome.dump = Some(Dump {
                    xxh32: xxh32(&bytes, 0),
                    need: Some(need),
                    bytes,
                    frozen: input.representation.is_frozen().then_some(chunk),
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

/// The squashed text of an input, if it is to be source.
type Squash = Option<Result<Vec<u8>, String>>;

/// What became of one input for one variant.
#[derive(Default)]
struct Outcome {
    dump: Option<Dump>,
    costs: Option<Costs>,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Messages in the order of the inputs, each once with the variants that gave it.
fn gather(
    jobs: &[(&Input, &Variant, &Squash)],
    outcomes: &[Outcome],
    of: impl Fn(&Outcome) -> &Vec<String>,
) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, variant, _), outcome) in jobs.iter().zip(outcomes) {
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
