//! Builds every form of every chunk, and has the emulator load each.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fastlua_bundle::{Build, Bundle, BundledChunk, Dump, Fault, Input, Representation};
use fastlua_emulator::{
    Core, Data, Job, Load, Measure, MeasureError, Measured, Run, Toolchain, fast_files, measure,
    stock_layout,
};
use fastlua_variants::{Variant, Variants};
use rayon::prelude::*;
use xxhash_rust::xxh32::xxh32;

use crate::form::USUAL;
use crate::{ChunkFigures, Cost, Figures, Form, LoadCost, RunCost, SCHEMA, VariantFigures};

/// Real time for one image; it takes a second or two.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A variant, and the one of stock Lua that is measured in its place.
#[derive(Debug, Clone)]
pub struct Target {
    /// What the firmware has.
    pub variant: Variant,
    /// Of the same number model, for a 32-bit machine.
    pub core: Variant,
}

impl Target {
    /// Finds the stock variant; none where `known` has it not.
    pub fn new(variant: &Variant, known: &Variants) -> Option<Target> {
        let layout = stock_layout(&variant.layout);
        let core = known
            .iter()
            .find(|v| v.layout == layout && !v.is_nodemcu())?;
        Some(Target {
            variant: variant.clone(),
            core: core.clone(),
        })
    }
}

/// What to measure.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The texts. How they are to be built decides [`ChunkFigures::built`] only.
    pub inputs: &'a [Input],
    /// For these variants.
    pub targets: &'a [Target],
    /// Bytes of heap for one compilation on this machine.
    pub heap_limit: usize,
    /// Whether main functions are run.
    pub run: bool,
    /// Compiler and emulator.
    pub tools: &'a Toolchain,
    /// Folder for objects and images; those in it are used again.
    pub work: &'a Path,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Modules that do not compile, or not to the same chunk.
    #[error("{}", lines(.0))]
    Build(Vec<Fault>),
    /// The emulator, or one of its own checks.
    #[error("{variant}: {error}")]
    Measure {
        /// The stock variant.
        variant: String,
        /// Why.
        error: MeasureError,
    },
    /// An empty chunk does not cost the same wherever it stands: the figures can't be trusted.
    #[error(
        "{variant}, {form}: the self-check failed: an empty chunk costs {first} before all others and {last} after them"
    )]
    Check {
        /// The stock variant.
        variant: String,
        /// The form that was measured.
        form: Form,
        /// Its figures.
        first: String,
        /// Its figures, again.
        last: String,
    },
}

