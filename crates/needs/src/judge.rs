//! Compares what chunks need with what a firmware has.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::{Certainty, How};
use crate::api::{Api, Argument, ArgumentKind, Kind, Kinds, Language, closest};
use crate::uses::{Given, Needs, Use};

/// What a firmware has, as far as it is known.
#[derive(Debug, Clone)]
pub struct Firmware<'a> {
    /// The branch.
    pub api: &'a Api,
    /// The chip, such as `esp32c3`; none for any of the family.
    pub chip: Option<String>,
    /// The Lua in it.
    pub language: &'a Language,
    /// Names of modules that are enabled; none if that is not known.
    pub enabled: Option<BTreeSet<String>>,
    /// Whether a macro of its configuration is defined, where that is known.
    pub macros: BTreeMap<String, bool>,
    /// What says which modules are enabled, for messages: a file.
    pub said_by: Option<String>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The code fails there.
    Error,
    /// It probably fails there.
    Warning,
    /// It may fail there: something that is not known decides.
    Note,
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A rule that a use breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The firmware is built without the module.
    ModuleDisabled,
    /// The chip, or the branch, has no such module.
    ModuleAbsent,
    /// The module has no such function, table or constant.
    NameAbsent,
    /// The firmware is built without this function.
    NameDisabled,
    /// The object has no such method.
    MethodAbsent,
    /// An argument is of a wrong kind.
    ArgumentKind,
    /// A global is read, and nothing sets it.
    GlobalUndefined,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 7] = [
        Rule::ModuleDisabled,
        Rule::ModuleAbsent,
        Rule::NameAbsent,
        Rule::NameDisabled,
        Rule::MethodAbsent,
        Rule::ArgumentKind,
        Rule::GlobalUndefined,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Rule::ModuleDisabled => "module-disabled",
            Rule::ModuleAbsent => "module-absent",
            Rule::NameAbsent => "name-absent",
            Rule::NameDisabled => "name-disabled",
            Rule::MethodAbsent => "method-absent",
            Rule::ArgumentKind => "argument-kind",
            Rule::GlobalUndefined => "global-undefined",
        }
    }

    /// What it is about, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Rule::ModuleDisabled => "A module that this firmware is built without.",
            Rule::ModuleAbsent => "A module that no firmware for this chip has.",
            Rule::NameAbsent => "A function, table or constant that the module has not.",
            Rule::NameDisabled => "A function that this firmware is built without.",
            Rule::MethodAbsent => "A method that the object has not.",
            Rule::ArgumentKind => "An argument of a kind that the function refuses.",
            Rule::GlobalUndefined => "A global that is read and never set.",
        }
    }

    /// Its severity, if all is known.
    pub fn severity(self) -> Severity {
        match self {
            Rule::ModuleDisabled | Rule::ModuleAbsent => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

/// A use that a firmware has nothing for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The number of the use in [`Needs::uses`].
    pub at: usize,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong, and what to do.
    pub message: String,
}

/// All that firmware lacks. Without one, only what no branch has. `globals` are names that are set elsewhere.
pub fn judge(
    needs: &Needs,
    firmware: Option<&Firmware>,
    globals: &BTreeSet<String>,
) -> Vec<Finding> {
    let judge = Judge {
        needs,
        firmware,
        globals,
    };
    let mut findings = Vec::new();
    // one for each module in a chunk: the first place where it is used
    let mut told: BTreeSet<(usize, &str)> = BTreeSet::new();
    let mut same: BTreeSet<(usize, Option<u32>, usize, &str)> = BTreeSet::new();
    for (at, one) in needs.uses.iter().enumerate() {
        let Some((rule, message)) = judge.use_of(one) else {
            continue;
        };
        let is_of_module = rule.severity() == Severity::Error;
        if is_of_module && !told.insert((one.chunk, one.root())) {
            continue;
        }
        if !is_of_module && !same.insert((one.chunk, one.line, one.nth, &one.name)) {
            continue;
        }
        let is_open = rule == Rule::GlobalUndefined && judge.is_open();
        findings.push(Finding {
            rule,
            at,
            severity: match is_open {
                true => Severity::Note,
                false => rule.severity(),
            },
            message: match is_open {
                true => format!("{message}, unless code does that is not given here"),
                false => message,
            },
        });
    }
    findings
}

struct Judge<'a> {
    needs: &'a Needs,
    firmware: Option<&'a Firmware<'a>>,
    globals: &'a BTreeSet<String>,
}

type Broken = (Rule, String);

