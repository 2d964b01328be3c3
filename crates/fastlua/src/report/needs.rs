//! The report of `needs`.

use std::collections::BTreeMap;

use fastlua_bytecode::printable_name;
use fastlua_needs::api::{self, Kind};
use fastlua_needs::{Firmware, How, Need, Remark};
use serde::Serialize;

use super::OutputReport;
use crate::Diagnostic;
use crate::needs::{Found, Places, Target, has_errors};

/// What modules need of a firmware. `docs/machine-output.md` has its JSON.
#[derive(Debug, Clone, Serialize)]
pub struct NeedsReport {
    /// The JSON's shape.
    pub schema: &'static str,
    /// The firmware with which they were compared, if any.
    pub firmware: Option<NeedsFirmware>,
    /// The firmware's modules that they use, by name.
    pub modules: Vec<NeededModule>,
    /// Globals that they set, by name.
    pub globals: Vec<NeededName>,
    /// Chunks that they load by name and that are not among them.
    pub missing: Vec<NeedsRemark>,
    /// Places where it is not known what they use.
    pub unknown: Vec<NeedsRemark>,
    /// Errors, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were written: empty until the caller has done so.
    pub outputs: Vec<OutputReport>,
}

/// A firmware.
#[derive(Debug, Clone, Serialize)]
pub struct NeedsFirmware {
    /// The chip.
    pub chip: String,
    /// NodeMCU's branch.
    pub branch: String,
    /// The version of the branch whose API is known.
    pub version: String,
    /// The file that says which modules are enabled; none if all are taken for enabled.
    pub file: Option<String>,
}

/// A module of the firmware.
#[derive(Debug, Clone, Serialize)]
pub struct NeededModule {
    /// Its name.
    pub name: String,
    /// `needed`, `optional`, or `passed on` if it only goes where it can't be followed.
    pub need: &'static str,
    /// What enables it in the firmware's configuration; none if it is not known there.
    pub switch: Option<String>,
    /// Whether it is enabled, if that is known.
    pub enabled: Option<bool>,
    /// What of it is used, by name.
    pub names: Vec<NeededName>,
    /// Where it is used.
    pub places: Vec<NeedsPlace>,
}

/// A name that is used, or a global that is set.
#[derive(Debug, Clone, Serialize)]
pub struct NeededName {
    /// The whole name, such as `tmr.create`; of a method it is `tmr.timer:alarm`.
    pub name: String,
    /// `function`, `method`, `constant`, `table`; none for a global, or if it is not known.
    pub kind: Option<&'static str>,
    /// Where it is used.
    pub places: Vec<NeedsPlace>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NeedsPlace {
    /// The file, as the user gave it.
    pub file: String,
    /// The line; none in bytecode without lines.
    pub line: Option<u32>,
    /// The column, where it is known, from 1 on.
    pub column: Option<u32>,
}

/// Something of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeedsRemark {
    /// What it is, or the name of the chunk.
    pub what: String,
    /// Where.
    pub place: NeedsPlace,
}

/// What is known of a module while it is gathered.
#[derive(Default)]
struct Gathered {
    names: BTreeMap<String, Vec<NeedsPlace>>,
    places: Vec<NeedsPlace>,
}

impl NeedsReport {
    /// Name of the JSON's shape.
    pub const SCHEMA: &str = "fastlua-needs/1";

