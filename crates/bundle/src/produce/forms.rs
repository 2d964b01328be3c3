//! One input in several forms, to compare them: compiled, proved and squashed once.

use std::collections::BTreeMap;

use fastlua_bytecode::NumberModel;
use fastlua_variants::Variant;
use rayon::prelude::*;

use super::build::{Build, Outcome, Said, Squash, in_form};
use super::made::{Made, carried, refused_as};
use super::squash::squash_proved_from;
use crate::model::{Bundle, Fault, Form, Input, Severity, Warning};

/// An input in one form.
#[derive(Debug)]
pub struct InForm {
    /// The form.
    pub form: Form,
    /// The errors of the variants that can't carry it, as [`Build::run`] has them.
    pub faults: Vec<Fault>,
    /// What the compiler of the chip would refuse, as [`Bundle::refused`] has it. Empty if there are faults.
    pub refused: Vec<Fault>,
    /// The input alone, for the variants that can carry it; none if none can.
    pub bundle: Option<Bundle>,
}

impl Build<'_> {
    /// An input alone in each of these forms. It gives what [`Build::run`] gives for one form, but compiles and proves the
    /// input once for each variant, and squashes it once for all variants that take it as source.
    pub fn in_forms(&self, input: &Input, forms: &[Form]) -> Vec<InForm> {
        let variants = self.variants.iter().filter(|v| input.is_for(v));
        let variants: Vec<Variant> = variants.cloned().collect();
        let mut made: Vec<Result<Made, Said>> = variants
            .par_iter()
            .map(|variant| self.make(input, variant, forms, &()))
            .collect();
        let squashed = forms
            .iter()
            .any(|form| form.is_squashed() && refused_as(input, *form).is_none())
            .then(|| self.squash_once(input, &variants, &mut made))
            .flatten();
        let forms = forms.iter().map(|form| {
            let input = Input {
                form: *form,
                ..input.clone()
            };
            let squashed: Squash = match form.is_squashed() {
                true => squashed.clone().map(|text| in_form(&input, text?)),
                false => None,
            };
            in_one_form(self, &input, &variants, &made, &squashed)
        });
        forms.collect()
    }

    /// The squashed text for the variants that compile an input here and on the chip; none if there is no such variant.
    fn squash_once(
        &self,
        input: &Input,
        variants: &[Variant],
        made: &mut [Result<Made, Said>],
    ) -> Squash {
        let each = variants.iter().zip(made);
        let taking = each.filter_map(|(v, made)| Some((v.clone(), made.as_mut().ok()?)));
        let taking = taking.filter(|(_, made)| made.locals.is_empty());
        let (taking, mut its): (Vec<Variant>, Vec<&mut Made>) = taking.unzip();
        if taking.is_empty() {
            return None;
        }
        let mut known = BTreeMap::new();
        for (variant, made) in taking.iter().zip(&mut its) {
            known.insert(variant.layout.numbers(), made.bare.take());
        }
        let original = |target: &NumberModel| known.get(target)?.clone();
        let heap = self.heap_limit;
        let squashed = squash_proved_from(&input.text, &input.file, &taking, heap, original);
        let squashed = squashed.map_err(|error| Said::from(&error));
        Some(squashed.map(|squashed| squashed.text))
    }
}

/// An input in its form, for those of `variants` that can carry it.
fn in_one_form(
    build: &Build,
    input: &Input,
    variants: &[Variant],
    made: &[Result<Made, Said>],
    squashed: &Squash,
) -> InForm {
    let outcomes = made.iter().map(|made| match refused_as(input, input.form) {
        Some(error) => carried(input, Err(Said::from(&error)), squashed),
        None => {
            let made = made.as_ref().map(|made| made.for_form(input.form));
            carried(input, made.map_err(Said::clone), squashed)
        }
    });
    let outcomes: Vec<Outcome> = outcomes.collect();
    let outcomes = vec![outcomes];
    let all = Build { variants, ..*build };
    let of = |warnings: Vec<Warning>| warnings.into_iter().map(|warning| warning.fault).collect();
    let mut faults: Vec<Fault> = of(all.gather(&[input], &outcomes, |outcome| &outcome.errors));
    let mut refused = all.gather(&[input], &outcomes, |outcome| &outcome.remarks);
    refused.retain(|warning| warning.severity == Severity::Refused && faults.is_empty());
    let taking = variants.iter().zip(outcomes.into_iter().flatten());
    let taking = taking.filter(|(_, outcome)| !outcome.is_refused());
    let (taking, outcomes): (Vec<Variant>, Vec<Outcome>) =
        taking.map(|(v, outcome)| (v.clone(), outcome)).unzip();
    let alone = Build {
        variants: &taking,
        ..*build
    };
    let bundle = match taking.is_empty() {
        true => None,
        false => match alone.assemble(&[input], vec![outcomes]) {
            Ok(bundle) => Some(bundle),
            Err(more) => {
                faults.extend(more);
                None
            }
        },
    };
    InForm {
        form: input.form,
        faults,
        refused: of(refused),
        bundle,
    }
}
