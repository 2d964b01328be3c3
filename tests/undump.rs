//! The functions that `fast_undump.h` makes of a dump, and `fast_packed.h` of a packed one, are those that were dumped: in stock Lua of
//! each number model from stock dumps, and from NodeMCU's in stock Lua with packed line info
//! (`fastlua_cores::packed_lines`). What `string.dump` says of each is compared in every part.

mod support;

use fastlua_bundle::c_header;
use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bundle::{Build, Bundle, Form, Input};
use fastlua_bytecode::{
    Chunk, Dialect, Function, Layout, NumberModel, Strip, Upvalue, compare, read, write,
};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_variants::{Variant, Variants};
use support::{
    STRICT, cc, firmware_flags, nodemcu_variant, packed_lua, put, root, stock_lua, stock_variant,
    succeed,
};

const SCRIPT: &str = "for name in fast.list() do\n\
    local hex = string.dump(fast.load(name)):gsub('.', function(c) return ('%02x'):format(c:byte()) end)\n\
    print(name, hex)\nend\n";

/// Strings around the sizes at which they are read in another way.
fn strings() -> Vec<u8> {
    let sizes = [
        0, 1, 2, 3, 4, 39, 40, 41, 42, 253, 254, 255, 256, 257, 900, 70_000,
    ];
    let strings: String = sizes
        .iter()
        .map(|&n| format!("'{}',", "abcdefghijk".repeat(7000)[..n].to_owned()))
        .collect();
    format!("local f = function() return 'short' end return {strings} f").into_bytes()
}

