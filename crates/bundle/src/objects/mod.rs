//! Frozen chunks as data: the functions, constants and strings of a variant's frozen chunks as one
//! graph, whose objects name one another by number. [`output`](crate::output) prints it as C.

mod memory;

use fastlua_bytecode::{Chunk, Constant, Dialect, Function, Layout, line_info};

pub(crate) use memory::ALIGN;
pub use memory::Memory;

use crate::model::{Bundle, Need};
use crate::structures::{Strings, is_interned, no_source, source};

/// The frozen chunks of one variant, with all their objects.
#[derive(Debug)]
pub struct Objects<'a> {
    /// Layout of the chunks' dumps.
    pub dump: Layout,
    /// The strings, and the table that finds them.
    pub strings: Strings<'a>,
    /// The functions of all chunks. A function's number is its place in a walk that comes to each
    /// function before those in it; the loader on the chip counts the same way.
    pub functions: Vec<FrozenFunction<'a>>,
    /// The chunks, in the order given.
    pub chunks: Vec<FrozenChunk<'a>>,
    /// Frozen data: name, and number of the string.
    pub data: Vec<(&'a str, usize)>,
}

/// A frozen chunk.
#[derive(Debug)]
pub struct FrozenChunk<'a> {
    /// Its name.
    pub name: &'a str,
    /// The allocations of loading its bytecode.
    pub need: &'a Need,
    /// Number of its main function.
    pub main: usize,
    /// Number of its name, by which `fast.load` finds it at once: none where the core may have several strings of that name,
    /// or where the main function has other upvalues than a compiler gives it.
    pub named: Option<usize>,
}

/// A function whose parts are objects. It refers to strings and functions by number.
#[derive(Debug)]
pub struct FrozenFunction<'a> {
    /// Its code, and the numbers that need no object.
    pub function: &'a Function,
    /// Its source name: its own or the enclosing function's.
    pub source: Option<usize>,
    /// Its constants.
    pub constants: Vec<Value>,
    /// Its nested functions.
    pub functions: Vec<usize>,
    /// Name, first and last instruction of each local variable.
    pub locals: Vec<(Option<usize>, u32, u32)>,
    /// Name and place of each upvalue; none in 5.1 where no upvalue has a name.
    pub upvalues: Vec<(Option<usize>, bool, u8)>,
    /// Its line info in the core's format, in bytes.
    pub lines: Vec<u8>,
}

/// A constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer, or a number of integer 5.1.
    Integer(i64),
    /// A float.
    Float(f64),
    /// The string of this number.
    String(usize),
}

