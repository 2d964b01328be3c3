//! Requests as the page makes them.

use fastlua::{Form, Module, Options, Project};
use fastlua_web::call;
use fastlua_web::message::{self, Files};
use serde_json::{Value, json};

fn ask(request: Value, files: &[(&str, &str)]) -> (Value, Files) {
    let files: Files = files
        .iter()
        .map(|(name, text)| ((*name).into(), text.as_bytes().to_vec()))
        .collect();
    let answer = call(&message::write(request, &files));
    let (json, files) = message::read(&answer).unwrap();
    (serde_json::from_slice(json).unwrap(), files)
}

fn messages(answer: &Value) -> Vec<(&str, &str, Option<u64>)> {
    let messages = answer["messages"].as_array().unwrap().iter();
    let shown = |m: &'_ Value| m["line"].as_u64();
    messages
        .map(|m| {
            (
                m["severity"].as_str().unwrap(),
                m["message"].as_str().unwrap(),
                shown(m),
            )
        })
        .collect()
}

const LED: &str = "local pin = ...\nreturn function(on) gpio.write(pin, on and 1 or 0) end\n";

#[test]
fn what_can_be_chosen_is_what_the_library_has() {
    let (about, _) = ask(json!({"do": "about"}), &[]);
    let forms = about["forms"].as_array().unwrap();
    let named = Form::NAMED
        .iter()
        .filter(|(_, form)| !form.is_data() && *form != Form::Auto);
    assert_eq!(forms.len(), named.count());
    assert!(forms.contains(&json!("frozen")) && !forms.contains(&json!("auto")));
    let variants = about["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 6);
    let mut project = Project::new();
    let packed = Module::new("one.lua", "return 1").form(Form::Packed);
    project.add(packed).unwrap();
    let bundle = project.plan(&Options::default()).unwrap();
    let bundle = bundle.build(None).unwrap();
    for (v, variant) in variants.iter().enumerate() {
        assert_eq!(variant["name"], bundle.variants[v].name);
        assert_eq!(variant["tables"], bundle.shared_flash(v));
    }
}

#[test]
fn costs_are_those_of_the_library() {
    let (costs, _) = ask(
        json!({"do": "costs", "file": "led.lua"}),
        &[("led.lua", LED)],
    );
    let [chunk] = &costs["chunks"].as_array().unwrap()[..] else {
        panic!("{costs}");
    };
    assert_eq!(chunk["source_bytes"], LED.len());
    let mut frozen_ones = 0;
    for (name, form) in Form::NAMED {
        let is_shown = !form.is_data() && form != Form::Auto;
        let mut project = Project::new();
        project.add(Module::new("led.lua", LED).form(form)).unwrap();
        let bundle = project
            .plan(&Options::default())
            .unwrap()
            .build(None)
            .unwrap();
        for (variant, dump) in &bundle.report().chunks[0].dumps {
            let cost = &chunk["variants"][variant][name];
            assert_eq!(cost.is_object(), is_shown, "{name}: {costs}");
            if let (true, Some(costs)) = (form.is_frozen() && is_shown, dump.costs) {
                assert_eq!(cost["bytes"], costs.frozen_flash + costs.frozen_strings);
                frozen_ones += 1;
            } else if is_shown {
                assert_eq!(cost["bytes"], dump.bytes, "{name} of {variant}");
            }
        }
    }
    assert_eq!(frozen_ones, 6);
}

#[test]
fn a_message_has_its_line_and_is_of_its_file_alone() {
    let wrong = [("bad.lua", "local a = 1\nx = = 2\n"), ("led.lua", LED)];
    let (modules, _) = ask(json!({"do": "modules"}), &wrong);
    assert_eq!(modules["modules"], json!(["bad.lua", "led.lua"]));
    assert_eq!(messages(&modules), []);
    let (bad, _) = ask(json!({"do": "costs", "file": "bad.lua"}), &wrong);
    assert_eq!(
        messages(&bad),
        [("error", "bad.lua:2: unexpected symbol near '='", Some(2))]
    );
    let (led, _) = ask(json!({"do": "costs", "file": "led.lua"}), &wrong);
    assert_eq!(messages(&led), []);
    assert!(led["chunks"][0]["variants"]["lua51-int"]["bytecode"]["flash"].as_u64() > Some(50));
    // nothing can be made of both
    for output in ["lc", "lfs", "c"] {
        let (made, files) = ask(json!({"do": "make", "output": output}), &wrong);
        assert_eq!(messages(&made)[0].2, Some(2), "{output}: {made}");
        assert!(files.is_empty());
    }
}

#[test]
fn a_number_that_a_variant_changes_is_an_error_of_that_variant() {
    let (costs, _) = ask(
        json!({"do": "costs", "file": "a.lua"}),
        &[("a.lua", "\nlocal half = 0.5\nreturn half")],
    );
    let said = messages(&costs);
    assert!(
        said.iter()
            .any(|(_, text, line)| text.contains("lua51-int") && *line == Some(2)),
        "{said:?}"
    );
    let note = said
        .iter()
        .find(|(severity, ..)| *severity == "note")
        .unwrap();
    assert!(
        note.1.starts_with("lua51-int has only integers; choose your firmware, in place of all variants: lua51-float, "),
        "{said:?}"
    );
    // the others have costs all the same
    let variants = &costs["chunks"][0]["variants"];
    assert!(
        variants["lua51-float"]["source"]["bytes"].is_u64(),
        "{variants}"
    );
    assert!(variants["lua51-int"]["bytecode"].is_null(), "{variants}");
}

#[test]
fn a_manifest_says_what_the_modules_are() {
    let files = [
        (
            "fast.toml",
            "as = \"source\"\n[[module]]\npath = \"lua/*.lua\"\nname = \"main\"\n[[module]]\npath = \"www/*\"\nas = \"data\"\n",
        ),
        ("lua/a.lua", "return 1"),
        ("other.lua", "return 2"),
        ("www/index.html", "<p>"),
    ];
    let (modules, _) = ask(json!({"do": "modules"}), &files);
    assert_eq!(
        modules["modules"],
        json!(["lua/a.lua", "www/index.html"]),
        "{modules}"
    );
    let (costs, _) = ask(json!({"do": "costs", "file": "www/index.html"}), &files);
    assert_eq!(
        costs["chunks"][0]["variants"]["lua51-float"],
        json!({"data": {"bytes": 3, "flash": 4}})
    );
    let (broken, _) = ask(
        json!({"do": "modules"}),
        &[("fast.toml", "[[module]]\npth = 1")],
    );
    let said = messages(&broken);
    assert!(said[0].1.contains("did you mean `path`?"), "{said:?}");
}

#[test]
fn split_markers_give_chunks_and_wrong_ones_a_line() {
    let (shipped, _) = ask(
        json!({"do": "costs", "file": "telnet.lua", "settings": {"with": ["telnet"], "variants": ["lua51-float"]}}),
        &[],
    );
    assert_eq!(shipped["chunks"].as_array().unwrap().len(), 5, "{shipped}");
    let (wrong, _) = ask(
        json!({"do": "costs", "file": "a.lua"}),
        &[("a.lua", "--[[SPLIT MODULE a]]\n--[[SPLIT MODULE b]]\n")],
    );
    let said = messages(&wrong);
    assert!(
        said[0].1.contains("a file is one module") && said[0].2 == Some(2),
        "{said:?}"
    );
}

#[test]
fn deep_nesting_is_an_error_and_not_the_end() {
    for (open, close) in [("(", ")"), ("{", "}"), ("function() return ", " end ")] {
        let text = format!("return {}1{}", open.repeat(250), close.repeat(250));
        let (costs, _) = ask(json!({"do": "costs", "file": "a.lua"}), &[("a.lua", &text)]);
        let said = messages(&costs);
        assert!(
            said.iter().any(|(_, text, _)| text.contains("levels")),
            "{said:?}"
        );
    }
}

/// Whatever comes, there is an answer with messages.
#[test]
fn a_changed_request_is_answered_all_the_same() {
    let settings = json!({"variants": ["lua51-int"], "as": "deflated", "strip": 1});
    let files = vec![("a.lua".to_owned(), LED.as_bytes().to_vec())];
    for output in ["lc", "c", "lfs", "patch"] {
        let request = json!({"do": "make", "output": output, "settings": settings});
        let request = message::write(request, &files);
        for (at, xor) in (0..request.len()).flat_map(|at| [(at, 1), (at, 0x80)]) {
            let mut changed = request.clone();
            changed[at] ^= xor;
            let answer = call(&changed);
            let (json, _) = message::read(&answer).unwrap();
            let json: Value = serde_json::from_slice(json).unwrap();
            assert!(json["messages"].is_array(), "{json}");
        }
    }
}

#[test]
fn what_is_no_request_is_told() {
    for request in [
        &b""[..],
        b"\x02\0\0\0{}",
        b"\xff\xff\xff\xff",
        b"\x09\0\0\0{\"do\":0}x",
    ] {
        let answer = call(request);
        let (json, _) = message::read(&answer).unwrap();
        let json: Value = serde_json::from_slice(json).unwrap();
        assert_eq!(messages(&json).len(), 1, "{json}");
    }
    for settings in [
        json!({"as": "no"}),
        json!({"strap": 1}),
        json!({"variants": ["lua52"]}),
    ] {
        let (answer, _) = ask(
            json!({"do": "make", "output": "c", "settings": settings}),
            &[("a.lua", "")],
        );
        assert_eq!(messages(&answer).len(), 1, "{answer}");
    }
    let (answer, _) = ask(
        json!({"do": "firmware", "file": "a.bin"}),
        &[("a.bin", "nothing of a slot")],
    );
    assert!(messages(&answer)[0].1.contains("no slot"), "{answer}");
}
