//! What loading a chunk allocates, counted in the core's own structures. The firmware's compiler
//! turns the counts into bytes (`FAST_FUNCTION` in `fast_index.h`), so that they are right for any core.

use std::collections::{BTreeMap, BTreeSet};

use fastlua_bytecode::{Chunk, Constant, Dialect, Function, line_info};

use crate::pool::{is_interned, no_source};

/// Bytes of the strings that `fast_undump.h` reads without a buffer in the heap (`FAST_BUFFER_WORDS`).
pub(crate) const ON_STACK: usize = 256;

/// Counts of what a load keeps, and the buffer it needs meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// For each function: instructions, constants, functions in it, upvalues that have a
    /// description (all in 5.3, those with a name in 5.1), local variables, bytes of line info.
    pub functions: Vec<[usize; 6]>,
    /// Strings by length without the final zero: each different one once, but 5.3's long ones each
    /// time.
    pub strings: BTreeMap<usize, usize>,
    /// How many of them go into the string table.
    pub short_strings: usize,
    /// Upvalues of the main function.
    pub main_upvalues: usize,
    /// 5.1: bytes of the buffer for long strings, and of the one it replaces, where the sum is largest.
    pub buffer: (usize, usize),
}

impl Need {
    /// Of a chunk as it stands, stripped or not.
    pub fn of(chunk: &Chunk) -> Need {
        let mut count = Count {
            chunk,
            need: Need::default(),
            seen: BTreeSet::new(),
            last_buffer: 0,
        };
        count.function(&chunk.main);
        count.need.main_upvalues = chunk.main.upvalues.len();
        count.need
    }

    /// The C expression of the bytes.
    pub(crate) fn c_expression(&self) -> String {
        let mut terms = vec![format!("FAST_CLOSURE({})", self.main_upvalues)];
        if self.buffer.1 > 0 {
            terms.push(format!("FAST_BUFFER({}, {})", self.buffer.0, self.buffer.1));
        }
        for [i, k, p, u, v, l] in &self.functions {
            terms.push(format!("FAST_FUNCTION({i}, {k}, {p}, {u}, {v}, {l})"));
        }
        for (length, count) in &self.strings {
            terms.push(format!("{count} * FAST_STRING({length})"));
        }
        terms.join("\n   + ")
    }
}

struct Count<'a> {
    chunk: &'a Chunk,
    need: Need,
    seen: BTreeSet<&'a [u8]>,
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
        self.need.functions.push([
            function.code.len(),
            function.constants.len(),
            function.functions.len(),
            described(dialect, function),
            function.locals.len(),
            line_info(self.chunk.layout.format, function).len(),
        ]);
        for constant in &function.constants {
            if let Constant::String(string) = constant {
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
        if !interned || self.seen.insert(string) {
            *self.need.strings.entry(string.len()).or_default() += 1;
            self.need.short_strings += usize::from(interned);
        }
    }
}

/// Upvalues of a loaded function that have a description: in 5.1 only those with a name.
pub(crate) fn described(dialect: Dialect, function: &Function) -> usize {
    match dialect {
        Dialect::Lua51 => function
            .upvalues
            .iter()
            .filter(|u| u.name.is_some())
            .count(),
        Dialect::Lua53 => function.upvalues.len(),
    }
}
