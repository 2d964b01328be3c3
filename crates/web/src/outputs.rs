//! What can be downloaded: the files that the command line would write.

use std::collections::BTreeMap;

use fastlua::{
    CompileOptions, Error, Firmware, Input, LfsOptions, Options, Overrides, PatchOptions, Plan,
    Project, Slot, Source, Strip, Variant, compile, counted,
};
use serde_json::json;

use crate::message::Files;
use crate::request::{Output, Settings};
use crate::said::{self, Said};
use crate::{Answer, failed, project};

/// Files, a line about each thing that was made, and what else there is to say.
#[derive(Default)]
struct Made {
    files: Files,
    lines: Vec<String>,
    messages: Vec<Said>,
}

type Outcome = Result<Made, Vec<Said>>;

pub(crate) fn make(
    output: Output,
    mut files: BTreeMap<String, Vec<u8>>,
    settings: &Settings,
) -> Answer {
    let made = match output {
        Output::Lc => lc(&files, settings),
        Output::Lfs => lfs(&files, settings),
        Output::C => c(&files, settings),
        Output::Patch => patch(&mut files, settings),
    };
    match made {
        Ok(made) => (
            json!({"lines": made.lines, "messages": made.messages}),
            made.files,
        ),
        Err(messages) => failed(messages),
    }
}

fn wrong(error: Error) -> Vec<Said> {
    said::of_error(&error)
}

fn plan(
    files: &BTreeMap<String, Vec<u8>>,
    settings: &Settings,
    overrides: &Overrides,
    variant: Option<&Variant>,
) -> Result<Plan, Vec<Said>> {
    plan_by(Project::plan, files, settings, overrides, variant)
}

/// A plan of the modules, by [`Project::plan`] or [`Project::plan_for_lfs`].
fn plan_by(
    plan: impl Fn(Project, &Options) -> Result<Plan, Error>,
    files: &BTreeMap<String, Vec<u8>>,
    settings: &Settings,
    overrides: &Overrides,
    variant: Option<&Variant>,
) -> Result<Plan, Vec<Said>> {
    let mut options = settings.options();
    if let Some(variant) = variant {
        options.variants = Some(vec![variant.name.clone()]);
    }
    let project = project::project(files, settings, overrides).map_err(wrong)?;
    if project.is_empty() {
        return Err(vec![Said::error("there is no module")]);
    }
    plan(project, &options).map_err(wrong)
}

/// What an output that is for one variant has before its ending, where there are several.
fn marked(name: &str, ending: &str, variant: &Variant, all: &[Variant]) -> String {
    match all.len() {
        1 => format!("{name}.{ending}"),
        _ => format!("{name}-{}.{ending}", variant.name),
    }
}

