//! The C sources that every image is made of.

use std::borrow::Cow;
use std::sync::LazyLock;

use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_cores::HEADERS;
use fastlua_cores::edits::{EditError, released};
use fastlua_cores::read_only::{START_C, read_only_sources};
use fastlua_firmware::{STOCK, fast_c};

/// Name and content of a source file.
pub(crate) type Source = (&'static str, &'static [u8]);

/// The runtime, which knows nothing of Lua.
pub(crate) const RUNTIME: &[Source] = &[
    ("arith.c", include_bytes!("../csrc/arith.c")),
    ("heap.c", include_bytes!("../csrc/heap.c")),
    ("softfloat.c", include_bytes!("../csrc/softfloat.c")),
    ("start.S", include_bytes!("../csrc/start.S")),
    ("system.c", include_bytes!("../csrc/system.c")),
    ("trap.c", include_bytes!("../csrc/trap.c")),
    ("runtime.h", include_bytes!("../csrc/runtime.h")),
    ("platform.h", include_bytes!("../csrc/platform.h")),
    ("link.ld", include_bytes!("../csrc/link.ld")),
];

/// Lua for the chip, and the two main programs.
pub(crate) const PROGRAMS: &[Source] = &[
    ("check.c", include_bytes!("../csrc/check.c")),
    ("chip.c", include_bytes!("../csrc/chip.c")),
    ("harness.c", include_bytes!("../csrc/harness.c")),
    ("lua.c", include_bytes!("../csrc/lua.c")),
    ("packed.h", include_bytes!("../csrc/packed.h")),
    ("device.h", include_bytes!("../csrc/device.h")),
    ("script.c", include_bytes!("../csrc/script.c")),
    ("chip.h", include_bytes!("../csrc/chip.h")),
    ("core.h", include_bytes!("../csrc/core.h")),
    ("harness.h", include_bytes!("../csrc/harness.h")),
    ("runtime.h", include_bytes!("../csrc/runtime.h")),
];

/// Berkeley SoftFloat's sources, without our unit that includes them.
pub(crate) fn softfloat() -> &'static [Source] {
    include!(concat!(env!("OUT_DIR"), "/softfloat.rs"))
}

/// Which Lua an image runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Core {
    /// As it was released.
    #[default]
    Stock,
    /// With read-only objects, as NodeMCU's ([`fastlua_cores::read_only`]): it runs frozen chunks.
    ReadOnly,
    /// The same, and the start-up hook of `fast.c`, which has to be among the image's files, is
    /// linked (`-Wl,--wrap=luaN_init`).
    Hooked,
}

/// The same where the text may have been edited.
pub(crate) type EditedSource = (&'static str, Cow<'static, [u8]>);

/// Everything that images of one Lua version include.
pub(crate) fn lua(dialect: Dialect, core: Core) -> Result<Vec<EditedSource>, EditError> {
    let bytes = |text: Cow<'static, str>| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    let mut files = match core {
        Core::Stock => released(dialect),
        Core::ReadOnly | Core::Hooked => read_only_sources(dialect)?,
    };
    if core != Core::Stock {
        files.push(("luan_init.c", START_C.into()));
    }
    let shared = STOCK.iter().chain(&HEADERS);
    files.extend(shared.map(|(name, text)| (*name, (*text).into())));
    let programs = PROGRAMS.iter().map(|&(name, text)| (name, text.into()));
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

/// The layout of dumps that stock Lua on the chip loads, with this number model.
pub fn stock_layout(numbers: NumberModel) -> Layout {
    Layout::stock(numbers, 4)
}
