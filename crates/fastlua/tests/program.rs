//! A program that compiles, checks, patches and inspects through the library alone.

#[path = "../../../tests/support/firmware.rs"]
mod samples;

use std::error::Error;

use fastlua::{
    CheckOptions, CompileOptions, Firmware, Module, Options, PatchOptions, Project, Source,
    Variants, check, compile, inspect,
};

fn program(image: Vec<u8>) -> Result<String, Box<dyn Error>> {
    let known = Variants::built_in();
    let mut firmware = Firmware::read(image)?;
    let slot = firmware.slot(None)?;
    let source = Source {
        file: "hello.lua",
        chunk_name: "@hello.lua",
        text: b"print 'hello'",
    };
    let compiled = compile(&source, slot.variant(&known)?, &CompileOptions::default())?;
    let checked = check(&compiled.bytes, &CheckOptions::default())?;
    let mut project = Project::new();
    project.add(Module::new("hello.lc", compiled.bytes))?;
    let options = Options {
        variants: Some(vec![slot.head.variant.clone()]),
        ..Options::default()
    };
    let bundle = project.plan(&options)?.for_slot(&slot).build(None)?;
    firmware.patch(None, &bundle, PatchOptions::default())?;
    let found = inspect(firmware.to_file(), &known)?;
    let chunk = &found.places[0].chunks[0];
    Ok(format!(
        "{}: {} functions, {}",
        chunk.name, checked.functions, chunk.checks
    ))
}

#[test]
fn it_compiles_checks_patches_and_inspects() {
    let head = samples::head("lua51-float", 8192);
    let outcome = program(samples::raw(&[head])).unwrap();
    assert_eq!(outcome, "hello: 1 functions, right");
    let error = program(b"nothing".to_vec()).unwrap_err().to_string();
    assert!(error.contains("no slot in this"), "{error}");
}
