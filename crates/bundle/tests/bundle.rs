//! A bundle as it is built, counted, decided on and printed.

mod common;

use common::{build, input};
use fastlua_bundle::{Build, Bundle, BundledChunk, Form, Input, Loads, NoHeader};
use fastlua_bundle::{bundle_name, c_header, choose_forms, module_headers, pack};
use fastlua_bytecode::Strip;
use fastlua_variants::Variants;

fn chunk<'a>(bundle: &'a Bundle, name: &str) -> &'a BundledChunk {
    let mut chunks = bundle.chunks.iter();
    chunks.find(|chunk| chunk.name == name).unwrap()
}

const FROZEN: Form = Form::Frozen { fallback: true };
const ALONE: Form = Form::Frozen { fallback: false };

/// Names of the chunks of a form.
fn named(bundle: &Bundle, form: Form) -> Vec<String> {
    let chunks = bundle.chunks.iter().filter(|c| c.form == form);
    chunks.map(|c| c.name.clone()).collect()
}

/// What `as = "auto"` becomes within these bytes of flash, by name.
fn chosen(bundle: &Bundle, flash: Option<u64>) -> Vec<(&str, Form)> {
    let mut copy = bundle.clone();
    choose_forms(&mut copy, flash, true);
    let chunks = bundle.chunks.iter().zip(copy.chunks);
    chunks.map(|(c, now)| (c.name.as_str(), now.form)).collect()
}

#[test]
fn auto_freezes_all_or_none_at_the_ends() {
    let auto = |name| input(name, Form::Auto, "return function() return {} end");
    let bundle = build(
        &[auto("a"), auto("b")],
        &["lua51-int", "lua53-int32-float32"],
    );
    assert_eq!(chosen(&bundle, None), [("a", FROZEN), ("b", FROZEN)]);
    let none = [("a", Form::Bytecode), ("b", Form::Bytecode)];
    assert_eq!(chosen(&bundle, Some(0)), none);
}

/// Exactly what fits is chosen: one byte less, and another form comes out.
#[test]
fn auto_ends_where_the_largest_variant_is_full() {
    let bundle = build(
        &[
            input("a", Form::Auto, "local t = {1, 2, 3} return t[1] + t[2]"),
            input("b", Form::Bytecode, "return 1"),
        ],
        &["lua51-int", "lua51-float"],
    );
    let mut frozen = bundle.clone();
    choose_forms(&mut frozen, None, true);
    let flash = (0..2).map(|v| frozen.flash(v)).max().unwrap() as u64;
    assert_ne!(frozen.flash(0), frozen.flash(1));
    assert_eq!(chosen(&bundle, Some(flash))[0].1, FROZEN);
    assert_eq!(chosen(&bundle, Some(flash - 1))[0].1, Form::Bytecode);
    assert_eq!(chosen(&bundle, Some(flash))[1].1, Form::Bytecode);
}

/// `text` has one string of 400 bytes, which costs flash twice; `work` is instructions.
#[test]
fn auto_takes_the_most_heap_for_a_byte_of_flash_first() {
    let text = format!("return '{}'", "x".repeat(400));
    let work = "local a = ... return a + a - a * a % a".to_owned() + &" + a * a".repeat(50);
    let inputs = [
        input("text", Form::Auto, &text),
        input("work", Form::Auto, &work),
    ];
    let bundle = build(&inputs, &["lua51-int"]);
    let alone = |name: &str| {
        let mut one = bundle.clone();
        for chunk in &mut one.chunks {
            chunk.form = if chunk.name == name {
                FROZEN
            } else {
                Form::Bytecode
            };
        }
        one.flash(0) as u64
    };
    let both = alone("text").max(alone("work"));
    let forms = chosen(&bundle, Some(both));
    let frozen: Vec<&str> = forms
        .iter()
        .filter(|f| f.1 == FROZEN)
        .map(|f| f.0)
        .collect();
    assert_eq!(frozen.len(), 1, "{forms:?}");
    let gain = |name: &str| {
        let costs = *chunk(&bundle, name).dumps[0]
            .as_ref()
            .unwrap()
            .costs()
            .unwrap();
        let heap = (costs.bytecode_heap - costs.frozen_heap) as f64;
        heap / (costs.frozen_flash + costs.frozen_strings) as f64
    };
    let better = if gain("text") > gain("work") {
        "text"
    } else {
        "work"
    };
    assert_eq!(frozen, [better]);
}

