//! `as = "auto"` if bytecode does not fit: packs chunks, and deflates chunks if packing is not enough.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::Loads;
use crate::model::{
    Bundle, BundledChunk, Dump, Fault, Form, Input, Warning, pack, packed, pool_of_packed, shared,
};
use crate::produce::Build;

/// Bytes of the longest text that is deflated without being requested: compiling takes about ten times the heap.
const LONGEST: usize = 2048;

/// A chunk as it would be deflated.
struct Candidate {
    /// Its place in the bundle.
    place: usize,
    chunk: BundledChunk,
    warnings: Vec<Warning>,
}

/// Changes of a bundle.
#[derive(Clone, Default)]
struct Change<'a> {
    /// The places of chunks that are packed.
    packed: Vec<usize>,
    /// Chunks that are deflated, packed before or not.
    deflated: Vec<&'a Candidate>,
}

/// The size of a bundle with a change, for each variant.
struct Measured {
    /// Bytes of each chunk, without the strings of frozen ones.
    chunks: Vec<Vec<usize>>,
    /// Bytes of flash of all.
    flash: Vec<i64>,
}

impl Measured {
    /// Bytes of a chunk, in all variants together.
    fn of(&self, place: usize) -> usize {
        self.chunks.iter().map(|of_variant| of_variant[place]).sum()
    }
}

impl Build<'_> {
    /// Packs chunks with an open form if all chunks are more than `flash` bytes for a variant: those with the
    /// largest saving first, as few as possible. If packing all of them is not enough, or saves nothing, it
    /// deflates such chunks in the same order, but only those with a short squashed text (2,048 bytes), since
    /// the chip has to compile it. If that is not enough either, all stay bytecode. `bundle` is the result of
    /// [`Build::run`], with the forms chosen.
    ///
    /// # Errors
    /// A chunk can't be packed: a fault of fastlua.
    pub fn fit(&self, bundle: &mut Bundle, flash: u64, loads: Loads) -> Result<(), Fault> {
        let trial = Trial::new(bundle, flash);
        let plain = trial.measure(&Change::default())?;
        if trial.excess(&plain.flash) <= 0 {
            return Ok(());
        }
        let mut bases = vec![(Change::default(), plain)];
        if loads.packed {
            let (order, full) = self.worth_packing(&trial, &bases[0].1)?;
            let packed = |count: usize| Change {
                packed: order[..count].to_vec(),
                ..Change::default()
            };
            if let Some(count) = trial.least(&bases[0].1, &full, &order, packed)? {
                let change = packed(count);
                return apply(bundle, &change);
            }
            bases.insert(0, (packed(order.len()), full));
        }
        let candidates = match loads.deflated {
            true => self.candidates(bundle),
            false => Vec::new(),
        };
        for (base, before) in bases {
            let saving = |candidate: &&Candidate| {
                let before = before.of(candidate.place);
                before.saturating_sub(bytes(&candidate.chunk))
            };
            let mut worth: Vec<&Candidate> = candidates.iter().filter(|c| saving(c) > 0).collect();
            worth.sort_by_key(|candidate| Reverse(saving(candidate)));
            let deflated = |count: usize| Change {
                deflated: worth[..count].to_vec(),
                ..base.clone()
            };
            let order: Vec<usize> = worth.iter().map(|candidate| candidate.place).collect();
            let full = trial.measure(&deflated(order.len()))?;
            if let Some(count) = trial.least(&before, &full, &order, deflated)? {
                let change = deflated(count);
                return apply(bundle, &change);
            }
        }
        Ok(())
    }

    /// The inputs with an open form.
    fn open(&self) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(|i| i.form == Form::Auto)
    }

    /// The places of chunks that packing makes smaller, the largest saving first, and what all takes where these are packed.
    fn worth_packing(
        &self,
        trial: &Trial,
        plain: &Measured,
    ) -> Result<(Vec<usize>, Measured), Fault> {
        let open: HashSet<&str> = self.open().map(|input| &*input.name).collect();
        let chunks = trial.bundle.chunks.iter().enumerate();
        let may = |chunk: &BundledChunk| {
            chunk.form == Form::Bytecode
                && chunk.strip == fastlua_bytecode::Strip::Lines
                && open.contains(&*chunk.name)
        };
        let all: Vec<usize> = chunks
            .filter(|(_, chunk)| may(chunk))
            .map(|(i, _)| i)
            .collect();
        let packed = |places: &[usize]| Change {
            packed: places.to_vec(),
            ..Change::default()
        };
        let full = trial.measure(&packed(&all))?;
        let saving = |i: usize| plain.of(i).saturating_sub(full.of(i));
        let mut places: Vec<usize> = all.iter().copied().filter(|i| saving(*i) > 0).collect();
        places.sort_by_key(|i| Reverse(saving(*i)));
        match places.len() == all.len() {
            true => Ok((places, full)),
            false => {
                let full = trial.measure(&packed(&places))?;
                Ok((places, full))
            }
        }
    }

    fn candidates(&self, bundle: &Bundle) -> Vec<Candidate> {
        let places = bundle.chunks.iter().enumerate();
        let places: HashMap<&str, usize> = places.map(|(i, chunk)| (&*chunk.name, i)).collect();
        let candidate = |input: &Input| self.candidate(input, bundle, *places.get(&*input.name)?);
        self.open().filter_map(candidate).collect()
    }

    fn candidate(&self, input: &Input, bundle: &Bundle, place: usize) -> Option<Candidate> {
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
        let built = build.run().ok()?;
        if !built.refused().is_empty() {
            return None;
        }
        let chunk = built.chunks.into_iter().next()?;
        let text = chunk.text(chunk.dumps.iter().flatten().next()?)?.len();
        let mut dumps = chunk.dumps.into_iter();
        let each = was.dumps.iter();
        let chunk = BundledChunk {
            identifier: was.identifier.clone(),
            dumps: each
                .map(|dump| dump.as_ref().and_then(|_| dumps.next().flatten()))
                .collect(),
            ..chunk
        };
        (text <= LONGEST).then_some(Candidate {
            place,
            chunk,
            warnings: built.warnings,
        })
    }
}

