//! The allocations of loading a chunk, counted in the core's own structures. The firmware's compiler
//! turns the counts into bytes (`FAST_FUNCTION` and its like in the loader's headers), so that they are right for any core.

use std::collections::BTreeMap;
use std::ops::Add;

use crate::slot::Heap;
use fastlua_bytecode::{Chunk, Constant, Dialect, Function, line_info};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::structures::{CoreLayout, is_interned, no_source};

/// Bytes of the strings that `fast_undump.h` reads without a buffer in the heap (`FAST_BUFFER_WORDS`).
pub(crate) const ON_STACK: usize = 256;

/// Counts of the objects that a load keeps, and its temporary buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The parts of each function.
    pub functions: Vec<Parts>,
    /// Strings by length without the final zero: each different one once, but 5.3's long ones each
    /// time.
    pub strings: BTreeMap<usize, usize>,
    /// Of these the constants, likewise: what a shadow of a frozen function has in RAM.
    pub constant_strings: BTreeMap<usize, usize>,
    /// The number of them in the string table.
    pub short_strings: usize,
    /// Upvalues of the main function.
    pub main_upvalues: usize,
    /// Levels of nested functions; 1 if the main function contains none.
    pub depth: usize,
    /// 5.1: bytes of the buffer for long strings, and of the one it replaces, where the sum is largest.
    pub buffer: (usize, usize),
}

/// The number of parts of each kind in a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Instructions.
    pub instructions: usize,
    /// Constants.
    pub constants: usize,
    /// Nested functions.
    pub functions: usize,
    /// Upvalues that have a description: all in 5.3, those with a name in 5.1.
    pub upvalues: usize,
    /// Local variables with a name.
    pub locals: usize,
    /// Bytes of line info.
    pub line_info: usize,
}

impl Add for Parts {
    type Output = Parts;

    fn add(self, other: Parts) -> Parts {
        Parts {
            instructions: self.instructions + other.instructions,
            constants: self.constants + other.constants,
            functions: self.functions + other.functions,
            upvalues: self.upvalues + other.upvalues,
            locals: self.locals + other.locals,
            line_info: self.line_info + other.line_info,
        }
    }
}

impl Need {
    /// Of a chunk as it stands, stripped or not.
    pub fn of(chunk: &Chunk) -> Need {
        Need::with_strings(chunk).0
    }

    /// The same with the different strings that the chunk names.
    pub(crate) fn with_strings(chunk: &Chunk) -> (Need, FxHashSet<&[u8]>) {
        let room = || {
            FxHashSet::with_capacity_and_hasher(2 * chunk.main.constants.len(), Default::default())
        };
        let mut count = Count {
            chunk,
            need: Need::default(),
            seen: room(),
            constants: room(),
            last_buffer: 0,
        };
        count.function(&chunk.main);
        count.need.main_upvalues = chunk.main.upvalues.len();
        chunk.main.for_each(&mut |path, _| {
            count.need.depth = count.need.depth.max(path.0.len() + 1);
        });
        (count.need, count.seen)
    }

    /// The parts of all functions together.
    pub fn sum(&self) -> Parts {
        self.functions
            .iter()
            .fold(Parts::default(), |sum, parts| sum + *parts)
    }

    /// Bytes of heap that loading the chunk takes at the most: `FAST_CLOSURE` and what follows it.
    pub fn heap(&self, core: &CoreLayout, heap: &Heap) -> usize {
        let (old, new) = self.buffer;
        self.heap_kept(core, heap) + array(heap, old, 1) + array(heap, new, 1)
    }

    /// Bytes of heap that the chunk keeps once it is loaded.
    pub fn heap_kept(&self, core: &CoreLayout, heap: &Heap) -> usize {
        let function = |f: &Parts| {
            heap.block(core.proto.size)
                + array(heap, f.instructions, INSTRUCTION)
                + array(heap, f.constants, core.value.size)
                + array(heap, f.functions, POINTER)
                + array(heap, f.upvalues, core.upvalue.size)
                + array(heap, f.locals, core.local.size)
                + array(heap, f.line_info, 1)
        };
        self.closure(core, heap)
            + self.functions.iter().map(function).sum::<usize>()
            + strings(&self.strings, core, heap)
    }

    /// Bytes of heap of the main function's closure.
    pub fn closure(&self, core: &CoreLayout, heap: &Heap) -> usize {
        let [pointer, object] = core.upvalues;
        let upvalues = self.main_upvalues;
        heap.block(core.closure + upvalues * pointer) + upvalues * heap.block(object)
    }

