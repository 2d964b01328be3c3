//! Bundles for the tests.

use fastlua_bundle::{Build, Bundle, Form, Input};
use fastlua_bytecode::Strip;
use fastlua_variants::{Variant, Variants};

pub fn input(name: &str, form: Form, text: &str) -> Input {
    Input {
        name: name.into(),
        module: name.into(),
        file: format!("{name}.lua"),
        text: text.into(),
        form,
        strip: Strip::Lines,
        variants: None,
    }
}

pub fn variants(names: &[&str]) -> Vec<Variant> {
    let known = Variants::built_in();
    let named = |name: &&str| known.iter().find(|v| v.name == **name).cloned().unwrap();
    names.iter().map(named).collect()
}

pub fn build(inputs: &[Input], names: &[&str]) -> Bundle {
    let build = Build {
        inputs,
        variants: &variants(names),
        heap_limit: 1 << 24,
    };
    build.run().unwrap()
}
