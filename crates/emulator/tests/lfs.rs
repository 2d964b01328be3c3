//! Images for LFS on the emulated chips: their memory is what the core takes for its own functions and strings. A write to
//! it ends the run.

mod common;

use common::images::output;
use common::{TIMEOUT, overlays, tools, variant, work};
use fastlua_bundle::{Build, Form, Input};
use fastlua_bytecode::{Strip, read};
use fastlua_emulator::{Chip, Core, Data, Image, Job, Measure, Mode, measure, region_file};
use fastlua_lfs as lfs;
use fastlua_variants::Variants;

/// The file of an LFS region with these modules, made for NodeMCU's variant of a number model.
fn region(inputs: &[Input], model: &str) -> (&'static str, String) {
    let set = Variants::built_in();
    let variant = set.get(&format!("lua{model}")).unwrap();
    let build = Build {
        inputs,
        variants: std::slice::from_ref(variant),
        heap_limit: 64 << 20,
    };
    let module = |chunk: &fastlua_bundle::BundledChunk| lfs::Module {
        name: chunk.name.clone().into(),
        chunk: read(&chunk.dumps[0].as_ref().unwrap().bytes, &variant.layout).unwrap(),
    };
    let image = lfs::Image {
        layout: variant.layout,
        place: lfs::Place::Anywhere,
        aligned: false,
        timestamp: 1_000_000,
        seed: None,
        modules: build.run().unwrap().chunks.iter().map(module).collect(),
    };
    let (bytes, _) = lfs::write(&image).unwrap();
    lfs::prove(&bytes, &image).unwrap();
    region_file(&lfs::region(&bytes).unwrap())
}

/// What a module may do with its constants, functions and names, and where it fails.
const MODULE: &str = "
local long = 'a string of more than forty bytes, which a core keeps each time it meets it'
local t = setmetatable({['end'] = 1, ['while'] = 2, [long] = 3}, {
  __index = function(_, key) return key .. '!' end,
  __call = function(self, ...) return select('#', ...), self[long] end,
})
local function counter(from)
  return function() from = from + 1 return from end
