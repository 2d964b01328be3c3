//! Figures of the shipped modules, and that they are what they say.

mod common;

use fastlua_bundle::c_header;
use std::time::Instant;

use common::{TIMEOUT, block_head, bundle, shipped, tools, variant, work};
use fastlua_bundle::{Bundle, Form, Input};
use fastlua_emulator::{
    Chip, Core, Data, Job, Load, Measure, Measured, Mode, Reads, fast_files, measure,
};
use fastlua_variants::Variant;

const MODELS: [&str; 3] = ["51-int", "51-float", "53-int32-float32"];

/// The ways in which a module is loaded. Each is a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    FastBytecode,
    FastAgain,
    RamBytecode,
    FastSquashed,
    FastDeflated,
    RamSquashed,
    RamSource,
}

const WAYS: [Way; 7] = [
    Way::FastBytecode,
    Way::FastAgain,
    Way::RamBytecode,
    Way::FastSquashed,
    Way::FastDeflated,
    Way::RamSquashed,
    Way::RamSource,
];

/// Name of the squashed source of a module in the bundle.
fn squashed(name: &str) -> String {
    format!("{name}-squashed")
}

/// Name of the deflated source of a module in the bundle.
fn deflated(name: &str) -> String {
    format!("{name}-deflated")
}

/// Each module as bytecode and as squashed source, deflated or not.
fn each_form() -> Vec<Input> {
    let modules = shipped();
    let named = |name: fn(&str) -> String, form| {
        modules.iter().map(move |module| Input {
            name: name(&module.name),
            form,
            ..module.clone()
        })
    };
    let sources = named(squashed, Form::Squashed).chain(named(deflated, Form::Deflated));
    sources.chain(modules.iter().cloned()).collect()
}

fn job(way: Way, module: &Input, bundle: &Bundle) -> Job {
    let bytes = |name: &str| {
        let chunk = bundle.chunks.iter().find(|c| c.name == name).unwrap();
        chunk.dumps[0].as_ref().unwrap().bytes.clone()
    };
    let name = match way {
        Way::FastBytecode | Way::FastAgain => module.name.clone(),
        Way::FastSquashed => squashed(&module.name),
        Way::FastDeflated => deflated(&module.name),
        _ => format!("@{}", module.file),
    };
    let data = match way {
        Way::FastBytecode | Way::FastAgain | Way::FastSquashed | Way::FastDeflated => Data::Fast,
        Way::RamBytecode => Data::Ram(bytes(&module.name)),
        Way::RamSquashed => Data::Ram(bytes(&squashed(&module.name))),
        Way::RamSource => Data::Ram(module.text.clone()),
    };
    Job {
        name,
        data,
        warm: way == Way::FastAgain,
        run: false,
    }
}

fn figures(
    chip: Chip,
    variant: &Variant,
    header: &str,
    jobs: &[Job],
    count_reads: bool,
) -> Vec<Measured> {
    let how = Measure {
        tools: &tools(chip),
        work: &work(),
        layout: &variant.layout,
        core: Core::Stock,
        egc: Mode::Always,
        files: &fast_files(header),
        heap_limit: 0,
        count_reads,
        timeout: TIMEOUT,
    };
    measure(&how, jobs).unwrap()
}

/// Figures of a load that has to succeed.
fn load(measured: &Measured) -> Load {
    *measured.load.as_ref().unwrap()
}

fn reads(measured: &Measured) -> Reads {
    measured.reads.unwrap()
}