/// The sizes of `Proto`, `TValue`, `TString` and a closure are those that both NodeMCU cores have.
#[test]
fn costs_are_those_of_the_cores_structures() {
    let text = "return 'abc'";
    let variants = ["lua51-int", "lua51-float", "lua53-int32-float32"];
    let bundle = build(&[input("c", ALONE, text)], &variants);
    let costs = |v: usize| *bundle.chunks[0].dumps[v].as_ref().unwrap().costs().unwrap();
    for (v, closure, proto, value) in [(0, 20, 72, 8), (1, 20, 72, 12), (2, 36, 76, 8)] {
        let costs = costs(v);
        assert_eq!(costs.functions, 1);
        assert_eq!(costs.frozen_heap, closure, "variant {v}");
        // LOADK, RETURN, RETURN; one constant; 5.3 has the upvalue _ENV
        let upvalues = if v == 2 { 8 } else { 0 };
        let functions = proto + 3 * 4 + value + upvalues;
        assert_eq!(costs.frozen_flash, functions, "variant {v}");
        assert!(costs.bytecode_heap > functions + closure, "{costs:?}");
    }
    let dump = &bundle.chunks[0].dumps[0].as_ref().unwrap().bytes;
    assert_eq!(costs(0).bytecode_flash, dump.len());
}

#[test]
fn need_counts_what_a_load_makes() {
    let long = "y".repeat(300);
    let text = format!(
        "local a = 'x' return function() return 'x', a, '{long}' end, function() return '{long}' end"
    );
    let bundle = build(
        &[input("c", Form::Bytecode, &text)],
        &["lua51-int", "lua53-int32-float32"],
    );
    for (v, is_53) in [(0, false), (1, true)] {
        let dump = bundle.chunks[0].dumps[v].as_ref().unwrap();
        let need = &dump.compiled.as_ref().unwrap().need;
        assert_eq!(need.functions.len(), 3);
        assert_eq!(need.functions[0].functions, 2);
        assert_eq!(need.functions[1].constants, 2);
        assert_eq!(need.strings.get(&1), Some(&1), "'x' once");
        // 5.3 makes a long string each time; 5.1 reads it through a buffer
        let long_ones = if is_53 { 2 } else { 1 };
        assert_eq!(need.strings.get(&300), Some(&long_ones));
        assert_eq!(need.buffer, if is_53 { (0, 0) } else { (0, 300) });
        assert_eq!(need.main_upvalues, usize::from(is_53));
        assert_eq!(need.constant_strings.get(&300), Some(&long_ones));
    }
}

/// The bytes of the word array of this name, in the order in which the text has them.
fn arrays(header: &str, name: &str) -> Vec<Vec<u8>> {
    let start = format!("static const uint32_t {name}[");
    header
        .split(&start)
        .skip(1)
        .map(|rest| {
            let (_, body) = rest.split_once('{').unwrap();
            let (body, _) = body.split_once('}').unwrap();
            let words = body.split(',').map(str::trim).filter(|w| !w.is_empty());
            words
                .flat_map(|w| {
                    let digits = w.strip_prefix("0x").unwrap();
                    u32::from_str_radix(digits, 16).unwrap().to_le_bytes()
                })
                .collect()
        })
        .collect()
}