end
local count = counter(10)
count()
local co = coroutine.wrap(function(a)
  for i = 1, 3 do a = coroutine.yield(a .. i) end
end)
local parts = {}
for i = 1, 40 do parts[#parts + 1] = ('%d:%s'):format(i, t[i]) end
print(count(), t['end'], t['while'], t.x, t(1, 2), co('x'), co('y'))
print(#table.concat(parts), 7 / 2 > 3, -3 % 5, nil, true, 2147483647, #long)
for i = 1, 20 do
  local garbage = {}
  for j = 1, 50 do garbage[j] = function() return i + j, long end end
  collectgarbage()
end
local ok, fault = pcall(function()
  return nil + 1
end)
print(ok, fault)
print(pcall(string.rep))
local of = {userdata = newproxy and newproxy() or debug.upvalueid(counter(1), 1), thread = coroutine.create(print),
  table = {}, boolean = true, number = 1, string = '', ['function'] = print}
print(type(of.userdata) == 'userdata', type(of.thread) == 'thread', type(of.table) == 'table', type(true) == 'boolean',
  type(1) == 'number', type('') == 'string', type(print) == 'function', type(nil) == 'nil')
for name, value in pairs(of) do print(type(value) == name, of[type(value)] == value) end
return function(...) return ..., print, long end
";

/// Runs the module out of LFS and as it is compiled on the chip, and compares what they do.
const BOTH: &str = "
local function all(f)
  local said, real = {}, print
  print = function(...)
    local n = select('#', ...)
    local texts = {...}
    for i = 1, n do texts[i] = tostring(texts[i]):gsub('^.-:%d+:', '') end
    said[#said + 1] = table.concat(texts, ' ')
  end
  local results = {pcall(f)}
  print = real
  local inner = results[2]
  if type(inner) == 'function' then said[#said + 1] = tostring(select(3, inner(1))) end
  return table.concat(said, '|')
end
assert(chip.store 'no' == nil)
local of_heap, of_flash = all((loadstring or load)(SOURCE)), all(assert(chip.store 'module'))
collectgarbage() collectgarbage()
assert(of_heap == of_flash, of_flash)
print(of_flash)
local ok, fault = pcall(chip.store 'fails')
print(ok, fault)
-- the compiler still knows its words, though the image has them as constants
local made = (loadstring or load)('local t = {...} while true do return t[1] end')
print(made('compiled'), ({['end'] = 5})['end'])
collectgarbage() collectgarbage()
local before = chip.used()
local f = chip.store 'module'
collectgarbage() collectgarbage()
print(chip.used() - before)
";

fn modules_run_out_of_lfs(chip: Chip, models: &[&str]) {
    for &model in models {
        let fails = Input {
            strip: Strip::Names,
            ..common::input("fails", b"\n\nlocal t\n\n\nreturn t.x")
        };
        let module = Input {
            strip: Strip::Names,
            ..common::input("module", MODULE.as_bytes())
        };
        let region = region(&[module, fails], model);
        let files = [(region.0, region.1.as_bytes())];
        let script = BOTH.replace("SOURCE", &format!("[=[{}]=]", MODULE));
        // where reads are counted a write to flash ends the run
        let image = Image::script(
            &tools(chip),
            &work(),
            &variant(model).layout,
            Core::Lfs,
            &files,
            script.as_bytes(),
            true,
        )
        .unwrap();
        let found = output(&image, model);
        let lines: Vec<&str> = found.lines().collect();
        let [said, failed, compiled, closure] = lines[..] else {
            panic!("{model}: {found}");
        };
        assert!(said.starts_with("12 1 2 x! 2 x1 y2|"), "{model}: {found}");
        let types = "|".to_owned() + &["true"; 8].join(" ") + &"|true true".repeat(7) + "|";
        assert!(said.contains(&types), "{model}: {found}");
        assert!(
            failed.contains("fails.lua:6: attempt to index"),
            "{model}: {found}"
        );
        assert_eq!(compiled, "compiled\t5", "{model}: {found}");
        let closure: i32 = closure.parse().unwrap();
        let at_most = 24 + 16 + 2 * common::block_head(chip) + 24;
        assert!(closure > 0 && closure <= at_most, "{model}: {found}");
    }
}

#[test]
#[ignore = "needs the chip's cross compiler and emulator"]
fn modules_run_out_of_lfs_lx106() {
    modules_run_out_of_lfs(Chip::Esp8266, &["51-int", "51-float", "53-int32-float32"]);
}

#[test]
#[ignore = "needs the chip's cross compiler and emulator"]
fn modules_run_out_of_lfs_rv32() {
    modules_run_out_of_lfs(Chip::Esp32c3, &["51-float", "53-int64-float64"]);
}

/// The shipped modules, in pieces, all in one image.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn all_shipped_modules_load_out_of_one_image() {
    for (chip, model) in [
        (Chip::Esp8266, "51-float"),
        (Chip::Esp32c3, "53-int32-float32"),
    ] {
        let inputs = overlays(Form::Bytecode);
        let region = region(&inputs, model);
        let files = [(region.0, region.1.as_bytes())];
        let how = Measure {
            tools: &tools(chip),
            work: &work(),
            layout: &variant(model).layout,
            core: Core::Lfs,
            // as a chip boots, the core collects before it makes the closure
            egc: Mode::NotActive,
            files: &files,
            heap_limit: 0,
            count_reads: true,
            timeout: TIMEOUT,
        };
        let jobs: Vec<Job> = inputs
            .iter()
            .map(|input| Job {
                name: input.name.clone(),
                data: Data::Lfs,
                warm: false,
                run: false,
            })
            .collect();
        let most = inputs.len() as u32 * 200 + 2000;
        for (job, measured) in jobs.iter().zip(measure(&how, &jobs).unwrap()) {
            let load = measured.load.unwrap();
            let what = format!("{chip} {model} {}: {load:?}", job.name);
            assert!(load.instructions < most && load.heap_kept < 200, "{what}");
        }
    }
}
