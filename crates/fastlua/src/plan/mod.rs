//! Plans: chunks, variants, budgets.

use std::collections::{BTreeMap, BTreeSet};

use fastlua_bundle::slot::{About, HEAD, Head, RECORD, Slot};
use fastlua_bundle::{
    Amount, Budget, Build, Fault, Form, Input, Kept, Loads, NotBuilt, Progress, check_flash,
    choose_forms, pack_without_pool, shared,
};
use fastlua_bytecode::packed::Pool;
use fastlua_compiler::HEAP_LIMIT;
use fastlua_variants::{Variant, Variants};

use crate::needs::{Watch, has_errors};
use crate::{Bundle, Error, Faults, ModuleFacts, Target, find_variant};
use cache::OfPlan;

mod cache;
mod compare;
mod digest;
mod tree;

pub use cache::ChunkCache;
pub use compare::{ComparedChunk, FormCost};
pub(crate) use tree::read_text;
pub use tree::{FirmwareTree, firmware_tree};

/// Options of a plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// The variants to choose from.
    pub known: Variants,
    /// Names of the variants to build for, whatever the `fast.toml` says; without either all of
    /// NodeMCU's.
    pub variants: Option<Vec<String>>,
    /// Heap limit for compiling or loading one chunk, in bytes.
    pub heap_limit: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            known: Variants::built_in(),
            variants: None,
            heap_limit: HEAP_LIMIT,
        }
    }
}

/// Bytes of a slot that each chunk takes at the most beside its form and its names.
const RECORDS: usize = RECORD + About::BYTES + 40;

/// Chunks to build for variants.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The chunks' texts.
    pub inputs: Vec<Input>,
    /// Facts about each module, by its name.
    pub modules: BTreeMap<String, ModuleFacts>,
    /// The variants, by name.
    pub variants: Vec<Variant>,
    /// The budget of all modules together.
    pub budget: Budget,
    /// The budget of a module, by its name.
    pub budgets: BTreeMap<String, Budget>,
    /// Heap limit for compiling or loading one chunk, in bytes.
    pub heap_limit: usize,
    /// NodeMCU's variants that are not among `variants`.
    pub(crate) others: Vec<Variant>,
    /// The destination of the chunks.
    pub(crate) purpose: Purpose,
    /// The firmware with which the chunks are compared.
    pub(crate) target: Option<Target>,
    /// Globals that code elsewhere sets.
    pub(crate) globals: Vec<String>,
}

/// The destination of a plan's chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Into the module `fast`.
    Fast,
    /// Into C modules of their own, so that they share nothing.
    CModules,
    /// Into an image for LFS.
    Lfs,
    /// Into this slot.
    Slot(Head),
}

impl Plan {
    pub(crate) fn new(
        inputs: Vec<Input>,
        variants: Option<&Vec<String>>,
        budget: Budget,
        budgets: BTreeMap<String, Budget>,
        options: &Options,
    ) -> Result<Plan, Error> {
        let known = &options.known;
        for name in inputs.iter().filter_map(|i| i.variants.as_ref()).flatten() {
            find_variant(known, name)?;
        }
        let variants = match variants {
            None => known.nodemcu(),
            Some(names) if names.is_empty() => return Err(Error::NoVariants),
            Some(names) => {
                let names: BTreeSet<&String> = names.iter().collect();
                let found = names
                    .into_iter()
                    .map(|name| find_variant(known, name).cloned());
                found.collect::<Result<_, _>>()?
            }
        };
        let is_other = |other: &Variant| variants.iter().all(|v| v.name != other.name);
        let mut others = known.nodemcu();
        others.retain(is_other);
        Ok(Plan {
            others,
            inputs,
            modules: BTreeMap::new(),
            variants,
            budget,
            budgets,
            heap_limit: options.heap_limit,
            purpose: Purpose::Fast,
            target: None,
            globals: Vec::new(),
        })
    }

    /// Sets this slot as the destination of the chunks. Its size is then the only limit: without a budget of
    /// flash, `auto` freezes as many chunks as fit.
    pub fn for_slot(mut self, slot: &Slot) -> Plan {
        let head = &slot.head;
        let inputs = self.inputs.iter();
        let taken = inputs.map(|i| RECORDS + i.name.len() + i.module.len());
        let room = (head.capacity as usize).saturating_sub(HEAD + taken.sum::<usize>());
        self.budget.flash.get_or_insert(Amount(room as u64));
        self.purpose = Purpose::Slot(head.clone());
        self
    }

    /// Compares what the chunks need with this firmware: what it lacks are warnings of the bundle, and an error if it is a module.
    pub fn for_firmware(mut self, target: Target) -> Plan {
        self.target = Some(target);
        self
    }

    /// Sets a separate C module as the destination of each module ([`Bundle::module_headers`]).
    pub fn for_c_modules(mut self) -> Plan {
        self.purpose = Purpose::CModules;
        self
    }

    /// The number of steps of [`Plan::build`]: one for each chunk and variant.
    pub fn steps(&self) -> usize {
        self.inputs.len() * self.variants.len()
    }

