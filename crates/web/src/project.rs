//! The files of a request as a project: those of its `fast.toml`, or all that are Lua.

use std::collections::BTreeMap;

use fastlua::{Error, Overrides, Project};
use serde_json::json;

use crate::Answer;
use crate::message::Files;
use crate::request::Settings;
use crate::said::{self, Said};

const MANIFEST: &str = "fast.toml";

/// All modules.
///
/// # Errors
/// The first fault of the manifest or a module.
pub(crate) fn project(
    files: &BTreeMap<String, Vec<u8>>,
    settings: &Settings,
    overrides: &Overrides,
) -> Result<Project, Error> {
    let mut project = match files.contains_key(MANIFEST) {
        true => Project::from_manifest(files, MANIFEST, overrides)?,
        false => {
            let mut project = Project::new();
            for (name, text) in files.iter().filter(|(name, _)| is_module(name, settings)) {
                project.add(overrides.module(name, text.as_slice()))?;
            }
            project
        }
    };
    project.add_shipped(&settings.with, overrides)?;
    Ok(project)
}

fn is_module(name: &str, settings: &Settings) -> bool {
    let is_firmware = settings.firmware.as_deref() == Some(name);
    !is_firmware && (name.ends_with(".lua") || name.ends_with(".lc"))
}

/// The files that are modules, each to be asked about by itself, and what is wrong with them as a whole.
pub(crate) fn modules(files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Answer {
    let overrides = settings.overrides();
    let planned = project(files, settings, &overrides).and_then(|p| p.plan(&settings.options()));
    let (names, messages) = match planned {
        Ok(plan) => {
            let mut names: Vec<String> = Vec::new();
            for input in plan.inputs {
                if !names.contains(&input.file) {
                    names.push(input.file);
                }
            }
            (names, Vec::new())
        }
        Err(error) => {
            let is_shown = |name: &&String| is_module(name, settings);
            let names = match files.contains_key(MANIFEST) {
                true => Vec::new(),
                false => files.keys().filter(is_shown).cloned().collect(),
            };
            // those of a file alone come with its costs
            let mut messages = said::of_error(&error);
            messages.retain(|said: &Said| !names.contains(&said.file));
            (names, messages)
        }
    };
    (
        json!({"modules": names, "messages": messages}),
        Files::new(),
    )
}
