//! A hash that distinguishes builds.

use std::collections::BTreeMap;

use fastlua_bundle::slot::Head;
use fastlua_bundle::{Amount, Budget, Form, Input};
use fastlua_needs::Firmware;
use fastlua_variants::Variant;
use sha2::{Digest, Sha256};

use super::{Plan, Purpose};
use crate::ModuleFacts;

/// A hash of fields. Each is written with its length or number, so that no two lists of fields are one.
#[derive(Clone)]
struct Fields(Sha256);

/// The keys of a plan's chunks.
pub(super) struct ChunkKeys(Fields);

impl ChunkKeys {
    /// SHA-256 of all on which the chunk of an input depends but fastlua itself.
    pub(super) fn of(&self, input: &Input) -> [u8; 32] {
        let mut fields = self.0.clone();
        fields.input(input);
        fields.0.finalize().into()
    }
}

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Fields, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(
        &mut self,
        values: impl ExactSizeIterator<Item = T>,
        write: impl Fn(&mut Fields, T),
    ) {
        self.number(values.len() as u64);
        values.for_each(|value| write(self, value));
    }

    fn input(&mut self, input: &Input) {
        let Input {
            name,
            module,
            file,
            text,
            form,
            strip,
            variants,
        } = input;
        self.text(name);
        self.text(module);
        self.text(file);
        self.bytes(text);
        self.text(form.name());
        self.flag(*form == Form::Frozen { fallback: true });
        self.number(*strip as u64);
        self.option(variants.as_ref(), |to, names| {
            to.list(names.iter(), |to, name| to.text(name));
        });
    }

    fn variant(&mut self, variant: &Variant) {
        let Variant {
            name,
            summary: _, // for people
            layout,
            asserts,
            select,
        } = variant;
        self.text(name);
        self.text(&layout.to_string());
        self.list(asserts.iter(), |to, text| to.text(text));
        self.list(select.iter(), |to, (target, condition)| {
            to.text(target);
            to.text(&condition.to_string());
        });
    }

    fn facts(&mut self, facts: &ModuleFacts) {
        let ModuleFacts {
            file,
            sha256,
            version,
            named,
            license,
            shipped,
        } = facts;
        self.text(file);
        self.bytes(sha256);
        self.option(version.as_ref(), |to, text| to.text(text));
        self.option(license.as_ref(), |to, text| to.text(text));
        self.flag(*named);
        self.flag(*shipped);
    }

    fn budget(&mut self, budget: &Budget) {
        let Budget {
            flash,
            load,
            heap_peak,
            heap_kept,
            allocations,
            narrow_reads,
        } = budget;
        for amount in [flash, load, heap_peak, heap_kept, allocations, narrow_reads] {
            self.option(amount.as_ref(), |to, Amount(amount)| to.number(*amount));
        }
    }

    fn head(&mut self, head: &Head) {
        let Head {
            capacity,
            address,
            freezes,
            hook,
            inflates,
            unpacks,
            heap,
            most_chunks,
            most_functions,
            variant,
            version,
            core,
        } = head;
        let numbers = [
            *capacity,
            *address,
            heap.head,
            heap.least,
            heap.align,
            *most_chunks,
            *most_functions,
        ];
        numbers
            .iter()
            .for_each(|number| self.number((*number).into()));
        let flags = [freezes, hook, inflates, unpacks];
        flags.iter().for_each(|flag| self.flag(**flag));
        self.text(variant);
        self.text(version);
        self.bytes(core);
    }

    fn firmware(&mut self, firmware: &Firmware) {
        let Firmware {
            api,
            chip,
            language,
            enabled,
            macros,
            said_by,
        } = firmware;
        self.text(&api.branch);
        self.option(chip.as_ref(), |to, chip| to.text(chip));
        self.list(language.globals.iter(), |to, name| to.text(name));
        self.option(enabled.as_ref(), |to, names| {
            to.list(names.iter(), |to, name| to.text(name));
        });
        self.named(macros, |to, is_defined| to.flag(*is_defined));
        self.option(said_by.as_ref(), |to, file| to.text(file));
    }

    fn named<T>(&mut self, all: &BTreeMap<String, T>, write: impl Fn(&mut Fields, &T)) {
        self.list(all.iter(), |to, (name, value)| {
            to.text(name);
            write(to, value);
        });
    }
}

impl Plan {
    /// The keys of its chunks.
    pub(super) fn chunk_keys(&self) -> ChunkKeys {
        let mut fields = Fields(Sha256::new());
        fields.list(self.variants.iter(), Fields::variant);
        fields.number(self.heap_limit as u64);
        ChunkKeys(fields)
    }

    /// SHA-256 of all that [`Plan::build`] depends on but fastlua itself: one program makes the same bundle of all plans that
    /// have it. Distinguish other programs, even of the same version, by other means.
    pub fn digest(&self) -> [u8; 32] {
        let Plan {
            inputs,
            modules,
            variants,
            budget,
            budgets,
            heap_limit,
            others: _, // only errors name them
            purpose,
            target,
            globals,
        } = self;
        let mut fields = Fields(Sha256::new());
        fields.list(inputs.iter(), Fields::input);
        fields.named(modules, Fields::facts);
        fields.list(variants.iter(), Fields::variant);
        fields.budget(budget);
        fields.named(budgets, Fields::budget);
        fields.number(*heap_limit as u64);
        match purpose {
            Purpose::Fast => fields.number(0),
            Purpose::CModules => fields.number(1),
            Purpose::Lfs => fields.number(2),
            Purpose::Slot(head) => {
                fields.number(3);
                fields.head(head);
            }
        }
        fields.option(target.as_ref(), |to, target| to.firmware(target.firmware()));
        fields.list(globals.iter(), |to, name| to.text(name));
        fields.0.finalize().into()
    }
}
