//! What a module costs in each form, for each variant.

use std::collections::BTreeMap;

use fastlua::{ComparedChunk, Error, Form, FormCost, Plan};
use serde::Serialize;
use serde_json::json;

use crate::message::Files;
use crate::request::{Asked, Settings};
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
    bytes: usize,
    flash: usize,
}

impl From<ComparedChunk> for ChunkCosts {
    fn from(chunk: ComparedChunk) -> ChunkCosts {
        let cost = |(form, cost): (Form, FormCost)| {
            let FormCost { bytes, flash } = cost;
            (form.name(), Cost { bytes, flash })
        };
        let each = chunk.variants.into_iter();
        let each = each.map(|(variant, costs)| (variant, costs.into_iter().map(cost).collect()));
        ChunkCosts {
            name: chunk.name,
            source_bytes: chunk.source_bytes,
            variants: each.collect(),
        }
    }
}

/// The costs of a file's chunks in the forms that are asked for, and the messages about it.
pub(crate) fn of(
    file: &str,
    asked: &Asked,
    files: &BTreeMap<String, Vec<u8>>,
    settings: &Settings,
) -> Answer {
    let plan = match plan(file, files, settings) {
        Ok(plan) => plan,
        Err(error) => return failed(said::of_error(&error)),
    };
    let all = || forms().map(|(_, form)| form).collect();
    let forms = asked.forms.clone().unwrap_or_else(all);
    let (compared, messages) = match asked.messages {
        false => (plan.compare(&forms), Vec::new()),
        true => match plan.compare_and_build(&forms) {
            (chunks, Ok(bundle)) => (chunks, said::of_bundle(&bundle)),
            (chunks, Err(error)) => (chunks, said::of_error(&error)),
        },
    };
    let chunks: Vec<ChunkCosts> = compared.into_iter().map(ChunkCosts::from).collect();
    (
        json!({"chunks": chunks, "messages": messages}),
        Files::new(),
    )
}

/// The chunks of a file alone.
fn plan(file: &str, files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Result<Plan, Error> {
    let project = project::project(files, settings, &settings.overrides())?;
    let mut plan = project.plan(&settings.options())?;
    plan.inputs.retain(|input| input.file == file);
    Ok(plan)
}
