//! The memory of 5.3's region, as the loader on the chip (`lundump.c`, `luaU_undumpLFS`) makes it of an image: the
//! header, the strings with those that every core has, the table of the short ones, the functions, inner ones
//! first, each behind its vectors, and the table of modules.

use std::collections::HashMap;
use std::mem;

use bstr::BString;
use fastlua_bytecode::{Constant, Format, Function, FunctionPath, Layout, PackedLines};

use super::{Counts, LONGEST_SHORT, fixed, main_of, value_words};
use crate::builder::Builder;
use crate::sources::packed_lines;
use crate::strings::hash;
use crate::{Image, Region};

/// `FLASH_SIG` with the version of the format.
const SIGNATURE: u32 = 0xfafa_a250;
/// Words of the header: signature, bytes, seed, time stamp, number of short strings, words of their table, its
/// place, the places of the table of modules, of the last function, of the last short and the last long string,
/// and one of 0. Places are words from the start.
const HEADER: usize = 12;
/// Words of a string in front of its text.
const STRING: usize = 4;
/// Words of a function, `Proto`.
const FUNCTION: usize = 19;

/// Types, `lobject.h` and `lua.h`.
const NIL: u32 = 0;
const BOOLEAN: u32 = 1;
const POINTER: u32 = 2;
const FLOAT: u32 = 3;
const INTEGER: u32 = 3 | 1 << 4;
const SHORT: u32 = 4;
const LONG: u32 = 4 | 1 << 4;
const READ_ONLY_TABLE: u32 = 5 | 1 << 4;
const PROTOTYPE: u8 = 9;
/// In the type of a value: the collector has to do with it.
const COLLECTABLE: u32 = 1 << 6;
/// The mark of what lies in flash.
const IN_FLASH: u8 = 1 << 5;
/// How many of the strings that every core has are reserved words; they come first.
const RESERVED: usize = 22;

/// The memory of an image that was read, with its line info as it is packed there. `brought` are the strings that it
/// brings, `hidden` what the one is called in it that the chip's table does not give.
pub(super) fn region(
    image: &Image,
    brought: Vec<BString>,
    hidden: BString,
    packed: &PackedLines,
) -> Region {
    let counts = Counts::of(&brought);
    let mut writer = Writer {
        memory: Builder::new(HEADER),
        seed: image.seed.unwrap_or_default(),
        value: value_words(&image.layout),
        layout: &image.layout,
        packed,
        path: FunctionPath::default(),
        strings: HashMap::new(),
        chains: vec![None; counts.short.next_power_of_two() as usize],
        last_function: 0,
        last_short: 0,
        last_long: 0,
    };
    for text in brought {
        writer.push_string(text, 0);
    }
    for (i, text) in fixed::STRINGS.iter().enumerate() {
        if i == fixed::HIDDEN {
            writer.strings.insert(hidden.clone(), writer.memory.end());
        }
        let reserved = if i < RESERVED { i + 1 } else { 0 };
        writer.push_string((*text).into(), reserved as u32);
    }
    let table = writer.memory.end();
    let chains = mem::take(&mut writer.chains);
    for last in &chains {
        writer.memory.push_address(*last);
    }
    let modules = writer.modules(image);
    let header = [
        SIGNATURE,
        4 * writer.memory.end() as u32,
        writer.seed,
        image.timestamp,
        counts.short,
        chains.len() as u32,
        table as u32,
        modules as u32,
        writer.last_function as u32,
        writer.last_short as u32,
        writer.last_long as u32,
    ];
    for (at, value) in header.into_iter().enumerate() {
        writer.memory.set(at, value);
    }
    writer.memory.region()
}

struct Writer<'a> {
    memory: Builder,
    seed: u32,
    /// Words of a value.
    value: usize,
    layout: &'a Layout,
    packed: &'a PackedLines,
    /// The function that is written.
    path: FunctionPath,
    /// Where each string is; of two that are the same, the last.
    strings: HashMap<BString, usize>,
    /// The last short string of each chain.
    chains: Vec<Option<usize>>,
    /// Where the lists of all objects of a kind begin; the region's start ends them.
    last_function: usize,
    last_short: usize,
    last_long: usize,
}

