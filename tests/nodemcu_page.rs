//! The module's page for NodeMCU's documentation: it has the form of the pages there, says of each function of `fast.c`
//! what it takes and returns, and nothing of others, and its examples run.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::docs::blocks;
use support::{fastlua, put, root, succeed};

const PARTS: [&str; 4] = ["Syntax", "Parameters", "Returns", "Example"];

fn page() -> String {
    fs::read_to_string(root().join("pipelines/nodemcu/docs/modules/fast.md")).unwrap()
}

fn source(file: &str) -> String {
    fs::read_to_string(root().join("crates/firmware").join(file)).unwrap()
}

/// What stands between quotes, or other marks, after each `before` of a text.
fn after<'a>(text: &'a str, before: &str, end: char) -> BTreeSet<&'a str> {
    let parts = text.split(before).skip(1);
    parts.map(|part| part.split(end).next().unwrap()).collect()
}

/// The functions of the module, by `fast.c`.
fn functions() -> BTreeSet<String> {
    let text = source("fast.c");
    let (_, table) = text.split_once("LROT_BEGIN(fast, ").unwrap();
    let (table, _) = table.split_once("LROT_END").unwrap();
    let names = after(table, "LROT_FUNCENTRY(", ',');
    assert!(names.contains("load"));
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_function_has_its_section() {
    let page = page();
    let mut sections = page.split("\n## ");
    let head: Vec<&str> = sections.next().unwrap().lines().take(4).collect();
    assert_eq!(head[0], "# fast Module");
    assert_eq!(
        head[1],
        "| Since  | Origin / Contributor  | Maintainer  | Source  |"
    );
    assert!(head[3].ends_with("| [fast.c](../../app/modules/fast.c)|"));
    let mut named = Vec::new();
    for section in sections {
        let (title, text) = section.split_once('\n').unwrap();
        let name = title
            .strip_prefix("fast.")
            .and_then(|t| t.strip_suffix("()"));
        let name = name.unwrap_or_else(|| panic!("{title}"));
        let parts: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#### "))
            .collect();
        assert_eq!(parts[..4], PARTS, "{title}");
        assert!(parts[4..].iter().all(|part| *part == "See also"), "{title}");
        assert!(
            !text.trim_start().starts_with("####"),
            "{title}: what it does"
        );
        let syntax = format!("#### Syntax\n`fast.{name}(");
        assert!(text.contains(&syntax), "{title}");
        let (_, example) = text.split_once("#### Example\n```lua\n").unwrap();
        assert!(example.contains(&format!("fast.{name}")), "{title}");
        named.push(name.to_owned());
    }
    assert!(named.is_sorted());
    let documented: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(documented.len(), named.len());
    assert_eq!(documented, functions());
    for link in after(&page, "](#fast", ')') {
        assert!(documented.contains(link), "#fast{link}");
    }
}

/// The fields that functions of a text set in the table on the stack.
fn fields(file: &str, function: &str) -> BTreeSet<String> {
    let text = source(file);
    let (_, body) = text.split_once(&format!("static {function} (")).unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let fields = after(body, "lua_setfield(L, -2, \"", '"');
    fields.into_iter().map(str::to_owned).collect()
}

#[test]
fn what_info_and_list_give_is_told() {
    let page = page();
    let (_, info) = page.split_once("\n## fast.info()").unwrap();
    let (info, list) = info.split_once("\n## fast.list()").unwrap();
    let told = |indent: &str| -> BTreeSet<String> {
        let lines = info.lines();
        let names = lines.filter_map(|line| line.strip_prefix(indent)?.split('`').next());
        names.map(str::to_owned).collect()
    };
    assert_eq!(told("- `"), fields("fast.c", "int fast_info"));
    assert_eq!(
        told("    - `"),
        fields("fast_slot.h", "void fast_slot_info")
    );
    // the forms, in the table before
    let text = source("fast.c");
    let (_, kinds) = text.split_once("kinds[] = {").unwrap();
    let (kinds, _) = kinds.split_once('}').unwrap();
    let mut forms: BTreeSet<&str> = kinds.split('"').skip(1).step_by(2).collect();
    forms.insert("frozen");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: BTreeSet<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert_eq!(rows, forms);
    assert!(list.contains("one of the table above"));
}

#[test]
fn the_examples_run() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "www/index.html", "0123456789".repeat(300));
    let examples: Vec<String> = blocks(&page())
        .0
        .into_iter()
        .filter_map(|(language, text)| (language == "lua").then_some(text))
        .collect();
    assert_eq!(examples.len(), functions().len());
    let script = put(folder.path(), "script.lua", examples.join("\n"));
    let mut run = fastlua(folder.path());
    run.args(["run", "--with", "hello", "--data", "www/*", "--script"]);
    let printed = succeed(run.arg(&script));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "3000", "{printed}");
    assert!(
        lines[1].starts_with("puc5") && lines[1].contains("\t2\t"),
        "{printed}"
    );
    assert!(lines[2].starts_with("hello\t") && lines[2].contains("\tbytecode\t"));
    assert_eq!(lines[3..6], ["Hello, you!", "Hello, you!", "3000"]);
    assert!(lines[6].starts_with("Module hello loaded in "), "{printed}");
    assert_eq!(lines.len(), 7, "{printed}");
}
