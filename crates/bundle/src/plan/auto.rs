//! `as = "auto"`: which chunks are frozen, where flash ends, and which are deflated where it would not do.

use std::cmp::Reverse;

use crate::bundle::{Bundle, BundledChunk, Dump};
use crate::form::Form;
use crate::objects::{CoreLayout, Strings};
use crate::produce::{Build, Input, Warning};

/// Bytes of the longest text that is deflated where it is not asked for: compiling takes about ten times the heap.
const LONGEST: usize = 2048;

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
            chunks.sum::<usize>() + strings.flash(&CoreLayout::of(numbers))
        };
        (0..self.variants.len()).map(of_variant).collect()
    }
}

/// A chunk as it would be deflated.
struct Candidate {
    /// Its place in the bundle.
    place: usize,
    chunk: BundledChunk,
    warnings: Vec<Warning>,
    /// Bytes of flash that it saves, in all variants together.
    saving: usize,
}

impl Build<'_> {
    /// Deflates chunks whose form was left open where all chunks are more than `flash` bytes for a variant: those with the
    /// largest saving first, until all fit. Of these are only the ones whose squashed text is short
    /// (2,048 bytes), as the chip has to compile it. If not even they do, none is deflated. `bundle` is what [`Build::run`]
    /// made, with the forms chosen.
    pub fn deflate_to_fit(&self, bundle: &mut Bundle, flash: u64) {
        if bundle.fits(flash) {
            return;
        }
        let mut fitting = bundle.clone();
        let mut candidates = self.candidates(bundle);
        candidates.sort_by_key(|candidate| Reverse(candidate.saving));
        for candidate in candidates {
            let name = &candidate.chunk.name;
            fitting.warnings.retain(|w| w.fault.chunk != *name);
            fitting.warnings.extend(candidate.warnings);
            fitting.chunks[candidate.place] = candidate.chunk;
            if fitting.fits(flash) {
                *bundle = fitting;
                return;
            }
        }
    }

    fn candidates(&self, bundle: &Bundle) -> Vec<Candidate> {
        let open = self.inputs.iter().filter(|input| input.form == Form::Auto);
        open.filter_map(|input| self.candidate(input, bundle))
            .collect()
    }

    fn candidate(&self, input: &Input, bundle: &Bundle) -> Option<Candidate> {
        let place = bundle.chunks.iter().position(|c| c.name == input.name)?;
        let was = &bundle.chunks[place];
        let variants = bundle.variants.iter().zip(&was.dumps);
        let carrying = variants.filter(|(_, dump)| dump.is_some());
        let build = Build {
            inputs: &[Input {
                form: Form::Deflated,
                ..input.clone()
            }],
            variants: &carrying.map(|(v, _)| v.clone()).collect::<Vec<_>>(),
            heap_limit: self.heap_limit,
        };
        let built = build.run(|| {}).ok()?;
        if !built.refused().is_empty() {
            return None;
        }
        let chunk = built.chunks.into_iter().next()?;
        let text = chunk.text(chunk.dumps.iter().flatten().next()?)?.len();
        let mut dumps = chunk.dumps.into_iter();
        let each = was.dumps.iter();
        let chunk = BundledChunk {
            dumps: each
                .map(|dump| dump.as_ref().and_then(|_| dumps.next().flatten()))
                .collect(),
            ..chunk
        };
        let bytes = |chunk: &BundledChunk| -> usize {
            let dumps = chunk.dumps.iter().flatten();
            dumps.map(Dump::words).sum()
        };
        let saving = bytes(was).saturating_sub(bytes(&chunk));
        (text <= LONGEST && saving > 0).then_some(Candidate {
            place,
            chunk,
            warnings: built.warnings,
            saving,
        })
    }
}

impl Bundle {
    /// Whether all chunks take at most so many bytes of flash in every variant.
    fn fits(&self, flash: u64) -> bool {
        (0..self.variants.len()).all(|v| self.flash(v) as u64 <= flash)
    }
}