impl<'a> Objects<'a> {
    /// For the frozen chunks of a bundle's variant; none if it has none.
    pub fn of(bundle: &'a Bundle, v: usize) -> Option<Objects<'a>> {
        Objects::graph(bundle, v, false)
    }

    /// The same with the names of the chunks as strings.
    pub(crate) fn with_names(bundle: &'a Bundle, v: usize) -> Option<Objects<'a>> {
        Objects::graph(bundle, v, true)
    }

    fn graph(bundle: &'a Bundle, v: usize, with_names: bool) -> Option<Objects<'a>> {
        let chunks = bundle.chunks.iter().filter_map(|chunk| {
            let (frozen, compiled) = chunk.frozen(v)?;
            Some((&*chunk.name, frozen, &compiled.need))
        });
        let chunks: Vec<_> = chunks.collect();
        let data: Vec<_> = bundle.frozen_data(v).collect();
        let layout = bundle.variants[v].layout;
        Objects::new(layout, &chunks, &data, bundle.seed(), with_names)
    }

    /// Of chunks, all of this layout, with their names and needs, and of data with their names; none where there is
    /// neither. `seed` is what the hash of 5.3 begins with, `with_names` whether names of chunks are strings.
    pub fn new(
        dump: Layout,
        chunks: &[(&'a str, &'a Chunk, &'a Need)],
        data: &[(&'a str, &'a [u8])],
        seed: u32,
        with_names: bool,
    ) -> Option<Objects<'a>> {
        if chunks.is_empty() && data.is_empty() {
            return None;
        }
        let dialect = dump.dialect();
        let of_chunks = chunks.iter().map(|(_, chunk, _)| *chunk);
        let of_data = data.iter().map(|(_, bytes)| *bytes);
        let is_named = |name: &str, chunk: &Chunk| {
            let compiled = usize::from(dialect == Dialect::Lua53);
            with_names
                && is_interned(dialect, name.as_bytes())
                && chunk.main.upvalues.len() == compiled
        };
        let named = chunks
            .iter()
            .filter(|(name, chunk, _)| is_named(name, chunk));
        let names = named.map(|(name, ..)| name.as_bytes());
        let mut objects = Objects {
            dump,
            strings: Strings::with_names(dialect, of_chunks, of_data, names, seed),
            functions: Vec::new(),
            chunks: Vec::new(),
            data: Vec::new(),
        };
        for (name, bytes) in data {
            objects.data.push((name, objects.strings.number(bytes)));
        }
        for &(name, chunk, need) in chunks {
            let main = objects.function(&chunk.main, no_source(dialect));
            let named = is_named(name, chunk).then(|| objects.strings.number(name.as_bytes()));
            objects.chunks.push(FrozenChunk {
                name,
                need,
                main,
                named,
            });
        }
        Some(objects)
    }

    /// The language of the chunks.
    pub fn dialect(&self) -> Dialect {
        self.dump.dialect()
    }

    /// Adds a function, then those in it; gives its number.
    fn function(&mut self, function: &'a Function, parent_source: Option<&'a [u8]>) -> usize {
        let source = source(function, parent_source);
        let number = self.functions.len();
        let strings = &self.strings;
        let name = |name: &Option<bstr::BString>| name.as_ref().map(|n| strings.number(n));
        let upvalues = &function.upvalues;
        let is_described =
            self.dialect() == Dialect::Lua53 || upvalues.iter().any(|u| u.name.is_some());
        self.functions.push(FrozenFunction {
            function,
            source: source.map(|text| strings.number(text)),
            constants: function
                .constants
                .iter()
                .map(|constant| match constant {
                    Constant::Nil => Value::Nil,
                    Constant::Boolean(value) => Value::Boolean(*value),
                    Constant::Integer(value) => Value::Integer(*value),
                    Constant::Float(value) => Value::Float(*value),
                    Constant::String(text) => Value::String(strings.number(text)),
                })
                .collect(),
            functions: Vec::new(),
            locals: function
                .locals
                .iter()
                .map(|local| (name(&local.name), local.start_pc, local.end_pc))
                .collect(),
            upvalues: upvalues
                .iter()
                .filter(|_| is_described)
                .map(|upvalue| (name(&upvalue.name), upvalue.in_stack, upvalue.index))
                .collect(),
            lines: line_info(self.dump.format, function),
        });
        let children = function.functions.iter();
        self.functions[number].functions =
            children.map(|child| self.function(child, source)).collect();
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceText;
    use fastlua_bytecode::{NumberModel, Strip};

    #[test]
    fn a_graph_names_functions_before_those_in_them_and_each_string_once() {
        let text = SourceText {
            chunk_name: b"=c",
            file: "c.lua",
            bytes: b"local a = 'x' return function() return 'x', function() return 1 end end, \
                function() return nil, true, 2 end",
        };
        for model in NumberModel::ALL {
            let layout = Layout::stock(model, 4);
            let (mut chunk, _) = text.compile(&layout, 1 << 20).unwrap();
            chunk.strip(Strip::Lines);
            let need = Need::of(&chunk);
            let objects = Objects::new(layout, &[("c", &chunk, &need)], &[], 1, false).unwrap();
            assert_eq!(objects.functions.len(), 4);
            assert_eq!(objects.functions[0].functions, [1, 3]);
            assert_eq!(objects.functions[1].functions, [2]);
            let strings: Vec<&[u8]> = objects.strings.texts.iter().map(|t| t.bytes).collect();
            assert_eq!(strings.iter().filter(|s| **s == b"x").count(), 1);
            let of_child = &objects.functions[1].constants;
            let Value::String(number) = of_child[0] else {
                panic!("{of_child:?}");
            };
            assert_eq!(objects.strings.texts[number].bytes, b"x");
            // every interned string is found through the table
            for (number, text) in objects.strings.texts.iter().enumerate() {
                let slot = text.hash as usize & (objects.strings.table.len() - 1);
                let mut at = objects.strings.table[slot];
                while at.is_some_and(|n| n != number) {
                    at = objects.strings.texts[at.unwrap()].next;
                }
                assert_eq!(at, Some(number));
            }
        }
    }
}
