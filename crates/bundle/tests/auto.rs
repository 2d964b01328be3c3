//! `as = "auto"` against the choice in so many words: whole bundles are counted again for each candidate.

mod common;

use common::{build, input};
use fastlua_bundle::{Bundle, Form};
use proptest::prelude::*;

const VARIANTS: [&str; 2] = ["lua51-int", "lua53-int32-float32"];

/// Bytes of flash for each variant where these chunks are frozen and what is open besides is bytecode.
fn flash(bundle: &Bundle, frozen: &[usize], form: Form) -> Vec<usize> {
    let mut copy = bundle.clone();
    for (i, chunk) in copy.chunks.iter_mut().enumerate() {
        chunk.form = match chunk.form {
            Form::Auto if frozen.contains(&i) => form,
            Form::Auto => Form::Bytecode,
            form => form,
        };
    }
    (0..copy.variants.len()).map(|v| copy.flash(v)).collect()
}

/// Bytes of heap that freezing a chunk saves.
fn gain(bundle: &Bundle, i: usize) -> usize {
    let dumps = bundle.chunks[i].dumps.iter().flatten();
    let costs = dumps.filter_map(|dump| dump.costs());
    costs
        .map(|c| c.bytecode_heap.saturating_sub(c.frozen_heap))
        .sum()
}

fn open(bundle: &Bundle) -> Vec<usize> {
    let is_open = |i: &usize| bundle.chunks[*i].form == Form::Auto;
    (0..bundle.chunks.len()).filter(is_open).collect()
}

/// All candidates if they fit; else the best one that fits, again and again.
fn by_the_book(bundle: &Bundle, limit: usize, form: Form) -> Vec<usize> {
    let mut open = open(bundle);
    if flash(bundle, &open, form)
        .iter()
        .all(|bytes| *bytes <= limit)
    {
        return open;
    }
    let mut frozen = Vec::new();
    loop {
        let before: usize = flash(bundle, &frozen, form).iter().sum();
        let mut best: Option<(usize, f64)> = None;
        for (place, i) in open.iter().enumerate() {
            let after = flash(bundle, &[&frozen[..], &[*i]].concat(), form);
            if after.iter().any(|bytes| *bytes > limit) {
                continue;
            }
            let taken = after.iter().sum::<usize>() as i64 - before as i64;
            let rate = gain(bundle, *i) as f64 / taken.max(1) as f64;
            if best.is_none_or(|best| rate > best.1) {
                best = Some((place, rate));
            }
        }
        let Some((place, _)) = best else {
            frozen.sort_unstable();
            return frozen;
        };
        frozen.push(open.remove(place));
    }
}

fn chosen(bundle: &Bundle, limit: usize, form: Form) -> Vec<usize> {
    let mut copy = bundle.clone();
    copy.choose_forms(Some(limit as u64), form == Form::Frozen { fallback: true });
    let frozen = |i: &usize| copy.chunks[*i].form == form;
    open(bundle).into_iter().filter(frozen).collect()
}

/// A module: calls, words of a few that all modules know, one long string, so many functions.
fn module() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(0..24u8, 0..12);
    let long = (0..3u8, 0..120usize);
    (words, long, 0..4usize).prop_map(|(words, (which, long), functions)| {
        let calls = words.iter().map(|n| format!("word{n}('{n}') "));
        let function = |n| format!("local function f{n}(a) return a * {n} + a end ");
        format!(
            "{}{}return '{}'",
            (0..functions).map(function).collect::<String>(),
            calls.collect::<String>(),
            char::from(b'a' + which).to_string().repeat(long),
        )
    })
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![6 => Just(Form::Auto), 1 => Just(Form::Frozen { fallback: true }), 1 => Just(Form::Bytecode)]
}

fn bundles(most: usize) -> impl Strategy<Value = Bundle> {
    prop::collection::vec((module(), form()), 1..most).prop_map(|modules| {
        let named =
            |(i, (text, form)): (usize, &(String, Form))| input(&format!("m{i}"), *form, text);
        let inputs: Vec<_> = modules.iter().enumerate().map(named).collect();
        build(&inputs, &VARIANTS)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn it_is_the_choice_by_the_book(bundle in bundles(14), share in 0..=110usize, fallback: bool) {
        let form = Form::Frozen { fallback };
        let bounds = [flash(&bundle, &[], form), flash(&bundle, &open(&bundle), form)];
        let [least, most] = bounds.map(|bytes| bytes.into_iter().max().unwrap_or(0));
        let limit = (least + most.saturating_sub(least) * share / 100).saturating_sub(1);
        prop_assert_eq!(chosen(&bundle, limit, form), by_the_book(&bundle, limit, form));
    }

    /// Of every set that fits, none saves twice as much heap as the one that is chosen with the best single chunk beside it.
    #[test]
    fn it_is_near_the_best_of_all_sets(bundle in bundles(9), share in 0..=100usize) {
        let form = Form::Frozen { fallback: true };
        let open = open(&bundle);
        let most = flash(&bundle, &open, form).into_iter().max().unwrap_or(0);
        let least = flash(&bundle, &[], form).into_iter().max().unwrap_or(0);
        let limit = least + (most - least) * share / 100;
        let sets = (0..1usize << open.len()).map(|set| {
            let members = open.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1);
            members.map(|(_, i)| *i).collect::<Vec<_>>()
        });
        let saved = |set: &[usize]| set.iter().map(|i| gain(&bundle, *i)).sum::<usize>();
        let fits = |set: &Vec<usize>| flash(&bundle, set, form).iter().all(|bytes| *bytes <= limit);
        let best = sets.filter(fits).map(|set| saved(&set)).max().unwrap_or(0);
        let single = open.iter().filter(|i| fits(&vec![**i])).map(|i| gain(&bundle, *i)).max().unwrap_or(0);
        let chosen = chosen(&bundle, limit, form);
        prop_assert!(fits(&chosen));
        prop_assert!(2 * (saved(&chosen).max(single)) >= best, "{} of {best}", saved(&chosen));
        if share == 100 {
            prop_assert_eq!(chosen, open);
        }
    }
}

/// Where its strings are there already, freezing a chunk takes less flash than its bytecode.
#[test]
fn a_frozen_chunk_may_be_smaller_than_its_bytecode() {
    let text = format!("return '{}'", "x".repeat(400));
    let forms = [
        ("large", Form::Auto, "local function f() end ".repeat(40)),
        ("one", Form::Auto, text.clone()),
        ("three", Form::Auto, text.clone()),
        ("two", Form::Auto, text),
    ];
    let inputs = forms.map(|(name, form, text)| input(name, form, &text));
    let bundle = build(&inputs, &VARIANTS);
    let form = Form::Frozen { fallback: false };
    let [one, two] = [&[1][..], &[1, 3]].map(|set| flash(&bundle, set, form));
    assert!(two.iter().zip(&one).all(|(two, one)| two < one));
    let limit = one.into_iter().max().unwrap();
    assert_eq!(chosen(&bundle, limit, form), [1, 2, 3]);
    assert_eq!(by_the_book(&bundle, limit, form), [1, 2, 3]);
}
