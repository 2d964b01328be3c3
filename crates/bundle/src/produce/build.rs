//! Compiles every input for every variant and proves each dump.

use std::collections::BTreeMap;

use bstr::BString;
use fastlua_bytecode::{Chunk, Strip, is_bytecode, write};
use fastlua_compiler::load_back_own;
use fastlua_variants::Variant;
use fastlua_verifier::verify;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh32::xxh32;

use super::kept::{Kept, decode, encode};
use super::limits::{TooMany, too_deep, too_many_locals};
use super::made::{Made, carried, refused_as};
use super::squash::bare;
use super::{Remark, SourceText, TextError, squash_proved};
use crate::model::{
    Because, Bundle, BundledChunk, Compiled, Costs, Dump, Fault, Form, Input, Need, Severity,
    Warning, deflated, identifiers, pack,
};

/// The input of a build.
#[derive(Debug)]
pub struct Build<'a> {
    /// The texts.
    pub inputs: &'a [Input],
    /// For these variants.
    pub variants: &'a [Variant],
    /// Bytes of heap for one compilation.
    pub heap_limit: usize,
}

/// Callbacks of a running build, from any thread. `()` and closures that count steps implement it.
pub trait Progress: Sync {
    /// Another chunk is done for a variant.
    fn step(&self) {}

    /// A chunk is compiled, with all its debug data.
    fn compiled(&self, _input: &Input, _variant: &Variant, _chunk: &Chunk) {}

    /// Whether [`compiled`](Progress::compiled) needs all chunks, those of earlier builds too.
    fn needs_chunks(&self) -> bool {
        false
    }

    /// Whether the build must stop as soon as possible.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Progress for () {}

impl<F: Fn() + Sync> Progress for F {
    fn step(&self) {
        self();
    }
}

/// Why there is no bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBuilt {
    /// Texts that do not become chunks.
    Faults(Vec<Fault>),
    /// [`Progress::is_stopped`] returned true.
    Stopped,
}