#[test]
fn the_header_holds_each_dump_and_each_text_once() {
    let inputs = [
        input("b-c", Form::Bytecode, "return 1, 'two'"),
        input("a", Form::Plain, "return 7 -- as it is"),
    ];
    let bundle = build(&inputs, &["lua51-int", "lua53-int32-float32"]);
    let header = c_header(&bundle, "0").to_string();
    let dumps = chunk(&bundle, "b-c").dumps.iter().flatten();
    let padded = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let expected: Vec<Vec<u8>> = dumps.map(|dump| padded(&dump.bytes)).collect();
    let names: Vec<&str> = header
        .split("static const uint32_t fast_words_")
        .skip(1)
        .map(|rest| rest.split_once('[').unwrap().0)
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(
        arrays(&header, &format!("fast_words_{}", names[1])),
        expected
    );
    assert_eq!(
        arrays(&header, &format!("fast_words_{}", names[0])),
        [padded(b"return 7 -- as it is")]
    );
    // one index for each variant, in the order of names
    for index in header
        .split("static const fast_chunk fast_chunks[]")
        .skip(1)
    {
        let (index, _) = index.split_once("};").unwrap();
        let place = |text: &str| index.find(text).unwrap();
        assert!(place("FAST_SOURCE, 0, 0") < place("FAST_BYTECODE,"));
        let dump_len = |hash: u32| index.contains(&format!("0x{hash:08x}"));
        let hashes = bundle.chunks.iter().flat_map(|c| c.dumps.iter().flatten());
        assert_eq!(hashes.filter(|d| dump_len(d.xxh32)).count(), 3); // the text counts for both
    }
}

#[test]
fn the_header_of_a_chunk_without_bytecode_needs_a_core_that_freezes() {
    let alone = build(&[input("a", ALONE, "return 1")], &["lua51-int"]);
    let header = c_header(&alone, "0").to_string();
    assert!(arrays(&header, "fast_words_a").is_empty());
    assert!(
        header.contains("FAST_CHUNK(fast_name_a, NULL, 0, 0, FAST_BYTECODE,"),
        "{header}"
    );
    assert!(header.contains("a has no bytecode: leave out fallback = false"));
    let error = module_headers(&alone, "0").unwrap_err();
    assert_eq!(error, NoHeader::Frozen("a".into()));

    let both = build(&[input("a", FROZEN, "return 1")], &["lua51-int"]);
    let header = c_header(&both, "0").to_string();
    assert_eq!(arrays(&header, "fast_words_a").len(), 1);
    assert!(!header.contains("has no bytecode"));
    assert_ne!(bundle_name(&alone), bundle_name(&both));
}

/// What inflates is in the header only where a chunk is deflated, and a chunk's text comes out again.
#[test]
fn deflated_source_brings_what_inflates_it() {
    let text = "local a = {'text', 'text', 'text', 'text'} return a";
    let squashed = build(&[input("a", Form::Squashed, text)], &["lua51-int"]);
    let deflated = build(&[input("a", Form::Deflated, text)], &["lua51-int"]);
    let [without, with] = [&squashed, &deflated].map(|bundle| c_header(bundle, "0").to_string());
    assert!(
        !without.contains("fast_inflate")
            && without.contains(", NULL, 0, NULL, NULL, NULL, fast_names};")
    );
    assert!(with.contains("static uint32_t fast_inflate_more"));
    assert!(with.contains(", NULL, 0, fast_load_deflated, NULL, NULL, fast_names};"));
    let [squashed, deflated] = [&squashed, &deflated].map(|bundle| chunk(bundle, "a"));
    let text = squashed.text(squashed.dumps[0].as_ref().unwrap()).unwrap();
    let dump = deflated.dumps[0].as_ref().unwrap();
    assert_eq!(deflated.text(dump).as_ref(), Some(&text));
    assert!(dump.bytes.len() < text.len());
    assert!(with.contains(&format!(
        "FAST_DEFLATED, FAST_DEFLATED_HEAP({}), 0, 0",
        text.len()
    )));
    let halves = build(&[input("a", Form::Deflated, "return 1")], &["lua51-int"]);
    let files = module_headers(&halves, "0").unwrap();
    assert!(
        files[0]
            .1
            .contains("0, fast_runtime_deflated, NULL, NULL, NULL};")
    );
    assert!(
        files[0]
            .1
            .contains("FAST_DEFLATED, FAST_RUNTIME_INFLATE(8), 0, 0")
    );
}