impl Judge<'_> {
    /// Whether code that is not given may set globals.
    fn is_open(&self) -> bool {
        !self.needs.missing.is_empty() || !self.needs.unknown.is_empty()
    }

    fn apis(&self) -> Vec<&Api> {
        match self.firmware {
            Some(firmware) => vec![firmware.api],
            None => vec![crate::api::esp8266(), crate::api::esp32()],
        }
    }

    fn has_language(&self, name: &str) -> bool {
        let of_branch = |api: &&Api| api.libraries.iter().any(|library| library == name);
        if self.apis().iter().any(of_branch) {
            return true;
        }
        let languages = crate::api::languages();
        match self.firmware {
            Some(firmware) => firmware.language.has(name),
            None => languages.lua51.has(name) || languages.lua53.has(name),
        }
    }

    fn use_of(&self, one: &Use) -> Option<Broken> {
        if one.certainty == Certainty::Optional || one.how == How::Set {
            return None;
        }
        if one.how == How::Read {
            return self.global(one);
        }
        if self.needs.set.contains(&one.name) || self.needs.set.contains(one.root()) {
            return None;
        }
        if one.name.contains(':') {
            return self.method(one);
        }
        let root = one.root();
        match one.name.split_once('.') {
            None if one.how == How::Index || one.how == How::Passed => self.module(root),
            None => None,
            Some((_, name)) => match self.is_enabled(root) {
                true => self.member(one, root, name),
                false => None,
            },
        }
    }

    /// A global that is read.
    fn global(&self, one: &Use) -> Option<Broken> {
        let name = &*one.name;
        let is_known = self.has_language(name)
            || self.globals.contains(name)
            || self.needs.set.contains(name)
            || self.needs.tested.contains(name)
            || self.apis().iter().any(|api| api.modules.contains_key(name))
            || matches!(name, "LFS" | "_ENV");
        // uses of a module that a branch has or had are judged as those of a module
        let is_module = |api: &Api| api.modules.contains_key(name) || api.replaced(name).is_some();
        let all = [crate::api::esp8266(), crate::api::esp32()];
        if is_known || all.into_iter().any(is_module) {
            return None;
        }
        let mut meant: Vec<&str> = Vec::new();
        for api in self.apis() {
            meant.extend(api.modules.keys().map(String::as_str));
        }
        let languages = crate::api::languages();
        let language = self.firmware.map_or(&languages.lua51, |f| f.language);
        meant.extend(language.globals.iter().map(String::as_str));
        meant.extend(language.libraries.keys().map(String::as_str));
        meant.extend(
            self.needs
                .set
                .iter()
                .filter(|n| !n.contains('.'))
                .map(String::as_str),
        );
        let other = [&languages.lua51, &languages.lua53]
            .iter()
            .any(|l| l.has(name));
        let end = match closest(name, meant.into_iter()) {
            _ if other => "; another version of Lua has it".into(),
            Some(meant) => format!("; did you mean {meant}?"),
            None => String::new(),
        };
        let message = format!("the global {name} is read, and nothing sets it{end}");
        Some((Rule::GlobalUndefined, message))
    }

    /// Whether the firmware has the module, or Lua the library.
    fn is_enabled(&self, root: &str) -> bool {
        self.module(root).is_none()
    }

    fn module(&self, root: &str) -> Option<Broken> {
        // a library of the other Lua is a global that nothing sets
        let languages = crate::api::languages();
        let is_of_lua = [&languages.lua51, &languages.lua53]
            .iter()
            .any(|l| l.has(root));
        if is_of_lua || self.has_language(root) || root == "LFS" {
            return None;
        }
        let Some(firmware) = self.firmware else {
            let apis = self.apis();
            if apis.iter().any(|api| api.modules.contains_key(root)) {
                return None;
            }
            let gone = apis[0].replaced(root)?;
            let message = format!("no firmware has the module {root}{}", instead(gone));
            return Some((Rule::ModuleAbsent, message));
        };
        let api = firmware.api;
        let Some(module) = api.modules.get(root) else {
            let end = match api.replaced(root) {
                Some(gone) => instead(gone),
                None => String::new(),
            };
            let message = format!("{} has no module {root}{end}", firmware.name());
            return Some((Rule::ModuleAbsent, message));
        };
        let is_of_chip = |chip: &String| module.chips.is_empty() || module.chips.contains(chip);
        if let Some(chip) = firmware.chip.as_ref().filter(|chip| !is_of_chip(chip)) {
            let message = format!(
                "{chip} has no module {root}; these have it: {}",
                module.chips.join(", ")
            );
            return Some((Rule::ModuleAbsent, message));
        }
        let enabled = firmware.enabled.as_ref()?;
        if enabled.contains(root) {
            return None;
        }
        let by = match &firmware.said_by {
            Some(file) => format!("; enable {}{} ({file})", api.switch, module.macro_name),
            None => format!("; enable {}{}", api.switch, module.macro_name),
        };
        let message = format!("the firmware is built without the module {root}{by}");
        Some((Rule::ModuleDisabled, message))
    }

    /// Something in a module.
    fn member(&self, one: &Use, root: &str, name: &str) -> Option<Broken> {
        let apis = self.apis();
        let of_modules: Vec<_> = apis
            .iter()
            .filter_map(|api| Some((*api, api.modules.get(root)?)))
            .collect();
        if of_modules.is_empty() {
            return self.member_of_library(one, root, name);
        }
        for (api, module) in &of_modules {
            let Some(kind) = module.kind(name) else {
                continue;
            };
            if one.how == How::Call && kind == Kind::Function {
                return self
                    .condition(module.only_with(name), &one.name)
                    .or_else(|| {
                        let gone = api.replaced_arguments(&one.name);
                        gone.filter(|(_, kinds)| fits(kinds, &one.arguments))
                            .map(|(gone, _)| {
                                let message = format!(
                                    "{} no longer takes these arguments{}",
                                    one.name,
                                    instead(gone)
                                );
                                (Rule::ArgumentKind, message)
                            })
                            .or_else(|| wrong_kinds(one, &api.arguments(&one.name)?))
                    });
            }
            return self.condition(module.only_with(name), &one.name);
        }
        let is_open = of_modules.iter().any(|(_, module)| {
            let mut part = name;
            loop {
                if module.is_open(part) {
                    return true;
                }
                match part.rsplit_once('.') {
                    // of a constant or a function nothing more is known
                    Some((table, _)) => {
                        let kind = module.kind(table);
                        if kind.is_some_and(|kind| kind != Kind::Table) {
                            return true;
                        }
                        part = table;
                    }
                    None => return false,
                }
            }
        });
        // a missing table is reported by itself
        let table = name.rsplit_once('.').map(|(table, _)| table);
        let is_in_none = table.is_some_and(|t| of_modules.iter().all(|(_, m)| m.kind(t).is_none()));
        if is_open || is_in_none {
            return None;
        }
        let gone = apis.iter().find_map(|api| api.replaced(&one.name));
        let names = of_modules.iter().flat_map(|(_, module)| module.names());
        let end = match (gone, closest(name, names.map(|(name, _)| name))) {
            (Some(gone), _) => instead(gone),
            (None, Some(meant)) => format!("; did you mean {root}.{meant}?"),
            (None, None) => String::new(),
        };
        let of = match self.firmware {
            Some(firmware) => format!("{} has no {}", firmware.name(), one.name),
            None => format!("no firmware has {}", one.name),
        };
        Some((Rule::NameAbsent, format!("{of}{end}")))
    }

    /// Something in a library of Lua.
    fn member_of_library(&self, one: &Use, root: &str, name: &str) -> Option<Broken> {
        let languages = crate::api::languages();
        let all = match self.firmware {
            Some(firmware) => vec![firmware.language],
            None => vec![&languages.lua51, &languages.lua53],
        };
        // what is in `package` and `debug` depends on more than the version
        if matches!(root, "package" | "debug") || name.contains('.') {
            return None;
        }
        let libraries: Vec<&Vec<String>> = all
            .iter()
            .filter_map(|language| language.libraries.get(root))
            .collect();
        let has = |library: &&Vec<String>| library.iter().any(|known| known == name);
        if libraries.is_empty() || libraries.iter().any(has) {
            return None;
        }
        let elsewhere = [&languages.lua51, &languages.lua53]
            .iter()
            .any(|language| language.libraries.get(root).as_ref().is_some_and(has));
        let names = libraries.iter().flat_map(|library| library.iter());
        let end = match closest(name, names.map(String::as_str)) {
            _ if elsewhere => "; another version of Lua has it".into(),
            Some(meant) => format!("; did you mean {root}.{meant}?"),
            None => String::new(),
        };
        let message = format!("Lua in this firmware has no {}{end}", one.name);
        Some((Rule::NameAbsent, message))
    }

    /// A name that the firmware may be built without.
    fn condition(&self, only_with: Option<&str>, name: &str) -> Option<Broken> {
        let (condition, firmware) = (only_with?, self.firmware?);
        if firmware.macros.get(condition) != Some(&false) {
            return None;
        }
        let message = format!("the firmware is built without {name}; define {condition}");
        Some((Rule::NameDisabled, message))
    }

    fn method(&self, one: &Use) -> Option<Broken> {
        let (class, method) = one.name.split_once(':')?;
        let apis = self.apis();
        let classes: Vec<_> = apis
            .iter()
            .filter_map(|api| Some((*api, api.object(class)?)))
            .collect();
        if classes.is_empty() {
            return None;
        }
        for (api, object) in &classes {
            if object.methods.iter().any(|known| known == method) {
                let is_call = one.how == How::Call;
                return self
                    .condition(object.only_with(method), method)
                    .or_else(|| {
                        let kinds = api.arguments(&one.name).filter(|_| is_call)?;
                        wrong_kinds(one, &kinds)
                    });
            }
        }
        let names = classes.iter().flat_map(|(_, object)| &object.methods);
        let end = match closest(method, names.map(String::as_str)) {
            Some(meant) => format!("; did you mean {meant}?"),
            None => String::new(),
        };
        let message = format!(
            "{} has no method {method}{end}",
            described(classes[0].0, class)
        );
        Some((Rule::MethodAbsent, message))
    }
}

