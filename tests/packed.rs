//! What `fast_packed.h` makes of packed chunks are the functions that were packed, and damage makes it
//! read and write nothing that it should not. What it costs on the ESP8266 is measured.

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fastlua_bundle::shared;
use fastlua_bytecode::packed::{Pool, Tables, write};
use fastlua_bytecode::{Chunk, Dialect, Function, NumberModel, Strip, compare, read};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_emulator::{Chip, Core, Image, Toolchain};
use fastlua_source::split::{Loader, split};
use fastlua_source::squash::squash;
use fastlua_variants::{Variant, Variants};
use support::{STRICT, cc, nodemcu_variant, put, root, run, stock_lua, stock_variant, succeed};

/// The module that loads chunk after chunk by number: packed, as a dump, and packed with a bit changed.
const MODULE: &str = r#"
static int fast_packed_load (lua_State *L) {
  int i = (int)lua_tointeger(L, 1);
  int status = fast_unpack(L, packed[i], packed_size[i], shared);
  return (status == 0) ? 1 : fast_return_error(L);
}

static int fast_dump_load (lua_State *L) {
  int status = fast_undump(L, dumps[(int)lua_tointeger(L, 1)]);
  return (status == 0) ? 1 : fast_return_error(L);
}

static int fast_changed_load (lua_State *L) {
  int i = (int)lua_tointeger(L, 1), bit = (int)lua_tointeger(L, 2), status;
  uint32_t *words = malloc(packed_size[i]);
  if (bit / 8 >= (int)packed_size[i]) return (free(words), 0);
  memcpy(words, packed[i], packed_size[i]);
  words[bit / 32] ^= 1u << bit % 32;
  status = fast_unpack(L, words, packed_size[i], shared);
  free(words);
  lua_pushboolean(L, status == 0);
  return 1;
}

LROT_BEGIN(fast, NULL, 0)
  LROT_FUNCENTRY(changed, fast_changed_load)
  LROT_FUNCENTRY(dump, fast_dump_load)
  LROT_FUNCENTRY(load, fast_packed_load)
  LROT_INTENTRY(count, sizeof(packed_size) / sizeof(packed_size[0]))
LROT_END(fast, NULL, 0)
NODEMCU_MODULE(FAST, "fast", fast, NULL);
"#;

fn words(text: &mut String, name: &str, bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let (all, _) = bytes.as_chunks();
    let all: Vec<String> = all
        .iter()
        .map(|word| format!("0x{:x}", u32::from_le_bytes(*word)))
        .collect();
    let _ = writeln!(
        text,
        "static const uint32_t {name}[] = {{{}}};",
        all.join(",")
    );
}

/// The C file of these chunks.
fn module(chunks: &[(String, Chunk)], dialect: Dialect) -> String {
    let pool = Pool::of(dialect, chunks.iter().map(|(_, chunk)| chunk));
    let mut text = format!(
        "#include <stdlib.h>\n#include \"module.h\"\n{}\n{}\n",
        fastlua_firmware::fast_load_h(),
        fastlua_firmware::fast_packed_h(),
    );
    let (mut packed, mut sizes, mut dumps) = (String::new(), String::new(), String::new());
    for (index, (name, chunk)) in chunks.iter().enumerate() {
        let bytes = write(chunk, &pool).unwrap_or_else(|error| panic!("{name}: {error}"));
        words(&mut text, &format!("packed_{index}"), &bytes);
        words(
            &mut text,
            &format!("dump_{index}"),
            &fastlua_bytecode::write(chunk).unwrap(),
        );
        let _ = write!(packed, "packed_{index}, ");
        let _ = write!(sizes, "{}, ", bytes.len());
        let _ = write!(dumps, "dump_{index}, ");
    }
    let shared = shared(dialect, &pool);
    let shared: Vec<u8> = shared.iter().flat_map(|word| word.to_le_bytes()).collect();
    words(&mut text, "shared", &shared);
    let _ = writeln!(
        text,
        "static const uint32_t *const packed[] = {{{packed}}};"
    );
    let _ = writeln!(text, "static const uint32_t packed_size[] = {{{sizes}}};");
    let _ = writeln!(text, "static const uint32_t *const dumps[] = {{{dumps}}};");
    text + MODULE
}

/// Strings around the sizes at which they are read in another way, each twice.
fn strings() -> Vec<u8> {
    let sizes = [
        0, 1, 2, 3, 4, 39, 40, 41, 42, 253, 254, 255, 256, 257, 900, 70_000,
    ];
    let text = "abcdefghijk".repeat(7000);
    let strings: String = sizes
        .iter()
        .map(|&n| format!("'{}',", &text[..n]))
        .collect();
    let other: String = sizes
        .iter()
        .map(|&n| format!("'{}',", &text[5..n + 5]))
        .collect();
    let again = format!("local f = function() return {strings} 1 end");
    format!("{again} return f, {strings} {other} -1, 7, 65536, -65537").into_bytes()
}