/// What unpacks, the tables and what chunks have in common are in the header only where a chunk is packed, the tables of
/// a dialect once; a module's own header has what its chunks have in common.
#[test]
fn packed_chunks_bring_what_unpacks_them() {
    let variants = ["lua51-int", "lua51-float", "lua53-int32-float32"];
    let text = "return function() return 'in both' end, 'in both'";
    let bytecode = build(&[input("a", Form::Bytecode, text)], &variants);
    let others = [
        input("a", Form::Packed, text),
        input("b", Form::Packed, "return 'only b'"),
    ];
    let packed = build(&others, &variants);
    let [without, with] = [&bytecode, &packed].map(|bundle| c_header(bundle, "0").to_string());
    assert!(!without.contains("fast_unpack") && !without.contains("FAST_TABLES"));
    assert!(
        with.contains("static int fast_load_packed")
            && with.contains("NULL, fast_load_packed, fast_shared, fast_names};")
    );
    assert_eq!(with.matches("#define FAST_TABLES").count(), 2);
    assert_eq!(with.matches("  FAST_TABLES").count(), 3);
    assert!(with.contains("FAST_PACKED,\n   FAST_PACKED_HEAP\n   + FAST_CLOSURE("));
    for v in 0..3 {
        let [was, is] =
            [&bytecode, &packed].map(|bundle| chunk(bundle, "a").dumps[v].clone().unwrap());
        assert_eq!(chunk(&packed, "a").unpacked(&is).unwrap(), was.bytes);
        assert!(is.bytes.len() < was.bytes.len() / 2);
        assert_eq!(packed.common[v].strings(), ["in both"]);
        let words = packed.shared(v).unwrap();
        assert_eq!(words[0] as usize, 4 * (words.len() - 3));
        let chunks = [0, 1].map(|i| packed.chunks[i].dumps[v].as_ref().unwrap().bytes.len());
        assert_eq!(packed.flash(v), chunks[0] + chunks[1] + 4 * words.len());
    }
    let files = module_headers(&packed, "0").unwrap();
    for (file, header) in &files[..2] {
        assert!(
            header.contains("NULL, fast_runtime_packed, fast_runtime_tables, NULL};"),
            "{file}"
        );
        assert!(header.contains("FAST_PACKED,\n   FAST_RUNTIME_UNPACK\n   + FAST_CLOSURE("));
    }
}

/// What loads the chunks of C modules is in files of its own, the same beside any modules of any form.
#[test]
fn c_modules_share_what_loads_them() {
    let files = |form: Form| {
        let inputs = [input("a", form, "return 1"), input("b-c", form, "return 2")];
        module_headers(&build(&inputs, &["lua51-int"]), "0").unwrap()
    };
    let [bytecode, packed, deflated] = [Form::Bytecode, Form::Packed, Form::Deflated].map(files);
    let names: Vec<&str> = bytecode.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["a_lua.h", "b_c_lua.h", "fast_runtime.h", "fast_runtime.c"]
    );
    assert_eq!(bytecode[2..], packed[2..]);
    assert_eq!(bytecode[2..], deflated[2..]);
    let (h, c) = (&bytecode[2].1, &bytecode[3].1);
    let (_, id) = h.split_once("#define FAST_RUNTIME\t").unwrap();
    let id = &id[..11];
    for (name, text) in bytecode.iter().chain(&packed).chain(&deflated) {
        assert!(text.starts_with(&format!("/*\n** {name} - ")), "{name}");
        assert!(
            text.contains("** Made by fastlua 0; do not edit it"),
            "{name}"
        );
        assert!(name == "fast_runtime.h" || text.contains(&format!("FAST_RUNTIME != {id}\n")));
        let is_module = name.ends_with("_lua.h");
        assert!(!is_module || (text.lines().count() < 80 && !text.contains("\nstatic int fast_")));
    }
    // the loaders are there once, and no name is without the build's number
    assert_eq!(c.matches("static int fast_push_chunk").count(), 1);
    let exports = h.matches("#define fast_runtime_").count() - 1; // the include guard
    assert_eq!(
        exports,
        h.matches(&format!("\tfast_runtime_{}_", &id[2..10]))
            .count()
    );
    assert_eq!(exports, 5);
}

