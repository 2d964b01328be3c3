//! The configuration of a firmware with the modules that are needed, and no more.

use std::collections::BTreeSet;

use fastlua_needs::Need;
use fastlua_needs::api::Api;

use crate::NeedsReport;
use crate::needs::Target;

/// A module that is to be kept is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("NodeMCU for {chip} has no module {name}")]
pub struct NoModule {
    /// Its name.
    pub name: String,
    /// The chip.
    pub chip: String,
}

/// What enables the modules: the last parts of macros or symbols.
fn enabled(
    report: &NeedsReport,
    api: &Api,
    kept: &[String],
    chip: &str,
) -> Result<BTreeSet<String>, NoModule> {
    let mut enabled = BTreeSet::new();
    let mut names: Vec<&String> = kept.iter().collect();
    let needed = report.modules.iter();
    let needed = needed.filter(|module| module.need != Need::Optional.name());
    names.extend(
        needed
            .map(|module| &module.name)
            .filter(|name| api.modules.contains_key(*name)),
    );
    for name in names {
        let module = api.modules.get(name).ok_or_else(|| NoModule {
            name: name.clone(),
            chip: chip.to_owned(),
        })?;
        enabled.insert(module.macro_name.clone());
        enabled.extend(module.requires.iter().cloned());
    }
    // functions that are there only with the switch of another module
    let used = report.modules.iter().flat_map(|module| &module.names);
    for used in used {
        let Some((root, name)) = used.name.split_once('.') else {
            continue;
        };
        let module = api.modules.get(root);
        let condition = module.and_then(|module| module.only_with(name));
        if let Some(other) = condition.and_then(|macro_name| macro_name.strip_prefix(&api.switch)) {
            enabled.insert(other.to_owned());
        }
    }
    Ok(enabled)
}

/// The text of `user_modules.h`, or the lines of `sdkconfig`, that enable what `report` needs, and `kept`. `old` is the file as
/// it is: its other lines stay, and so do lines of modules with the word `keep` in a comment.
///
/// # Errors
/// A module of `kept` is not known.
pub fn configuration(
    report: &NeedsReport,
    target: &Target,
    kept: &[String],
    old: Option<&str>,
) -> Result<String, NoModule> {
    let firmware = target.firmware();
    let api = firmware.api;
    let chip = firmware.chip.as_deref().unwrap_or(&api.chip);
    let mut enabled = enabled(report, api, kept, chip)?;
    let is_c = api.chip == "esp8266";
    let Some(old) = old else {
        return Ok(match is_c {
            true => header(&enabled, api),
            false => symbols(&enabled, api),
        });
    };
    let mut text = String::new();
    for line in old.split_inclusive('\n') {
        let plain = line.trim_end_matches(['\r', '\n']);
        match switch(plain, api, is_c) {
            Some((name, _)) if has_word(plain, "keep") => {
                enabled.remove(name);
                text += plain;
            }
            Some((name, rest)) => text += &set(enabled.remove(name), name, rest, api, is_c),
            None => text += plain,
        }
        text += &line[plain.len()..];
    }
    if !enabled.is_empty() {
        text = insert(&text, &enabled, api, is_c);
    }
    Ok(text)
}

fn has_word(line: &str, word: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric());
    words.into_iter().any(|found| found == word)
}

/// The module that a line enables or does not, and what stands behind its name.
fn switch<'a>(line: &'a str, api: &Api, is_c: bool) -> Option<(&'a str, &'a str)> {
    let rest = match is_c {
        true => {
            let line = line.trim_start();
            let line = line.strip_prefix("//").unwrap_or(line).trim_start();
            line.strip_prefix("#define")?
                .trim_start()
                .strip_prefix(&api.switch)?
        }
        false => line
            .strip_prefix("# ")
            .unwrap_or(line)
            .strip_prefix(&api.switch)?,
    };
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    // symbols of Kconfig with values of other kinds are settings
    let is_boolean = is_c || rest == "=y" || rest == "=n" || rest.starts_with(" is not set");
    (!name.is_empty() && is_boolean).then_some((name, rest))
}

fn set(is_on: bool, name: &str, rest: &str, api: &Api, is_c: bool) -> String {
    let switch = &api.switch;
    match (is_c, is_on) {
        (true, true) => format!("#define {switch}{name}{rest}"),
        (true, false) => format!("//#define {switch}{name}{rest}"),
        (false, true) => format!("{switch}{name}=y"),
        (false, false) => format!("# {switch}{name} is not set"),
    }
}