/// Each module as `fastlua compile` makes it.
fn lc(files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Outcome {
    let whole = Overrides {
        whole: true,
        ..settings.overrides()
    };
    let plan = plan(files, settings, &whole, None)?;
    let strip = settings.strip().unwrap_or(Strip::Names);
    let mut made = Made::default();
    let mut errors = Vec::new();
    for input in plan.inputs.iter().filter(|input| !input.form.is_data()) {
        for variant in plan.variants.iter().filter(|v| input.is_for(v)) {
            match dump(input, variant, strip) {
                Ok((bytes, messages)) => {
                    let stem = input.file.strip_suffix(".lua").unwrap_or(&input.file);
                    let name = marked(stem, "lc", variant, &plan.variants);
                    made.lines.push(format!("{name}: {} bytes", bytes.len()));
                    made.files.push((name, bytes));
                    made.messages.extend(messages);
                }
                Err(error) => errors.push(error),
            }
        }
    }
    made.messages = each_once(made.messages);
    match errors.is_empty() {
        true => Ok(made),
        false => Err(each_once(errors)),
    }
}

/// The bytecode that `fastlua compile` writes for a variant, with its warnings and notes.
fn dump(input: &Input, variant: &Variant, strip: Strip) -> Result<(Vec<u8>, Vec<Said>), Said> {
    let file = &input.file;
    let source = Source {
        file,
        chunk_name: &format!("@{file}"),
        text: &input.text,
    };
    let options = CompileOptions {
        strip,
        ..CompileOptions::default()
    };
    let compiled = compile(&source, variant, &options).map_err(|error| Said {
        line: error.diagnostic(file).line,
        ..Said::of_file(file, error)
    })?;
    let messages = compiled.remarks.iter().map(|remark| Said {
        severity: remark.severity.name(),
        line: Some(remark.line),
        ..Said::of_file(file, remark)
    });
    Ok((compiled.bytes, messages.collect()))
}

fn each_once(messages: Vec<Said>) -> Vec<Said> {
    let mut each = Vec::new();
    for message in messages {
        if !each.contains(&message) {
            each.push(message);
        }
    }
    each
}

/// An image for LFS for each variant, as `fastlua lfs` makes it.
fn lfs(files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Outcome {
    let functions = settings.overrides().for_functions();
    let mut made = Made::default();
    let all = plan_by(Project::plan_for_lfs, files, settings, &functions, None)?.variants;
    for variant in &all {
        let plan = plan_by(
            Project::plan_for_lfs,
            files,
            settings,
            &functions,
            Some(variant),
        )?;
        let bundle = plan.build(None).map_err(wrong)?;
        made.messages.extend(said::of_bundle(&bundle));
        let image = bundle.lfs_image(&LfsOptions::default());
        let image = image.map_err(|error| vec![Said::error(error)])?;
        made.lines.push(image.report.summary());
        let name = marked("lfs", "img", variant, &all);
        made.files.push((name, image.bytes));
    }
    made.messages = each_once(made.messages);
    Ok(made)
}

/// The C module, as `fastlua build` makes it.
fn c(files: &BTreeMap<String, Vec<u8>>, settings: &Settings) -> Outcome {
    let plan = plan(files, settings, &settings.overrides(), None)?;
    let bundle = plan.build(None).map_err(wrong)?;
    let line = |(v, variant): (usize, &Variant)| {
        let chunks = bundle.of_variant(v).count();
        format!(
            "{}: {}, {} bytes of flash",
            variant.name,
            counted(chunks, "chunk"),
            bundle.flash(v)
        )
    };
    Ok(Made {
        lines: bundle.variants.iter().enumerate().map(line).collect(),
        messages: said::of_bundle(&bundle),
        files: bundle
            .c_module()
            .map(|file| (file.name.clone(), file.bytes()))
            .into(),
    })
}

/// The firmware with the modules in its slot, as `fastlua patch` makes it.
fn patch(files: &mut BTreeMap<String, Vec<u8>>, settings: &Settings) -> Outcome {
    let name = settings.firmware.clone().unwrap_or_default();
    let bytes = files.remove(&name);
    let bytes = bytes.ok_or_else(|| vec![Said::error("drop the firmware first")])?;
    let failed =
        |error: &dyn std::fmt::Display| vec![Said::of_file(&name, format!("{name}: {error}"))];
    let mut firmware = Firmware::read(bytes).map_err(|error| failed(&error))?;
    let slot = firmware.slot(settings.slot);
    let slot = slot.map_err(|error| failed(&error))?;
    let known = settings.options().known;
    let variant = slot.variant(&known).map_err(|error| failed(&error))?;
    let plan = plan(files, settings, &settings.overrides(), Some(variant))?;
    let plan = plan.for_slot(&slot);
    let slot = Slot::clone(&slot);
    let bundle = plan.build(None).map_err(wrong)?;
    let patched = firmware
        .patch(settings.slot, &bundle, PatchOptions::default())
        .map_err(|error| failed(&error))?;
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, "bin"));
    Ok(Made {
        lines: vec![patched.summary(&slot)],
        messages: said::of_bundle(&bundle),
        files: vec![(format!("{stem}-patched.{ending}"), firmware.to_file())],
    })
}
