//! Forms that are compared have the costs and the errors of builds in one form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fastlua::{Bundle, Error, Form, Module, Options, Plan, Project, Strip};

fn plan(file: &str, text: &[u8], form: Form, strip: Option<Strip>) -> Plan {
    let mut module = Module::new(file, text).form(form);
    if let Some(strip) = strip {
        module = module.strip(strip);
    }
    let mut project = Project::new();
    project.add(module).unwrap();
    project.plan(&Options::default()).unwrap()
}

/// The costs of the plan's chunk in its form, by variant, of a build for all variants that take it.
fn costs(plan: &Plan) -> BTreeMap<String, (usize, usize)> {
    let mut taking = plan.clone();
    taking.variants.retain(|variant| {
        let mut alone = plan.clone();
        alone.variants = vec![variant.clone()];
        alone.build(None).is_ok()
    });
    if taking.variants.is_empty() {
        return BTreeMap::new();
    }
    let bundle = taking.build(None).unwrap();
    let cost = |v: usize| {
        let (chunk, dump) = bundle.of_variant(v).next().unwrap();
        let frozen = dump.costs().filter(|_| chunk.form.is_frozen());
        let frozen = frozen.map(|costs| costs.frozen_flash + costs.frozen_strings);
        (frozen.unwrap_or(dump.bytes.len()), bundle.flash(v))
    };
    let variants = bundle.variants.iter().enumerate();
    variants
        .map(|(v, variant)| (variant.name.clone(), cost(v)))
        .collect()
}

fn forms() -> Vec<Form> {
    let named = Form::NAMED.into_iter().map(|(_, form)| form);
    named
        .filter(|form| !form.is_data() && *form != Form::Auto)
        .collect()
}

fn shown(built: Result<Bundle, Error>) -> String {
    match built {
        Ok(bundle) => format!("{} {:?}", bundle.report().to_json(), bundle.warnings),
        Err(error) => format!("{error:?}"),
    }
}

/// The text in all forms at once, and in each alone. Gives the number of costs.
fn check(file: &str, text: &[u8], strip: Option<Strip>) -> usize {
    let forms = forms();
    let mut count = 0;
    for form in &forms {
        let plan = plan(file, text, *form, strip);
        let (chunks, built) = plan.compare_and_build(&forms);
        assert_eq!(
            shown(built),
            shown(plan.clone().build(None)),
            "{file} as {form}"
        );
        let [chunk] = &chunks[..] else {
            panic!("{file}: {} chunks", chunks.len());
        };
        assert_eq!(
            (&*chunk.name, chunk.source_bytes),
            (&*plan.inputs[0].name, text.len())
        );
        let mut alone = plan.clone();
        alone.inputs[0].form = form.with_fallback(false);
        let of_form = |costs: &Vec<(Form, fastlua::FormCost)>| {
            let cost = costs.iter().find(|(found, _)| found == form)?.1;
            Some((cost.bytes, cost.flash))
        };
        let variants = chunk.variants.iter();
        let found = variants.filter_map(|(name, costs)| Some((name.clone(), of_form(costs)?)));
        let found: BTreeMap<_, _> = found.collect();
        assert_eq!(found, costs(&alone), "{file} as {form}");
        // a part of the forms gives the same
        assert_eq!(plan.compare(&[*form])[0].variants.len(), found.len());
        count += found.len();
    }
    count
}

#[test]
fn modules_cost_in_all_forms_what_they_cost_in_each() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/src");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::metadata(&path).unwrap().len() > 800 {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        count += check(&name, &fs::read(&path).unwrap(), None);
    }
    assert!(count > 100, "{count}");
}

#[test]
fn what_some_forms_or_variants_refuse_is_the_same_too() {
    let locals = (0..60)
        .map(|i| format!("local a{i} = {i} "))
        .collect::<String>();
    for (file, text, costs) in [
        ("empty.lua", String::new(), 36),
        ("crlf.lua", "\u{feff}local x = 1\r\nreturn x".into(), 36),
        ("half.lua", "return 0.5".into(), 30),
        ("wide.lua", "return 0x123456789".into(), 0),
        ("integer.lua", "return 7 // 2".into(), 24),
        ("locals.lua", format!("{locals} return a1, a59"), 30),
        ("wrong.lua", "return = 1".into(), 0),
        ("init.lua", "return ...".into(), 36),
    ] {
        let found = check(file, text.as_bytes(), None);
        assert!(costs == 0 || found == costs, "{file}: {found}");
        check(file, text.as_bytes(), Some(Strip::Names));
    }
    // neither its dump nor its text fits into the chip
    let long = format!("return '{}'", "a".repeat(920_000));
    let plan = self::plan("long.lua", long.as_bytes(), Form::Bytecode, None);
    let (chunks, built) = plan.compare_and_build(&[Form::Plain, Form::Bytecode, Form::Packed]);
    assert!(matches!(built, Err(Error::TooLarge(_))));
    let costs = chunks[0].variants["lua51-float"].iter();
    let forms: Vec<Form> = costs.map(|(form, _)| *form).collect();
    assert_eq!(forms, [Form::Packed]);
    // data is compared with nothing
    for form in [false, true].map(|frozen| Form::Data { frozen }) {
        let plan = self::plan("a.html", b"<p>", form, None);
        let (chunks, built) = plan.compare_and_build(&self::forms());
        assert_eq!(shown(built), shown(plan.clone().build(None)));
        for costs in chunks[0].variants.values() {
            assert_eq!(costs.len(), 1);
            assert_eq!((costs[0].0, costs[0].1.bytes), (form, 3));
        }
        assert_eq!(chunks[0].variants.len(), 6);
    }
    // bytecode is for one variant, and is no source
    let plan = self::plan("a.lua", b"return ...", Form::Bytecode, None);
    let bundle = plan.build(None).unwrap();
    let dump = bundle.of_variant(0).next().unwrap().1.bytes.clone();
    assert_eq!(check("a.lc", &dump, None), 3);
}
