//! `as = "auto"` against the choice in so many words: whole bundles are counted again for each candidate.

mod common;

use fastlua_bundle::{choose_forms, pack};
use std::cmp::Reverse;

use common::{build, input, variants};
use fastlua_bundle::{Build, Bundle, Form, Loads};
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

/// All candidates if they fit; else one after the other.
fn by_the_book(bundle: &Bundle, limit: usize, form: Form) -> Vec<usize> {
    let open = open(bundle);
    let fits = |bytes: &usize| *bytes <= limit;
    match flash(bundle, &open, form).iter().all(fits) {
        true => open,
        false => one_by_one(bundle, limit, form),
    }
}

/// The best candidate that fits, again and again.
fn one_by_one(bundle: &Bundle, limit: usize, form: Form) -> Vec<usize> {
    let mut open = open(bundle);
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
    choose_forms(
        &mut copy,
        Some(limit as u64),
        form == Form::Frozen { fallback: true },
    );
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

    /// Of all sets that fit: the choice is the best one where that of one by one is, and never worse than it.
    #[test]
    fn it_is_among_the_best_sets(bundle in bundles(9), share in 0..=100usize, fallback: bool) {
        let form = Form::Frozen { fallback };
        let open = open(&bundle);
        let bytes = |set: &[usize]| flash(&bundle, set, form).into_iter().max().unwrap_or(0);
        let (least, most) = (bytes(&[]), bytes(&open));
        let limit = least + most.saturating_sub(least) * share / 100;
        let sets = (0..1usize << open.len()).map(|set| {
            let members = open.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1);
            members.map(|(_, i)| *i).collect::<Vec<_>>()
        });
        let saved = |set: &[usize]| set.iter().map(|i| gain(&bundle, *i)).sum::<usize>();
        let best = sets.filter(|set| bytes(set) <= limit).map(|set| saved(&set)).max().unwrap_or(0);
        let chosen = chosen(&bundle, limit, form);
        prop_assert!(bytes(&chosen) <= limit.max(least));
        let before = saved(&one_by_one(&bundle, limit, form));
        prop_assert!((before..=best).contains(&saved(&chosen)), "{before}, {}, {best}", saved(&chosen));
    }
}

/// Packs the fewest of the chunks that save most: one fewer does not fit.
#[test]
fn as_few_as_fit_are_packed() {
    let text = |i: usize| {
        let calls = (0..i % 13 + 1).map(|n| format!("call{}('{n}', {i}) ", (n * i) % 17));
        calls.collect::<String>() + &format!("return '{}'", "x".repeat(i % 5 * 9))
    };
    let named = |i: usize| input(&format!("m{i:02}"), Form::Auto, &text(i));
    let inputs: Vec<_> = (0..40).map(named).collect();
    let build = Build {
        inputs: &inputs,
        variants: &variants(&VARIANTS),
        heap_limit: 1 << 24,
    };
    let mut bytecode = build.run().unwrap();
    choose_forms(&mut bytecode, Some(0), true);
    let largest = |bundle: &Bundle| (0..2).map(|v| bundle.flash(v)).max().unwrap();
    let packed = |order: &[usize]| {
        let mut bundle = bytecode.clone();
        order
            .iter()
            .for_each(|i| bundle.chunks[*i].form = Form::Packed);
        pack(&mut bundle).unwrap();
        bundle
    };
    let bytes = |bundle: &Bundle, i: usize| {
        let dumps = bundle.chunks[i].dumps.iter().flatten();
        dumps
            .map(|dump| dump.bytes.len().next_multiple_of(4))
            .sum::<usize>()
    };
    let all = packed(&(0..40).collect::<Vec<_>>());
    let saving = |i: usize| bytes(&bytecode, i).saturating_sub(bytes(&all, i));
    let mut order: Vec<usize> = (0..40).filter(|i| saving(*i) > 0).collect();
    order.sort_by_key(|i| Reverse(saving(*i)));
    let sizes: Vec<usize> = (0..=order.len())
        .map(|n| largest(&packed(&order[..n])))
        .collect();
    let (least, most) = (*sizes.last().unwrap(), sizes[0]);
    // packing one alone costs the tables, which the others have to save again
    let first = sizes.iter().position(|bytes| *bytes < most).unwrap();
    for limit in (least..sizes[first]).step_by(97).chain([most - 1]) {
        let mut bundle = bytecode.clone();
        let loads = Loads {
            packed: true,
            deflated: false,
        };
        build.fit(&mut bundle, limit as u64, loads).unwrap();
        let count = sizes.iter().position(|bytes| *bytes <= limit).unwrap();
        let is_packed = |i: &usize| bundle.chunks[*i].form == Form::Packed;
        let mut found: Vec<usize> = (0..40).filter(is_packed).collect();
        found.sort_by_key(|i| order.iter().position(|o| o == i));
        assert_eq!(found, order[..count], "{limit}: {sizes:?}");
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