impl Build<'_> {
    /// Compiles each text, or takes it where it is bytecode, strips it, writes it, loads each dump back and
    /// verifies it. Runs in rayon's current pool; the outcome does not depend on it.
    ///
    /// # Errors
    /// Texts that do not become chunks. What only the chip would refuse is among the bundle's
    /// warnings, as [`Severity::Refused`].
    pub fn run(&self) -> Result<Bundle, Vec<Fault>> {
        self.run_with(&(), None).map_err(|error| match error {
            NotBuilt::Faults(faults) => faults,
            NotBuilt::Stopped => Vec::new(),
        })
    }

    /// [`Build::run`] with progress, a step for each chunk and variant, and with what earlier builds have kept.
    ///
    /// # Errors
    /// Those of [`Build::run`], or that it was stopped.
    pub fn run_with(
        &self,
        progress: &dyn Progress,
        kept: Option<&dyn Kept>,
    ) -> Result<Bundle, NotBuilt> {
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let each = inputs.par_iter();
        let outcomes: Vec<Vec<Outcome>> =
            each.map(|input| self.all(input, progress, kept)).collect();
        if progress.is_stopped() {
            return Err(NotBuilt::Stopped);
        }
        self.assemble(&inputs, outcomes).map_err(NotBuilt::Faults)
    }

    /// A bundle of inputs, sorted by name, with the outcomes of each for every variant.
    pub(super) fn assemble(
        &self,
        inputs: &[&Input],
        outcomes: Vec<Vec<Outcome>>,
    ) -> Result<Bundle, Vec<Fault>> {
        let faults = self.gather(inputs, &outcomes, |o| &o.errors);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(|said| said.fault).collect());
        }
        let warnings = self.gather(inputs, &outcomes, |o| &o.remarks);
        let chunks: Vec<BundledChunk> = inputs
            .iter()
            .zip(outcomes)
            .map(|(input, outcomes)| BundledChunk {
                name: input.name.clone(),
                identifier: String::new(),
                module: input.module.clone(),
                file: input.file.clone(),
                file_name: input.file_name().into(),
                source_len: input.text.len(),
                sha256: Sha256::digest(&input.text).into(),
                form: input.form,
                strip: input.strip,
                dumps: outcomes.into_iter().map(|outcome| outcome.dump).collect(),
            })
            .collect();
        let mut chunks = one_of_each_name(chunks);
        let identifiers = identifiers(chunks.iter().map(|chunk| &*chunk.name));
        for (chunk, identifier) in chunks.iter_mut().zip(identifiers) {
            chunk.identifier = identifier;
        }
        let empty = |v: &usize| !chunks.iter().any(|c| c.dumps[*v].is_some());
        match (0..self.variants.len()).find(empty) {
            Some(v) if !inputs.is_empty() => Err(vec![Fault {
                message: "no module is built for this variant".into(),
                chunk: String::new(),
                file: String::new(),
                line: None,
                column: None,
                variants: vec![self.variants[v].name.clone()],
                because: None,
            }]),
            _ => {
                let mut bundle = Bundle {
                    variants: self.variants.to_vec(),
                    chunks,
                    common: Vec::new(),
                    warnings,
                };
                pack(&mut bundle).map_err(|fault| vec![fault])?;
                Ok(bundle)
            }
        }
    }

    /// The outcome of an input for each variant.
    fn all(&self, input: &Input, progress: &dyn Progress, kept: Option<&dyn Kept>) -> Vec<Outcome> {
        let found = kept.and_then(|kept| kept.get(input));
        if let Some(outcomes) = found.and_then(|bytes| decode(&bytes, input, self.variants)) {
            for variant in self.variants {
                if progress.needs_chunks()
                    && input.is_for(variant)
                    && !input.form.is_data()
                    && let Ok((chunk, _)) = self.chunk(input, variant)
                {
                    progress.compiled(input, variant, &chunk);
                }
                progress.step();
            }
            return outcomes;
        }
        let squashed = match progress.is_stopped() {
            true => None,
            false => self.squash(input),
        };
        let each = self.variants.par_iter();
        let outcomes: Vec<Outcome> = each
            .map(|variant| {
                let outcome = match input.is_for(variant) && !progress.is_stopped() {
                    true => self.one(input, variant, &squashed, progress),
                    false => Outcome::default(),
                };
                progress.step();
                outcome
            })
            .collect();
        if let Some(kept) = kept
            && !progress.is_stopped()
            && let Some(bytes) = encode(&outcomes)
        {
            kept.put(input, bytes);
        }
        outcomes
    }

    /// The remarks, in the order of the inputs, each once with its variants.
    pub(super) fn gather(
        &self,
        inputs: &[&Input],
        outcomes: &[Vec<Outcome>],
        of: impl Fn(&Outcome) -> &Vec<Said>,
    ) -> Vec<Warning> {
        let mut all: Vec<Warning> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let each = inputs.iter().zip(outcomes).flat_map(|(input, outcomes)| {
            let variants = self.variants.iter().zip(outcomes);
            variants.map(move |(variant, outcome)| (input, variant, outcome))
        });
        for (input, variant, outcome) in each {
            for said in of(outcome) {
                let place = *places.entry(&said.message).or_insert_with(|| {
                    let fault = Fault {
                        message: said.message.clone(),
                        chunk: input.name.clone(),
                        file: input.file.clone(),
                        line: said.line,
                        column: said.column,
                        variants: Vec::new(),
                        because: said.because,
                    };
                    all.push(Warning {
                        fault,
                        severity: said.severity,
                        of_fast: said.of_fast,
                    });
                    all.len() - 1
                });
                let names = &mut all[place].fault.variants;
                if !names.contains(&variant.name) {
                    names.push(variant.name.clone());
                }
            }
        }
        all
    }

    /// The squashed text of an input for all its variants, if its form is squashed.
    fn squash(&self, input: &Input) -> Squash {
        let variants = self.variants.iter().filter(|v| input.is_for(v));
        let variants: Vec<Variant> = variants.cloned().collect();
        if !input.form.is_squashed() || variants.is_empty() {
            return None;
        }
        let squashed = squash_proved(&input.text, &input.file, &variants, self.heap_limit);
        let carried = squashed.map_err(|error| Said::from(&error));
        Some(carried.and_then(|squashed| in_form(input, squashed.text)))
    }

    /// The chunk of an input for a variant, with all debug data, and remarks.
    fn chunk(&self, input: &Input, variant: &Variant) -> Result<(Chunk, Vec<Remark>), TextError> {
        let chunk_name = format!("@{}", input.file);
        let text = text_of(input, &chunk_name);
        match is_bytecode(text.bytes) {
            true => text.undump(&variant.layout),
            false => text.compile(&variant.layout, self.heap_limit),
        }
    }

    fn one(
        &self,
        input: &Input,
        variant: &Variant,
        squashed: &Squash,
        progress: &dyn Progress,
    ) -> Outcome {
        let made = match refused_as(input, input.form) {
            Some(error) => Err(Said::from(&error)),
            None => self.make(input, variant, &[input.form], progress),
        };
        carried(input, made, squashed)
    }

    /// Compiles a text, or takes it where it is bytecode, and makes what these forms of it have in common.
    pub(super) fn make(
        &self,
        input: &Input,
        variant: &Variant,
        forms: &[Form],
        progress: &dyn Progress,
    ) -> Result<Made, Said> {
        if forms.iter().all(|form| form.is_data()) {
            return Ok(Made::default());
        }
        let made = self.chunk(input, variant);
        let (chunk, remarks) = made.map_err(|error| Said::from(&error))?;
        progress.compiled(input, variant, &chunk);
        let locals = match is_bytecode(&input.text) {
            true => Vec::new(),
            false => too_many_locals(&chunk),
        };
        // a form alone is squashed before
        let is_squashed = forms.len() > 1 && forms.iter().any(|form| form.is_squashed());
        let bare = is_squashed.then(|| bare(chunk.clone()));
        let misread = match forms.iter().any(|form| form.is_source()) {
            true => text_of(input, "").misread_as_source(&variant.layout),
            false => Vec::new(),
        };
        let dump = match forms.iter().all(|form| form.is_source()) {
            true => None,
            false => {
                let keeps = forms.iter().any(|form| form.keeps_chunk());
                let proved = self.prove(input, chunk, keeps);
                Some(proved.map_err(|error| Said::from(&error)))
            }
        };
        Ok(Made {
            remarks: remarks.iter().map(Said::from).collect(),
            locals,
            misread: misread.iter().map(Said::from).collect(),
            dump,
            bare,
        })
    }

    /// The stripped chunk's dump, once it has come back as it was.
    fn prove(&self, input: &Input, mut chunk: Chunk, keeps: bool) -> Result<Dump, TextError> {
        strip_for_bundle(&mut chunk, input.strip, input.file_name());
        let fault = |reason: String| TextError::Proof {
            file: input.file.clone(),
            reason,
        };
        let bytes = write(&chunk).map_err(|error| fault(error.to_string()))?;
        let back = load_back_own(&bytes, &chunk.layout, self.heap_limit)
            .map_err(|error| fault(format!("its dump does not load back: {error}")))?;
        if back != chunk {
            return Err(fault("its dump reads back as a different chunk".into()));
        }
        verify(&chunk).map_err(|refusal| fault(refusal.to_string()))?;
        let (need, strings) = Need::with_strings(&chunk);
        let costs = Costs::of(&chunk, bytes.len(), &need, &strings);
        Ok(Dump {
            xxh32: xxh32(&bytes, 0),
            compiled: Some(Compiled {
                costs,
                need,
                chunk: keeps.then_some(chunk),
            }),
            bytes,
        })
    }
}