/// Bytes of flash of a chunk, in all variants together.
fn bytes(chunk: &BundledChunk) -> usize {
    chunk.dumps.iter().flatten().map(Dump::words).sum()
}

/// A bundle that is measured with changes, without making them.
struct Trial<'a> {
    bundle: &'a Bundle,
    limit: i64,
    /// Bytes of the strings of frozen chunks, which no change touches, for each variant.
    strings: Vec<usize>,
}

impl Trial<'_> {
    fn new(bundle: &Bundle, limit: u64) -> Trial<'_> {
        Trial {
            bundle,
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            strings: (0..bundle.variants.len())
                .map(|v| bundle.pool(v).1)
                .collect(),
        }
    }

    fn measure(&self, change: &Change) -> Result<Measured, Fault> {
        let chunks = &self.bundle.chunks;
        let mut deflated: Vec<Option<&BundledChunk>> = vec![None; chunks.len()];
        for candidate in &change.deflated {
            deflated[candidate.place] = Some(&candidate.chunk);
        }
        let mut packed: Vec<bool> = chunks.iter().map(|c| c.form == Form::Packed).collect();
        change.packed.iter().for_each(|place| packed[*place] = true);
        let each = packed.iter_mut().zip(&deflated);
        each.for_each(|(packed, deflated)| *packed &= deflated.is_none());
        let of_variant = |v: usize| {
            let pool = pool_of_packed(self.bundle, v, |i| packed[i]);
            let bytes = |i: usize| match deflated[i] {
                Some(chunk) => Ok(chunk.dumps[v].as_ref().map_or(0, Dump::words)),
                None if packed[i] => {
                    self::packed(self.bundle, v, i, &pool).map(|bytes| bytes.map_or(0, |b| b.len()))
                }
                None => Ok(self.bundle.chunk_flash(v, i, chunks[i].form)),
            };
            let chunks = (0..chunks.len())
                .map(bytes)
                .collect::<Result<Vec<_>, Fault>>()?;
            let is_packed = |i: usize| packed[i] && self.bundle.chunks[i].dumps[v].is_some();
            let shared = match (0..chunks.len()).any(is_packed) {
                true => 4 * shared(self.bundle.variants[v].layout.dialect(), &pool).len(),
                false => 0,
            };
            let flash = chunks.iter().sum::<usize>() + self.strings[v] + shared;
            Ok((chunks, flash as i64))
        };
        let variants = (0..self.bundle.variants.len()).map(of_variant);
        let (chunks, flash) = variants.collect::<Result<_, Fault>>()?;
        Ok(Measured { chunks, flash })
    }

    /// Bytes that are too many for the variant that has most of them, where each takes so many.
    fn excess(&self, flash: &[i64]) -> i64 {
        let most = flash.iter().copied().max().unwrap_or(0);
        most.saturating_sub(self.limit)
    }

    /// The number of chunks in `order` that must be changed until all fit, the first ones first; none if changing all of
    /// them is not enough. `before` and `full` are the sizes with none and with all of them changed.
    ///
    /// The savings of single chunks give an estimate. Sizes are measured only near the point where the estimate begins to
    /// fit, so few changes are measured.
    fn least<'c>(
        &self,
        before: &Measured,
        full: &Measured,
        order: &[usize],
        change: impl Fn(usize) -> Change<'c>,
    ) -> Result<Option<usize>, Fault> {
        let mut flash = full.flash.clone();
        let mut estimates = vec![self.excess(&flash)];
        if order.is_empty() || estimates[0] > 0 {
            return Ok(None);
        }
        for place in order.iter().rev() {
            for (v, flash) in flash.iter_mut().enumerate() {
                *flash += before.chunks[v][*place] as i64 - full.chunks[v][*place] as i64;
            }
            estimates.push(self.excess(&flash));
        }
        estimates.reverse();
        let (mut low, mut high) = (0, order.len());
        let mut error = 0;
        while high - low > 1 {
            let guess = (low..high)
                .find(|n| estimates[*n] + error <= 0)
                .unwrap_or(high);
            let count = guess.clamp(low + 1, high - 1);
            let excess = self.excess(&self.measure(&change(count))?.flash);
            error = excess - estimates[count];
            match excess <= 0 {
                true => high = count,
                false => low = count,
            }
        }
        Ok(Some(high))
    }
}

/// Makes a change.
fn apply(bundle: &mut Bundle, change: &Change) -> Result<(), Fault> {
    for place in &change.packed {
        bundle.chunks[*place].form = Form::Packed;
    }
    let deflated = change.deflated.iter();
    let names: HashSet<&str> = deflated.map(|candidate| &*candidate.chunk.name).collect();
    bundle.warnings.retain(|w| !names.contains(&*w.fault.chunk));
    for candidate in &change.deflated {
        bundle.warnings.extend(candidate.warnings.iter().cloned());
        bundle.chunks[candidate.place] = candidate.chunk.clone();
    }
    pack(bundle)
}
