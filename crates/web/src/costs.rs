//! What a module costs in each form, for each variant.

use std::collections::BTreeMap;

use fastlua::{Bundle, Dump, Error, Form, Plan};
use serde::Serialize;
use serde_json::json;

use crate::message::Files;
use crate::request::Settings;
use crate::said::Said;
use crate::{Answer, failed, forms, project, said};

/// A chunk of the module.
#[derive(Serialize)]
struct ChunkCosts {
    name: String,
    source_bytes: usize,
    /// By variant and form.
    variants: BTreeMap<String, BTreeMap<&'static str, Cost>>,
}

#[derive(Clone, Copy, Serialize)]
struct Cost {
    /// Bytes of the chunk: of the text or dump, or of its frozen objects with all their strings.
    bytes: usize,
    /// Bytes of flash that it takes alone.
    flash: usize,
}

/// What the chunks of a file cost, and what there is to say of them in the form that is asked for.
pub(crate) fn of(file: &str, files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Answer {
    match plan(file, files, settings).and_then(|plan| costs(&plan)) {
        Ok((chunks, messages)) => (
            json!({"chunks": chunks, "messages": messages}),
            Files::new(),
        ),
        Err(error) => failed(said::of_error(&error)),
    }
}

/// The chunks of a file alone.
fn plan(file: &str, files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Result<Plan, Error> {
    let project = project::project(files, settings, &settings.overrides())?;
    let mut plan = project.plan(&settings.options())?;
    plan.inputs.retain(|input| input.file == file);
    Ok(plan)
}

fn costs(plan: &Plan) -> Result<(Vec<ChunkCosts>, Vec<Said>), Error> {
    let messages = match plan.clone().build(None) {
        Ok(bundle) => said::of_bundle(&bundle),
        Err(error) => said::of_error(&error),
    };
    let mut chunks = Vec::new();
    for input in &plan.inputs {
        let forms: Vec<(&'static str, Form)> = match input.form.is_data() {
            true => vec![(input.form.name(), input.form)],
            false => forms().collect(),
        };
        let mut costs = ChunkCosts {
            name: input.name.clone(),
            source_bytes: input.text.len(),
            variants: BTreeMap::new(),
        };
        for (name, form) in forms {
            let mut alone = plan.clone();
            alone.inputs = vec![input.clone()];
            alone.inputs[0].form = form.with_fallback(false);
            for (variant, cost) in of_form(&alone) {
                costs
                    .variants
                    .entry(variant)
                    .or_default()
                    .insert(name, cost);
            }
        }
        chunks.push(costs);
    }
    Ok((chunks, messages))
}

/// What the one chunk of a plan costs each variant that can carry it in its form.
fn of_form(plan: &Plan) -> Vec<(String, Cost)> {
    let Ok(bundle) = plan.clone().build(None) else {
        // Some may be able to.
        let each = plan.variants.iter().filter(|_| plan.variants.len() > 1);
        let each = each.flat_map(|variant| {
            let mut alone = plan.clone();
            alone.variants = vec![variant.clone()];
            of_form(&alone)
        });
        return each.collect();
    };
    let variants = bundle.variants.iter().enumerate();
    let costs = variants.filter_map(|(v, variant)| Some((variant.name.clone(), cost(&bundle, v)?)));
    costs.collect()
}

/// What the one chunk of a bundle costs a variant.
fn cost(bundle: &Bundle, v: usize) -> Option<Cost> {
    let (chunk, dump): (_, &Dump) = bundle.of_variant(v).next()?;
    let frozen = dump.costs().filter(|_| chunk.form.is_frozen());
    Some(Cost {
        bytes: frozen.map_or(dump.bytes.len(), |c| c.frozen_flash + c.frozen_strings),
        flash: bundle.flash(v),
    })
}