fn lines(faults: &[Fault]) -> String {
    let line = |f: &Fault| format!("{} [{}]", f.message, f.variants.join(", "));
    faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// All chunks in one form: as the firmware has them, and as the emulated chip loads them.
struct Built {
    form: Form,
    /// For each target its chunks and their bytes of flash.
    firmware: Bundle,
    /// For each target.
    stock: Vec<Bundle>,
}

impl Bench<'_> {
    /// Measures all. `done` is called [`Bench::steps`] times, from any thread.
    ///
    /// # Errors
    /// No figures at all. A chunk that does not load on the emulated chip is no error.
    pub fn run(&self, done: impl Fn() + Sync) -> Result<Figures, BenchError> {
        // what is known is measured before anything else; it also makes what all images share
        for target in self.targets {
            self.load(target, "", &[])?;
            done();
        }
        let built = self.forms().into_iter().map(|form| self.build(form));
        let built = built.collect::<Result<Vec<Built>, _>>()?;
        let jobs: Vec<(usize, &Built)> = (0..self.targets.len())
            .flat_map(|t| built.iter().map(move |b| (t, b)))
            .collect();
        let costs = jobs
            .par_iter()
            .map(|(t, built)| {
                let costs = self.costs(*t, built);
                done();
                costs
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut of_target = costs.chunks(built.len());
        let variants = self.targets.iter().map(|target| {
            let costs = built.iter().zip(of_target.next().unwrap_or_default());
            self.gather(target, costs)
        });
        Ok(Figures {
            schema: SCHEMA.into(),
            on: "lx106".into(),
            variants: variants.collect(),
        })
    }

    /// How often [`Bench::run`] calls `done`.
    pub fn steps(&self) -> usize {
        self.targets.len() * (1 + self.forms().len())
    }

    /// The usual forms, and those in which a chunk is built.
    fn forms(&self) -> Vec<Form> {
        let built = self.inputs.iter().map(Form::built);
        let mut forms: Vec<Form> = built.chain(USUAL).filter(|f| f.is_measured()).collect();
        forms.sort();
        forms.dedup();
        forms
    }

    fn build(&self, form: Form) -> Result<Built, BenchError> {
        let (representation, strip) = form.options().unwrap_or_default();
        let inputs: Vec<Input> = self
            .inputs
            .iter()
            .map(|input| Input {
                representation,
                strip,
                ..input.clone()
            })
            .collect();
        let firmware: Vec<Variant> = self.targets.iter().map(|t| t.variant.clone()).collect();
        let mut firmware = compile(&inputs, &firmware, self.heap_limit)?;
        if form == Form::Source {
            plain(&mut firmware, &inputs);
        }
        let is_text = matches!(form, Form::Source | Form::Squashed);
        let stock = self.targets.iter().enumerate().map(|(t, target)| {
            let of_target = only(&firmware, t, &target.core);
            if is_text {
                return Ok(of_target);
            }
            let has = |input: &&Input| of_target.chunks.iter().any(|c| c.name == input.name);
            let inputs: Vec<Input> = inputs
                .iter()
                .filter(has)
                .map(|input| Input {
                    variants: None,
                    ..input.clone()
                })
                .collect();
            compile(&inputs, std::slice::from_ref(&target.core), self.heap_limit)
        });
        Ok(Built {
            form,
            stock: stock.collect::<Result<_, _>>()?,
            firmware,
        })
    }

    /// What each chunk of a target costs in one form.
    fn costs(&self, t: usize, built: &Built) -> Result<Vec<(String, Cost)>, BenchError> {
        let target = &self.targets[t];
        let stock = &built.stock[t];
        let empty = || Job {
            name: "=empty".into(),
            data: Data::Ram(Vec::new()),
            warm: false,
            run: false,
        };
        let chunks = stock.chunks.iter().map(|chunk| Job {
            name: chunk.name.clone(),
            data: Data::Fast,
            warm: false,
            run: self.run,
        });
        let jobs: Vec<Job> = [empty()]
            .into_iter()
            .chain(chunks)
            .chain([empty()])
            .collect();
        let found = self.load(target, &stock.c_header("0"), &jobs)?;
        let [first, chunks @ .., last] = &found[..] else {
            return Ok(Vec::new());
        };
        if first != last || first.load.is_err() {
            return Err(BenchError::Check {
                variant: target.core.name.clone(),
                form: built.form,
                first: format!("{first:?}"),
                last: format!("{last:?}"),
            });
        }
        let flash = built
            .firmware
            .of_variant(t)
            .map(|(_, dump)| dump.bytes.len());
        let costs = stock.chunks.iter().zip(flash).zip(chunks);
        Ok(costs
            .map(|((chunk, flash), measured)| (chunk.name.clone(), cost(flash, measured)))
            .collect())
    }

    fn load(
        &self,
        target: &Target,
        header: &str,
        jobs: &[Job],
    ) -> Result<Vec<Measured>, BenchError> {
        let files = fast_files(header);
        let how = Measure {
            tools: self.tools,
            work: self.work,
            layout: &target.core.layout,
            core: Core::Stock,
            files: if jobs.is_empty() { &[] } else { &files },
            heap_limit: 0,
            count_reads: true,
            timeout: TIMEOUT,
        };
        measure(&how, jobs).map_err(|error| BenchError::Measure {
            variant: target.core.name.clone(),
            error,
        })
    }

    fn gather<'b>(
        &self,
        target: &Target,
        costs: impl Iterator<Item = (&'b Built, &'b Vec<(String, Cost)>)>,
    ) -> VariantFigures {
        let mut chunks: BTreeMap<&str, ChunkFigures> = BTreeMap::new();
        for (built, costs) in costs {
            for (name, cost) in costs {
                let Some(input) = self.inputs.iter().find(|i| i.name == *name) else {
                    continue;
                };
                if !USUAL.contains(&built.form) && Form::built(input) != built.form {
                    continue;
                }
                let chunk = chunks.entry(&input.name).or_insert_with(|| ChunkFigures {
                    name: name.clone(),
                    module: input.module.clone(),
                    built: Form::built(input),
                    forms: BTreeMap::new(),
                });
                chunk.forms.insert(built.form, cost.clone());
            }
        }
        let (variant, core) = (target.variant.name.clone(), target.core.name.clone());
        VariantFigures::new(variant, core, chunks.into_values().collect())
    }
}

fn compile(
    inputs: &[Input],
    variants: &[Variant],
    heap_limit: usize,
) -> Result<Bundle, BenchError> {
    let build = Build {
        inputs,
        variants,
        heap_limit,
    };
    build.run(|| {}).map_err(BenchError::Build)
}

/// Makes each chunk of a bundle the source that it is made of.
fn plain(bundle: &mut Bundle, inputs: &[Input]) {
    for chunk in &mut bundle.chunks {
        chunk.representation = Representation::Source;
        let Some(input) = inputs.iter().find(|i| i.name == chunk.name) else {
            continue;
        };
        for dump in chunk.dumps.iter_mut().flatten() {
            *dump = Dump {
                xxh32: xxh32(&input.text, 0),
                bytes: input.text.clone(),
                need: None,
                frozen: None,
            };
        }
    }
}

/// The chunks of one variant, as a bundle for another one.
fn only(bundle: &Bundle, v: usize, variant: &Variant) -> Bundle {
    let chunk = |(chunk, dump): (&BundledChunk, &Dump)| BundledChunk {
        dumps: vec![Some(dump.clone())],
        ..chunk.clone()
    };
    Bundle {
        variants: vec![variant.clone()],
        chunks: bundle.of_variant(v).map(chunk).collect(),
        warnings: Vec::new(),
    }
}

fn cost(flash: usize, measured: &Measured) -> Cost {
    let narrow = measured.reads.map_or(0, |reads| i64::from(reads.narrow));
    Cost {
        flash: flash as i64,
        load: measured
            .load
            .as_ref()
            .ok()
            .map(|load| load_cost(load, narrow)),
        refused: measured.load.as_ref().err().cloned(),
        run: measured.run.as_ref().map(run_cost),
    }
}

fn load_cost(load: &Load, narrow_reads: i64) -> LoadCost {
    LoadCost {
        instructions: load.instructions.into(),
        heap_peak: load.heap_peak.into(),
        heap_kept: load.heap_kept.into(),
        heap_debug: load.debug.into(),
        string_table: load.string_table.into(),
        allocations: load.allocations.into(),
        narrow_reads,
        stack: load.stack.into(),
    }
}

fn run_cost(run: &Run) -> RunCost {
    RunCost {
        instructions: run.instructions.into(),
        heap_peak: run.heap_peak.into(),
        allocations: run.allocations.into(),
        error: run.error.clone(),
    }
}
