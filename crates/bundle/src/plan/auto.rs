//! `as = "auto"`: which chunks are frozen, and where flash ends.

use crate::bundle::Bundle;
use crate::form::Form;
use crate::objects::{CoreLayout, Strings};

impl Bundle {
    /// Decides for the chunks whose form is [`Form::Auto`]: keeps frozen as many as fit with all
    /// chunks into `flash` bytes for every variant, the largest saving of heap for a byte of flash
    /// first. The others become bytecode. Without a limit all are frozen. `fallback` says whether these carry
    /// bytecode as well.
    pub fn choose_forms(&mut self, flash: Option<u64>, fallback: bool) {
        let frozen_form = Form::Frozen { fallback };
        let of_form = |test: fn(Form) -> bool| {
            let chunks = self.chunks.iter().enumerate();
            chunks.filter(move |(_, c)| test(c.form)).map(|(i, _)| i)
        };
        let mut open: Vec<usize> = of_form(|form| form == Form::Auto).collect();
        let mut frozen: Vec<usize> = of_form(Form::is_frozen).collect();
        while let Some(place) = self.best(&open, &frozen, flash, frozen_form) {
            frozen.push(open.remove(place));
        }
        for (i, chunk) in self.chunks.iter_mut().enumerate() {
            if chunk.form == Form::Auto && frozen.contains(&i) {
                chunk.form = frozen_form;
            } else if chunk.form == Form::Auto {
                chunk.form = Form::Bytecode;
            }
        }
    }

    /// The place in `open` of the chunk that is best frozen next, if any still fits; of those that
    /// are equally good the first.
    fn best(
        &self,
        open: &[usize],
        frozen: &[usize],
        flash: Option<u64>,
        frozen_form: Form,
    ) -> Option<usize> {
        let before: usize = self.flash_with(frozen, frozen_form).iter().sum();
        let candidate = |(place, &i): (usize, &usize)| {
            let after = self.flash_with(&[frozen, &[i]].concat(), frozen_form);
            let fits = |bytes: &usize| flash.is_none_or(|limit| *bytes as u64 <= limit);
            let taken = after.iter().sum::<usize>() - before;
            let gain = self.gain(i) as f64 / taken.max(1) as f64;
            after.iter().all(fits).then_some((place, gain))
        };
        open.iter()
            .enumerate()
            .filter_map(candidate)
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(place, _)| place)
    }

    /// Bytes of heap that a chunk saves as a frozen one, in all variants together.
    fn gain(&self, i: usize) -> usize {
        let dumps = self.chunks[i].dumps.iter().flatten();
        let costs = dumps.filter_map(|dump| dump.costs());
        costs
            .map(|c| c.bytecode_heap.saturating_sub(c.frozen_heap))
            .sum()
    }

    /// Bytes of flash for each variant if these chunks are frozen and all others whose form is open
    /// are bytecode.
    fn flash_with(&self, frozen: &[usize], frozen_form: Form) -> Vec<usize> {
        let form = |i: usize| match self.chunks[i].form {
            Form::Auto if frozen.contains(&i) => frozen_form,
            Form::Auto => Form::Bytecode,
            form => form,
        };
        let of_variant = |v: usize| {
            let chunks = (0..self.chunks.len()).map(|i| self.chunk_flash(v, i, form(i)));
            let objects = frozen.iter().filter_map(|&i| {
                let dump = self.chunks[i].dumps[v].as_ref()?;
                dump.compiled.as_ref()?.chunk.as_ref()
            });
            let numbers = self.variants[v].layout.numbers();
            let data = self.frozen_data(v).map(|(_, bytes)| bytes);
            let strings = Strings::of(numbers.dialect, objects, data, 0);
            let strings = strings.flash(&CoreLayout::of(numbers));
            chunks.sum::<usize>() + strings + self.shared_flash(v)
        };
        (0..self.variants.len()).map(of_variant).collect()
    }
}
