//! What a chunk takes on the chip, as bytecode and frozen: bytes that Lua asks for, without what the
//! heap adds to each block. The sizes are those of NodeMCU's structures on 32-bit chips.

use std::collections::BTreeMap;

use fastlua_bytecode::Chunk;
use serde::Serialize;

use crate::Need;
use crate::objects::{CoreLayout, Strings};
use crate::produce::Parts;

/// Bytes that a chunk takes in its two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// Heap that its shadows keep for good at the most: without the hook.
    pub shadow_heap: usize,
}

impl Costs {
    /// Of a chunk whose dump has this length; `need` counts its load.
    pub fn of(chunk: &Chunk, dump: usize, need: &Need) -> Costs {
        let core = CoreLayout::of(chunk.layout.numbers());
        let (sum, closure) = (need.sum(), core.closure(need.main_upvalues));
        let functions = need.functions.len() * core.proto.size
            + sum.instructions * 4
            + sum.constants * core.value.size
            + sum.functions * 4
            + sum.upvalues * core.upvalue.size
            + sum.locals * core.local.size;
        let strings = |lengths: &BTreeMap<usize, usize>| -> usize {
            let text = |length: &usize| core.string.size + length + 1;
            lengths.iter().map(|(n, count)| count * text(n)).sum()
        };
        let shadow = |f: &Parts| {
            let table = match f.constants {
                0 => 0,
                constants => core.table + core.value.size * constants,
            };
            core.proto.size + 4 * f.functions + core.value.size + table
        };
        let shadows: usize = need.functions.iter().map(shadow).sum();
        let lines = need
            .functions
            .iter()
            .map(|f| f.line_info.next_multiple_of(4));
        let pool = Strings::of(chunk.layout.dialect(), [chunk], 0);
        Costs {
            functions: need.functions.len(),
            bytecode_flash: dump,
            bytecode_heap: closure + functions + sum.line_info + strings(&need.strings),
            frozen_flash: functions + lines.sum::<usize>(),
            frozen_strings: pool.flash(&core),
            frozen_heap: closure,
            shadow_heap: closure
                + shadows
                + strings(&need.constant_strings)
                + core.table
                + core.userdata
                + 2 * core.node,
        }
    }
}
