//! `fastlua bench` from the outside. It needs the tools that `scripts/test` installs.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fastlua_bench::{ChunkFigures, Column, Figures, Metric, On, VariantFigures};
use support::docs::{self, Example};
use support::{fastlua, put, root, succeed};

const LED: &str = "local t = {pin = 4}\nfunction t.on(n) gpio.write(n or t.pin, 1) end\nreturn t\n";

/// Where both tests that measure keep what is compiled for the chip, for the next time too.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench");

fn bench(folder: &Path, args: &[&str]) -> Command {
    let mut command = fastlua(folder);
    command.arg("bench").args(args);
    command
}

/// Standard output and error of a command that ends with this status.
fn ends(command: &mut Command, status: i32) -> (String, String) {
    let Output {
        status: code,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert_eq!(code.code(), Some(status), "{command:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

fn figures(path: &Path) -> Figures {
    Figures::from_json(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn figures_of_the_esp8266_are_the_same_twice_and_make_sense() {
    figures_make_sense(
        On::Esp8266,
        &[],
        &["lua51-int", "lua51-float", "lua53-int32-float32"],
    );
}

/// A variant that no ESP8266 has, and one of the other Lua.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn figures_of_the_esp32_c3_are_the_same_twice_and_make_sense() {
    let variants = ["lua53-int64-float32", "lua51-int"];
    let args = [
        "--chip",
        "esp32c3",
        "--variant",
        variants[0],
        "--variant",
        variants[1],
        "--variant",
        variants[0],
    ];
    figures_make_sense(On::Esp32c3, &args, &variants);
}

fn figures_make_sense(on: On, more: &[&str], variants: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", LED);
    put(here, "empty.lua", "");
    let args = [&["led.lua", "empty.lua", "--run", "--cache", CACHE], more].concat();
    let first = succeed(bench(here, &args).args(["--json", "a.json", "--html", "a.html"]));
    succeed(bench(here, &args).args(["--json", "b.json", "--html", "b.html"]));
    for kind in ["json", "html"] {
        let read = |name: &str| fs::read(here.join(format!("{name}.{kind}"))).unwrap();
        assert!(read("a") == read("b"), "two runs differ in {kind}");
    }
    assert!(first.contains("as built"), "{first}");
    assert_eq!(first.contains("narrow"), on == On::Esp8266, "{first}");

    let found = figures(&here.join("a.json"));
    assert_eq!(found.on, on);
    let compiler = found.compiler.unwrap();
    let cpu = match on {
        On::Esp8266 => "lx106",
        _ => "riscv",
    };
    assert!(
        compiler.contains(cpu) && !compiler.contains('\n'),
        "{compiler}"
    );
    let names: Vec<&str> = found.variants.iter().map(|v| v.variant.as_str()).collect();
    assert_eq!(names, variants);
    for VariantFigures {
        variant, chunks, ..
    } in &found.variants
    {
        let [empty, led] = &chunks[..] else {
            panic!("{variant}: {chunks:?}");
        };
        let of = |form| led.forms[&form].load.unwrap();
        let (source, bytecode) = (of(Column::Source), of(Column::Bytecode2));
        assert_eq!(led.forms[&Column::Source].flash, LED.len() as i64);
        assert!(source.instructions > 2 * bytecode.instructions, "{variant}");
        assert!(source.heap_peak > source.heap_kept, "{variant}");
        assert!(
            bytecode.heap_kept < of(Column::Bytecode1).heap_kept,
            "{variant}"
        );
        assert!(
            of(Column::Bytecode1).heap_debug > 0 && bytecode.heap_debug == 0,
            "{variant}"
        );
        let nothing = empty.forms[&Column::Bytecode2].load.unwrap();
        assert!(nothing.heap_kept < bytecode.heap_kept, "{variant}");
        for cost in led.forms.values() {
            assert!(cost.run.as_ref().unwrap().error.is_none(), "{variant}");
            let narrow = cost.load.unwrap().narrow_reads;
            assert_eq!(narrow.is_some(), on.has(Metric::NarrowReads), "{variant}");
        }
    }
}

/// Frozen chunks with the start-up hook and without it, beside bytecode.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn frozen_chunks_are_measured_in_both_kinds_of_firmware() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", LED);
    put(here, "blink.lua", LED.replace("t.on", "t.__index"));
    let manifest = "variants = [\"lua51-int\"]\n[[module]]\npath = \"led.lua\"\nas = \"frozen\"\n\
         [[module]]\npath = \"blink.lua\"\nas = \"frozen\"\nfallback = false\n";
    put(here, "fast.toml", manifest);
    let one = ["--cache", CACHE];
    succeed(bench(here, &one).args(["--json", "hook.json"]));
    succeed(bench(here, &one).args(["--no-hook", "--json", "open.json"]));
    let both = ["hook.json", "open.json"].map(|name| figures(&here.join(name)).variants.remove(0));
    let [blink, led] = &both[0].chunks[..] else {
        panic!("{both:?}");
    };
    for chunk in [blink, led] {
        let load = |form| chunk.forms[&form].load.unwrap();
        let (bytecode, frozen) = (load(Column::Bytecode2), load(Column::Frozen));
        assert!(
            frozen.instructions <= 1000 && frozen.heap_kept <= 72,
            "{frozen:?}"
        );
        assert!(frozen.heap_kept * 5 < bytecode.heap_kept, "{bytecode:?}");
        assert_eq!(load(Column::ShadowAgain).heap_kept, frozen.heap_kept);
    }
    // `__index` is in RAM before the bundle's strings are known
    let kept = |chunk: &ChunkFigures, form| chunk.forms[&form].load.unwrap().heap_kept;
    assert!(kept(blink, Column::FrozenShadow) > kept(blink, Column::ShadowAgain));
    assert_eq!(
        kept(led, Column::FrozenShadow),
        kept(led, Column::ShadowAgain)
    );
    // led carries its bytecode as well
    let flash = |chunk: &ChunkFigures, form| chunk.forms[&form].flash;
    let (frozen, bytecode) = (flash(led, Column::Frozen), flash(led, Column::Bytecode2));
    assert!(frozen > 2 * bytecode, "{frozen} {bytecode}");
    assert_eq!(flash(led, Column::FrozenShadow), frozen);
    // strings that both have are there once
    let [hooked, open] = both.each_ref().map(|v| v.built);
    assert_eq!(hooked.flash, open.flash);
    assert!(hooked.flash < flash(led, Column::Frozen) + flash(blink, Column::Frozen));
    let built = both.each_ref().map(|v| v.chunks[0].built);
    assert_eq!(built, [Column::Frozen, Column::FrozenShadow]);
    // `auto` is what the build makes of it: there is room for one of them
    let room = 2 * bytecode + flash(blink, Column::Frozen) + 60;
    let manifest = format!(
        "as = \"auto\"\nvariants = [\"lua51-int\"]\nbudget = {{flash = {room}}}\n[[module]]\npath = \"*.lua\"\n"
    );
    put(here, "fast.toml", manifest);
    succeed(bench(here, &one).args(["--json", "auto.json"]));
    let auto = figures(&here.join("auto.json")).variants.remove(0);
    let mut built: Vec<Column> = auto.chunks.iter().map(|c| c.built).collect();
    built.sort();
    assert_eq!(built, [Column::Bytecode2, Column::Frozen]);
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn budgets_and_baselines_fail_with_the_offenders() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", LED);
    put(here, "tiny.lua", "return 1");
    let manifest = "variants = [\"lua51-int\"]\nbudget = {flash = \"1k\"}\n\
         [[module]]\npath = \"led.lua\"\nbudget = {heap-kept = \"100\"}\n\
         [[module]]\npath = \"tiny.lua\"\nbudget = {heap-kept = 1000}\n";
    put(here, "fast.toml", manifest);
    let one = ["--cache", CACHE];
    let (_, errors) = ends(bench(here, &one).args(["--json", "old.json"]), 3);
    assert!(errors.contains("lua51-int: led: heap-kept "), "{errors}");
    assert_eq!(errors.matches("over budget").count(), 1, "{errors}");
    let (_, errors) = ends(bench(here, &one).args(["--budget", "flash=20,load=1k"]), 3);
    for offender in [
        "all modules: flash",
        "led: load",
        "led: heap-kept",
        "tiny: load",
    ] {
        assert!(errors.contains(offender), "{offender}: {errors}");
    }

    put(here, "fast.toml", manifest.replace("\"100\"", "\"2k\""));
    let same = ["--baseline", "old.json"];
    let (text, _) = ends(bench(here, &one).args(same), 0);
    assert!(
        text.contains("Compared with the baseline: 0 changes"),
        "{text}"
    );
    put(
        here,
        "led.lua",
        LED.replace("return t", "t.off = gpio.read\nreturn t"),
    );
    let (text, errors) = ends(bench(here, &one).args(same), 3);
    assert!(text.contains("led, squashed: flash"), "{text}");
    assert!(errors.contains("led, bytecode-2: load"), "{errors}");
    assert!(!errors.contains("tiny"), "{errors}");
    ends(bench(here, &one).args(same).args(["--tolerance", "90"]), 0);
}

/// `--on host` needs nothing installed, and no figure of it is taken for the chip's.
#[test]
fn the_host_gives_ratios_and_exact_flash() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", LED);
    let host = |args: &[&str]| {
        let mut command = bench(here, &["led.lua", "--on", "host"]);
        command.args(args).env("PATH", "");
        command
    };
    let text = succeed(host(&["--json", "a.json"]).args(["--variant", "lua51-float"]));
    let same = ["--variant", "lua51-float", "--json", "b.json"];
    succeed(&mut host(&same));
    assert!(fs::read(here.join("a.json")).unwrap() == fs::read(here.join("b.json")).unwrap());
    let (table, _) = text.split_once("all chunks").unwrap();
    let lines: Vec<&str> = table.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 6 + 10, "{table}");
    let sizes = |line: &&&str| line.ends_with("not the chip's");
    assert_eq!(lines[6..].iter().filter(sizes).count(), 10, "{table}");
    assert!(!table.contains("instr."), "{table}");

    let found = figures(&here.join("a.json"));
    assert_eq!((found.on, found.compiler), (On::Host, None));
    let forms = &found.variants[0].chunks[0].forms;
    let ratio = |form| forms[&form].ratio.unwrap();
    assert_eq!(ratio(Column::Source).heap_kept, 1000);
    let bytecode = ratio(Column::Bytecode2);
    assert!(bytecode.heap_peak < bytecode.heap_kept && bytecode.heap_kept < 1000);
    assert!((1..1000).contains(&bytecode.heap_peak), "{bytecode:?}");
    assert!(
        forms
            .values()
            .all(|cost| cost.load.is_none() && cost.run.is_none())
    );
    assert!(forms[&Column::Frozen].ratio.is_none());
    let json = succeed(fastlua(here).args(["build", "led.lua", "-o", "out", "--json"]));
    let built: serde_json::Value = serde_json::from_str(&json).unwrap();
    let bytes = &built["chunks"][0]["dumps"]["lua51-float"]["bytes"];
    assert_eq!(*bytes, forms[&Column::Bytecode2].flash);

    ends(&mut host(&["--budget", "flash=1k"]), 0);
    ends(&mut host(&["--budget", "flash=10"]), 3);
    let (_, errors) = ends(&mut host(&["--budget", "flash=1k,heap-peak=1M"]), 2);
    assert!(
        errors.contains("heap-peak") && errors.contains("--chip esp8266"),
        "{errors}"
    );
    let budgets = "budget = {flash = \"1k\", heap-peak = 1, load = 1}\n[[module]]\npath = \"led.lua\"\n\
         budget = {heap-kept = 1}\n";
    for (flash, status) in [("1k", 0), ("10", 3)] {
        put(here, "fast.toml", budgets.replace("1k", flash));
        let mut manifest = bench(here, &["fast.toml", "--chip", "host"]);
        let (text, errors) = ends(manifest.env("PATH", ""), status);
        assert!(text.contains("as built"), "{text}");
        let said = "note: budgets of load, heap-peak, heap-kept are not checked";
        assert!(errors.contains(said), "{errors}");
        assert_eq!(errors.contains("over budget"), status == 3, "{errors}");
        assert!(!errors.contains("heap-peak 1"), "{errors}");
    }
    for chips in ["--run", "--html=page.html"] {
        let (_, errors) = ends(&mut host(&[chips]), 2);
        assert!(errors.contains("--chip esp8266"), "{errors}");
    }
    let of_chip = root().join("tests/figures.json");
    let of_chip = of_chip.to_str().unwrap();
    let (_, errors) = ends(&mut host(&["--baseline", of_chip]), 1);
    assert!(
        errors.contains("figures.json: ") && errors.contains("can't be compared"),
        "{errors}"
    );
    let mut chip = bench(here, &["led.lua", "--baseline", "a.json"]);
    let (_, errors) = ends(chip.env("PATH", ""), 1);
    assert!(
        errors.contains("--chip host") && !errors.contains("apt-get"),
        "{errors}"
    );

    let longer = LED.replace(
        "return t",
        "local n = 1 t.off = function() return n end return t",
    );
    put(here, "led.lua", longer);
    let (text, errors) = ends(host(&["--baseline", "a.json"]).args(&same[..2]), 3);
    assert!(text.contains(" % -> "), "{text}");
    assert!(errors.contains("led, bytecode-2: flash"), "{errors}");
}

/// `as = "auto"` comes to the same as in a build of the same variants.
#[test]
fn forms_are_chosen_as_a_build_chooses_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let module = |n: usize| format!("return function(a) return a + {n}, '{}' end", "x".repeat(n));
    put(here, "one.lua", module(3));
    put(here, "two.lua", module(200));
    let mut chosen = Vec::new();
    for flash in (400..2400).step_by(100) {
        let manifest =
            format!("as = \"auto\"\nbudget = {{flash = {flash}}}\n[[module]]\npath = \"*.lua\"\n");
        put(here, "fast.toml", manifest);
        for variant in ["lua51-int", "lua53-int64-float64"] {
            let args = ["--variant", variant, "--json"];
            let json = succeed(fastlua(here).args(["build", "-o", "out"]).args(args));
            let built: serde_json::Value = serde_json::from_str(&json).unwrap();
            // the exit status shows an exceeded budget, after the figures
            let output = bench(here, &["--on", "host"]).args(args).arg("-").output();
            let json = String::from_utf8(output.unwrap().stdout).unwrap();
            let measured = Figures::from_json(&json).unwrap();
            let chunks = built["chunks"].as_array().unwrap();
            for (built, measured) in chunks.iter().zip(&measured.variants[0].chunks) {
                let is_frozen = built["as"] == "frozen";
                assert_eq!(is_frozen, measured.built.is_frozen(), "{flash} {variant}");
                chosen.push(is_frozen);
            }
        }
    }
    assert!(chosen.contains(&true) && chosen.contains(&false));
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_module_that_does_not_compile_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "wrong.lua", "return return");
    let (_, said) = ends(&mut bench(folder.path(), &["wrong.lua"]), 1);
    assert!(said.contains("wrong.lua:1:"), "{said}");
}

