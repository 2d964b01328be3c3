//! What a cache keeps of an input: its chunk for every variant, as bytes.

use fastlua_bytecode::read;
use fastlua_variants::Variant;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh32::xxh32;

use super::build::{Outcome, Said};
use crate::model::{Compiled, Costs, Dump, Input, Need, Severity};

/// Keeps the chunks of inputs for later builds. What it returns for an input must be what it was given for the same input, the
/// same variants and the same heap limit by the same program.
pub trait Kept: Sync {
    /// What was kept for an input, if anything.
    fn get(&self, input: &Input) -> Option<Vec<u8>>;

    /// Keeps this for an input, if it can.
    fn put(&self, input: &Input, bytes: Vec<u8>);
}

#[derive(Serialize, Deserialize)]
struct KeptDump {
    bytes: Vec<u8>,
    /// Counts of a compiled chunk.
    compiled: Option<(Need, Costs)>,
}

#[derive(Serialize, Deserialize)]
struct KeptRemark {
    message: String,
    line: Option<u32>,
    column: Option<u32>,
    severity: Severity,
    of_fast: bool,
}

/// Of one variant.
type KeptOutcome = (Option<KeptDump>, Vec<KeptRemark>);

/// The outcomes of an input for all variants as bytes; none if one of them is an error.
pub(super) fn encode(outcomes: &[Outcome]) -> Option<Vec<u8>> {
    let kept: Option<Vec<KeptOutcome>> = outcomes.iter().map(keep).collect();
    postcard::to_stdvec(&kept?).ok()
}

fn keep(outcome: &Outcome) -> Option<KeptOutcome> {
    if !outcome.errors.is_empty() {
        return None;
    }
    let dump = outcome.dump.as_ref().map(|dump| KeptDump {
        bytes: dump.bytes.clone(),
        compiled: dump.compiled.as_ref().map(|c| (c.need.clone(), c.costs)),
    });
    let remarks = outcome.remarks.iter().map(|said| KeptRemark {
        message: said.message.clone(),
        line: said.line,
        column: said.column,
        severity: said.severity,
        of_fast: said.of_fast,
    });
    Some((dump, remarks.collect()))
}

/// The outcomes of an input from what was kept; none if they can't be those.
pub(super) fn decode(bytes: &[u8], input: &Input, variants: &[Variant]) -> Option<Vec<Outcome>> {
    let (kept, rest): (Vec<KeptOutcome>, _) = postcard::take_from_bytes(bytes).ok()?;
    if kept.len() != variants.len() || !rest.is_empty() {
        return None;
    }
    let each = kept.into_iter().zip(variants);
    each.map(|(kept, variant)| outcome(kept, input, variant))
        .collect()
}

fn outcome((dump, remarks): KeptOutcome, input: &Input, variant: &Variant) -> Option<Outcome> {
    let said = |kept: KeptRemark| Said {
        message: kept.message,
        line: kept.line,
        column: kept.column,
        severity: kept.severity,
        of_fast: kept.of_fast,
        because: None,
    };
    let is_there = dump.is_some() == input.is_for(variant);
    let dump = match dump {
        Some(kept) => Some(whole(kept, input, variant)?),
        None => None,
    };
    is_there.then(|| Outcome {
        dump,
        errors: Vec::new(),
        remarks: remarks.into_iter().map(said).collect(),
    })
}

fn whole(kept: KeptDump, input: &Input, variant: &Variant) -> Option<Dump> {
    let carries_text = input.form.is_source() || input.form.is_data();
    if carries_text == kept.compiled.is_some() {
        return None;
    }
    let compiled = match kept.compiled {
        None => None,
        Some((need, costs)) => Some(Compiled {
            need,
            costs,
            chunk: match input.form.keeps_chunk() {
                true => Some(read(&kept.bytes, &variant.layout).ok()?),
                false => None,
            },
        }),
    };
    Some(Dump {
        xxh32: xxh32(&kept.bytes, 0),
        bytes: kept.bytes,
        compiled,
    })
}
