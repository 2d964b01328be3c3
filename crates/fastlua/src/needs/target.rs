//! The firmware with which modules are compared.

use std::collections::{BTreeMap, BTreeSet};

use fastlua_bytecode::Dialect;
use fastlua_needs::Firmware;
use fastlua_needs::api::{self, Api, Language, Module};
use fastlua_variants::tree;

use crate::plan::read_text;
use crate::{Chip, Error, Files, FirmwareTree};

const USER_MODULES: &str = "app/include/user_modules.h";
const USER_CONFIG: &str = "app/include/user_config.h";
const SDKCONFIG: &str = "sdkconfig";

/// What a firmware offers.
#[derive(Debug, Clone)]
pub struct Target {
    firmware: Firmware<'static>,
}

fn language(dialect: Dialect) -> &'static Language {
    match dialect {
        Dialect::Lua51 => &api::languages().lua51,
        Dialect::Lua53 => &api::languages().lua53,
    }
}

/// The branch for a chip of this name.
fn branch(chip: &str) -> &'static Api {
    match chip {
        "esp8266" => api::esp8266(),
        _ => api::esp32(),
    }
}

impl Target {
    /// NodeMCU for a chip, with all modules; `dialect` is its Lua.
    pub fn of_chip(chip: &str, dialect: Dialect) -> Target {
        Target {
            firmware: Firmware {
                api: branch(chip),
                // the name of the family stands for any of its chips
                chip: Some(chip.to_owned()),
                language: language(dialect),
                enabled: None,
                macros: BTreeMap::new(),
                said_by: None,
            },
        }
    }

    /// What a firmware tree is set to. A tree without `user_modules.h` has all modules.
    ///
    /// # Errors
    /// A file of it can't be read, or which modules it enables is unclear.
    pub fn of_tree(files: &dyn Files, of: &FirmwareTree) -> Result<Target, Error> {
        let dialect = of.variant.layout.dialect();
        match of.chip {
            Chip::Esp8266 => esp8266(files, dialect),
            _ => esp32(files, dialect),
        }
    }

    /// The file that says which modules are enabled; none if all are taken for enabled.
    pub fn file(&self) -> Option<&str> {
        self.firmware.said_by.as_deref()
    }

    /// The file of a tree that enables modules.
    pub fn configuration(&self) -> &'static str {
        match self.firmware.api.chip.as_str() {
            "esp8266" => USER_MODULES,
            _ => SDKCONFIG,
        }
    }

    pub(crate) fn firmware(&self) -> &Firmware<'static> {
        &self.firmware
    }
}

/// The macros on which names of a branch depend.
fn conditions(api: &'static Api) -> BTreeSet<&'static str> {
    let of = |module: &'static Module| {
        let objects = module.objects.values();
        let objects = objects.flat_map(|object| object.only_with.keys());
        module.only_with.keys().chain(objects)
    };
    api.modules
        .values()
        .flat_map(of)
        .map(String::as_str)
        .collect()
}

fn esp8266(files: &dyn Files, dialect: Dialect) -> Result<Target, Error> {
    let lua = match dialect {
        Dialect::Lua51 => 51,
        Dialect::Lua53 => 53,
    };
    let api = api::esp8266();
    let defined = |file: &str, names: &BTreeSet<&str>| {
        let Some(text) = read_text(files, file)? else {
            return Ok::<_, Error>(None);
        };
        let found = tree::defined(&text, names, lua).map_err(|error| Error::Tree {
            file: files.shown(file),
            line: error.line().and_then(|line| u32::try_from(line).ok()),
            reason: error.to_string(),
        })?;
        Ok(Some(found))
    };
    let switches: Vec<(String, &String)> = api
        .modules
        .iter()
        .map(|(name, module)| (format!("{}{}", api.switch, module.macro_name), name))
        .collect();
    let mut names: BTreeSet<&str> = switches.iter().map(|(switch, _)| &**switch).collect();
    let conditions = conditions(api);
    let of_modules = |name: &&str| name.starts_with(&api.switch);
    names.extend(conditions.iter().filter(|name| of_modules(name)));
    let Some(mut macros) = defined(USER_MODULES, &names)? else {
        return Ok(Target::of_chip("esp8266", dialect));
    };
    let enabled = switches
        .iter()
        // what may be enabled counts as such
        .filter(|(switch, _)| macros.get(switch) != Some(&false))
        .map(|(_, name)| (*name).clone())
        .chain(["fast".into()]) // whoever builds modules adds it
        .collect();
    let others = conditions.into_iter().filter(|name| !of_modules(name));
    macros.extend(defined(USER_CONFIG, &others.collect())?.unwrap_or_default());
    // headers of the tree other than these two define the rest
    macros.retain(|name, is_defined| {
        *is_defined || IN_USER_CONFIG.contains(&&**name) || name.starts_with(&api.switch)
    });
    macros.insert("LUA_VERSION_51".into(), dialect == Dialect::Lua51);
    Ok(Target {
        firmware: Firmware {
            api,
            chip: Some("esp8266".into()),
            language: language(dialect),
            enabled: Some(enabled),
            macros,
            said_by: Some(files.shown(USER_MODULES)),
        },
    })
}

/// Switches that stand in `user_config.h` and nowhere else.
const IN_USER_CONFIG: [&str; 6] = [
    "BUILD_FATFS",
    "GPIO_INTERRUPT_ENABLE",
    "NET_PING_ENABLE",
    "TIMER_SUSPEND_ENABLE",
    "WIFI_SDK_EVENT_MONITOR_ENABLE",
    "WIFI_SMART_ENABLE",
];

fn esp32(files: &dyn Files, dialect: Dialect) -> Result<Target, Error> {
    let text = read_text(files, SDKCONFIG)?.unwrap_or_default();
    let flags = tree::flags(&text);
    let api = api::esp32();
    let enabled = api
        .modules
        .iter()
        .filter(|(_, module)| flags.contains(&format!("{}{}", api.switch, module.macro_name)));
    let names = enabled.map(|(name, _)| name.clone());
    let mut macros: BTreeMap<String, bool> = conditions(api)
        .into_iter()
        .filter(|name| name.starts_with("CONFIG_"))
        .map(|name| (name.to_owned(), flags.contains(name)))
        .collect();
    macros.insert("LUA_VERSION_51".into(), dialect == Dialect::Lua51);
    Ok(Target {
        firmware: Firmware {
            api,
            chip: Some(tree::idf_target(&text).unwrap_or("esp32".into())),
            language: language(dialect),
            enabled: Some(names.chain(["fast".into()]).collect()),
            macros,
            said_by: Some(files.shown(SDKCONFIG)),
        },
    })
}
