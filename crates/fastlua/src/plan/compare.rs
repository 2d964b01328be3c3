//! What the chunks of a plan cost in several forms.

use std::collections::BTreeMap;

use fastlua_bundle::{Fault, InForm, check_flash, too_large};

use super::{Plan, Purpose};
use crate::{Bundle, Error, Faults, Form};

/// A chunk in several forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedChunk {
    /// Its name.
    pub name: String,
    /// Bytes of its source.
    pub source_bytes: usize,
    /// By the name of the variant, the forms that it can carry, and that fit its chip, with their costs.
    pub variants: BTreeMap<String, Vec<(Form, FormCost)>>,
}

/// The cost of a chunk in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormCost {
    /// Bytes of the chunk: of the text or dump, or of its frozen objects with all their strings.
    pub bytes: usize,
    /// Bytes of flash that it takes alone.
    pub flash: usize,
}

impl Plan {
    /// Compares forms: the costs of each chunk, alone, in each of `forms`, for each variant that can carry it so. Frozen
    /// chunks are counted without bytecode beside them, and data as they are. Each chunk is compiled and proved once for
    /// each variant. [`Form::Auto`] is left out.
    pub fn compare(&self, forms: &[Form]) -> Vec<ComparedChunk> {
        self.compared(forms).0
    }

    /// [`Plan::compare`] and [`Plan::build`], which take little longer than one of them if the plan has one chunk, and its
    /// form is among `forms`.
    pub fn compare_and_build(&self, forms: &[Form]) -> (Vec<ComparedChunk>, Result<Bundle, Error>) {
        let (chunks, built) = self.compared(forms);
        let built = built.unwrap_or_else(|| self.clone().build(None));
        (chunks, built)
    }

    /// The chunks in each form, and the plan's bundle if it is one of them.
    fn compared(&self, forms: &[Form]) -> (Vec<ComparedChunk>, Option<Result<Bundle, Error>>) {
        let forms = forms.iter().copied().filter(|form| *form != Form::Auto);
        let mut built = None;
        let chunks = self.inputs.iter().map(|input| {
            let forms: Vec<Form> = match input.form {
                form if form.is_data() => vec![form],
                _ => forms.clone().collect(),
            };
            let mut chunk = ComparedChunk {
                name: input.name.clone(),
                source_bytes: input.text.len(),
                variants: BTreeMap::new(),
            };
            for mut found in self.builder().in_forms(input, &forms) {
                if found.form == input.form && self.inputs.len() == 1 {
                    built = self.outcome(&found);
                }
                count(&mut found, &mut chunk);
            }
            chunk
        });
        (chunks.collect(), built)
    }

    /// The result of [`Plan::build`], of its only chunk in its form; none if that is not known yet.
    fn outcome(&self, found: &InForm) -> Option<Result<Bundle, Error>> {
        let is_for_all = self
            .inputs
            .iter()
            .all(|i| self.variants.iter().all(|v| i.is_for(v)));
        if self.purpose != Purpose::Fast
            || self.target.is_some()
            || self.budget.flash.is_some()
            || !is_for_all
        {
            return None;
        }
        if let Err(error) = self.builder().check_flash() {
            return Some(Err(Error::TooLarge(error)));
        }
        let all = match found.faults.is_empty() {
            true => &found.refused,
            false => &found.faults,
        };
        match &found.bundle {
            _ if !all.is_empty() => Some(Err(self.faults_of(found, all).into())),
            Some(bundle) => Some(match check_flash(bundle) {
                Err(error) => Err(Error::TooLarge(error)),
                Ok(()) => Ok(Bundle::new(self.clone(), bundle.clone(), Vec::new())),
            }),
            None => None,
        }
    }

    /// [`Plan::faults`] of a chunk whose takers are known.
    fn faults_of(&self, found: &InForm, all: &[Fault]) -> Faults {
        match &found.bundle {
            None => self.faults(all.to_vec()),
            Some(bundle) => Faults {
                all: all.to_vec(),
                variants: self.variants.iter().map(|v| v.name.clone()).collect(),
                takers: bundle.variants.iter().map(|v| v.name.clone()).collect(),
            },
        }
    }
}

/// Adds what a chunk costs in a form.
fn count(found: &mut InForm, chunk: &mut ComparedChunk) {
    let Some(bundle) = &mut found.bundle else {
        return;
    };
    for chunk in &mut bundle.chunks {
        chunk.form = chunk.form.with_fallback(false);
    }
    for (v, variant) in bundle.variants.iter().enumerate() {
        let Some((alone, dump)) = bundle.of_variant(v).next() else {
            continue;
        };
        if too_large(bundle, v).is_some() {
            continue;
        }
        let frozen = dump.costs().filter(|_| alone.form.is_frozen());
        let cost = FormCost {
            bytes: frozen.map_or(dump.bytes.len(), |c| c.frozen_flash + c.frozen_strings),
            flash: bundle.flash(v),
        };
        let costs = chunk.variants.entry(variant.name.clone()).or_default();
        costs.push((found.form, cost));
    }
}
