//! Loads in this process, whose sizes are not the chip's: what they cost in relation to plain source.

use fastlua_bundle::{BundledChunk, Dump, Input};
use fastlua_compiler::{HeapUse, LoadBackError, Loaded, heap_use};

use crate::built::{Built, Measurement};
use crate::store::Flash;
use crate::{Column, Cost, Ratio, Target};

/// This process.
pub(crate) struct Host<'a> {
    /// The plain sources.
    pub(crate) inputs: &'a [Input],
    /// Bytes of heap for one load.
    pub(crate) heap_limit: usize,
}

impl Host<'_> {
    /// What each chunk of a target costs in the columns of one image.
    pub(crate) fn costs(&self, target: &Target, t: usize, built: &Built) -> Vec<Measurement> {
        let chunks = built.firmware.of_variant(t);
        let flash = built.flash(t).unwrap_or_default();
        let each = chunks.zip(flash).flat_map(|((chunk, dump), flash)| {
            let columns = built.columns.iter();
            columns.map(move |column| {
                let refused = built.refused(t, &chunk.name);
                let cost = self.cost(target, *column, (chunk, dump), flash, refused);
                (*column, chunk.name.clone(), cost)
            })
        });
        each.collect()
    }

    fn cost(
        &self,
        target: &Target,
        column: Column,
        (chunk, dump): (&BundledChunk, &Dump),
        (flash, strings): Flash,
        refused: Option<String>,
    ) -> Cost {
        let in_flash = column.is_frozen() || column.is_lfs();
        let measured = match in_flash || refused.is_some() {
            true => None,
            false => Some(self.ratio(target, chunk, dump)),
        };
        let (ratio, refused) = match measured {
            Some(Ok(ratio)) => (Some(ratio), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, refused),
        };
        Cost {
            flash,
            strings,
            load: None,
            ratio,
            refused,
            run: None,
        }
    }

    fn ratio(
        &self,
        target: &Target,
        chunk: &BundledChunk,
        dump: &Dump,
    ) -> Result<Ratio, LoadBackError> {
        let layout = &target.variant.layout;
        let name = format!("@{}", chunk.name);
        let load = |input| heap_use(layout, input, self.heap_limit);
        let text = chunk.text(dump);
        let bytes = chunk.unpacked(dump)?;
        let own = match &text {
            Some(text) => load(Loaded::Source(text, &name))?,
            None => load(Loaded::Dump(&bytes))?,
        };
        let input = self.inputs.iter().find(|input| input.name == chunk.name);
        let source = match input {
            Some(input) => load(Loaded::Source(&input.text, &name))?,
            None => own,
        };
        let of_source = |value: fn(&HeapUse) -> i64| {
            let whole = value(&source).max(1);
            (value(&own) * 1000 + whole / 2).div_euclid(whole)
        };
        Ok(Ratio {
            heap_peak: of_source(|heap| heap.peak as i64),
            heap_kept: of_source(|heap| heap.kept as i64),
            allocations: of_source(|heap| heap.allocations as i64),
        })
    }
}