    /// Compiles and proves every chunk for every variant, and decides the form of each. `progress` is called at
    /// each step, from any thread, and may stop the build.
    ///
    /// # Errors
    /// Some texts do not become chunks (all of them are reported), the bundle does not fit a chip, the firmware lacks a module, or
    /// the build was stopped.
    pub fn build(self, progress: Option<&dyn Progress>) -> Result<Bundle, Error> {
        self.build_with(progress, None)
    }

    /// [`Plan::build`] with the chunks of earlier builds: what the cache has is not compiled and proved again. The bundle is the same.
    ///
    /// # Errors
    /// Those of [`Plan::build`].
    pub fn build_with(
        self,
        progress: Option<&dyn Progress>,
        cache: Option<&dyn ChunkCache>,
    ) -> Result<Bundle, Error> {
        let is_for_slot = matches!(self.purpose, Purpose::Slot(_));
        if !is_for_slot {
            self.builder().check_flash().map_err(Error::TooLarge)?;
        }
        let watch = Watch::new(self.target.is_some(), progress.unwrap_or(&()));
        let mut bundle = self.compile(&watch, cache)?;
        let refused = bundle.refused();
        if !refused.is_empty() {
            return Err(self.faults(refused).into());
        }
        if !is_for_slot {
            check_flash(&bundle).map_err(Error::TooLarge)?;
        }
        match self.purpose {
            Purpose::CModules => {
                let packed = pack_without_pool(&mut bundle);
                packed.map_err(|fault| self.faults(vec![fault]))?;
            }
            // how `fast` finds and loads chunks is of no matter there
            Purpose::Lfs => bundle.warnings.retain(|warning| !warning.of_fast),
            Purpose::Fast | Purpose::Slot(_) => {}
        }
        let lacks = match &self.target {
            Some(target) => watch.judged(target, &self.globals),
            None => Vec::new(),
        };
        if has_errors(&lacks) {
            return Err(Error::Lacks(lacks));
        }
        Ok(Bundle::new(self, bundle, lacks))
    }

    /// Decides the form of each chunk, as [`Plan::build`] does.
    ///
    /// # Errors
    /// Texts that do not become chunks.
    pub fn choose_forms(&mut self) -> Result<(), Error> {
        if self.inputs.iter().all(|input| input.form != Form::Auto) {
            return Ok(());
        }
        let bundle = self.compile(&(), None)?;
        for input in &mut self.inputs {
            if let Some(chunk) = bundle.chunks.iter().find(|c| c.name == input.name) {
                input.form = chunk.form;
            }
        }
        Ok(())
    }

    /// Errors of texts, with the variants that accept all texts.
    pub fn faults(&self, all: Vec<Fault>) -> Faults {
        let refused = |faults: &[Fault], variant: &Variant| {
            faults.iter().any(|f| f.variants.contains(&variant.name))
        };
        // not all of them need to have been asked, and what a chip would compile is refused in the bundle
        let taking = |variants: &[Variant]| {
            let left = variants.iter().filter(|v| !refused(&all, v));
            let left: Vec<Variant> = left.cloned().collect();
            let build = Build {
                variants: &left,
                ..self.builder()
            };
            let faults = build
                .run()
                .map_or_else(|faults| faults, |made| made.refused());
            let taking = left.iter().filter(|v| !refused(&faults, v));
            taking.map(|v| v.name.clone()).collect::<Vec<_>>()
        };
        let mut takers = taking(&self.variants);
        if takers.is_empty() {
            takers = taking(&self.others);
        }
        let variants = self.variants.iter().map(|v| v.name.clone()).collect();
        Faults {
            all,
            variants,
            takers,
        }
    }

    fn builder(&self) -> Build<'_> {
        Build {
            inputs: &self.inputs,
            variants: &self.variants,
            heap_limit: self.heap_limit,
        }
    }

    fn compile(
        &self,
        progress: &dyn Progress,
        cache: Option<&dyn ChunkCache>,
    ) -> Result<fastlua_bundle::Bundle, Error> {
        let kept = cache.map(|cache| OfPlan::new(self, cache));
        let kept = kept.as_ref().map(|kept| kept as &dyn Kept);
        let build = self.builder();
        let faults = |faults| Error::from(self.faults(faults));
        let mut bundle = build
            .run_with(progress, kept)
            .map_err(|error| match error {
                NotBuilt::Faults(all) => faults(all),
                NotBuilt::Stopped => Error::Stopped,
            })?;
        let flash = self.budget.flash.map(|amount| amount.0);
        let slot = match &self.purpose {
            Purpose::Slot(head) => Some(head),
            _ => None,
        };
        // a slot in firmware with the hook holds no bytecode of what is frozen
        let fallback = slot.is_none_or(|slot| !slot.hook);
        choose_forms(&mut bundle, flash, fallback);
        let loads = Loads {
            packed: slot.is_none_or(|slot| slot.unpacks),
            deflated: slot.is_none_or(|slot| slot.inflates),
        };
        if let Some(flash) = flash {
            let fitted = build.fit(&mut bundle, flash, loads);
            fitted.map_err(|fault| faults(vec![fault]))?;
        }
        Ok(bundle)
    }
}

/// Bytes of flash of the tables for packed chunks of a variant, once for a firmware.
pub fn packed_tables_flash(variant: &Variant) -> usize {
    4 * shared(variant.layout.dialect(), &Pool::default()).len()
}