fn text_of<'a>(input: &'a Input, chunk_name: &'a str) -> SourceText<'a> {
    SourceText {
        chunk_name: chunk_name.as_bytes(),
        file: &input.file,
        bytes: &input.text,
    }
}

/// Strips a compiled chunk for a bundle: drops the debug data of `strip`, and the source name if no line
/// refers to it any more; else the name becomes `file_name` (without folders, so that the same
/// module gives the same bytes in any folder).
fn strip_for_bundle(chunk: &mut Chunk, strip: Strip, file_name: &str) {
    chunk.strip(strip);
    let source = match strip {
        Strip::Lines => None,
        Strip::Keep | Strip::Names => Some(BString::from(format!("@{file_name}"))),
    };
    chunk.set_source(source);
}

/// The squashed text of an input, deflated or not, if it is to be carried so.
pub(super) type Squash = Option<Result<Vec<u8>, Said>>;

/// A squashed text as its input carries it.
pub(super) fn in_form(input: &Input, squashed: Vec<u8>) -> Result<Vec<u8>, Said> {
    if input.form != Form::Deflated {
        return Ok(squashed);
    }
    deflated(&squashed).ok_or_else(|| {
        Said::from(&TextError::Proof {
            file: input.file.clone(),
            reason: "the deflated text does not inflate to the original".into(),
        })
    })
}

