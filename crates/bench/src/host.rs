//! Loads in this process, whose sizes are not the chip's: what they cost in relation to plain source.

use fastlua_bundle::{BundledChunk, Dump};
use fastlua_compiler::{HeapUse, LoadBackError, Loaded, heap_use};

use crate::measure::{Built, Measurement, flash};
use crate::{Bench, Cost, Form, Ratio};

/// What each chunk of a target costs in the forms of one image.
pub(crate) fn costs(bench: &Bench<'_>, t: usize, built: &Built) -> Vec<Measurement> {
    let chunks = built.firmware.of_variant(t);
    let each = chunks.flat_map(|(chunk, dump)| {
        let forms = built.forms.iter();
        forms.map(move |form| {
            let cost = cost(bench, t, *form, chunk, dump);
            (*form, chunk.name.clone(), cost)
        })
    });
    each.collect()
}

fn cost(bench: &Bench<'_>, t: usize, form: Form, chunk: &BundledChunk, dump: &Dump) -> Cost {
    let (flash, strings) = flash(t, (chunk, dump));
    let ratio = match form.is_frozen() {
        true => None,
        false => Some(ratio(bench, t, form, chunk, dump)),
    };
    let (ratio, refused) = match ratio {
        Some(Ok(ratio)) => (Some(ratio), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
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
    bench: &Bench<'_>,
    t: usize,
    form: Form,
    chunk: &BundledChunk,
    dump: &Dump,
) -> Result<Ratio, LoadBackError> {
    let layout = &bench.targets[t].variant.layout;
    let name = format!("@{}", chunk.name);
    let weigh = |input| heap_use(layout, input, bench.heap_limit);
    let own = match form {
        Form::Source | Form::Squashed => weigh(Loaded::Source(&dump.bytes, &name))?,
        _ => weigh(Loaded::Dump(&dump.bytes))?,
    };
    let input = bench.inputs.iter().find(|input| input.name == chunk.name);
    let source = match input {
        Some(input) => weigh(Loaded::Source(&input.text, &name))?,
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
