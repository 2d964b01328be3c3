//! The chips: what of the tools, the sources and the machine is one chip's own.

use std::fmt::{self, Display, Formatter};

use crate::sources::{LX106, RV32, Source};

/// A chip whose processor is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chip {
    /// The ESP8266: Tensilica's lx106.
    Esp8266,
    /// The ESP32-C3: RV32IMC.
    Esp32c3,
}

/// What is to be known of a chip.
pub(crate) struct Facts {
    name: &'static str,
    /// The name of the target in a variant's conditions.
    target: &'static str,
    /// As people call it.
    title: &'static str,
    pub(crate) gcc: &'static str,
    pub(crate) gcc_package: &'static str,
    /// Where picolibc lies, from the folder above the compiler's.
    pub(crate) picolibc: &'static str,
    /// Its libraries, from there: those that copy words where they can, as the chips' mask ROMs do.
    pub(crate) libraries: &'static str,
    pub(crate) picolibc_package: &'static str,
    pub(crate) qemu: &'static str,
    pub(crate) cpu: &'static str,
    /// How the emulator is called, before the image's file.
    pub(crate) machine: &'static [&'static str],
    /// Flags that tell the compiler the CPU.
    pub(crate) cpu_flags: &'static [&'static str],
    /// What the firmware is compiled with, as far as it decides what a load costs.
    pub(crate) flags: &'static [&'static str],
    /// The sources that are the chip's own.
    pub(crate) sources: &'static [Source],
    /// Whether reads of flash can be counted, in an image that is linked for it.
    pub(crate) counts_reads: bool,
}

/// The makefile of NodeMCU's branch release tells the flags. One instruction takes 2^6 ns of virtual
/// time, so that each is seen in the CPU's 40 MHz counter (`csrc/lx106/emulator.c`).
const OF_LX106: Facts = Facts {
    name: "esp8266",
    target: "esp8266",
    title: "ESP8266",
    gcc: "xtensa-lx106-elf-gcc",
    gcc_package: "gcc-xtensa-lx106",
    picolibc: "lib/xtensa-lx106-elf",
    libraries: "lib",
    picolibc_package: "picolibc-xtensa-lx106-elf",
    qemu: "qemu-system-xtensa",
    cpu: "lx106",
    machine: &[
        "-M",
        "sim",
        "-cpu",
        "lx106",
        "-icount",
        "shift=6",
        "-semihosting",
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-kernel",
    ],
    cpu_flags: &[],
    flags: &[
        "-O2",
        "-fno-inline-functions",
        "-mlongcalls",
        "-mtext-section-literals",
    ],
    sources: LX106,
    counts_reads: true,
};

/// ESP-IDF's build and NodeMCU's configuration (branch dev-esp32) tell the flags. The CPU has what the
/// ESP32-C3's has, integers, multiplication and compressed instructions, and neither atomic
/// instructions nor floats.
const OF_RV32: Facts = Facts {
    name: "esp32c3",
    target: "esp32",
    title: "ESP32-C3",
    gcc: "riscv64-unknown-elf-gcc",
    gcc_package: "gcc-riscv64-unknown-elf",
    picolibc: "lib/picolibc/riscv64-unknown-elf",
    libraries: "lib/release",
    picolibc_package: "picolibc-riscv64-unknown-elf",
    qemu: "qemu-system-riscv32",
    cpu: "lowrisc-ibex",
    machine: &[
        "-M",
        "virt",
        "-cpu",
        "lowrisc-ibex",
        "-m",
        "128M",
        "-icount",
        "shift=0",
        "-bios",
        "none",
        "-semihosting-config",
        "enable=on,target=native",
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-kernel",
    ],
    cpu_flags: &["-march=rv32imc", "-mabi=ilp32"],
    flags: &[
        "-Os",
        "-freorder-blocks",
        "-fno-jump-tables",
        "-fno-tree-switch-conversion",
        "-fstrict-volatile-bitfields",
        "-ftls-model=local-exec",
    ],
    sources: RV32,
    counts_reads: false,
};

impl Chip {
    /// All of them.
    pub const ALL: [Chip; 2] = [Chip::Esp8266, Chip::Esp32c3];

    pub(crate) fn facts(self) -> &'static Facts {
        match self {
            Chip::Esp8266 => &OF_LX106,
            Chip::Esp32c3 => &OF_RV32,
        }
    }

    /// The name that every command takes: `esp8266` or `esp32c3`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The chip as people call it, such as `ESP8266`.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// The target of a variant whose firmware runs on it: `esp8266` or `esp32`.
    pub fn target(self) -> &'static str {
        self.facts().target
    }

    /// Whether [`crate::Reads`] can be had. They matter where narrow reads of flash are exceptions.
    pub fn counts_reads(self) -> bool {
        self.facts().counts_reads
    }

    /// The command that installs what is needed on Debian and Ubuntu.
    pub fn install(self) -> String {
        let Facts {
            gcc_package,
            picolibc_package,
            ..
        } = self.facts();
        format!("apt-get install {gcc_package} {picolibc_package} qemu-system-misc")
    }
}

impl Display for Chip {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
