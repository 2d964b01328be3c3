//! Where a slot is: in sectors of its own, whatever linker script puts it there. Slots of older firmware are elsewhere.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bytecode::NumberModel;
use serde_json::Value;
use support::firmware::{FIRST, IROM, head, raw};
use support::{STRICT, call, cc, fastlua, firmware_flags, packed_lua, put, root, succeed};

const SECTOR: u64 = 4096;

/// As NodeMCU's for the ESP8266: all constants behind all code, which begins at a sector.
const ESP8266: &str = "
MEMORY {
  dram : org = 0x3FFE8000, len = 0x14000
  irom : org = 0x40210000, len = 0xE0000
}
SECTIONS {
  .data : { *(.data .data.* .bss .bss.* COMMON) } > dram
  .irom0.text : ALIGN(4) {
    *(.literal .literal.* .text .text.*)
    *(.rodata.odd*)
    *(.rodata*)
  } > irom
}";

/// As ESP-IDF's for the ESP32-C3: constants behind the image's headers of 32 bytes.
const ESP32C3: &str = "
MEMORY {
  iram : org = 0x42000020, len = 0x200000
  drom : org = 0x3C000020, len = 0x200000
  dram : org = 0x3FC80000, len = 0x40000
}
SECTIONS {
  .flash.text : { *(.text .text.*) } > iram
  .flash.rodata : ALIGN(0x10) {
    *(.srodata.odd* .rodata.odd*)
    *(.rodata .rodata.* .srodata .srodata.*)
  } > drom
  .dram0.data : { *(.sdata .sdata.* .data .data.* .sbss .sbss.* .bss .bss.* COMMON) } > dram
}";

struct Chip {
    tools: &'static str,
    flags: &'static [&'static str],
    script: &'static str,
}

const CHIPS: [Chip; 2] = [
    Chip {
        tools: "xtensa-lx106-elf",
        flags: &[
            "-mlongcalls",
            "-isystem",
            "/usr/lib/xtensa-lx106-elf/include",
        ],
        script: ESP8266,
    },
    Chip {
        tools: "riscv64-unknown-elf",
        flags: &[
            "-march=rv32imc",
            "-mabi=ilp32",
            "-isystem",
            "/usr/lib/picolibc/riscv64-unknown-elf/include",
        ],
        script: ESP32C3,
    },
];

/// Links the `fast.c` of a folder between other constants; the ELF file.
fn linked(folder: &Path, chip: &Chip) -> Vec<u8> {
    let model = NumberModel::ALL[1];
    let stock = folder.join("stock");
    packed_lua(&stock, model.dialect);
    put(
        folder,
        "other.c",
        "extern const char odd_before[7], after[7];\n\
         const char odd_before[7] = \"before\", after[7] = \"after\";\n",
    );
    let gcc = format!("{}-gcc", chip.tools);
    let compile = |file: &str, flags: &[&str]| {
        let mut compile = cc(&gcc, &stock, &model);
        compile.args(flags).args(chip.flags);
        compile.args(["-O2", "-ffunction-sections", "-fdata-sections", "-c", "-o"]);
        compile.arg(folder.join(format!("{file}.o")));
        succeed(compile.arg(folder.join(format!("{file}.c"))));
    };
    compile("fast", &[&STRICT[..], firmware_flags(&model)].concat());
    compile("other", &[]);
    // what it calls is not there
    let mut nm = Command::new(format!("{}-nm", chip.tools));
    let undefined = succeed(nm.arg("-u").arg(folder.join("fast.o")));
    // a line is U or w, for weak, and a name
    let stub = |line: &str| {
        let name = line.split_whitespace().last().unwrap();
        format!("void {name} (void) {{}}\n")
    };
    put(
        folder,
        "stubs.c",
        undefined.lines().map(stub).collect::<String>(),
    );
    compile("stubs", &["-w", "-fno-builtin"]);
    let script = put(folder, "link.ld", chip.script);
    let elf = folder.join("firmware.elf");
    let mut link = Command::new(&gcc);
    link.args(&chip.flags[..chip.flags.len() - 2]);
    link.args(["-nostdlib", "-Wl,--gc-sections", "-Wl,-e,0", "-o"])
        .arg(&elf);
    link.args(["-Wl,-u,odd_before,-u,after,-u,luaopen_fast", "-T"])
        .arg(script);
    let objects = ["fast", "other", "stubs"];
    succeed(link.args(objects.map(|file| folder.join(format!("{file}.o")))));
    fs::read(elf).unwrap()
}