impl Firmware<'_> {
    /// The firmware in a sentence.
    fn name(&self) -> String {
        format!(
            "NodeMCU for {}",
            self.chip.as_deref().unwrap_or(&self.api.chip)
        )
    }
}

/// What to take in place of something that is gone.
fn instead(gone: &crate::api::Replaced) -> String {
    match &gone.removed {
        Some(version) => format!(" since {version}; use {}", gone.instead),
        None => format!("; use {}", gone.instead),
    }
}

/// An object of a class by what makes it.
fn described(api: &Api, class: &str) -> String {
    let (module, name) = class.split_once('.').unwrap_or((class, ""));
    let makes = api.modules.get(module).map(|module| &module.makes);
    let maker = makes.and_then(|makes| makes.iter().find(|(_, made)| *made == name));
    match maker {
        Some((function, _)) => format!("the object of {module}.{function}"),
        None => format!("an object of {module}"),
    }
}

/// Whether arguments are surely of these kinds.
fn fits(kinds: &Kinds, given: &[Given]) -> bool {
    let fits = |(argument, given): (&Argument, &Given)| match argument.kind {
        ArgumentKind::Any => true,
        ArgumentKind::Text => matches!(given, Given::Text(_)),
        ArgumentKind::Number => matches!(given, Given::Number),
        ArgumentKind::Table => matches!(given, Given::Table),
        ArgumentKind::Function => matches!(given, Given::Function),
        ArgumentKind::Boolean => matches!(given, Given::Boolean),
    };
    given.len() >= kinds.0.len() && kinds.0.iter().zip(given).all(fits)
}

