//! Slots and object files on the emulated chips: chunks that are put into a firmware's ELF file once it is linked, and those
//! that the linker took from an object file, load and run as those that were compiled in.

mod common;

use fastlua_bundle::c_header;
use std::collections::BTreeMap;
use std::fs;

use common::images::{CAPACITY, header, linked, output, put, script, slot};
use common::{TIMEOUT, bundle, carried, input, overlays, shipped, tools, variant, work};
use fastlua_bundle::slot::Slot;
use fastlua_bundle::{Form, Input, identifier};
use fastlua_bytecode::Strip;
use fastlua_emulator::{
    Chip, Core, Data, Image, Job, Load, Measure, Mode, fast_files, measure_patched,
};
use fastlua_variants::Variant;
use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

const MODELS: [&str; 3] = ["51-int", "51-float", "53-int32-float32"];
/// Of the ESP32-C3 one of each Lua, for the time's sake.
const OF_RV32: [&str; 2] = ["51-float", "53-int32-float32"];

/// Loads and runs each chunk, by every way.
const EACH: &[u8] = b"
    -- addresses differ, as a name may be in the heap or not
    local function shown(ok, value) return ok, type(value) == 'table' and 'a table' or value end
    local form
    for name, size, as, heap in fast.list() do
      form = as
      local f = assert(fast.load(name))
      print(name, as, heap, shown(pcall(f, 'an argument')))
      f = nil collectgarbage()
      assert(fast[name]) collectgarbage()
      assert(fast.searcher(name)) collectgarbage()
    end
    print(fast.load 'not there', fast.info().chunks, fast.info().variant)
    print(package and require 'hello')
    if form == 'frozen' then print(fast.info().frozen) end";

