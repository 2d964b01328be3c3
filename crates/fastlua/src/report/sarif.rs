//! Diagnostics as SARIF 2.1.0, for code review.

use fastlua_needs::Rule;
use serde_json::{Value, json};

use crate::{Diagnostic, VERSION};

/// A SARIF log of these diagnostics, as indented JSON.
pub(crate) fn sarif(diagnostics: &[Diagnostic]) -> String {
    let rules = Rule::ALL.map(|rule| {
        json!({
            "id": rule.name(),
            "shortDescription": { "text": rule.about() },
            "defaultConfiguration": { "level": rule.severity().name() },
        })
    });
    let results: Vec<Value> = diagnostics.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "fastlua", "semanticVersion": VERSION, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn result(said: &Diagnostic) -> Value {
    let mut result = json!({
        "level": said.severity,
        "message": { "text": said.message },
    });
    let code = said.code.as_deref();
    if let Some(index) = Rule::ALL.iter().position(|rule| Some(rule.name()) == code) {
        result["ruleId"] = json!(code);
        result["ruleIndex"] = json!(index);
    }
    if let Some(file) = &said.file {
        let mut place = json!({ "artifactLocation": { "uri": uri(file) } });
        if let Some(line) = said.line.filter(|line| *line > 0) {
            place["region"] = json!({ "startLine": line });
            if let Some(column) = said.column {
                place["region"]["startColumn"] = json!(column);
            }
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    result
}

/// A path as a URI; a relative one stays relative.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut uri = String::new();
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') {
        uri += "file://";
    } else if has_drive {
        uri += "file:///";
    }
    for (place, byte) in path.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            b':' if has_drive && place == 1 => uri.push(':'),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("lua/a b.lua"), "lua/a%20b.lua");
        assert_eq!(uri("./lua/\u{e4}.lua"), "lua/%C3%A4.lua");
        assert_eq!(uri("lua\\a.lua"), "lua/a.lua");
        assert_eq!(uri("/x/a#b.lua"), "file:///x/a%23b.lua");
        assert_eq!(uri("C:\\x\\a.lua"), "file:///C:/x/a.lua");
    }
}