#[test]
fn what_has_debug_data_is_not_packed() {
    let known = Variants::built_in();
    let build = Build {
        inputs: &[Input {
            strip: Strip::Names,
            ..input("a", Form::Packed, "return 1")
        }],
        variants: &[known.get("lua51-int").unwrap().clone()],
        heap_limit: 1 << 24,
    };
    let faults = build.run().unwrap_err();
    assert_eq!(
        faults[0].message,
        "a.lua: packed chunks have no debug data, but strip level 1 keeps some: use level 2, or another form"
    );
}

/// Six whole modules that fastlua ships take at most 44 % of what they take as squashed source: 12,500 of 28,224 bytes as
/// they were when that was settled.
#[test]
fn deflated_modules_are_small() {
    let names = ["config", "ftp", "get", "hello", "http", "telnet"];
    let bytes = |form| {
        let shipped = fastlua_firmware::modules().filter_map(|(file, text)| {
            let name = file.strip_suffix(".lua")?;
            let text = std::str::from_utf8(text).ok()?;
            names.contains(&name).then(|| input(name, form, text))
        });
        let inputs: Vec<Input> = shipped.collect();
        assert_eq!(inputs.len(), names.len());
        let chunks = build(&inputs, &["lua51-float"]).chunks;
        let dumps = chunks.iter().map(|chunk| chunk.dumps[0].as_ref());
        dumps.map(|dump| dump.unwrap().bytes.len()).sum::<usize>()
    };
    let [deflated, squashed] = [Form::Deflated, Form::Squashed].map(bytes);
    assert!(
        deflated * 28_224 <= squashed * 12_500,
        "{deflated} of {squashed}"
    );
}

/// Where bytecode does not fit, the chunk with the largest saving is deflated first, and no more than has to be; none
/// where that does not do, nor one that is long.
#[test]
fn auto_deflates_what_bytecode_has_no_room_for() {
    let lines = |n: usize| "print('the same text', 'and another one')\n".repeat(n);
    let calls = |n: usize| {
        let calls = (0..n).map(|i| format!("print('{}')\n", i * 7919 % 1000));
        calls.collect::<String>()
    };
    let inputs = [
        input("large", Form::Auto, &lines(30)),
        input("long", Form::Auto, &calls(300)),
        input("small", Form::Auto, &lines(5)),
        input("kept", Form::Bytecode, &lines(30)),
    ];
    let known = Variants::built_in();
    let variants = [known.get("lua51-int").unwrap().clone()];
    let build = Build {
        inputs: &inputs,
        variants: &variants,
        heap_limit: 1 << 24,
    };
    let mut bytecode = build.run().unwrap();
    choose_forms(&mut bytecode, Some(0), true);
    let forms = |flash: usize| {
        let mut bundle = bytecode.clone();
        let loads = Loads {
            packed: false,
            deflated: true,
        };
        build.fit(&mut bundle, flash as u64, loads).unwrap();
        (named(&bundle, Form::Deflated), bundle.flash(0))
    };
    let all = bytecode.flash(0);
    assert_eq!(forms(all), (vec![], all));
    let (names, less) = forms(all - 1);
    assert_eq!(names, ["large"]);
    assert!(less < all);
    assert_eq!(forms(less), (vec!["large".into()], less));
    let (names, least) = forms(less - 1);
    assert_eq!(names, ["large", "small"]);
    assert_eq!(forms(least).1, least);
    assert_eq!(forms(least - 1), (vec![], all));
}