/// What is refused before anything is measured, with the reason.
#[test]
fn each_chip_asks_for_its_own_tools_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "led.lua", LED);
    let error = |args: &[&str]| {
        let mut command = bench(here, &["led.lua"]);
        ends(command.args(args).env("PATH", ""), 1).1
    };
    let of_lx106 = root().join("tests/figures.json");
    let of_rv32 = root().join("tests/figures-esp32c3.json");
    let [of_lx106, of_rv32] = [&of_lx106, &of_rv32].map(|path| path.to_str().unwrap());
    for (chip, package, others) in [
        ("esp8266", "picolibc-xtensa-lx106-elf", of_rv32),
        ("lx106", "picolibc-xtensa-lx106-elf", of_rv32),
        ("esp32c3", "picolibc-riscv64-unknown-elf", of_lx106),
        ("rv32", "picolibc-riscv64-unknown-elf", of_lx106),
    ] {
        let errors = error(&["--chip", chip]);
        let install = errors.split("apt-get install").nth(1).unwrap();
        assert!(install.contains(package), "{errors}");
        let errors = error(&["--on", chip, "--baseline", others]);
        assert!(
            errors.contains("can't be compared; use --chip "),
            "{errors}"
        );
    }
}

/// Figures of the shipped modules, the most instructions that a frozen chunk may take there, and the most
/// bytes of a block of it: of 20 bytes in Lua 5.1, and of 20 and 12 or so in 5.3.
const COMMITTED: [(&str, i64, i64); 2] = [
    // up to 32 more where the rest is no block
    ("tests/figures.json", 300, 16 + 24 + 32),
    ("tests/figures-esp32c3.json", 600, 4 + 24 + 12),
];

