//! What a chunk takes on the chip, as bytecode and frozen: bytes that Lua asks for, without what the
//! heap adds to each block. The sizes are those of NodeMCU's structures on 32-bit chips.

use fastlua_bytecode::{Chunk, Dialect};
use serde::Serialize;

use crate::Need;
use crate::pool::pool_size;

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

/// Sizes of NodeMCU's structures.
struct Sizes {
    proto: usize,
    closure: usize,
    upvalue: usize,
}

const STRING: usize = 16;
const TABLE: usize = 32;
const LOCAL: usize = 12;

impl Costs {
    /// Of a chunk whose dump has this length; `need` counts its load.
    pub fn of(chunk: &Chunk, dump: usize, need: &Need) -> Costs {
        let layout = &chunk.layout;
        let lua51 = layout.dialect() == Dialect::Lua51;
        let value = if layout.integer.max(layout.float) > 4 {
            12
        } else {
            8
        };
        let upvalues = need.main_upvalues;
        let sizes = match lua51 {
            true => Sizes {
                proto: 72,
                closure: 20,
                upvalue: 4,
            },
            false => Sizes {
                proto: 76,
                closure: 16 + 4 * upvalues + (8 + value) * upvalues,
                upvalue: 8,
            },
        };
        let text = |length: &usize| STRING + length + 1;
        let strings: usize = need.strings.iter().map(|(n, count)| count * text(n)).sum();
        let each = |bytes: &dyn Fn(&[usize; 6]) -> usize| need.functions.iter().map(bytes).sum();
        let function = |&[i, k, p, u, v, _]: &[usize; 6]| {
            sizes.proto + 4 * i + value * k + 4 * p + sizes.upvalue * u + LOCAL * v
        };
        let functions: usize = each(&|f| function(f) + f[5]);
        let shadows: usize = each(&|&[_, k, p, ..]| {
            let table = if k > 0 { TABLE + value * k } else { 0 };
            sizes.proto + 4 * p + value + table
        });
        Costs {
            functions: need.functions.len(),
            bytecode_flash: dump,
            bytecode_heap: sizes.closure + functions + strings,
            frozen_flash: each(&|f| function(f) + f[5].next_multiple_of(4)),
            frozen_strings: pool_size([chunk]).1,
            frozen_heap: sizes.closure,
            shadow_heap: sizes.closure + shadows + strings + TABLE + 24,
        }
    }
}
