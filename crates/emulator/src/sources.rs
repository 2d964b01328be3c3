//! The C sources that every image is made of.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_cores::HEADERS;
use fastlua_cores::edits::{EditError, released};
use fastlua_cores::emergency::collect_in_emergencies;
use fastlua_cores::flash_store::flash_store_sources;
use fastlua_cores::read_only::{START_C, read_only_sources};
use fastlua_firmware::{STOCK, fast_c};
use fastlua_lfs::{Region, Word};

use crate::Chip;

/// Name and content of a source file.
pub(crate) type Source = (&'static str, &'static [u8]);

/// The runtime, which knows nothing of Lua.
const RUNTIME: &[Source] = &[
    ("heap.c", include_bytes!("../csrc/heap.c")),
    ("heap.h", include_bytes!("../csrc/heap.h")),
    ("runtime.h", include_bytes!("../csrc/runtime.h")),
    ("system.c", include_bytes!("../csrc/system.c")),
];

/// The lx106's part of it, and of the programs.
pub(crate) const LX106: &[Source] = &[
    ("arith.c", include_bytes!("../csrc/lx106/arith.c")),
    ("blocks.c", include_bytes!("../csrc/lx106/blocks.c")),
    ("cpu.h", include_bytes!("../csrc/lx106/cpu.h")),
    ("device.h", include_bytes!("../csrc/lx106/device.h")),
    ("emulator.c", include_bytes!("../csrc/lx106/emulator.c")),
    ("known.c", include_bytes!("../csrc/lx106/known.c")),
    ("link.ld", include_bytes!("../csrc/lx106/link.ld")),
    ("platform.h", include_bytes!("../csrc/lx106/platform.h")),
    ("softfloat.c", include_bytes!("../csrc/lx106/softfloat.c")),
    ("start.S", include_bytes!("../csrc/lx106/start.S")),
    ("trap.c", include_bytes!("../csrc/lx106/trap.c")),
];

/// The RV32's. Its libgcc is whole.
pub(crate) const RV32: &[Source] = &[
    ("blocks.c", include_bytes!("../csrc/rv32/blocks.c")),
    ("cpu.h", include_bytes!("../csrc/rv32/cpu.h")),
    ("device.h", include_bytes!("../csrc/rv32/device.h")),
    ("emulator.c", include_bytes!("../csrc/rv32/emulator.c")),
    ("known.c", include_bytes!("../csrc/rv32/known.c")),
    ("link.ld", include_bytes!("../csrc/rv32/link.ld")),
    ("start.S", include_bytes!("../csrc/rv32/start.S")),
    ("trap.c", include_bytes!("../csrc/rv32/trap.c")),
];

/// Of a chip's own files, those that belong to the programs.
const OF_PROGRAMS: [&str; 3] = ["cpu.h", "device.h", "known.c"];

/// Lua for the chip, and the two main programs.
pub(crate) const PROGRAMS: &[Source] = &[
    ("check.c", include_bytes!("../csrc/check.c")),
    ("chip.c", include_bytes!("../csrc/chip.c")),
    ("harness.c", include_bytes!("../csrc/harness.c")),
    ("lua.c", include_bytes!("../csrc/lua.c")),
    ("packed.h", include_bytes!("../csrc/packed.h")),
    ("script.c", include_bytes!("../csrc/script.c")),
    ("store.h", include_bytes!("../csrc/store.h")),
    ("chip.h", include_bytes!("../csrc/chip.h")),
    ("core.h", include_bytes!("../csrc/core.h")),
    ("harness.h", include_bytes!("../csrc/harness.h")),
    ("runtime.h", include_bytes!("../csrc/runtime.h")),
];

/// The runtime of a chip, with Berkeley SoftFloat's sources where a unit of it includes them.
pub(crate) fn runtime(chip: Chip) -> impl Iterator<Item = Source> + Clone {
    let own = chip.facts().sources.iter();
    let own = own.filter(|(name, _)| *name == "cpu.h" || !OF_PROGRAMS.contains(name));
    let softfloat: &[Source] = match chip {
        Chip::Esp8266 => include!(concat!(env!("OUT_DIR"), "/softfloat.rs")),
        Chip::Esp32c3 => &[],
    };
    RUNTIME.iter().chain(own).chain(softfloat).copied()
}

/// Which Lua an image runs. Each 5.1 collects as NodeMCU's does ([`fastlua_cores::emergency`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Core {
    /// As it was released, but for that.
    #[default]
    Stock,
    /// With read-only objects, as NodeMCU's ([`fastlua_cores::read_only`]): it runs frozen chunks.
    ReadOnly,
    /// The same, and the start-up hook of `fast.c`, which has to be among the image's files, is
    /// linked (`-Wl,--wrap=luaN_init`).
    Hooked,
    /// As NodeMCU's with an image for LFS ([`fastlua_cores::flash_store`]), which has to be among the image's
    /// files ([`crate::region_file`]).
    Lfs,
}

impl Core {
    /// Whether `luaN_init` is a unit of its own, so that the linker can put the hook in front of it.
    pub(crate) fn starts_apart(self) -> bool {
        matches!(self, Core::ReadOnly | Core::Hooked)
    }
}

/// The same where the text may have been edited.
pub(crate) type EditedSource = (&'static str, Cow<'static, [u8]>);

/// Everything that a chip's images of one Lua version include.
pub(crate) fn lua(
    chip: Chip,
    dialect: Dialect,
    core: Core,
) -> Result<Vec<EditedSource>, EditError> {
    let bytes = |text: Cow<'static, str>| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    let mut files = match core {
        Core::Stock => released(dialect),
        Core::ReadOnly | Core::Hooked => read_only_sources(dialect)?,
        Core::Lfs => flash_store_sources(dialect)?,
    };
    files = collect_in_emergencies(files, dialect)?;
    if core.starts_apart() {
        files.push(("luan_init.c", START_C.into()));
    }
    let shared = STOCK.iter().chain(&HEADERS);
    files.extend(shared.map(|(name, text)| (*name, (*text).into())));
    let own = chip.facts().sources.iter();
    let own = own.filter(|(name, _)| OF_PROGRAMS.contains(name));
    let programs = PROGRAMS.iter().chain(own);
    let programs = programs.map(|&(name, text)| (name, text.into()));
    let files = files.into_iter().map(|(name, text)| (name, bytes(text)));
    Ok(files.chain(programs).collect())
}

/// The files of an image with `fast.c` and the bundle whose `fast_chunks.h` this is. The bundle has
/// to be for [`stock_layout`]'s variant.
pub fn fast_files(fast_chunks_h: &str) -> [(&str, &[u8]); 2] {
    static FAST_C: LazyLock<String> = LazyLock::new(fast_c);
    [
        ("fast.c", FAST_C.as_bytes()),
        ("fast_chunks.h", fast_chunks_h.as_bytes()),
    ]
}

/// The file of an image with [`Core::Lfs`] that has the memory of an LFS region.
pub fn region_file(region: &Region) -> (&'static str, String) {
    let mut text =
        String::from("\t.section .flash, \"a\"\n\t.global lfs_region\n\t.balign 4\nlfs_region:\n");
    for word in region.words() {
        let _ = match word {
            Word::Number(number) => writeln!(text, "\t.4byte {number:#x}"),
            Word::Address(offset) => writeln!(text, "\t.4byte lfs_region + {offset:#x}"),
        };
    }
    ("lfs-region.S", text)
}

/// The layout of dumps that stock Lua on the chip loads, with this number model: the same for each chip.
pub fn stock_layout(numbers: NumberModel) -> Layout {
    Layout::stock(numbers, 4)
}
