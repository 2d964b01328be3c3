//! The emulated chips compute what a PC computes: each script of `tests/scripts`, in stock Lua of
//! each number model, and C's own arithmetic.

#[path = "common/host.rs"]
mod host;

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{TIMEOUT, block_head, layout, tools, work};
use fastlua_emulator::{BuildError, Chip, Core, Image, Output, RunError};

const MODELS: [&str; 6] = [
    "51-int",
    "51-float",
    "53-int32-float32",
    "53-int64-float64",
    "53-int64-float32",
    "53-int32-float64",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run_script(chip: Chip, model: &str, script: &str) -> Output {
    let image = Image::script(
        &tools(chip),
        &work(),
        &layout(model),
        Core::Stock,
        &[],
        script.as_bytes(),
        false,
    );
    image.unwrap().run(TIMEOUT).unwrap()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn scripts_print_what_they_print_on_a_pc() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let scripts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(scripts.len() >= 5, "{scripts:?}");
    for model in MODELS {
        let folder = tempfile::tempdir().unwrap();
        let lua = host::lua(folder.path(), &layout(model));
        for script in &scripts {
            fs::copy(script, folder.path().join("script.lua")).unwrap();
            let mut command = Command::new(&lua);
            command.current_dir(folder.path()).arg("script.lua");
            let here = text(&host::succeed(&mut command));
            let script = fs::read_to_string(script).unwrap();
            for chip in Chip::ALL {
                let there = run_script(chip, model, &script);
                let errors = text(&there.stderr);
                assert_eq!(there.status, 0, "{chip} {model} {script:?}: {errors}");
                assert_eq!(text(&there.stdout), here, "{chip} {model} {script:?}");
            }
            assert!(here.lines().count() >= 1, "{model} {script:?}");
        }
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn arithmetic_gives_the_bits_that_it_gives_on_a_pc() {
    let folder = tempfile::tempdir().unwrap();
    let here = host::succeed(&mut Command::new(host::compile(
        folder.path(),
        "arithmetic.c",
        &[],
    )));
    let source = fs::read(host::c_file("arithmetic.c")).unwrap();
    let files: [(&str, &[u8]); 1] = [("arithmetic.c", &source)];
    for chip in Chip::ALL {
        let image = Image::build(&tools(chip), &work(), &layout("51-int"), &files).unwrap();
        let there = image.run(TIMEOUT).unwrap();
        assert_eq!(text(&there.stdout), text(&here), "{chip}");
        assert_eq!((text(&here).lines().count(), there.status), (3, 0));
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn failures_are_told_apart() {
    Chip::ALL.into_iter().for_each(failures_of);
}

fn failures_of(chip: Chip) {
    let failed = run_script(chip, "51-int", "print 'so far' error 'no more'");
    assert_eq!(
        (failed.status, text(&failed.stdout)),
        (1, "so far\n".into())
    );
    assert!(text(&failed.stderr).contains("script.lua:1: no more"));

    let own = |name: &str, source: &[u8]| {
        Image::build(&tools(chip), &work(), &layout("51-int"), &[(name, source)])
    };
    let fault = own("fault.c", &fs::read(host::c_file("fault.c")).unwrap()).unwrap();
    let fault = fault.run(TIMEOUT).unwrap();
    let errors = text(&fault.stderr);
    assert!(
        fault.status == 70 && errors.contains("CPU exception"),
        "{errors}"
    );
    assert!(errors.contains("address 0x28000000"), "{errors}");

    let endless = own("endless.c", b"int main (void) { for (;;); }").unwrap();
    let ended = endless.run(Duration::from_millis(300));
    assert!(matches!(ended, Err(RunError::Timeout(..))), "{ended:?}");

    let wrong = own("wrong.c", b"int main (void) { return nothing; }").unwrap_err();
    assert!(wrong.to_string().contains("wrong.c:1:"), "{wrong}");
    for name in ["../a.c", "", "a b.c", "image.elf"] {
        let refused = own(name, b"").unwrap_err();
        assert!(matches!(refused, BuildError::Name(_)), "{name}: {refused}");
    }
}

/// The heap under random calls: what it counts, and that no block touches another. Some calls find no
/// memory; only the ESP32-C3's blocks grow where they are.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn the_heap_keeps_its_blocks_apart_and_counts_them() {
    let calls = fs::read_to_string(host::c_file("heap.c")).unwrap();
    for (chip, sizes, stays) in [
        (Chip::Esp8266, [16, 8, 1, 32], 0),
        (Chip::Esp32c3, [4, 4, 12, 12], 1),
    ] {
        let [head, step, least, hole] = sizes;
        let source = format!(
            "#define HEAD {head}\n#define STEP {step}\n#define LEAST {least}\n#define HOLE {hole}\n\
             #define SHRINKS {stays}\n{calls}"
        );
        let files: [(&str, &[u8]); 1] = [("heap-calls.c", source.as_bytes())];
        let image = Image::build(&tools(chip), &work(), &layout("51-int"), &files).unwrap();
        let output = image.run(TIMEOUT).unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status, 0, "{chip}: {errors}");
        assert_eq!(
            text(&output.stdout),
            format!("failed 1, stayed {stays}\n"),
            "{chip}"
        );
    }
}

/// The library `chip` sees what a script does to the heap.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn scripts_see_and_limit_the_heap() {
    let script = r#"
if chip.egc then chip.egc(1) end -- no collection but where memory ends, and no limit of strings
collectgarbage('setpause', 100000)
-- each collection halves the buffer of `..`
local function collect() for _ = 1, 12 do collectgarbage() end end
collect()
local free, used, live, blocks = chip.free(), chip.used()
local s = ('x'):rep(1000)
local used2, live2, blocks2 = chip.used()
assert(live2 - live >= 1000 and blocks2 > blocks and used2 - used >= live2 - live + HEAD * (blocks2 - blocks))
assert(free - chip.free() == used2 - used)
s = nil collect()
assert(chip.free() >= free - 200, chip.free() - free)

chip.limit(2000)
assert(chip.free() == 2000)
local ok, why = pcall(string.rep, 'x', 30000)
assert(not ok and why:find '^not enough memory')
chip.limit()
assert(chip.free() == free - (chip.used() - used))

local calls, failed = chip.calls()
local function deep(n) if n > 0 then return 1 + deep(n - 1) end return 0 end
deep(30) -- Lua's stack grows now, not where memory fails
chip.failat(1)
ok, why = pcall(string.rep, 'y', 30)
chip.failat()
assert(not ok and why:find '^not enough memory' and select(2, chip.calls()) > failed)
assert(pcall(string.rep, 'y', 30))

local function work() local n = 0 for i = 1, 1000 do n = n + i end return n end
local a, n = chip.count(work)
local b = chip.count(work)
assert(a == b and n == 500500 and a > 5000 and a < 1000000, a)
assert(not pcall(chip.reads))
print 'right'
"#;
    for chip in Chip::ALL {
        let script = script.replace("HEAD", &block_head(chip).to_string());
        for model in MODELS {
            let output = run_script(chip, model, &script);
            let errors = text(&output.stderr);
            assert_eq!(text(&output.stdout), "right\n", "{chip} {model}: {errors}");
            assert_eq!(output.status, 0);
        }
    }
}
