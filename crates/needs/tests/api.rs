//! The data on the firmware's API hold together.

use std::collections::BTreeSet;

use fastlua_needs::api::{self, Api, ArgumentKind, Kind, Kinds, Module};

fn both() -> [&'static Api; 2] {
    [api::esp8266(), api::esp32()]
}

/// Each module with the names that its lists mention.
fn mentioned(module: &Module) -> Vec<&String> {
    let lists = module
        .only_with
        .values()
        .chain(module.since_version.values());
    lists
        .flatten()
        .chain(module.arguments.keys())
        .chain(module.makes.keys())
        .chain(module.gives.keys())
        .collect()
}

#[test]
fn a_name_stands_once_and_every_mention_is_of_one() {
    for api in both() {
        for (name, module) in &api.modules {
            let mut seen = BTreeSet::new();
            for (known, _) in module.names() {
                assert!(seen.insert(known), "{name}.{known} is there twice");
                if let Some((table, _)) = known.rsplit_once('.') {
                    assert_eq!(module.kind(table), Some(Kind::Table), "{name}.{known}");
                }
            }
            for mention in mentioned(module) {
                assert!(module.kind(mention).is_some(), "{name}.{mention}");
            }
            for object in module.objects.values() {
                let lists = object.only_with.values().flatten();
                for method in lists
                    .chain(object.arguments.keys())
                    .chain(object.gives.keys())
                {
                    assert!(object.methods.contains(method), "{name}:{method}");
                }
            }
        }
    }
}

#[test]
fn classes_exist() {
    for api in both() {
        for (name, module) in &api.modules {
            let of_objects = module
                .objects
                .values()
                .flat_map(|object| object.gives.values());
            let classes = module.makes.values().chain(module.gives.values());
            for class in classes.chain(&module.others_make).chain(of_objects) {
                let whole = match class.contains('.') {
                    true => class.clone(),
                    false => format!("{name}.{class}"),
                };
                assert!(api.object(&whole).is_some(), "{name}: {class}");
            }
        }
    }
}

#[test]
fn macros_are_those_of_one_module_each() {
    for api in both() {
        let mut seen = BTreeSet::new();
        for (name, module) in &api.modules {
            assert!(seen.insert(&module.macro_name), "{name}");
        }
        for (name, module) in &api.modules {
            for required in &module.requires {
                assert!(seen.contains(required), "{name} requires {required}");
            }
        }
    }
}

#[test]
fn what_is_replaced_is_not_there() {
    for api in both() {
        for replaced in &api.replaced {
            for name in &replaced.names {
                let is_there = api.kind(name).is_some();
                assert_eq!(is_there, replaced.still.is_some(), "{}: {name}", api.chip);
            }
        }
    }
}

#[test]
fn names_and_their_kinds() {
    let api = api::esp8266();
    assert_eq!(api.kind("tmr"), Some(Kind::Module));
    assert_eq!(api.kind("tmr.create"), Some(Kind::Function));
    assert_eq!(api.kind("tmr.alarm"), None);
    assert_eq!(api.kind("tmr.timer:alarm"), Some(Kind::Method));
    assert_eq!(api.kind("tmr.timer:alarn"), None);
    assert_eq!(api.kind("wifi.sta"), Some(Kind::Table));
    assert_eq!(api.kind("wifi.sta.getip"), Some(Kind::Function));
    assert_eq!(api.kind("gpio.OUTPUT"), Some(Kind::Constant));
    assert_eq!(api.kind("pwm"), Some(Kind::Module));
    assert_eq!(api::esp32().kind("pwm"), None);
    assert!(api.replaced("tmr.alarm").is_some());
    assert!(api.replaced("cjson.decode").is_some());
    assert!(api.replaced("tmr.now").is_none());
    assert!(api.replaced("wifi.sta.config").is_none());
    assert!(api.replaced_arguments("wifi.sta.config").is_some());
    let kinds = api.arguments("gpio.mode").unwrap();
    assert_eq!(kinds, Kinds::new("number number number?"));
    assert_eq!(kinds.0[0].kind, ArgumentKind::Number);
    assert!(kinds.0[2].optional);
}

#[test]
fn the_closest_name() {
    let wifi = &api::esp8266().modules["wifi"];
    let of = |wrong| api::closest(wrong, wifi.names().map(|(name, _)| name));
    assert_eq!(of("setMode"), Some("setmode"));
    assert_eq!(of("sta.getIP"), Some("sta.getip"));
    assert_eq!(of("xyzzy"), None);
}
