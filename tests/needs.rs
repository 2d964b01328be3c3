//! What code needs: the data on the firmware's API are what the simulator has, and the shipped modules need what they say.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fastlua_needs::api;
use serde_json::Value;
use support::{fastlua, put, root, succeed};

/// Names in the data that the simulator does not have at all, even as ones that raise an error: they depend on switches
/// that are off by default.
const OFF_BY_DEFAULT: [&str; 13] = [
    "file.chdir",
    "file.mount",
    "net.cert",
    "net.cert.auth",
    "net.cert.verify",
    "node.float2int",
    "node.int2float",
    "node.readrcr",
    "node.writercr",
    "tmr.resume_all",
    "tmr.suspend_all",
    "wifi.monitor",
    "wifi.monitor.",
];

/// Names that the simulator lacks without a reason, or a group of them.
const NOT_SIMULATED: [&str; 3] = ["http.ERROR", "http.OK", "wifi.eventmon.reason."];

/// Names that the simulator has and the firmware's tables do not: NodeMCU's documentation has them.
const DOCUMENTED: [&str; 1] = ["sjson.NULL"];

/// Prints the names in each table of a list.
const NAMES: &str = r#"
local function walk(of, in_it)
  for name, value in pairs(in_it) do
    if type(name) == "string" then
      print("name " .. of .. name)
      if type(value) == "table" then walk(of .. name .. ".", value) end
    end
  end
end
"#;

fn is_in(list: &[&str], name: &str) -> bool {
    let matches = |known: &str| match known.ends_with('.') {
        true => name.starts_with(known),
        false => name == known,
    };
    list.iter().any(|known| matches(known))
}

#[test]
fn the_simulator_has_the_names_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let api = api::esp8266();
    let mut script = NAMES.to_owned();
    for name in api.modules.keys() {
        // a module that is not simulated raises an error that says so
        script += &format!(
            "if pcall(function() return {name}.x end) then walk('{name}.', {name}) else print('absent {name}', type({name})) end\n"
        );
    }
    put(folder.path(), "names.lua", script);
    let mut run = fastlua(root());
    run.current_dir(&folder)
        .args(["run", "--script", "names.lua"]);
    let printed = succeed(&mut run);
    let words = |mark: &str| -> BTreeSet<String> {
        let lines = printed.lines().filter_map(|line| line.strip_prefix(mark));
        lines
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    let (simulated, absent) = (words("name "), words("absent "));
    let modules: Vec<&String> = api
        .modules
        .keys()
        .filter(|m| !absent.contains(*m))
        .collect();
    assert!(modules.len() > 15, "{modules:?}");
    let mut known = BTreeSet::new();
    for module in modules {
        let names = api.modules[module].names();
        known.extend(names.map(|(name, _)| format!("{module}.{name}")));
    }
    let others: Vec<&String> = simulated
        .difference(&known)
        .filter(|n| !is_in(&DOCUMENTED, n))
        .collect();
    assert!(
        others.is_empty(),
        "simulated, and not in the data: {others:?}"
    );
    let lacks: Vec<&String> = known
        .difference(&simulated)
        .filter(|name| !is_in(&OFF_BY_DEFAULT, name) && !is_in(&NOT_SIMULATED, name))
        .collect();
    assert!(
        lacks.is_empty(),
        "in the data, and not simulated: {lacks:?}"
    );
}

/// The modules that a report names, with their need.
fn needs(arguments: &[&str]) -> Vec<(String, String)> {
    let mut command = fastlua(root());
    command.arg("needs").args(arguments).arg("--json");
    let report: Value = serde_json::from_str(&succeed(&mut command)).unwrap();
    let modules = report["modules"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    modules
        .map(|module| (text(&module["name"]), text(&module["need"])))
        .collect()
}

#[test]
fn shipped_modules_need_what_they_say() {
    for (name, expected) in [
        ("config", "fast file node uart wifi"),
        ("dir", "file"),
        ("ftp", "fast file net node tmr wifi"),
        // fast.http is tried first; the module http of the firmware has the same name
        ("get", "fast? file http"),
        ("hello", ""),
        ("http", "fast file net node tmr"),
        ("split", "file node tmr?"),
        ("telnet", "fast net node tmr wifi"),
        ("web", "fast net tmr"),
    ] {
        let file = format!("crates/firmware/lua/{name}.lua");
        let found = needs(&[&file, "--for", "esp8266"]);
        let names = found.iter().map(|(name, need)| match need.as_str() {
            "optional" => format!("{name}?"),
            _ => name.clone(),
        });
        let names: Vec<String> = names.collect();
        assert_eq!(names.join(" "), expected, "{name}");
    }
}

/// Each shipped module loads, and its functions are made, where there is nothing but what it needs.
#[test]
fn shipped_modules_run_with_what_they_need() {
    let folder = root().join("crates/firmware/lua");
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "lua") {
            continue;
        }
        run_alone(&path);
        tried += 1;
    }
    assert!(tried > 5);
}

fn run_alone(path: &Path) {
    let found = needs(&[path.to_str().unwrap()]);
    let all = api::esp8266().modules.keys();
    let others =
        all.filter(|name| *name != "fast" && found.iter().all(|(needed, _)| needed != *name));
    let code: String = others.map(|name| format!("{name} = nil ")).collect();
    let name = path.file_stem().unwrap().to_str().unwrap();
    let mut run = fastlua(root());
    run.args([
        "run",
        "-e",
        &code,
        "-e",
        &format!("print(pcall(require, '{name}'))"),
    ]);
    let printed = succeed(run.arg(path));
    assert!(!printed.contains("nil value"), "{name}: {printed}");
}

/// SARIF has the fields that its schema asks for, and its results are at the places of the findings.
#[test]
fn sarif_has_rules_and_places() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "a b.lua",
        "print(1)\ntmr.alarm(1) cjson.encode()\n",
    );
    let mut command = fastlua(folder.path());
    command.args([
        "needs", "a b.lua", "--for", "esp8266", "--sarif", "-", "--quiet",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["tool"]["driver"]["name"], "fastlua");
    let results = run["results"].as_array().unwrap().iter();
    let found = results.map(|result| {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.lua");
        assert_eq!(place["region"]["startLine"], 2);
        let column = place["region"]["startColumn"].as_u64().unwrap();
        (
            result["ruleId"].as_str().unwrap(),
            result["level"].as_str().unwrap(),
            column,
        )
    });
    let expected = [
        ("name-absent", "warning", 1),
        ("module-absent", "error", 14),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
