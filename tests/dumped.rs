//! Dumps by `string.dump` of functions with upvalues, as modules: in every form that has bytecode they do what they do
//! when the core's own loader makes them. They get new upvalues, nil but for the globals in 5.3's first.

mod support;

use std::path::Path;
use std::process::Command;

use fastlua_bundle::CoreLayout;
use fastlua_bundle::slot::Head;
use fastlua_bytecode::{Chunk, Dialect, Layout, NumberModel, Strip, write};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_variants::Variants;
use support::firmware::{head, raw};
use support::{
    STRICT, call, cc, fail, fastlua, firmware_flags, freezing_lua, nodemcu_variant, packed_lua,
    put, stock_variant, succeed,
};

/// Its inner function is what is dumped. The first upvalue is the one that 5.3 fills.
const TEXT: &[u8] = b"local first, count, list
return function(n)
  local kind = first
  count = (count or 0) + n
  list = list or {}
  list[#list + 1] = function() count = count + 1 return count end
  return first and 1, count, #list, list[1]()
end";

const SCRIPT: &str = "
local function calls(load)
  local f, g = load(), load()
  collectgarbage()
  print(f(1)) print(f(2)) print(g(5)) collectgarbage() print(f(3)) print(g(1))
end
calls(function() return assert(loadfile 'counter.luac') end)
print '--'
calls(function() return assert(fast.load 'counter') end)
";

fn dumped(layout: &Layout) -> Chunk {
    let mut whole = compile(layout, b"@counter.lua", TEXT, HEAP_LIMIT).unwrap();
    whole.strip(Strip::Lines);
    let main = whole.main.functions.remove(0);
    assert!(main.upvalues.len() == 3, "{main:?}");
    Chunk {
        layout: *layout,
        main,
    }
}

fn dump(variant: &str) -> Vec<u8> {
    let known = Variants::built_in();
    write(&dumped(&known.get(variant).unwrap().layout)).unwrap()
}

/// Builds with one form, and compares what the module does with what the core's loader makes of a stock dump.
fn same_as_the_core(folder: &Path, stock: &Path, model: &NumberModel, form: &str) {
    let out = folder.join(form);
    let mut build = fastlua(folder);
    build.args(["build", "counter.lc", "--as", form, "--strip", "2"]);
    build.args(["--variant", &nodemcu_variant(model), "-o"]);
    succeed(build.arg(&out));
    let is_frozen = form == "frozen";
    let mut object = cc("gcc", stock, model);
    object.args(STRICT).args(firmware_flags(model));
    object.args(is_frozen.then_some("-DFAST_WRAP"));
    object.args(["-fsanitize=address,undefined", "-c", "-o"]);
    succeed(object.args([out.join("fast.o"), out.join("fast.c")]));
    let mut program = cc("gcc", stock, model);
    program.args([
        "-w",
        "-DFASTLUA_BOOT", // 5.1 collects before each allocation
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover",
    ]);
    program.arg("-o").arg(out.join("host"));
    program.args([stock.join("host.c"), out.join("fast.o")]);
    if is_frozen {
        program.arg(stock.join("start.c"));
        program.arg("-Wl,--wrap=luaN_init");
    }
    succeed(program.arg("-lm"));
    let script = put(folder, "script.lua", SCRIPT);
    let mut host = Command::new(out.join("host"));
    host.env("ASAN_OPTIONS", "detect_leaks=0");
    let output = succeed(host.current_dir(folder).arg(script));
    let (core, ours) = output.split_once("--\n").unwrap();
    assert_eq!(ours, core, "{} {form}", model.name());
    let first = match model.dialect {
        Dialect::Lua51 => "nil\t1\t1\t2\n",
        Dialect::Lua53 => "1\t1\t1\t2\n",
    };
    assert!(core.starts_with(first), "{core}");
}

#[test]
fn the_simulator_makes_new_upvalues_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = "local kept, n = {}, nil
        local f = function(a) local globals = kept n = (n or 0) + a return n, globals ~= nil end
        local g = assert(loadstring(string.dump(f)))
        print(f(1)) print(g(10)) print(g(10)) print(f(1))";
    let said = succeed(fastlua(folder.path()).args(["run", "-e", text]));
    assert_eq!(said, "1\ttrue\n10\tfalse\n20\tfalse\n2\ttrue\n");
}

#[test]
fn what_can_not_carry_upvalues_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    for variant in ["lua51-int", "lua53-int32-float32"] {
        put(f, "counter.lc", dump(variant));
        let said = succeed(&mut call(
            f,
            &format!("check --variant {variant} counter.lc"),
        ));
        assert!(said.contains("counter.lc: ok"), "{said}");
        let known = Variants::built_in();
        let layout = known.get(variant).unwrap().layout;
        let now = head(variant, 32 << 10);
        let (mut core, tags) = CoreLayout::recorded(&layout, &now.core).unwrap();
        core.upvalues = [0, 0];
        let before = Head {
            core: core.record(&tags),
            ..now.clone()
        };
        for (firmware, name) in [(now, "now.bin"), (before, "before.bin")] {
            put(f, name, raw(&[firmware]));
            let mut patch = call(f, &format!("patch {name} counter.lc -o mine.bin"));
            if name == "now.bin" {
                succeed(&mut patch);
            } else {
                let said = fail(&mut patch);
                assert!(said.contains("counter has upvalues"), "{said}");
                assert!(said.contains("rebuild the firmware"), "{said}");
            }
        }
        let mut image = call(f, &format!("lfs --variant {variant} counter.lc -o lfs.img"));
        match layout.dialect() {
            Dialect::Lua51 => {
                let said = fail(&mut image);
                assert!(said.contains("module counter has upvalues"), "{said}");
            }
            Dialect::Lua53 => drop(succeed(&mut image)),
        }
    }
}

#[test]
fn every_form_makes_new_upvalues() {
    for model in NumberModel::ALL {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "counter.lc", dump(&nodemcu_variant(&model)));
        put(folder.path(), "counter.luac", dump(&stock_variant(&model)));
        let [packed, freezing] = ["packed-core", "freezing-core"].map(|n| folder.path().join(n));
        packed_lua(&packed, model.dialect);
        freezing_lua(&freezing, model.dialect);
        same_as_the_core(folder.path(), &packed, &model, "bytecode");
        if NumberModel::ALL[..3].contains(&model) {
            same_as_the_core(folder.path(), &packed, &model, "packed");
            same_as_the_core(folder.path(), &freezing, &model, "frozen");
        }
    }
}
