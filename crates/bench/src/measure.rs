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
use crate::{ChunkFigures, Cost, Figures, Form, LoadCost, Pools, RunCost, SCHEMA, VariantFigures};

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
    /// Whether what is built frozen is for firmware with the start-up hook.
    pub hook: bool,
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

/// All chunks as the firmware has them, and as the emulated chip loads them: one image for each target.
struct Built {
    /// More than one where later loads from it are measured, too.
    forms: Vec<Form>,
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
            self.load(target, Core::Stock, "", &[])?;
            done();
        }
        let built = self.images().into_iter().map(|forms| self.build(forms));
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
        let variants = self.targets.iter().enumerate().map(|(t, target)| {
            let costs = of_target.next().unwrap_or_default();
            self.gather(target, costs.iter().flatten(), &self.pools(t, &built))
        });
        Ok(Figures {
            schema: SCHEMA.into(),
            on: "lx106".into(),
            variants: variants.collect(),
        })
    }

    /// How often [`Bench::run`] calls `done`.
    pub fn steps(&self) -> usize {
        self.targets.len() * (1 + self.images().len())
    }

    /// The usual forms, and those in which a chunk is built, together where they share an image.
    fn images(&self) -> Vec<Vec<Form>> {
        let built = self
            .inputs
            .iter()
            .map(|input| Form::built(input, self.hook));
        let mut forms: Vec<Form> = built.chain(USUAL).collect();
        forms.sort();
        forms.dedup();
        let share = |a: &Form, b: &Form| a.image() == b.image();
        forms.chunk_by(share).map(<[Form]>::to_vec).collect()
    }

    fn build(&self, forms: Vec<Form>) -> Result<Built, BenchError> {
        let form = forms[0].image();
        let inputs: Vec<Input> = self.inputs.iter().map(|input| form.input(input)).collect();
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
            forms,
            stock: stock.collect::<Result<_, _>>()?,
            firmware,
        })
    }

    /// What each chunk of a target costs in the forms of one image.
    fn costs(&self, t: usize, built: &Built) -> Result<Vec<Measurement>, BenchError> {
        let target = &self.targets[t];
        let stock = &built.stock[t];
        let job = |name: &str, data, warm, run| Job {
            name: name.into(),
            data,
            warm,
            run,
        };
        let empty = || job("=empty", Data::Ram(Vec::new()), false, false);
        let chunks = built.forms.iter().flat_map(|form| {
            let again = *form == Form::ShadowAgain;
            let chunks = stock.chunks.iter();
            chunks.map(move |chunk| job(&chunk.name, Data::Fast, again, self.run))
        });
        let jobs: Vec<Job> = [empty()]
            .into_iter()
            .chain(chunks)
            .chain([empty()])
            .collect();
        let core = built.forms[0].core();
        let found = self.load(target, core, &stock.c_header("0"), &jobs)?;
        let [first, chunks @ .., last] = &found[..] else {
            return Ok(Vec::new());
        };
        if first != last || first.load.is_err() {
            return Err(BenchError::Check {
                variant: target.core.name.clone(),
                form: built.forms[0],
                first: format!("{first:?}"),
                last: format!("{last:?}"),
            });
        }
        let flash: Vec<Flash> = built.firmware.of_variant(t).map(|c| flash(t, c)).collect();
        let chunk = |form: &Form, i: usize, measured: &Measured| {
            let name = stock.chunks[i].name.clone();
            (*form, name, cost(flash[i], measured))
        };
        let forms = built.forms.iter().zip(chunks.chunks(flash.len()));
        let costs = forms.flat_map(|(form, chunks)| {
            let chunks = chunks.iter().enumerate();
            chunks.map(move |(i, measured)| chunk(form, i, measured))
        });
        Ok(costs.collect())
    }

    fn load(
        &self,
        target: &Target,
        core: Core,
        header: &str,
        jobs: &[Job],
    ) -> Result<Vec<Measured>, BenchError> {
        let files = fast_files(header);
        let how = Measure {
            tools: self.tools,
            work: self.work,
            layout: &target.core.layout,
            core,
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
        costs: impl Iterator<Item = &'b Measurement>,
        pools: &Pools,
    ) -> VariantFigures {
        let mut chunks: BTreeMap<&str, ChunkFigures> = BTreeMap::new();
        for (form, name, cost) in costs {
            let Some(input) = self.inputs.iter().find(|i| i.name == *name) else {
                continue;
            };
            let as_built = Form::built(input, self.hook);
            if !USUAL.contains(form) && as_built != *form {
                continue;
            }
            let chunk = chunks.entry(&input.name).or_insert_with(|| ChunkFigures {
                name: name.clone(),
                module: input.module.clone(),
                built: as_built,
                forms: BTreeMap::new(),
            });
            chunk.forms.insert(*form, cost.clone());
        }
        let (variant, core) = (target.variant.name.clone(), target.core.name.clone());
        VariantFigures::new(variant, core, chunks.into_values().collect(), pools)
    }

    /// The strings of a target's frozen chunks: of all in one form, and of those that are built so.
    fn pools(&self, t: usize, built: &[Built]) -> Pools {
        let mut pools = Pools::default();
        for image in built.iter().filter(|image| image.forms[0].is_frozen()) {
            let bytes = image.firmware.pool(t).1 as i64;
            pools
                .of_all
                .extend(image.forms.iter().map(|form| (*form, bytes)));
            let is_built = |chunk: &&BundledChunk| {
                let input = self.inputs.iter().find(|i| i.name == chunk.name);
                input.is_some_and(|i| image.forms.contains(&Form::built(i, self.hook)))
            };
            let chunks = image.firmware.chunks.iter().filter(is_built);
            let as_built = Bundle {
                chunks: chunks.cloned().collect(),
                ..image.firmware.clone()
            };
            pools.built += as_built.pool(t).1 as i64;
        }
        pools
    }
}

/// What a chunk costs in a form.
type Measurement = (Form, String, Cost);

/// Bytes of flash of a chunk; of these, of strings that chunks share.
type Flash = (i64, i64);

fn flash(t: usize, (chunk, dump): (&BundledChunk, &Dump)) -> Flash {
    let bytes = dump.bytes.len();
    let (bytes, strings) = match (&chunk.costs[t], chunk.representation) {
        (Some(costs), Representation::FrozenAlone) => (costs.frozen_flash, costs.frozen_strings),
        (Some(costs), Representation::Frozen) => (bytes + costs.frozen_flash, costs.frozen_strings),
        _ => (bytes, 0),
    };
    ((bytes + strings) as i64, strings as i64)
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

fn cost((flash, strings): Flash, measured: &Measured) -> Cost {
    let narrow = measured.reads.map_or(0, |reads| i64::from(reads.narrow));
    Cost {
        flash,
        strings,
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