    pub(crate) fn new(
        found: &Found,
        target: Option<&Target>,
        diagnostics: Vec<Diagnostic>,
    ) -> NeedsReport {
        let firmware = target.map(Target::firmware);
        let mut places = Places::new(&found.inputs, found.dialect);
        let mut modules: BTreeMap<&str, Gathered> = BTreeMap::new();
        let mut globals: BTreeMap<&str, Vec<NeedsPlace>> = BTreeMap::new();
        for one in &found.needs.uses {
            let place = |column| NeedsPlace {
                file: found.inputs[one.chunk].file.clone(),
                line: one.line,
                column,
            };
            if one.how == How::Set {
                if !one.name.contains('.') {
                    let place = place(places.column(one));
                    globals.entry(&one.name).or_default().push(place);
                }
                continue;
            }
            let root = one.root();
            if !found.needs.is_of_module(one) {
                continue;
            }
            let place = place(places.column(one));
            let module = modules.entry(root).or_default();
            if one.name == root {
                module.places.push(place);
            } else {
                module
                    .names
                    .entry(one.name.clone())
                    .or_default()
                    .push(place);
            }
        }
        let remarks = |list: &[Remark]| {
            let place = |remark: &Remark| NeedsPlace {
                file: found.inputs[remark.chunk].file.clone(),
                line: remark.line,
                column: None,
            };
            let remarks = list.iter().map(|remark| NeedsRemark {
                what: remark.what.clone(),
                place: place(remark),
            });
            remarks.collect()
        };
        let needs = found.needs.modules();
        NeedsReport {
            schema: NeedsReport::SCHEMA,
            firmware: firmware.map(|firmware| NeedsFirmware {
                chip: firmware.chip.clone().unwrap_or(firmware.api.chip.clone()),
                branch: firmware.api.branch.clone(),
                version: firmware.api.version.clone(),
                file: firmware.said_by.clone(),
            }),
            modules: modules
                .into_iter()
                .map(|(name, gathered)| gathered.module(name, needs.get(name), firmware))
                .collect(),
            globals: globals
                .into_iter()
                .map(|(name, places)| NeededName {
                    name: name.to_owned(),
                    kind: None,
                    places: sorted(places),
                })
                .collect(),
            missing: remarks(&found.needs.missing),
            unknown: remarks(&found.needs.unknown),
            diagnostics,
            outputs: Vec::new(),
        }
    }

    /// Whether a diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }

    /// Its diagnostics as a SARIF 2.1.0 log.
    pub fn sarif(&self) -> String {
        super::sarif::sarif(&self.diagnostics)
    }

    /// As indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The modules with what is used of them, for people; a line has at most so many columns where that is possible.
    pub fn table(&self, width: usize) -> String {
        if self.modules.is_empty() {
            return "no module of the firmware is used\n".into();
        }
        let columns = self.modules.iter().map(|module| module.name.len());
        let first = columns.max().unwrap_or(0).max("module".len());
        let mut text = format!("{:first$}  need       of it\n", "module");
        for module in &self.modules {
            let names = module.names.iter().map(|name| {
                let whole = printable_name(&name.name);
                match whole.split_once(':') {
                    Some((_, method)) => format!(":{method}"),
                    None => whole
                        .split_once('.')
                        .map_or(whole.clone(), |(_, name)| name.into()),
                }
            });
            let mut line = format!("{:first$}  {:9}", module.name, module.need);
            let indent = line.chars().count() + 2;
            let mut column = indent;
            line += "  ";
            for (number, name) in names.enumerate() {
                if number > 0 {
                    line += ",";
                    column += 1;
                    if column + 1 + name.chars().count() > width {
                        line += &format!("\n{:indent$}", "");
                        column = indent;
                    } else {
                        line += " ";
                        column += 1;
                    }
                }
                column += name.chars().count();
                line += &name;
            }
            text += line.trim_end();
            text += "\n";
        }
        text
    }
}

fn sorted(mut places: Vec<NeedsPlace>) -> Vec<NeedsPlace> {
    places.sort();
    places.dedup();
    places
}

impl Gathered {
    fn module(self, name: &str, need: Option<&Need>, firmware: Option<&Firmware>) -> NeededModule {
        let of = match firmware {
            Some(firmware) => vec![firmware.api],
            None => vec![api::esp8266()],
        };
        let found = of
            .iter()
            .find_map(|api| Some((*api, api.modules.get(name)?)));
        let enabled = firmware.and_then(|firmware| firmware.enabled.as_ref());
        let names = self.names.into_iter().map(|(name, places)| NeededName {
            kind: of.iter().find_map(|api| api.kind(&name)).map(Kind::name),
            name,
            places: sorted(places),
        });
        NeededModule {
            name: name.to_owned(),
            need: need.copied().unwrap_or(Need::Passed).name(),
            switch: found.map(|(api, module)| format!("{}{}", api.switch, module.macro_name)),
            enabled: enabled.map(|enabled| enabled.contains(name)),
            names: names.collect(),
            places: sorted(self.places),
        }
    }
}