/// The first argument of a call that the function refuses.
fn wrong_kinds(one: &Use, kinds: &Kinds) -> Option<Broken> {
    for (place, argument) in kinds.0.iter().enumerate() {
        let given = one.arguments.get(place);
        let got = match given {
            Some(given) => refused(*argument, given),
            None if argument.optional || !one.is_whole => None,
            None => Some("nothing"),
        };
        if let Some(got) = got {
            let message = format!(
                "argument {} of {} is {got}, and must be a {}",
                place + 1,
                one.name,
                argument.kind.name()
            );
            return Some((Rule::ArgumentKind, message));
        }
    }
    None
}

/// What an argument is, if it is refused.
fn refused(argument: Argument, given: &Given) -> Option<&'static str> {
    use ArgumentKind::{Any, Boolean, Function, Number, Table, Text};
    match (argument.kind, given) {
        (Any, _) | (_, Given::Unknown) => None,
        (_, Given::Nil) => (!argument.optional).then_some("nil"),
        (Number, Given::Number) | (Text, Given::Number | Given::Text(_)) => None,
        (Number, Given::Text(None)) => None,
        (Number, Given::Text(Some(text))) => (!is_numeral(text)).then_some("a string"),
        (Boolean, Given::Boolean) | (Table, Given::Table) | (Function, Given::Function) => None,
        (_, Given::Number) => Some("a number"),
        (_, Given::Text(_)) => Some("a string"),
        (_, Given::Boolean) => Some("a boolean"),
        (_, Given::Table) => Some("a table"),
        (_, Given::Function) => Some("a function"),
    }
}

/// Whether Lua takes a text for a number.
fn is_numeral(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+']);
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => {
            text.parse::<f64>().is_ok()
                && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        }
    }
}
