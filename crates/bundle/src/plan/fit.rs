//! `as = "auto"` where bytecode has no room: which chunks are packed, and which are deflated if that would not do.

use std::cmp::Reverse;

use crate::bundle::{Bundle, BundledChunk, Dump};
use crate::form::Form;
use crate::produce::{Build, Fault, Input, Warning};

/// Bytes of the longest text that is deflated where it is not asked for: compiling takes about ten times the heap.
const LONGEST: usize = 2048;

/// What the firmware loads besides dumps and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loads {
    /// Packed chunks.
    pub packed: bool,
    /// Deflated source.
    pub deflated: bool,
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
    /// Packs chunks whose form was left open where all chunks are more than `flash` bytes for a variant: those with the
    /// largest saving first, as many as it takes until all fit. Where not even all of them do it, or where packing them saves nothing, it
    /// deflates such chunks in the same order. Of these are only the ones whose squashed text is short (2,048 bytes), as
    /// the chip has to compile it. Where that is not enough either, all stay bytecode. `bundle` is what [`Build::run`]
    /// made, with the forms chosen.
    ///
    /// # Errors
    /// A chunk can't be packed: a fault of fastlua.
    pub fn fit(&self, bundle: &mut Bundle, flash: u64, loads: Loads) -> Result<(), Fault> {
        if bundle.fits(flash) {
            return Ok(());
        }
        let mut bases = vec![bundle.clone()];
        if loads.packed {
            let places = self.worth_packing(bundle)?;
            let packed = |count: usize| with_packed(bundle, &places[..count]);
            if let Some(fitting) = least(places.len(), flash, packed)? {
                *bundle = fitting;
                return Ok(());
            }
            bases.insert(0, with_packed(bundle, &places)?);
        }
        for base in bases.iter().filter(|_| loads.deflated) {
            let mut candidates = self.candidates(base);
            candidates.sort_by_key(|candidate| Reverse(candidate.saving));
            let deflated = |count: usize| with_deflated(base, &candidates[..count]);
            if let Some(fitting) = least(candidates.len(), flash, deflated)? {
                *bundle = fitting;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Names of the chunks that were left open.
    fn open(&self) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(|i| i.form == Form::Auto)
    }

    /// The places of chunks that packing makes smaller, the largest saving first.
    fn worth_packing(&self, bundle: &Bundle) -> Result<Vec<usize>, Fault> {
        let is_open = |chunk: &BundledChunk| {
            chunk.form == Form::Bytecode && self.open().any(|input| input.name == chunk.name)
        };
        let is_stripped = |chunk: &BundledChunk| chunk.strip == fastlua_bytecode::Strip::Lines;
        let places = 0..bundle.chunks.len();
        let places =
            places.filter(|i| is_open(&bundle.chunks[*i]) && is_stripped(&bundle.chunks[*i]));
        let mut places: Vec<usize> = places.collect();
        let packed = with_packed(bundle, &places)?;
        let saving = |i: usize| bytes(&bundle.chunks[i]).saturating_sub(bytes(&packed.chunks[i]));
        places.retain(|i| saving(*i) > 0);
        places.sort_by_key(|i| Reverse(saving(*i)));
        Ok(places)
    }

    fn candidates(&self, bundle: &Bundle) -> Vec<Candidate> {
        self.open()
            .filter_map(|input| self.candidate(input, bundle))
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
        let saving = bytes(was).saturating_sub(bytes(&chunk));
        (text <= LONGEST && saving > 0).then_some(Candidate {
            place,
            chunk,
            warnings: built.warnings,
            saving,
        })
    }
}

/// Bytes of flash of a chunk, in all variants together.
fn bytes(chunk: &BundledChunk) -> usize {
    chunk.dumps.iter().flatten().map(Dump::words).sum()
}

/// The bundle with these chunks packed.
fn with_packed(bundle: &Bundle, places: &[usize]) -> Result<Bundle, Fault> {
    let mut packed = bundle.clone();
    for place in places {
        packed.chunks[*place].form = Form::Packed;
    }
    packed.pack()?;
    Ok(packed)
}

/// The bundle with these chunks deflated.
fn with_deflated(bundle: &Bundle, candidates: &[Candidate]) -> Result<Bundle, Fault> {
    let mut deflated = bundle.clone();
    for candidate in candidates {
        let name = &candidate.chunk.name;
        deflated.warnings.retain(|w| w.fault.chunk != *name);
        deflated.warnings.extend(candidate.warnings.iter().cloned());
        deflated.chunks[candidate.place] = candidate.chunk.clone();
    }
    deflated.pack()?;
    Ok(deflated)
}

/// The bundle that is made with the fewest of `most` chunks, if one fits: with more of them it takes less.
fn least(
    most: usize,
    flash: u64,
    make: impl Fn(usize) -> Result<Bundle, Fault>,
) -> Result<Option<Bundle>, Fault> {
    let mut found = match most {
        0 => return Ok(None),
        most => make(most)?,
    };
    if !found.fits(flash) {
        return Ok(None);
    }
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = low.midpoint(high);
        let bundle = make(middle)?;
        match bundle.fits(flash) {
            true => (found, high) = (bundle, middle),
            false => low = middle + 1,
        }
    }
    Ok(Some(found))
}

impl Bundle {
    /// Whether all chunks take at most so many bytes of flash in every variant.
    fn fits(&self, flash: u64) -> bool {
        (0..self.variants.len()).all(|v| self.flash(v) as u64 <= flash)
    }
}