fn print_table(model: &str, modules: &[Input], found: &[Measured]) {
    println!("{model}: instructions / heap peak / heap kept");
    println!(
        "{:8}{}",
        "",
        WAYS.map(|way| format!(" {way:>23?}")).concat()
    );
    for (module, found) in modules.iter().zip(found.chunks(WAYS.len())) {
        let cells = found.iter().map(load).map(|l| {
            let cell = format!("{} {} {}", l.instructions, l.heap_peak, l.heap_kept);
            format!(" {cell:>23}")
        });
        println!("{:8}{}", module.name, cells.collect::<String>());
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn the_shipped_modules_lx106() {
    the_shipped_modules(Chip::Esp8266);
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn the_shipped_modules_rv32() {
    the_shipped_modules(Chip::Esp32c3);
}

fn the_shipped_modules(chip: Chip) {
    for model in MODELS {
        let variant = variant(model);
        let bundle = bundle(&each_form(), &variant);
        let modules = shipped();
        let jobs: Vec<Job> = modules
            .iter()
            .flat_map(|module| WAYS.map(|way| job(way, module, &bundle)))
            .collect();
        let since = Instant::now();
        let header = c_header(&bundle, "0").to_string();
        let found = figures(chip, &variant, &header, &jobs, true);
        println!(
            "{chip} {model}: {:.1?} for {} loads",
            since.elapsed(),
            jobs.len()
        );
        print_table(model, &modules, &found);

        for (module, found) in modules.iter().zip(found.chunks(WAYS.len())) {
            let at = |way| &found[WAYS.iter().position(|w| *w == way).unwrap()];
            let [fast, again, ram] =
                [Way::FastBytecode, Way::FastAgain, Way::RamBytecode].map(|way| load(at(way)));
            let [source, squashed, deflated] =
                [Way::RamSource, Way::FastSquashed, Way::FastDeflated].map(|way| load(at(way)));
            let what = format!("{chip} {model} {}", module.name);
            if module.text.len() > 2048 {
                let ratio = f64::from(squashed.instructions) / f64::from(fast.instructions);
                let least = match chip {
                    Chip::Esp8266 => 6.0,
                    Chip::Esp32c3 => 5.0,
                };
                assert!(ratio >= least, "{what}: {ratio:.2}");
            }
            // a window that the text does not fill is as large as the text
            let more = f64::from(deflated.instructions) / f64::from(squashed.instructions);
            let most = if module.text.len() > 4096 { 1.15 } else { 1.3 };
            assert!(more <= most, "{what}: {more:.3}");
            let window = deflated.heap_peak - squashed.heap_peak;
            assert!(window <= 1076 + 2048 + 2 * 16, "{what}: {window}");
            // their names are as long
            assert_eq!(deflated.live_kept, squashed.live_kept, "{what}");
            assert_eq!(deflated.blocks, squashed.blocks, "{what}");
            assert!(again.instructions < ram.instructions, "{what}");
            assert!(fast.instructions < source.instructions, "{what}");
            assert!(again.instructions < fast.instructions, "{what}");
            assert!(fast.heap_peak < source.heap_peak, "{what}");
            assert!(fast.heap_kept < source.heap_kept, "{what}");
            assert_eq!((fast.debug, ram.debug), (0, 0), "{what}");
            assert!(source.debug > 0, "{what}");
            for l in found.iter().map(load) {
                assert!(
                    l.heap_kept >= l.live_kept + block_head(chip) * l.blocks,
                    "{what}: {l:?}"
                );
                assert!(l.heap_peak as i32 >= l.heap_kept, "{what}: {l:?}");
            }
            if !chip.counts_reads() {
                assert!(found.iter().all(|m| m.reads.is_none()), "{what}");
                continue;
            }
            // all of the chunk is read; what is in RAM is not read from flash
            let size = bundle
                .chunks
                .iter()
                .find(|c| c.name == module.name)
                .unwrap();
            let size = size.dumps[0].as_ref().unwrap().bytes.len();
            assert!(
                reads(at(Way::FastBytecode)).words as usize >= size / 4,
                "{what}"
            );
            let none = Reads {
                narrow: 0,
                words: 0,
                unaligned: 0,
            };
            assert_eq!(reads(at(Way::RamBytecode)), none, "{what}");
            assert!(found.iter().all(|m| reads(m).unaligned == 0), "{what}");
        }

        // the same a second time, and each job whatever the others are
        let second = figures(chip, &variant, &header, &jobs, true);
        for ((job, one), other) in jobs.iter().zip(&found).zip(&second) {
            assert_eq!(one, other, "{model} {}", job.name);
        }
        let mut turned: Vec<Job> = jobs.clone();
        turned.reverse();
        let mut backwards = figures(chip, &variant, &header, &turned, false);
        backwards.reverse();
        for ((job, one), other) in jobs.iter().zip(&found).zip(&backwards) {
            assert_eq!(one.load, other.load, "{model} {}", job.name);
        }
    }
}

/// What blocks of these sizes take of the heap; one that fills a hole may be larger.
fn assert_blocks(chip: Chip, load: Load, parts: &[i32]) {
    let (block, hole): (fn(i32) -> i32, _) = match chip {
        Chip::Esp8266 => (|n| (n + 16 + 7) & !7, 32),
        Chip::Esp32c3 => (|n| 4 + ((n + 3) & !3).max(12), 12),
    };
    let least: i32 = parts.iter().map(|n| block(*n)).sum();
    let most = least + hole * load.blocks;
    assert_eq!(load.blocks as usize, parts.len());
    assert!((least..=most).contains(&load.heap_kept), "{least} {load:?}");
}

/// Figures that can be told from the structures of stock Lua 5.1 with 32-bit integers.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn known_figures() {
    Chip::ALL.into_iter().for_each(known_figures_of);
}

fn known_figures_of(chip: Chip) {
    let source = |text: &str, data: fn(Vec<u8>) -> Data| Job {
        name: "=x".into(),
        data: data(text.into()),
        warm: false,
        run: true,
    };
    let print = "print('one', 2) print 'three'";
    let jobs = [
        source("", Data::Ram),
        source("return '0123456789'", Data::Ram),
        source("return '0123456789'", Data::Flash),
        source(print, Data::Ram),
        source("local = 1", Data::Ram),
        source("error 'oh'", Data::Ram),
    ];
    let found = figures(chip, &variant("51-int"), &header(), &jobs, true);
    // closure, function, one instruction with its line, the chunk name's string
    let parts = [20, 76, 4, 4, 17 + 2];
    let empty = load(&found[0]);
    assert_eq!(empty.live_kept, parts.iter().sum::<i32>());
    assert_blocks(chip, empty, &parts);
    assert_eq!((empty.blocks, empty.debug), (5, 4));
    // two more instructions with their lines, a constant, its string
    let parts = [20, 76, 12, 12, 8, 17 + 10, 17 + 2];
    let string = load(&found[1]);
    assert_eq!(string.live_kept, parts.iter().sum::<i32>());
    assert_blocks(chip, string, &parts);
    // the lexer reads each byte of the text once, from wherever it lies, and lua_load twice the first
    assert_eq!(load(&found[2]), string);
    if chip.counts_reads() {
        assert_eq!(reads(&found[1]).narrow, 0);
        assert_eq!(
            reads(&found[2]),
            Reads {
                narrow: 19 + 2,
                words: 0,
                unaligned: 0
            }
        );
    }

    let run = found[3].run.clone().unwrap();
    assert_eq!((run.output, run.error), (b"one\t2\nthree\n".to_vec(), None));
    assert_eq!(found[4].load, Err("x:1: '<name>' expected near '='".into()));
    assert_eq!(found[4].run, None);
    assert_eq!(found[5].run.clone().unwrap().error, Some("x:1: oh".into()));
}

/// `fast_chunks.h` of the shipped modules for 51-int.
fn header() -> String {
    c_header(&bundle(&shipped(), &variant("51-int")), "0").to_string()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_can_not_be_loaded_says_why() {
    Chip::ALL.into_iter().for_each(whys);
}

fn whys(chip: Chip) {
    let variant = variant("51-int");
    let tools = tools(chip);
    let header = header();
    let job = |name: &str, data| Job {
        name: name.into(),
        data,
        warm: false,
        run: false,
    };
    let ftp = fastlua_firmware::modules()
        .find(|(name, _)| *name == "ftp.lua")
        .unwrap();
    let jobs = [
        job("none", Data::Fast),
        job("ftp", Data::Fast),
        job("@ftp.lua", Data::Ram(ftp.1.to_vec())),
        job("=cut", Data::Ram(b"\x1bLua\x51".to_vec())),
    ];
    let how = Measure {
        tools: &tools,
        work: &work(),
        layout: &variant.layout,
        core: Core::Stock,
        egc: Mode::Always,
        files: &fast_files(&header),
        heap_limit: 20_000,
        count_reads: false,
        timeout: TIMEOUT,
    };
    let whys: Vec<String> = measure(&how, &jobs)
        .unwrap()
        .into_iter()
        .map(|measured| measured.load.unwrap_err())
        .collect();
    assert_eq!(whys[0], "no function, and no message");
    assert!(
        whys[1].contains("ftp") && whys[1].contains("heap"),
        "{}",
        whys[1]
    );
    assert_eq!(whys[2], "not enough memory");
    assert!(whys[3].contains("cut: "), "{}", whys[3]);

    let without_fast = measure(&Measure { files: &[], ..how }, &jobs[..1]).unwrap();
    assert_eq!(
        without_fast[0].load,
        Err("the image has no C module fast".into())
    );
}

/// What else is in the image does not show, but for some instructions of 5.3's cache of strings,
/// which goes by the addresses of C strings.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_load_from_ram_costs_the_same_in_each_image() {
    Chip::ALL.into_iter().for_each(a_load_from_ram);
}

fn a_load_from_ram(chip: Chip) {
    let variant = variant("53-int32-float32");
    let modules = shipped();
    let telnet = modules.iter().find(|m| m.name == "telnet").unwrap();
    let all = bundle(&modules, &variant);
    let one = bundle(std::slice::from_ref(telnet), &variant);
    let ways = [Way::RamSource, Way::RamBytecode];
    let jobs = ways.map(|way| job(way, telnet, &one));
    let of_one = figures(
        chip,
        &variant,
        &c_header(&one, "0").to_string(),
        &jobs,
        false,
    );
    let more: Vec<Job> = modules
        .iter()
        .map(|module| job(Way::RamSource, module, &all))
        .chain(jobs)
        .collect();
    let of_all = figures(
        chip,
        &variant,
        &c_header(&all, "0").to_string(),
        &more,
        false,
    );
    for (one, all) in of_one.iter().zip(&of_all[modules.len()..]) {
        let (one, all) = (one.load.clone().unwrap(), all.load.clone().unwrap());
        assert!(one.instructions.abs_diff(all.instructions) <= 200);
        let instructions = one.instructions;
        assert_eq!(
            Load {
                instructions,
                ..all
            },
            one
        );
    }
}

/// The figures come from the sources alone, not from the folder or from what was built before.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_new_work_folder_gives_the_same() {
    let variant = variant("51-int");
    let header = header();
    let jobs = [Job {
        name: "telnet".into(),
        data: Data::Fast,
        warm: false,
        run: false,
    }];
    let folder = tempfile::tempdir().unwrap();
    let (tools, files) = (tools(Chip::Esp8266), fast_files(&header));
    let how = |work| Measure {
        tools: &tools,
        work,
        layout: &variant.layout,
        core: Core::Stock,
        egc: Mode::Always,
        files: &files,
        heap_limit: 0,
        count_reads: false,
        timeout: TIMEOUT,
    };
    let usual = work();
    let known = measure(&how(&usual), &jobs).unwrap();
    // twice at once, so that both build the same objects
    std::thread::scope(|scope| {
        let builders = [0, 1].map(|_| scope.spawn(|| measure(&how(folder.path()), &jobs).unwrap()));
        for builder in builders {
            assert_eq!(builder.join().unwrap(), known);
        }
    });
}