    /// Bytes of heap of shadows of all its functions, if it is frozen, with all their strings:
    /// `FAST_SHADOWS` and what follows it.
    pub fn shadows(&self, core: &CoreLayout, heap: &Heap) -> usize {
        let shadow = |f: &Parts| {
            let table = match f.constants {
                0 => 0,
                n => heap.block(core.table) + array(heap, n, core.value.size),
            };
            core.proto.size + POINTER * f.functions + core.value.size + table
        };
        heap.block(core.table)
            + heap.block(core.userdata)
            + 2 * core.node
            + self.functions.iter().map(shadow).sum::<usize>()
            + strings(&self.constant_strings, core, heap)
    }

    /// Bytes of flash of its functions, if it is frozen, without strings.
    pub fn frozen_flash(&self, core: &CoreLayout) -> usize {
        let sum = self.sum();
        let lines = self
            .functions
            .iter()
            .map(|f| f.line_info.next_multiple_of(4));
        self.functions.len() * core.proto.size
            + sum.instructions * INSTRUCTION
            + sum.constants * core.value.size
            + sum.functions * POINTER
            + sum.upvalues * core.upvalue.size
            + sum.locals * core.local.size
            + lines.sum::<usize>()
    }

    /// The C expression of the bytes.
    pub(crate) fn c_expression(&self) -> String {
        let mut terms = vec![format!("FAST_CLOSURE({})", self.main_upvalues)];
        if self.buffer.1 > 0 {
            terms.push(format!("FAST_BUFFER({}, {})", self.buffer.0, self.buffer.1));
        }
        for f in &self.functions {
            terms.push(format!(
                "FAST_FUNCTION({}, {}, {}, {}, {}, {})",
                f.instructions, f.constants, f.functions, f.upvalues, f.locals, f.line_info
            ));
        }
        for (length, count) in &self.strings {
            terms.push(format!("{count} * FAST_STRING({length})"));
        }
        terms.join("\n   + ")
    }
}

const INSTRUCTION: usize = 4;
const POINTER: usize = 4;

/// `FAST_ARRAY`
fn array(heap: &Heap, count: usize, size: usize) -> usize {
    match count {
        0 => 0,
        _ => heap.block(count * size),
    }
}

/// `FAST_STRING` of so many strings of each length.
fn strings(lengths: &BTreeMap<usize, usize>, core: &CoreLayout, heap: &Heap) -> usize {
    let text = |length: &usize| heap.block(core.string.size + length + 1);
    lengths.iter().map(|(n, count)| count * text(n)).sum()
}

struct Count<'a> {
    chunk: &'a Chunk,
    need: Need,
    seen: FxHashSet<&'a [u8]>,
    constants: FxHashSet<&'a [u8]>,
    last_buffer: usize,
}

impl<'a> Count<'a> {
    /// In the order of the dump, since the buffer for strings grows in it.
    fn function(&mut self, function: &'a Function) {
        let dialect = self.chunk.layout.dialect();
        match (&function.source, no_source(dialect)) {
            (Some(source), _) => self.string(source),
            // it is not read into the buffer
            (None, Some(name)) if self.need.functions.is_empty() => self.keep(name),
            (None, _) => {}
        }
        self.need.functions.push(Parts {
            instructions: function.code.len(),
            constants: function.constants.len(),
            functions: function.functions.len(),
            upvalues: described(dialect, function),
            locals: function.locals.len(),
            line_info: line_info(self.chunk.layout.format, function).len(),
        });
        for constant in &function.constants {
            if let Constant::String(string) = constant {
                if self.constants.insert(string) || !is_interned(dialect, string) {
                    *self.need.constant_strings.entry(string.len()).or_default() += 1;
                }
                self.string(string);
            }
        }
        for child in &function.functions {
            self.function(child);
        }
        let upvalues = function.upvalues.iter().filter_map(|u| u.name.as_ref());
        let locals = function.locals.iter().filter_map(|l| l.name.as_ref());
        for name in locals.chain(upvalues) {
            self.string(name);
        }
    }

    /// A string of the dump.
    fn string(&mut self, string: &'a [u8]) {
        let buffer = string.len();
        let is_long = buffer > self.last_buffer.max(ON_STACK);
        if self.chunk.layout.dialect() == Dialect::Lua51 && is_long {
            let (old, new) = self.need.buffer;
            if self.last_buffer + buffer > old + new {
                self.need.buffer = (self.last_buffer, buffer);
            }
            self.last_buffer = buffer;
        }
        self.keep(string);
    }

    fn keep(&mut self, string: &'a [u8]) {
        let interned = is_interned(self.chunk.layout.dialect(), string);
        let is_new = self.seen.insert(string);
        if is_new || !interned {
            *self.need.strings.entry(string.len()).or_default() += 1;
            self.need.short_strings += usize::from(interned);
        }
    }
}

/// Upvalues of a loaded function that have a description: in 5.1 only those with a name.
fn described(dialect: Dialect, function: &Function) -> usize {
    match dialect {
        Dialect::Lua51 => function
            .upvalues
            .iter()
            .filter(|u| u.name.is_some())
            .count(),
        Dialect::Lua53 => function.upvalues.len(),
    }
}