fn each_form_runs_as_what_was_compiled_in(chip: Chip, model: &str) {
    let alone = Form::Frozen { fallback: false };
    let both = Form::Frozen { fallback: true };
    let variant = variant(model);
    for (core, form) in [
        (Core::Stock, Form::Bytecode),
        (Core::Stock, Form::Squashed),
        (Core::Stock, Form::Deflated),
        (Core::Stock, Form::Packed),
        (Core::Stock, Form::Plain),
        (Core::Stock, both),
        (Core::Hooked, Form::Bytecode),
        (Core::Hooked, alone),
        (Core::Hooked, both),
        (Core::ReadOnly, alone),
    ] {
        let what = format!("{chip} {model} {core:?} {form}");
        let inputs = carried(&shipped(), form);
        let compiled = c_header(&bundle(&inputs, &variant), "0").to_string();
        let without_hook = core == Core::Hooked && !form.is_frozen();
        let other = if without_hook { Core::ReadOnly } else { core };
        let expected = output(&script(chip, &variant, other, &compiled, EACH), &what);
        let image = script(chip, &variant, core, &header(&[], &variant), EACH);
        let patched = image.patched(&put(&inputs, &variant)).unwrap();
        assert_eq!(output(&patched, &what), expected, "{what}");
        assert!(expected.lines().count() > 10, "{what}: {expected}");
        // in an image without a slot the hook is there only where chunks are frozen
        if other == core {
            let linked = linked(&inputs, &variant, (chip, core), EACH, &image);
            assert_eq!(
                output(&linked, &what),
                expected,
                "{what}, from an object file"
            );
        }
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_is_put_in_runs_as_what_was_compiled_in_51_int() {
    each_form_runs_as_what_was_compiled_in(Chip::Esp8266, "51-int");
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_is_put_in_runs_as_what_was_compiled_in_51_float() {
    each_form_runs_as_what_was_compiled_in(Chip::Esp8266, "51-float");
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_is_put_in_runs_as_what_was_compiled_in_53() {
    each_form_runs_as_what_was_compiled_in(Chip::Esp8266, "53-int32-float32");
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn what_is_put_in_runs_as_what_was_compiled_in_rv32() {
    for model in OF_RV32 {
        each_form_runs_as_what_was_compiled_in(Chip::Esp32c3, model);
    }
}

/// The first load of each chunk of a bundle, in a state of its own.
fn loads(variant: &Variant, header: &str, names: &[Input], patch: &dyn Fn(&mut [u8])) -> Vec<Load> {
    let job = |input: &Input| Job {
        name: input.name.clone(),
        data: Data::Fast,
        warm: false,
        run: false,
    };
    let how = Measure {
        tools: &tools(Chip::Esp8266),
        work: &work(),
        layout: &variant.layout,
        core: Core::Hooked,
        egc: Mode::Always,
        files: &fast_files(header),
        heap_limit: 0,
        count_reads: true, // so that a write to flash is a fault
        timeout: TIMEOUT,
    };
    let jobs: Vec<Job> = names.iter().map(job).collect();
    let found = measure_patched(&how, &jobs, patch).unwrap();
    found.iter().map(|m| *m.load.as_ref().unwrap()).collect()
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_frozen_chunk_of_a_slot_loads_in_some_hundred_instructions() {
    for model in MODELS {
        let variant = variant(model);
        let mut inputs = overlays(Form::Frozen { fallback: false });
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let compiled = loads(
            &variant,
            &c_header(&bundle(&inputs, &variant), "0").to_string(),
            &inputs,
            &|_| {},
        );
        let slot = header(&[], &variant);
        let patched = loads(&variant, &slot, &inputs, &put(&inputs, &variant));
        let mut sums = [0, 0];
        for ((input, compiled), patched) in inputs.iter().zip(&compiled).zip(&patched) {
            let [a, b] = [compiled, patched].map(|load| load.instructions);
            sums = [sums[0] + a, sums[1] + b];
            let what = format!("{model} {}: {a} compiled in, {b} put in", input.name);
            // names of a slot are found by halving its index, those that are compiled in by their strings
            assert!(b <= a + 330, "{what}");
            assert_eq!(compiled.live_kept, patched.live_kept, "{what}");
            assert_eq!(compiled.live_peak, patched.live_peak, "{what}");
            assert_eq!(compiled.blocks, patched.blocks, "{what}");
        }
        let count = inputs.len();
        println!(
            "{model}: {count} chunks, {} instructions compiled in, {} put in",
            sums[0], sums[1]
        );
        assert!(count > 40 && sums[1] <= 520 * count as u32, "{sums:?}");
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn each_object_is_what_the_compiler_makes_of_it() {
    let of_rv32 = OF_RV32.map(|model| (Chip::Esp32c3, model));
    for (chip, model) in MODELS
        .map(|model| (Chip::Esp8266, model))
        .into_iter()
        .chain(of_rv32)
    {
        let variant = variant(model);
        let mut inputs = overlays(Form::Frozen { fallback: false });
        for input in &mut inputs {
            // names of functions and variables, lines: all that an object can have
            input.strip = Strip::Keep;
            // a slot has no other string of that name
            let name = format!("local name = {:?}\n", input.name);
            input.text.splice(..0, name.into_bytes());
        }
        let frozen = bundle(&inputs, &variant);
        let compiled = script(
            chip,
            &variant,
            Core::Hooked,
            &c_header(&frozen, "0").to_string(),
            b"",
        );
        let empty = script(chip, &variant, Core::Hooked, &header(&[], &variant), b"");
        let patched = empty.patched(&put(&inputs, &variant)).unwrap();
        let read = |image: &Image| fs::read(image.path()).unwrap();
        let (compiled, patched) = (read(&compiled), read(&patched));
        let mut compiled = Elf::of(&compiled);
        compiled.divide_names(model.starts_with("51"));
        let Slot {
            offset,
            head,
            contents,
        } = slot(&patched);
        let contents = contents.unwrap();
        let slot = &patched[offset..offset + head.capacity as usize];
        let at = |place: u32| word(slot, place as usize);
        let inside = |address: u32| (address.wrapping_sub(head.address) as usize) < slot.len();
        let mut waiting = vec![(compiled.symbol("fast_pool"), head.address + contents.pool)];
        for (i, entry) in contents.index().read(slot).unwrap().iter().enumerate() {
            let frozen = at(contents.frozen + 4 * i as u32);
            assert_eq!(entry.frozen, Some(frozen));
            waiting.push((
                compiled.symbol(&format!("fast_z_{}", identifier(&entry.name))),
                frozen,
            ));
        }
        let mut same = BTreeMap::new();
        while let Some((ours, theirs)) = waiting.pop() {
            if let Some(before) = same.insert(ours, theirs) {
                assert_eq!(before, theirs, "{model}: {}", compiled.name(ours));
                continue;
            }
            let object = compiled.bytes(ours);
            for i in (0..object.len()).step_by(4) {
                let place = (theirs - head.address) as usize + i;
                let pair = (word(object, i), word(slot, place));
                let name = compiled.name(ours);
                // what is the same is no address, though an instruction may look like one
                match pair.0 != pair.1 && compiled.has(pair.0) && inside(pair.1) {
                    true => waiting.push(pair),
                    false => assert_eq!(pair.0, pair.1, "{model}: {name}, byte {i}"),
                }
            }
        }
        let objects = compiled.objects("fast_");
        let reached = same.len();
        println!("{chip} {model}: {reached} of {objects} objects are the same");
        assert!(reached > 1000 && reached + 100 > objects);
    }
}

/// What a C compiler made.
struct Elf<'a> {
    /// Name and bytes of each object, by address.
    objects: BTreeMap<u32, (&'a str, &'a [u8])>,
}

impl<'a> Elf<'a> {
    fn of(file: &'a [u8]) -> Elf<'a> {
        let elf: ElfFile32<'a> = ElfFile32::parse(file).unwrap();
        let objects = elf
            .symbols()
            .filter(|s| s.kind() == SymbolKind::Data && s.size() > 0);
        let objects = objects.filter_map(|symbol| {
            let section = elf.section_by_index(symbol.section_index()?).ok()?;
            let bytes = section.data_range(symbol.address(), symbol.size()).ok()??;
            Some((symbol.address() as u32, (symbol.name().ok()?, bytes)))
        });
        Elf {
            objects: objects.collect(),
        }
    }

    /// Makes an object of each string that is a chunk's name, behind its chunk, in the one that holds all of them.
    fn divide_names(&mut self, is_51: bool) {
        let (mut address, mut rest) = (self.symbol("fast_named"), self.bytes_of("fast_named"));
        self.objects.remove(&address);
        while !rest.is_empty() {
            let length = match is_51 {
                true => word(rest, 4 + 12),
                false => rest[4 + 7].into(),
            };
            let end = 4 + 16 + (length as usize / 4 + 1) * 4;
            self.objects
                .insert(address + 4, ("fast_named", &rest[4..end]));
            (address, rest) = (address + end as u32, &rest[end..]);
        }
    }

    fn bytes_of(&self, name: &str) -> &'a [u8] {
        self.objects[&self.symbol(name)].1
    }

    fn symbol(&self, name: &str) -> u32 {
        let found = self.objects.iter().find(|(_, (n, _))| *n == name);
        *found.unwrap_or_else(|| panic!("there is no {name}")).0
    }

    fn objects(&self, prefix: &str) -> usize {
        self.objects
            .values()
            .filter(|(name, _)| name.starts_with(prefix))
            .count()
    }

    fn has(&self, address: u32) -> bool {
        self.objects.contains_key(&address)
    }

    fn name(&self, address: u32) -> &str {
        self.objects[&address].0
    }

    /// Its words; the last one may be cut.
    fn bytes(&self, address: u32) -> &[u8] {
        let bytes = self.objects[&address].1;
        &bytes[..bytes.len() / 4 * 4]
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_slot_comes_first_and_damage_is_told() {
    let own = [
        input("both", b"return 'compiled in'"),
        input("mine", b"return 'mine'"),
    ];
    let more = [input("a", b"return 'a'"), input("both", b"return 'put in'")];
    let text = b"
        for name in fast.list() do print(name, fast.load(name)()) end
        local info = fast.info()
        print(info.chunks, info.slot.state, info.slot.capacity, info.slot.used, info.slot.bundle)
        assert(info.slot.address % 4096 == 0)
        print(info.slot.address)";
    for model in MODELS {
        let variant = variant(model);
        let image = script(
            Chip::Esp8266,
            &variant,
            Core::Hooked,
            &header(&own, &variant),
            text,
        );
        let with = |patch: &dyn Fn(&mut [u8])| output(&image.patched(patch).unwrap(), model);
        let alone = "both\tcompiled in\nmine\tmine\n";
        let address = slot(&fs::read(image.path()).unwrap()).head.address;
        assert_eq!(
            with(&|_| {}),
            format!("{alone}2\tempty\t{CAPACITY}\tnil\tnil\n{address}\n")
        );
        for form in [Form::Bytecode, Form::Frozen { fallback: false }] {
            let put = put(&carried(&more, form), &variant);
            let printed = with(&put);
            let lines: Vec<&str> = printed.lines().collect();
            assert_eq!(
                lines[..3],
                ["a\ta", "both\tput in", "mine\tmine"],
                "{model} {form}"
            );
            let mut elf = fs::read(image.path()).unwrap();
            put(&mut elf);
            let contents = slot(&elf).contents.unwrap();
            let name: String = contents.name();
            assert_eq!(
                lines[3],
                format!("4\tgood\t{CAPACITY}\t{}\t{name}", contents.used)
            );
            assert_eq!(lines[4], address.to_string());
            // a bit of the header, of the index, of the last byte
            for place in [
                24,
                33,
                60,
                172,
                176,
                190,
                252,
                256,
                contents.used as usize - 1,
            ] {
                let printed = with(&|elf| {
                    put(elf);
                    let start = slot(elf).offset;
                    elf[start + place] ^= 16;
                });
                let damaged = format!("{alone}2\tdamaged\t{CAPACITY}\tnil\tnil\n{address}\n");
                assert_eq!(printed, damaged, "{model} {form}: byte {place}");
            }
        }
    }
}