/// The slot of a file, as `inspect` finds it.
fn found(folder: &Path, file: &str) -> Value {
    let printed = succeed(fastlua(folder).args(["inspect", file, "--json"]));
    let found: Value = serde_json::from_str(&printed).unwrap();
    let places = found["places"].as_array().unwrap().iter();
    let mut slots = places.filter(|place| place["kind"] == "slot");
    let slot = slots.next().unwrap().clone();
    assert!(slots.next().is_none());
    slot
}

/// It begins and ends with a sector, and nothing else is in its sectors; so erasing them loses no code.
#[test]
#[ignore = "needs the chips' cross compilers"]
fn a_slot_has_sectors_of_its_own() {
    let hello = fs::read(root().join("crates/firmware/lua/hello.lua")).unwrap();
    for chip in &CHIPS {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        put(here, "hello.lua", &hello);
        succeed(&mut call(here, "build --slot 12k hello.lua -o ."));
        let elf = linked(here, chip);
        let slot = found(here, "firmware.elf");
        let (address, capacity) = (slot["address"].as_u64().unwrap(), 12 << 10);
        assert_eq!(address % SECTOR, 0, "{}: {slot}", chip.tools);
        assert_eq!(slot["capacity"], capacity);
        let listed = Command::new(format!("{}-nm", chip.tools))
            .arg("--print-size")
            .arg(here.join("firmware.elf"))
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let mut names = Vec::new();
        for line in listed.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [at, size, _, name] = fields[..] else {
                continue;
            };
            let [at, size] = [at, size].map(|n| u64::from_str_radix(n, 16).unwrap());
            let apart = at + size <= address || at >= address + capacity;
            assert!(apart || name == "fast_slot", "{}: {line}", chip.tools);
            names.push(name);
        }
        for name in ["fast_slot", "odd_before", "after"] {
            assert!(names.contains(&name), "{listed}");
        }
        // and modules are put into it
        succeed(&mut call(
            here,
            "patch firmware.elf hello.lua -o patched.elf",
        ));
        let patched = fs::read(here.join("patched.elf")).unwrap();
        assert_eq!(patched.len(), elf.len());
        let at = slot["offset"].as_u64().unwrap() as usize;
        let behind = at + capacity as usize;
        assert!(patched[..at] == elf[..at] && patched[behind..] == elf[behind..]);
        assert_eq!(found(here, "patched.elf")["chunks"][0]["name"], "hello");
    }
}

/// Until now a slot was anywhere, and its size a multiple of 16.
#[test]
fn slots_of_older_firmware_are_patched() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "a.lua", "return 'a'");
    put(here, "b.lua", "return 'b'");
    let capacity = 2000;
    assert!(!(FIRST as u64).is_multiple_of(SECTOR));
    put(here, "old.bin", raw(&[head("lua51-float", capacity)]));
    for (file, module, out) in [
        ("old.bin", "a", "first.bin"),
        ("first.bin", "b", "second.bin"),
    ] {
        succeed(&mut call(
            here,
            &format!("patch {file} {module}.lua -o {out}"),
        ));
        let slot = found(here, out);
        assert_eq!(slot["address"], u64::from(IROM) + FIRST as u64);
        assert_eq!(slot["capacity"], capacity);
        let chunks = slot["chunks"].as_array().unwrap();
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0]["name"], module);
        assert_eq!(chunks[0]["sound"], true);
    }
    let [old, new] = ["old.bin", "second.bin"].map(|file| fs::read(here.join(file)).unwrap());
    let behind = FIRST + capacity as usize;
    assert!(old[..FIRST] == new[..FIRST] && old[behind..] == new[behind..]);
}
