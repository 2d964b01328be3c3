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

pub fn build(inputs: &[Input], variants: &[&str]) -> Bundle {
    let known = Variants::built_in();
    let named = |name: &&str| known.iter().find(|v| v.name == **name).cloned().unwrap();
    let variants: Vec<Variant> = variants.iter().map(named).collect();
    let build = Build {
        inputs,
        variants: &variants,
        heap_limit: 1 << 24,
    };
    build.run(|| {}).unwrap()
}
