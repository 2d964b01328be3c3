//! How long it takes to put the shipped modules into a firmware image, and how long to compile them into
//! it: medians of one run, on one core, and their ratio. For `scripts/bench`.
//!
//! `cargo run --release -p fastlua-emulator --example slot -- WORK`

#[path = "../tests/common/mod.rs"]
mod common;

use fastlua_bundle::{c_header, c_header_with_slot, fill_slot};
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fs};

use common::{bundle, overlays, tools, variant};
use fastlua_bundle::Form;
use fastlua_bundle::slot::find;
use fastlua_emulator::{Chip, Core, Image, fast_files};

const RUNS: usize = 21;
const IMAGE: usize = 1 << 20;

/// The median of some runs, in milliseconds.
fn median(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn main() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .expect("it is the first one");
    let work = PathBuf::from(env::args().nth(1).expect("a folder for objects"));
    let tools = tools(Chip::Esp8266);
    let variant = variant("51-float");
    let inputs = overlays(Form::Frozen { fallback: false });
    let image = |header: &str| {
        let files = fast_files(header);
        let core = Core::Hooked;
        Image::script(&tools, &work, &variant.layout, core, &files, b"", false)
            .expect("it compiles")
    };
    let mut empty = bundle(&inputs, &variant);
    empty.chunks.clear();
    let firmware = image(
        &c_header_with_slot(&empty, "0", 128 << 10)
            .expect("it has a slot")
            .to_string(),
    );
    let mut firmware = fs::read(firmware.path()).expect("it was linked");
    firmware.resize(IMAGE, 0xff);

    let header = c_header(&bundle(&inputs, &variant), "0").to_string();
    let compiled = median(5, || drop(image(&header)));
    let built = bundle(&inputs, &variant);
    let put = |built: &fastlua_bundle::Bundle| {
        let mut copy = firmware.clone();
        let slot = find(&copy).remove(0).expect("it is whole");
        let range = slot.offset..slot.offset + slot.head.capacity as usize;
        fill_slot(built, &slot.head, &mut copy[range]).expect("it fits");
    };
    let with_lua = median(RUNS, || put(&bundle(&inputs, &variant)));
    let alone = median(RUNS, || put(&built));
    println!(
        "{} chunks, frozen, into an image of {IMAGE} bytes, one core:",
        inputs.len()
    );
    println!(
        "  from their sources     {with_lua:8.2} ms, {:.0} images in a second",
        1000.0 / with_lua
    );
    println!(
        "  from a built bundle    {alone:8.2} ms, {:.0} images in a second",
        1000.0 / alone
    );
    println!(
        "  C compiled and linked  {compiled:8.2} ms, {:.0} times as long",
        compiled / with_lua
    );
}
