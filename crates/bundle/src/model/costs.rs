//! The costs of a chunk on the chip, as bytecode and frozen: bytes that Lua allocates, without the overhead
//! of each heap block. The sizes are those of NodeMCU's structures on 32-bit chips.

use crate::slot::Heap;
use fastlua_bytecode::Chunk;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::Need;
use crate::structures::{CoreLayout, table_bytes};

/// A heap that adds nothing to a block.
const ASKED: Heap = Heap {
    head: 0,
    least: 1,
    align: 1,
};

/// Bytes that a chunk takes in its two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Its functions.
    pub functions: usize,
    /// Flash of its bytecode.
    pub bytecode_flash: usize,
    /// Heap that its bytecode keeps while it is loaded, with all its strings.
    pub bytecode_heap: usize,
    /// Flash of its frozen functions, without strings, which the bundle shares.
    pub frozen_flash: usize,
    /// Flash of its strings, if no other chunk had them.
    pub frozen_strings: usize,
    /// Heap that it keeps frozen, with the start-up hook.
    pub frozen_heap: usize,
    /// The most heap that its shadows keep for good, without the hook.
    pub shadow_heap: usize,
}

impl Costs {
    /// Of a chunk whose dump has this length; `need` counts its load, and `strings` are the different ones that it names.
    pub(crate) fn of(chunk: &Chunk, dump: usize, need: &Need, strings: &FxHashSet<&[u8]>) -> Costs {
        let core = CoreLayout::of(chunk.layout.numbers());
        let bytes = strings.iter().map(|string| core.string_bytes(string.len()));
        let frozen_strings = match strings.is_empty() {
            true => 0,
            false => bytes.sum::<usize>() + table_bytes(need.short_strings),
        };
        let closure = need.closure(&core, &ASKED);
        Costs {
            functions: need.functions.len(),
            bytecode_flash: dump,
            bytecode_heap: need.heap_kept(&core, &ASKED),
            frozen_flash: need.frozen_flash(&core),
            frozen_strings,
            frozen_heap: closure,
            shadow_heap: closure + need.shadows(&core, &ASKED),
        }
    }
}