/// What is compiled at strip level 2 for a variant, by name.
fn chunks(folders: &[&str], variant: &str) -> Vec<(String, Chunk)> {
    let variants = Variants::built_in();
    let layout = variants.get(variant).unwrap().layout;
    let mut texts = vec![("strings".to_owned(), strings())];
    for folder in folders {
        for file in fs::read_dir(root().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "lua") {
                let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
                texts.push((stem, fs::read(&path).unwrap()));
            }
        }
    }
    texts.sort();
    let compiled = texts.into_iter().filter_map(|(name, text)| {
        // Golden sources for another dialect or number model do not compile.
        let mut chunk = compile(&layout, b"=?", &text, HEAP_LIMIT).ok()?;
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        Some((name, chunk))
    });
    compiled.collect()
}

/// Runs a script in stock Lua with the module of these chunks, under sanitizers.
fn on_pc(folder: &Path, model: NumberModel, chunks: &[(String, Chunk)], script: &str) -> String {
    stock_lua(folder, model.dialect);
    put(folder, "fast.c", module(chunks, model.dialect));
    let script = put(folder, "script.lua", script);
    let host = folder.join("host");
    let sanitized = [
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover",
        "-Wno-unused-function",
    ];
    succeed(
        cc("gcc", folder, &model)
            .args(STRICT)
            .arg("-DFAST_DEPTH=200") // a PC has the stack for it
            .args(sanitized)
            .args(["-O1", "-c", "-o"])
            .arg(folder.join("fast.o"))
            .arg(folder.join("fast.c")),
    );
    succeed(
        cc("gcc", folder, &model)
            .args(["-w", "-fsanitize=address", "-o"])
            .arg(&host)
            .args([folder.join("host.c"), folder.join("fast.o")])
            .args(["-lm", "-lubsan"]),
    );
    let output = run(Command::new(host).arg(script));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {errors}", model.name());
    String::from_utf8(output.stdout).unwrap()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The main function as `string.dump` has it: 5.1 gives a name to what has none.
fn named(chunk: &Chunk) -> Function {
    let mut main = chunk.main.clone();
    if chunk.layout.dialect() == Dialect::Lua51 {
        main.source = Some("=?".into());
    }
    main
}

#[test]
#[ignore = "takes long"]
fn functions_are_those_that_were_packed() {
    const SCRIPT: &str = "for i = 0, fast.count - 1 do\n\
        local hex = string.dump(assert(fast.load(i))):gsub('.', function(c) return ('%02x'):format(c:byte()) end)\n\
        print(hex)\nend\n";
    for model in NumberModel::ALL {
        let folders = ["tests/golden/src", "tests/frozen", "crates/firmware/lua"];
        let chunks = chunks(&folders, &stock_variant(&model));
        let folder = tempfile::tempdir().unwrap();
        let output = on_pc(folder.path(), model, &chunks, SCRIPT);
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.len(), chunks.len());
        assert!(lines.len() > 40, "{} chunks", lines.len());
        for (line, (name, chunk)) in lines.iter().zip(&chunks) {
            let made = read(&from_hex(line), &chunk.layout).unwrap().main;
            if let Err(difference) = compare(&named(chunk), &made) {
                panic!("{} {name}: {difference}", model.name());
            }
        }
    }
}

/// A bit after the other is changed: what the sanitizers see ends the program.
#[test]
#[ignore = "takes long"]
fn damage_stays_inside() {
    const SCRIPT: &str = "local made, failed = 0, 0\nfor i = 0, fast.count - 1 do\n\
        local bit = 0\nrepeat\nlocal ok = fast.changed(i, bit)\n\
        if ok then made = made + 1 else failed = failed + 1 end\n\
        bit = bit + (bit < 600 and 1 or 997)\nuntil ok == nil\nend\nprint(made > 1000, failed > 1000)\n";
    for model in NumberModel::ALL {
        let chunks = chunks(
            &["tests/frozen", "crates/firmware/lua"],
            &stock_variant(&model),
        );
        let folder = tempfile::tempdir().unwrap();
        let output = on_pc(folder.path(), model, &chunks, SCRIPT);
        assert_eq!(output, "true\ttrue\n", "{}", model.name());
    }
}

/// Modules of which figures are given.
const MODULES: [&str; 6] = ["config", "ftp", "get", "hello", "http", "telnet"];

/// Bytes of these chunks packed, with the tables and what they have in common.
fn flash(dialect: Dialect, chunks: &[Chunk]) -> usize {
    let pool = Pool::of(dialect, chunks);
    let packed = chunks
        .iter()
        .map(|chunk| write(chunk, &pool).unwrap().len());
    let tables = Tables::built_in(dialect);
    packed.sum::<usize>() + 4 * (tables.words().len() + pool.words().len())
}