/// Name and text of what is compiled, with every strip level.
fn texts() -> Vec<(String, Vec<u8>)> {
    let folders = ["tests/golden/src", "tests/frozen", "crates/firmware/lua"];
    let mut texts = vec![("own-strings".to_owned(), strings())];
    for folder in folders {
        for file in fs::read_dir(root().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "lua") {
                let stem = path.file_stem().unwrap().to_str().unwrap();
                let name = format!("{}-{stem}", folder.rsplit('/').next().unwrap());
                texts.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    texts.sort();
    texts
}

/// A dump as `string.dump` makes it of a function that has so many upvalues.
fn dumped(layout: &Layout, upvalues: usize) -> Input {
    let mut chunk = compile(layout, b"=?", b"return 1", HEAP_LIMIT).unwrap();
    if layout.dialect() == Dialect::Lua51 {
        chunk.strip(Strip::Lines);
        // it has no more upvalues than instructions that use them: GETUPVAL 0 i
        let uses = (0..upvalues as u32).map(|i| 4 | i << 23);
        chunk.main.code.splice(0..0, uses);
    }
    chunk.main.upvalues = vec![Upvalue::default(); upvalues];
    Input {
        name: format!("dumped-{upvalues}"),
        module: "dumped".into(),
        file: "dumped.lc".into(),
        text: write(&chunk).unwrap(),
        form: Form::Bytecode,
        strip: Strip::Lines,
        variants: None,
    }
}

fn bundle(variant: &Variant) -> Bundle {
    let mut inputs = Vec::new();
    for (module, text) in texts() {
        if compile(&variant.layout, b"=?", &text, HEAP_LIMIT).is_err() {
            continue; // golden sources for another dialect or number model
        }
        let packed = ("packed".to_owned(), Form::Packed, Strip::Lines);
        let forms = Strip::ALL.map(|strip| ((strip as u8).to_string(), Form::Bytecode, strip));
        for (suffix, form, strip) in forms.into_iter().chain([packed]) {
            inputs.push(Input {
                name: format!("{module}-{suffix}"),
                module: module.clone(),
                file: format!("{module}.lua"),
                text: text.clone(),
                form,
                strip,
                variants: None,
            });
        }
    }
    for upvalues in [0, 1, 2, 60, 255] {
        let input = dumped(&variant.layout, upvalues);
        let name = format!("{}-packed", input.name);
        let form = Form::Packed;
        let packed = Input {
            name,
            form,
            ..input.clone()
        };
        inputs.extend([input, packed]);
    }
    let build = Build {
        inputs: &inputs,
        variants: std::slice::from_ref(variant),
        heap_limit: HEAP_LIMIT,
    };
    build.run().unwrap()
}

/// Compiles the bundle's `fast.c` and the host program, and runs the script.
fn dumps(stock: &Path, out: &Path, model: NumberModel, bundle: &Bundle, flags: &[&str]) -> String {
    put(out, "fast.c", fastlua_firmware::fast_c());
    put(out, "fast_chunks.h", c_header(bundle, "0").to_string());
    let script = put(out, "script.lua", SCRIPT);
    let host = out.join("host");
    succeed(
        cc("gcc", stock, &model)
            .args(STRICT)
            .arg("-DFAST_DEPTH=200") // a PC has the stack for it
            .args(flags)
            .args([
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover",
                "-c",
                "-o",
            ])
            .arg(out.join("fast.o"))
            .arg(out.join("fast.c")),
    );
    succeed(
        cc("gcc", stock, &model)
            .args(["-w", "-fsanitize=address", "-o"])
            .arg(&host)
            .args([stock.join("host.c"), out.join("fast.o")])
            .args(["-lm", "-lubsan"]),
    );
    succeed(Command::new(host).arg(script))
}

/// The main function as `string.dump` has it: 5.1 gives a name to what has none.
fn named(chunk: Chunk) -> Function {
    let mut main = chunk.main;
    if chunk.layout.dialect() == Dialect::Lua51 && main.source.is_none() {
        main.source = Some("=?".into());
    }
    main
}

fn from_hex(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Builds with `variant` and expects from the core of `stock` what was dumped.
fn same_functions(stock: &Path, model: NumberModel, variant: &str, flags: &[&str]) {
    let variants = Variants::built_in();
    let puc = stock_variant(&model);
    let own = &variants.get(&puc).unwrap().layout;
    let variant = variants.get(variant).unwrap();
    let bundle = bundle(variant);
    let output = dumps(stock, &stock.join(&variant.name), model, &bundle, flags);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), bundle.chunks.len(), "{}", variant.name);
    assert!(
        lines.len() > 150,
        "{}: {} chunks",
        variant.name,
        lines.len()
    );
    for (line, chunk) in lines.iter().zip(&bundle.chunks) {
        let (name, hex) = line.split_once('\t').unwrap();
        assert_eq!(name, chunk.name);
        let dump = chunk.dumps[0].as_ref().unwrap();
        let dump = chunk.unpacked(dump).unwrap();
        let wanted = named(read(&dump, &variant.layout).unwrap());
        let made = read(&from_hex(hex), own).unwrap().main;
        if let Err(difference) = compare(&wanted, &made) {
            panic!("{} {name}: {difference}", variant.name);
        }
    }
    println!("{}: {} chunks", variant.name, lines.len());
}

fn stock_dumps(model: NumberModel) {
    let folder = tempfile::tempdir().unwrap();
    stock_lua(folder.path(), model.dialect);
    let variant = stock_variant(&model);
    same_functions(folder.path(), model, &variant, &[]);
}

fn nodemcus_dumps(model: NumberModel) {
    let folder = tempfile::tempdir().unwrap();
    packed_lua(folder.path(), model.dialect);
    let variant = nodemcu_variant(&model);
    same_functions(folder.path(), model, &variant, firmware_flags(&model));
}

#[test]
#[ignore = "takes long"]
fn integer_51() {
    stock_dumps(NumberModel::ALL[0]);
    nodemcus_dumps(NumberModel::ALL[0]);
}

#[test]
#[ignore = "takes long"]
fn float_51() {
    stock_dumps(NumberModel::ALL[1]);
    nodemcus_dumps(NumberModel::ALL[1]);
}

#[test]
#[ignore = "takes long"]
fn small_53() {
    stock_dumps(NumberModel::ALL[2]);
    nodemcus_dumps(NumberModel::ALL[2]);
}

#[test]
#[ignore = "takes long"]
fn large_53() {
    stock_dumps(NumberModel::ALL[3]);
    nodemcus_dumps(NumberModel::ALL[3]);
}

#[test]
#[ignore = "takes long"]
fn mixed_53() {
    for model in NumberModel::ALL[4..].iter().copied() {
        stock_dumps(model);
        nodemcus_dumps(model);
    }
}