/// The tables in the documentation are those of the committed figures.
#[test]
fn the_page_shows_the_committed_figures() {
    let page = fs::read_to_string(root().join("docs/bench.md")).unwrap();
    for (file, _, _) in COMMITTED {
        let table = fastlua_bench::headline(&figures(&root().join(file)));
        assert!(
            page.contains(&table),
            "docs/bench.md and {file} differ; the table is\n{table}"
        );
    }
}

/// So are the examples that need the emulator; `tests/commands.rs` has all others.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn the_pages_show_what_the_command_prints() {
    let examples: Vec<Example> = docs::pages()
        .iter()
        .flat_map(|page| docs::examples(page))
        .filter(Example::is_for_the_chip)
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        example.check(root(), &format!("--cache {CACHE}"));
    }
}

/// With the hook a load costs next to nothing, whatever is loaded.
#[test]
fn the_committed_figures_keep_the_goals_of_frozen_chunks() {
    for (file, most, block) in COMMITTED {
        for variant in figures(&root().join(file)).variants {
            assert!(variant.chunks.len() > 40);
            for chunk in variant.chunks {
                let load = chunk.forms[&Column::Frozen].load.unwrap();
                let what = format!("{file} {} {}: {load:?}", variant.variant, chunk.name);
                assert!(load.instructions <= most, "{what}");
                assert!(load.heap_kept <= block * load.allocations, "{what}");
                assert!(load.allocations <= 2, "{what}");
            }
        }
    }
}