/// An error or a remark as it is gathered.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) severity: Severity,
    pub(super) of_fast: bool,
    pub(super) because: Option<Because>,
}

impl From<&TextError> for Said {
    fn from(error: &TextError) -> Said {
        Said {
            message: error.to_string(),
            line: error.line(),
            column: error.column(),
            severity: Severity::Refused,
            of_fast: false,
            because: error.because(),
        }
    }
}

impl From<&Remark> for Said {
    fn from(remark: &Remark) -> Said {
        Said {
            message: remark.to_string(),
            line: Some(remark.line),
            column: remark.column,
            severity: remark.severity,
            of_fast: false,
            because: None,
        }
    }
}

/// The result of one input for one variant.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) dump: Option<Dump>,
    pub(super) errors: Vec<Said>,
    pub(super) remarks: Vec<Said>,
}

impl Outcome {
    /// Whether the variant, or the compiler on the chip, does not take the input.
    pub(super) fn is_refused(&self) -> bool {
        let refused = |said: &Said| said.severity == Severity::Refused;
        !self.errors.is_empty() || self.remarks.iter().any(refused)
    }

    /// The warning about functions nested too deep to load.
    pub(super) fn levels(&mut self, input: &Input, dump: &Dump) {
        let levels = dump.compiled.as_ref().map_or(0, |c| c.need.depth);
        self.warn(input, too_deep(levels));
    }

    /// Adds a remark on finding or loading an input by `fast`.
    pub(super) fn warn(&mut self, input: &Input, message: Option<String>) {
        self.remarks.extend(message.map(|message| Said {
            message: format!("{}: {message}", input.file),
            line: None,
            column: None,
            severity: Severity::Warning,
            of_fast: true,
            because: None,
        }));
    }

    /// The warnings about functions that the chip would not compile.
    pub(super) fn locals(&mut self, input: &Input, locals: &[TooMany]) {
        for function in locals {
            let (message, severity) = match input.form.is_source() {
                true => (function.as_source(), Severity::Refused),
                false => (function.as_bytecode(), Severity::Note),
            };
            self.remarks.push(Said::from(&Remark {
                file: input.file.clone(),
                line: function.line,
                column: None,
                message,
                severity,
            }));
        }
    }
}

/// The chunks, with those of one name, which are for different variants, as one.
fn one_of_each_name(chunks: Vec<BundledChunk>) -> Vec<BundledChunk> {
    let mut all: Vec<BundledChunk> = Vec::new();
    for chunk in chunks {
        let same = all.last_mut().filter(|last| last.name == chunk.name);
        let is_empty = |chunk: &BundledChunk| chunk.dumps.iter().all(Option::is_none);
        match same {
            None => all.push(chunk),
            Some(_) if is_empty(&chunk) => {}
            Some(last) if is_empty(last) => *last = chunk,
            Some(last) => {
                last.source_len += chunk.source_len;
                last.sha256 = Sha256::digest([last.sha256, chunk.sha256].concat()).into();
                for (dump, other) in last.dumps.iter_mut().zip(chunk.dumps) {
                    *dump = dump.take().or(other);
                }
            }
        }
    }
    all
}