impl Writer<'_> {
    fn push_string(&mut self, text: BString, reserved: u32) {
        let at = self.memory.end();
        let hash = hash(self.seed, &text);
        let marked = (u32::from(IN_FLASH) | COLLECTABLE) << 8;
        let length = text.len() as u32;
        if text.len() <= LONGEST_SHORT {
            self.memory.push_address(Some(self.last_short));
            let head = SHORT | marked | reserved << 16 | length << 24;
            self.memory.push(head);
            self.memory.push(hash);
            let chain = hash as usize & (self.chains.len() - 1);
            let next = self.chains[chain].replace(at);
            self.memory.push_address(next);
            self.last_short = at;
        } else {
            self.memory.push_address(Some(self.last_long));
            self.memory.push(LONG | marked | 1 << 16);
            self.memory.push(hash);
            self.memory.push(length);
            self.last_long = at;
        }
        self.memory.push_text(&text);
        self.strings.insert(text, at);
    }

    /// Where the table of modules is, which their names and functions come before.
    fn modules(&mut self, image: &Image) -> usize {
        let mains: Vec<Function> = image.modules.iter().map(main_of).collect();
        let mains = self.functions(&mains, None);
        let entries = self.memory.end();
        for (module, main) in image.modules.iter().zip(mains) {
            let name = self.string(Some(&module.name)).map(|at| at + STRING);
            self.memory.push_address(name);
            let at = self.memory.reserve(self.value);
            self.memory.set_address(at, Some(main));
            self.memory.set(at + self.value - 1, POINTER);
        }
        self.memory.reserve(1 + self.value);
        let at = self.memory.end();
        let count = image.modules.len() as u32;
        self.memory.push(1);
        self.memory.push(READ_ONLY_TABLE | 0xff << 16 | count << 24);
        self.memory.push(0);
        self.memory.push_address(Some(entries));
        at
    }

    /// Where these functions are, which are those of the one that is written.
    fn functions(&mut self, functions: &[Function], source: Option<usize>) -> Vec<usize> {
        let place = |(index, function): (u32, &Function)| {
            self.path.0.push(index);
            let at = self.function(function, source);
            self.path.0.pop();
            at
        };
        (0..).zip(functions).map(place).collect()
    }

    /// Where the function is. `source` is where its parent's source name is.
    fn function(&mut self, function: &Function, source: Option<usize>) -> usize {
        let source = self.string(function.source.as_ref()).or(source);
        let inner = self.functions(&function.functions, source);
        let functions = self.memory.end();
        for at in &inner {
            self.memory.push_address(Some(*at));
        }
        let code = self.memory.end();
        for word in &function.code {
            self.memory.push(*word);
        }
        let constants = self.memory.end();
        for constant in &function.constants {
            self.constant(constant);
        }
        let upvalues = (!function.upvalues.is_empty()).then_some(self.memory.end());
        for upvalue in &function.upvalues {
            let name = self.string(upvalue.name.as_ref());
            self.memory.push_address(name);
            let place = [upvalue.in_stack.into(), upvalue.index, 0, 0];
            self.memory.push(u32::from_le_bytes(place));
        }
        let given = self.packed.get(&self.path);
        let lines = packed_lines(Format::NodeMcu53, function, given);
        let lines_at = (!lines.is_empty()).then_some(self.memory.end());
        for four in lines.chunks(4) {
            let mut word = [0; 4];
            word[..four.len()].copy_from_slice(four);
            self.memory.push(u32::from_le_bytes(word));
        }
        let locals = self.memory.end();
        for local in &function.locals {
            let name = self.string(local.name.as_ref());
            self.memory.push_address(name);
            self.memory.push(local.start_pc);
            self.memory.push(local.end_pc);
        }
        let at = self.memory.reserve(FUNCTION);
        self.memory.set_address(at, Some(self.last_function));
        self.last_function = at;
        let head = [PROTOTYPE, IN_FLASH, function.params, function.vararg];
        let counts = [
            u32::from_le_bytes(head),
            function.max_stack.into(),
            function.upvalues.len() as u32,
            function.constants.len() as u32,
            function.code.len() as u32,
            lines.len() as u32,
            inner.len() as u32,
            function.locals.len() as u32,
            function.line_defined,
            function.last_line_defined,
        ];
        for (at, count) in (at + 1..).zip(counts) {
            self.memory.set(at, count);
        }
        let places = [
            Some(constants),
            Some(code),
            Some(functions),
            lines_at,
            Some(locals),
            upvalues,
            source,
        ];
        for (at, place) in (at + 1 + counts.len()..).zip(places) {
            self.memory.set_address(at, place);
        }
        at
    }

    fn string(&self, text: Option<&BString>) -> Option<usize> {
        self.strings.get(text?).copied()
    }

    fn constant(&mut self, constant: &Constant) {
        let at = self.memory.reserve(self.value);
        let (kind, bits) = match constant {
            Constant::Nil => (NIL, 0),
            Constant::Boolean(value) => (BOOLEAN, (*value).into()),
            Constant::Integer(value) => (INTEGER, *value as u64),
            Constant::Float(value) if self.layout.float == 4 => {
                (FLOAT, (*value as f32).to_bits().into())
            }
            Constant::Float(value) => (FLOAT, value.to_bits()),
            Constant::String(text) => {
                let place = self.string(Some(text));
                self.memory.set_address(at, place);
                let kind = if text.len() > LONGEST_SHORT {
                    LONG
                } else {
                    SHORT
                };
                self.memory.set(at + self.value - 1, kind | COLLECTABLE);
                return;
            }
        };
        self.memory.set(at, bits as u32);
        // with 32 bits for all numbers this is the place of the type
        self.memory.set(at + 1, (bits >> 32) as u32);
        self.memory.set(at + self.value - 1, kind);
    }
}