/// Lines of modules that the text has none for: before the last `#endif`s of a header, at the end of other files.
fn insert(text: &str, enabled: &BTreeSet<String>, api: &Api, is_c: bool) -> String {
    let line = |name: &String| set(true, name, "", api, is_c) + "\n";
    let lines: String = enabled.iter().map(line).collect();
    let is_switch = |line: &&str| switch(line.trim_end(), api, is_c).is_some();
    let behind = match text.split_inclusive('\n').rfind(is_switch) {
        Some(last) => text
            .rfind(last)
            .map_or(text.len(), |start| start + last.len()),
        None => text.len(),
    };
    let (before, after) = text.split_at(behind);
    let end = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{before}{end}{lines}{after}")
}

/// A `user_modules.h` of its own.
fn header(enabled: &BTreeSet<String>, api: &Api) -> String {
    let line = |name: &String| set(true, name, "", api, true) + "\n";
    let lines: String = enabled.iter().map(line).collect();
    format!(
        "// The modules that the Lua code needs, found by fastlua needs.\n#ifndef __USER_MODULES_H__\n#define __USER_MODULES_H__\n\n#ifndef LUA_CROSS_COMPILER\n{lines}#endif\n\n#endif\n"
    )
}

/// Lines for `sdkconfig.defaults`: each module is on or off.
fn symbols(enabled: &BTreeSet<String>, api: &Api) -> String {
    let names: BTreeSet<&String> = api
        .modules
        .values()
        .map(|module| &module.macro_name)
        .collect();
    let line = |name: &&String| set(enabled.contains(*name), name, "", api, false) + "\n";
    names.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use fastlua_bytecode::Dialect;

    use super::*;
    use crate::{Module, NeedsOptions, Project};

    fn made(chip: &str, old: Option<&str>, kept: &[&str]) -> Result<String, NoModule> {
        let mut project = Project::new();
        let text = "tmr.now() gpio.pulse.build() if bit then bit.bnot(1) end tls.setDebug(1)";
        project.add(Module::new("a.lua", text)).unwrap();
        let target = Target::of_chip(chip, Dialect::Lua51);
        let report = project.needs(&NeedsOptions::default()).unwrap();
        let kept: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
        configuration(&report, &target, &kept, old)
    }

    #[test]
    fn a_header_has_what_is_needed() {
        let text = made("esp8266", None, &["node"]).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .filter_map(|l| l.strip_prefix("#define LUA_USE_MODULES_"))
            .collect();
        assert_eq!(lines, ["GPIO", "GPIO_PULSE", "NET", "NODE", "TLS", "TMR"]);
        assert!(made("esp8266", None, &["nothing"]).is_err());
    }

    #[test]
    fn other_lines_of_a_header_stay() {
        let old = "// mine\r\n#define LUA_USE_MODULES_ADC // analog\r\n//#define LUA_USE_MODULES_TMR\n#define LUA_USE_MODULES_FAST // keep\n#define OTHER\n#endif\n";
        let new = "// mine\r\n//#define LUA_USE_MODULES_ADC // analog\r\n#define LUA_USE_MODULES_TMR\n#define LUA_USE_MODULES_FAST // keep\n#define LUA_USE_MODULES_GPIO\n#define LUA_USE_MODULES_GPIO_PULSE\n#define LUA_USE_MODULES_NET\n#define LUA_USE_MODULES_TLS\n#define OTHER\n#endif\n";
        assert_eq!(made("esp8266", Some(old), &[]).unwrap(), new);
        assert_eq!(made("esp8266", Some(new), &[]).unwrap(), new);
    }

    #[test]
    fn lines_of_sdkconfig_are_set() {
        let old = "CONFIG_NODEMCU_CMODULE_ADC=y\n# CONFIG_NODEMCU_CMODULE_TMR is not set\nCONFIG_NODEMCU_CMODULE_HTTPD_MAX_RESPONSE_HEADERS=5\n";
        let new = made("esp32", Some(old), &["sjson"]).unwrap();
        assert_eq!(
            new,
            "# CONFIG_NODEMCU_CMODULE_ADC is not set\nCONFIG_NODEMCU_CMODULE_TMR=y\nCONFIG_NODEMCU_CMODULE_GPIO=y\nCONFIG_NODEMCU_CMODULE_SJSON=y\nCONFIG_NODEMCU_CMODULE_HTTPD_MAX_RESPONSE_HEADERS=5\n"
        );
        let all = made("esp32", None, &[]).unwrap();
        assert!(all.contains("CONFIG_NODEMCU_CMODULE_TMR=y\n"));
        assert!(all.contains("# CONFIG_NODEMCU_CMODULE_ADC is not set\n"));
    }
}