/// Where bytecode does not fit, and the chip can load packed chunks, chunks are packed before any is deflated, and no more of them than
/// has to be. Deflated are short ones where all packed ones are too much, and none of either where that does not do.
#[test]
fn auto_packs_before_it_deflates() {
    let shipped = fastlua_firmware::modules().filter(|(file, _)| *file != "hello.lua");
    let mut inputs: Vec<Input> = shipped
        .map(|(file, text)| {
            let text = std::str::from_utf8(text).unwrap();
            input(file.strip_suffix(".lua").unwrap(), Form::Auto, text)
        })
        .collect();
    let repeats = "print('the same text', 'and another one')\n".repeat(40);
    inputs.push(input("repeats", Form::Auto, &repeats));
    let known = Variants::built_in();
    let variants =
        ["lua51-int", "lua53-int64-float64"].map(|name| known.get(name).unwrap().clone());
    let build = Build {
        inputs: &inputs,
        variants: &variants,
        heap_limit: 1 << 24,
    };
    let mut bytecode = build.run().unwrap();
    choose_forms(&mut bytecode, Some(0), true);
    let flash = |bundle: &Bundle| bundle.flash(0).max(bundle.flash(1));
    let within = |flash: usize, deflated: bool| {
        let mut bundle = bytecode.clone();
        let loads = Loads {
            packed: true,
            deflated,
        };
        build.fit(&mut bundle, flash as u64, loads).unwrap();
        bundle
    };
    let all = flash(&bytecode);
    assert_eq!(flash(&within(all, true)), all);
    let one = within(all - 1, true);
    assert_eq!(named(&one, Form::Packed), ["ftp"]);
    assert!(named(&one, Form::Deflated).is_empty());
    let less = flash(&one);
    assert_eq!(flash(&within(less, true)), less);
    assert_eq!(named(&within(less - 1, true), Form::Packed).len(), 2);
    let mut packed = bytecode.clone();
    for chunk in &mut packed.chunks {
        chunk.form = Form::Packed;
    }
    pack(&mut packed).unwrap();
    let least = flash(&packed);
    assert_eq!(
        named(&within(least, true), Form::Packed).len(),
        inputs.len()
    );
    let both = within(least - 1, true);
    assert_eq!(named(&both, Form::Deflated), ["repeats"]);
    assert_eq!(named(&both, Form::Packed).len(), inputs.len() - 1);
    assert!(flash(&both) < least);
    assert_eq!(flash(&within(least - 1, false)), all);
    assert_eq!(flash(&within(100, true)), all);
}

/// Tables that take more than packing saves are left out.
#[test]
fn auto_does_not_pack_a_little() {
    let text = "print('the same text', 'and another one')\n".repeat(30);
    let inputs = [input("a", Form::Auto, &text)];
    let known = Variants::built_in();
    let build = Build {
        inputs: &inputs,
        variants: &[known.get("lua51-int").unwrap().clone()],
        heap_limit: 1 << 24,
    };
    let mut bundle = build.run().unwrap();
    choose_forms(&mut bundle, Some(0), true);
    let flash = bundle.flash(0) as u64 - 1;
    let loads = |deflated| Loads {
        packed: true,
        deflated,
    };
    build.fit(&mut bundle, flash, loads(false)).unwrap();
    assert_eq!(named(&bundle, Form::Bytecode), ["a"]);
    build.fit(&mut bundle, flash, loads(true)).unwrap();
    assert_eq!(named(&bundle, Form::Deflated), ["a"]);
}