#[test]
fn the_shipped_modules_are_small() {
    let variants = Variants::built_in();
    for model in NumberModel::ALL {
        let layout = variants.get(&nodemcu_variant(&model)).unwrap().layout;
        let stripped = |text: &[u8]| {
            let mut chunk = compile(&layout, b"=?", text, HEAP_LIMIT).unwrap();
            chunk.strip(Strip::Lines);
            chunk.set_source(None);
            chunk
        };
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let modules = fastlua_firmware::modules().filter(|(file, _)| *file != "web.lua");
        for (file, text) in modules {
            if MODULES.contains(&file.trim_end_matches(".lua")) {
                whole.push(stripped(text));
            }
            match split(text, Loader::Fast).unwrap() {
                Some(parts) => pieces.extend(parts.iter().map(|piece| stripped(&piece.text))),
                None => pieces.push(stripped(text)),
            }
        }
        assert_eq!((whole.len(), pieces.len()), (6, 45));
        let whole = flash(model.dialect, &whole);
        let pieces = flash(model.dialect, &pieces);
        println!("{}: {whole} {pieces}", model.name());
        assert!(
            whole <= 19_700 && pieces <= 24_000,
            "{}: {whole} {pieces}",
            model.name()
        );
    }
}

/// Loads shipped modules packed, as dumps and as squashed source, on the emulated ESP8266.
#[test]
#[ignore = "needs the chip's compiler and QEMU"]
fn loads_on_the_chip_are_cheap() {
    const SCRIPT: &str = "local function cost(i, load, ...)\n\
        fast.dump(i) -- what tables of the core grow by is there before each\n\
        collectgarbage() collectgarbage()\n\
        local start = chip.used() chip.peak(true)\n\
        local n, f = chip.count(load, ...)\n\
        assert(f)\n\
        return n, chip.peak() - start\nend\n\
        for i = 0, fast.count - 1 do\n\
        if only == nil then print(names[i + 1], cost(i, fast.load, i)) end\n\
        if only == nil then print(names[i + 1], cost(i, fast.dump, i)) end\n\
        if only == i then print(names[i + 1], cost(i, loadstring or load, text)) end\nend\n";
    let tools = Toolchain::find(Chip::Esp8266).unwrap_or_else(|missing| panic!("{missing}"));
    let work = root().join("target/emulator");
    let variants = Variants::built_in();
    for model in &NumberModel::ALL[..3] {
        let small = |variant: &&Variant| {
            let layout = variant.layout;
            layout.numbers() == *model && layout.size_t == 4 && !layout.format.is_nodemcu()
        };
        let variant = variants.iter().find(small).unwrap();
        let mut chunks = chunks(&["crates/firmware/lua"], &variant.name);
        chunks.retain(|(name, _)| MODULES.contains(&&**name));
        let (mut names, mut texts) = (String::new(), Vec::new());
        for (name, _) in &chunks {
            let _ = write!(names, "'{name}',");
            let path = root().join(format!("crates/firmware/lua/{name}.lua"));
            let text = squash(&fs::read(path).unwrap(), &[*model]).unwrap();
            texts.push(String::from_utf8(text).unwrap());
        }
        let c = module(&chunks, model.dialect);
        let files = [("fast.c", c.as_bytes())];
        let run = |script: &str| {
            let (layout, script) = (&variant.layout, script.as_bytes());
            let image = Image::script(&tools, &work, layout, Core::Stock, &files, script, false);
            let output = image.unwrap().run(Duration::from_secs(600)).unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status, 0, "{errors}");
            String::from_utf8(output.stdout).unwrap()
        };
        let all: String = texts
            .iter()
            .map(|text| format!("[=====[{text}]=====],"))
            .collect();
        let loads = run(&format!("names = {{{names}}}\ntexts = {{{all}}}\n{SCRIPT}"));
        // each text is compiled by itself, since a large one takes most of the heap
        let compiled = texts.iter().enumerate().map(|(i, text)| {
            run(&format!(
                "names = {{{names}}}\nonly, text = {i}, [=====[{text}]=====]\n{SCRIPT}"
            ))
        });
        let compiled: String = compiled.collect();
        let mut figures: Vec<(&str, u64, u64)> = Vec::new();
        for (two, one) in loads
            .lines()
            .collect::<Vec<_>>()
            .chunks(2)
            .zip(compiled.lines())
        {
            figures.extend(two.iter().chain([&one]).map(|line| figure(line)));
        }
        assert_eq!(figures.len(), 3 * chunks.len());
        for (three, (_, chunk)) in figures.chunks(3).zip(&chunks) {
            let [(name, packed, peak), (_, _, dump_peak), (_, squashed, _)] = three else {
                panic!("{figures:?}");
            };
            println!("{}: {three:?}", model.name());
            assert!(peak <= &(dump_peak + 600), "{name}: {three:?}");
            let large = fastlua_bytecode::write(chunk).unwrap().len() > 2048;
            assert!(!large || packed * 5 < squashed * 2, "{name}: {three:?}");
        }
    }
}

/// Name, instructions and heap peak.
fn figure(line: &str) -> (&str, u64, u64) {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, instructions, peak] = fields[..] else {
        panic!("{line}");
    };
    (name, instructions.parse().unwrap(), peak.parse().unwrap())
}
