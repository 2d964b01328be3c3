//! Builds every form of every chunk, has each loaded, and gathers what it costs.

use std::collections::BTreeMap;

use fastlua_bundle::{Build, Bundle, BundledChunk, Dump, Input};
use fastlua_variants::Variant;
use rayon::prelude::*;

use crate::built::{Built, Measurement};
use crate::emulated::Emulated;
use crate::host::Host;
use crate::store::Store;
use crate::{BenchError, ChunkFigures, Column, Figures, On, Pools, SCHEMA, Target, VariantFigures};

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
    /// On an emulated chip.
    Chip(Emulated<'a>),
    /// In this process: heap in relation to plain source only, and no frozen chunk.
    Host,
}

impl Bench<'_> {
    /// Measures all. `done` is called [`Bench::steps`] times, from any thread.
    ///
    /// # Errors
    /// No figures at all. A chunk that does not load on the emulated chip is no error.
    pub fn run(&self, done: impl Fn() + Sync) -> Result<Figures, BenchError> {
        let mut tables = Vec::new();
        for target in self.targets {
            tables.push(match &self.machine {
                Machine::Chip(chip) => chip.check(target)?,
                Machine::Host => None,
            });
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
                    Machine::Chip(chip) => chip.costs(&self.targets[*t], *t, built),
                    Machine::Host => Ok(Host {
                        inputs: self.inputs,
                        heap_limit: self.heap_limit,
                    }
                    .costs(&self.targets[*t], *t, built)),
                };
                done();
                costs
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut of_target = costs.chunks(built.len());
        let variants = self.targets.iter().enumerate().map(|(t, target)| {
            let costs = of_target.next().unwrap_or_default();
            let pools = self.pools(t, &built);
            self.gather(target, tables[t], costs.iter().flatten(), &pools)
        });
        Ok(Figures {
            schema: SCHEMA.into(),
            on: match self.machine {
                Machine::Chip(ref chip) => chip.tools.chip().into(),
                Machine::Host => On::Host,
            },
            compiler: match &self.machine {
                Machine::Chip(chip) => Some(chip.tools.version().into()),
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
    fn images(&self) -> Vec<Vec<Column>> {
        let built = self
            .inputs
            .iter()
            .map(|input| Column::built(input, self.hook));
        let mut columns: Vec<Column> = built.chain(Column::usual()).collect();
        columns.sort();
        columns.dedup();
        let share = |a: &Column, b: &Column| a.shares_image(*b);
        columns.chunk_by(share).map(<[Column]>::to_vec).collect()
    }

    fn build(&self, columns: Vec<Column>) -> Result<Built, BenchError> {
        let column = columns[0];
        let inputs: Vec<Input> = self
            .inputs
            .iter()
            .map(|input| column.input(input))
            .collect();
        let firmware: Vec<Variant> = self.targets.iter().map(|t| t.variant.clone()).collect();
        let firmware = compile(&inputs, &firmware, self.heap_limit)?;
        let stock = match self.machine {
            Machine::Chip(_) => (0..self.targets.len())
                .map(|t| self.stock(column, &inputs, &firmware, t))
                .collect::<Result<_, _>>()?,
            Machine::Host => Vec::new(),
        };
        let stores = match column.is_lfs() {
            true => (0..self.targets.len())
                .map(|t| Store::new(&firmware, t))
                .collect(),
            false => Vec::new(),
        };
        Ok(Built {
            columns,
            firmware,
            stock,
            stores,
        })
    }

    /// The chunks of a target as stock Lua of its number model loads them.
    fn stock(
        &self,
        column: Column,
        inputs: &[Input],
        firmware: &Bundle,
        t: usize,
    ) -> Result<Bundle, BenchError> {
        let core = &self.targets[t].core;
        let of_target = only(firmware, t, core);
        if column.is_source() || column.is_lfs() {
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
        table: Option<i64>,
        costs: impl Iterator<Item = &'b Measurement>,
        pools: &Pools,
    ) -> VariantFigures {
        let mut chunks: BTreeMap<&str, ChunkFigures> = BTreeMap::new();
        for (column, name, cost) in costs {
            let Some(input) = self.inputs.iter().find(|i| i.name == *name) else {
                continue;
            };
            let as_built = Column::built(input, self.hook);
            if !column.is_usual() && as_built != *column {
                continue;
            }
            let chunk = chunks.entry(&input.name).or_insert_with(|| ChunkFigures {
                name: name.clone(),
                module: input.module.clone(),
                built: as_built,
                forms: BTreeMap::new(),
            });
            chunk.forms.insert(*column, cost.clone());
        }
        let (variant, core) = (target.variant.name.clone(), target.core.name.clone());
        VariantFigures {
            egc: match &self.machine {
                Machine::Chip(chip) if target.has_modes() => Some(chip.egc.name().into()),
                _ => None,
            },
            table,
            ..VariantFigures::new(variant, core, chunks.into_values().collect(), pools)
        }
    }

    /// What a target's chunks share, strings of frozen ones and what packed ones have in common: of all in one form, and
    /// of those that are built so.
    fn pools(&self, t: usize, built: &[Built]) -> Pools {
        let mut pools = Pools::default();
        for image in built {
            if let Some(Some(store)) = image.stores.get(t) {
                let columns = image.columns.iter();
                pools
                    .of_all
                    .extend(columns.map(|column| (*column, store.shared)));
            }
        }
        for image in built
            .iter()
            .filter(|image| image.firmware.shared(t).is_some())
        {
            let bytes = image.firmware.shared_flash(t) as i64;
            let columns = image.columns.iter();
            pools.of_all.extend(columns.map(|column| (*column, bytes)));
            let is_built = |i: &Input| image.columns.contains(&Column::built(i, self.hook));
            if self.inputs.iter().any(is_built) {
                pools.built += bytes;
            }
        }
        for image in built.iter().filter(|image| image.columns[0].is_frozen()) {
            let bytes = image.firmware.pool(t).1 as i64;
            pools
                .of_all
                .extend(image.columns.iter().map(|column| (*column, bytes)));
            let is_built = |chunk: &&BundledChunk| {
                let input = self.inputs.iter().find(|i| i.name == chunk.name);
                input.is_some_and(|i| image.columns.contains(&Column::built(i, self.hook)))
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
    build.run().map_err(BenchError::Build)
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
        common: bundle.common.get(v).cloned().into_iter().collect(),
        warnings: Vec::new(),
    }
}
