//! Builds every form of every chunk, has each loaded, and gathers what it costs.

use std::collections::BTreeMap;

use fastlua_bundle::{Build, Bundle, BundledChunk, Dump, Fault, Input, Representation};
use fastlua_emulator::{MeasureError, stock_layout};
use fastlua_variants::{Variant, Variants};
use rayon::prelude::*;

use crate::form::USUAL;
use crate::lx106::Lx106;
use crate::{ChunkFigures, Cost, Figures, Form, On, Pools, SCHEMA, VariantFigures, host};

/// A variant, and the one of stock Lua that is measured in its place.
#[derive(Debug, Clone)]
pub struct Target {
    /// What the firmware has.
    pub variant: Variant,
    /// Of the same number model, for the machine that measures.
    pub core: Variant,
}

impl Target {
    /// Finds the stock variant; none where `known` has it not.
    pub fn new(variant: &Variant, known: &Variants, on: On) -> Option<Target> {
        let mut layout = stock_layout(variant.layout.numbers());
        if on == On::Host {
            layout.size_t = size_of::<usize>() as u8;
        }
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
    /// Whether what is built frozen is for firmware with the start-up hook.
    pub hook: bool,
    /// Where chunks are loaded.
    pub machine: Machine<'a>,
}

/// Where chunks are loaded.
#[derive(Debug)]
pub enum Machine<'a> {
    /// On the emulated chip.
    Lx106(Lx106<'a>),
    /// In this process: heap in relation to plain source only, and no frozen chunk.
    Host,
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
pub(crate) struct Built {
    /// More than one where later loads from it are measured, too.
    pub(crate) forms: Vec<Form>,
    /// For each target its chunks and their bytes of flash.
    pub(crate) firmware: Bundle,
    /// For each target, where the emulated chip loads it.
    pub(crate) stock: Vec<Bundle>,
}

impl Bench<'_> {
    /// Measures all. `done` is called [`Bench::steps`] times, from any thread.
    ///
    /// # Errors
    /// No figures at all. A chunk that does not load on the emulated chip is no error.
    pub fn run(&self, done: impl Fn() + Sync) -> Result<Figures, BenchError> {
        for target in self.targets {
            if let Machine::Lx106(chip) = &self.machine {
                chip.check(target)?;
            }
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
                let costs = match &self.machine {
                    Machine::Lx106(chip) => chip.costs(&self.targets[*t], *t, built),
                    Machine::Host => Ok(host::costs(self, *t, built)),
                };
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
            on: match self.machine {
                Machine::Lx106(_) => On::Lx106,
                Machine::Host => On::Host,
            },
            compiler: match &self.machine {
                Machine::Lx106(chip) => Some(chip.tools.version().into()),
                Machine::Host => None,
            },
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
        let stock = match self.machine {
            Machine::Lx106(_) => (0..self.targets.len())
                .map(|t| self.stock(form, &inputs, &firmware, t))
                .collect::<Result<_, _>>()?,
            Machine::Host => Vec::new(),
        };
        Ok(Built {
            forms,
            firmware,
            stock,
        })
    }

    /// The chunks of a target as stock Lua of its number model loads them.
    fn stock(
        &self,
        form: Form,
        inputs: &[Input],
        firmware: &Bundle,
        t: usize,
    ) -> Result<Bundle, BenchError> {
        let core = &self.targets[t].core;
        let of_target = only(firmware, t, core);
        if matches!(form, Form::Source | Form::Squashed) {
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
        compile(&inputs, std::slice::from_ref(core), self.heap_limit)
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
pub(crate) type Measurement = (Form, String, Cost);

/// Bytes of flash of a chunk; of these, of strings that chunks share.
pub(crate) type Flash = (i64, i64);

pub(crate) fn flash(t: usize, (chunk, dump): (&BundledChunk, &Dump)) -> Flash {
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
            *dump = Dump::source(input.text.clone());
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
