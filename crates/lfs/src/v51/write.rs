//! Modules to memory.

use std::collections::HashMap;

use bstr::BString;
use fastlua_bytecode::{Constant, Format, Function, FunctionPath, PackedLines};

use super::memory::relocate;
use super::{
    BOOLEAN, FUNCTION, HEADER, NIL, NUMBER, STRING, STRING_MARK, TEXT, signature, value_words,
};
use crate::builder::Builder;
use crate::size::{Part, Sizes};
use crate::sources::packed_lines;
use crate::strings::{hash, visit};
use crate::table::Table;
use crate::{Image, LONGEST, NO_SOURCE, Place, WriteError, index};

/// The contents of an image: its memory and the bitmap, or its memory at its address.
pub(crate) fn write(image: &Image, packed: &PackedLines) -> Result<(Vec<u8>, Sizes), WriteError> {
    let layout = &image.layout;
    let Some(signature) = signature(layout, image.aligned) else {
        return Err(WriteError::Layout(*layout));
    };
    for module in &image.modules {
        // what a dump can't hold an image can't either
        fastlua_bytecode::write(&module.chunk).map_err(|error| WriteError::Function {
            module: module.name.clone(),
            error,
        })?;
    }
    let names: Vec<BString> = image.modules.iter().map(|m| m.name.clone()).collect();
    let timestamp = match layout.float {
        0 => Constant::Integer((image.timestamp as i32).into()),
        _ => Constant::Float(image.timestamp.into()),
    };
    let index = index::function(&names, timestamp)?;
    let index = Node {
        source: index.source.as_ref().map_or(&b""[..], |name| name),
        lines: Vec::new(),
        children: Node::list(
            image.modules.iter().map(|m| &m.chunk.main),
            NO_SOURCE.as_bytes(),
            &mut FunctionPath::default(),
            packed,
        ),
        function: &index,
    };
    let mut table = Table::default();
    index.strings(&mut |text| table.insert(text));
    let texts: Vec<&[u8]> = table.keys().collect();
    let mut writer = Writer {
        memory: Builder::new(HEADER),
        strings: HashMap::new(),
        value: value_words(layout, image.aligned),
    };
    writer.strings(&texts);
    let start = writer.memory.end();
    let mut parts = Vec::new();
    let main = writer.function(&index, &mut |end| parts.push(end))?;
    let size = writer.memory.end() * 4;
    if size > LONGEST {
        return Err(WriteError::Long(size));
    }
    writer.memory.set(0, signature);
    writer.memory.set(1, size as u32);
    writer.memory.set_address(2, Some(main));
    writer.memory.set_address(3, Some(HEADER));
    writer.memory.set(4, texts.len() as u32);
    writer.memory.set(5, table_size(texts.len()) as u32);
    let starts = [start].into_iter().chain(parts.iter().copied());
    let part = |((name, start), end): ((&BString, usize), &usize)| Part {
        name: name.clone(),
        bytes: 4 * (end - start),
    };
    let sizes = Sizes {
        parts: names.iter().zip(starts).zip(&parts).map(part).collect(),
        strings: 4 * (start - HEADER),
        total: size,
    };
    let contents = writer.memory.contents();
    Ok(match image.place {
        Place::Anywhere => (contents, sizes),
        Place::At(address) => (relocate(&contents, address), sizes),
    })
}

/// Calls `visit` with the strings of a module.
pub(crate) fn strings(main: &Function, visit: &mut dyn FnMut(&[u8])) {
    let (path, none) = (&mut FunctionPath::default(), PackedLines::new());
    Node::of(main, NO_SOURCE.as_bytes(), path, &none).strings(&mut |text| visit(text));
}

/// Words of the table of so many strings, `createROstrt`: in the ESP8266's luac.cross and in the ESP32's. The
/// loaders take any.
pub(super) fn table_sizes(strings: usize) -> [usize; 2] {
    [strings, strings * 13 / 10].map(|n| 2 << n.max(1).ilog2())
}

fn table_size(strings: usize) -> usize {
    table_sizes(strings)[0]
}

/// A function with what it has in the image only.
struct Node<'a> {
    function: &'a Function,
    source: &'a [u8],
    /// Packed, as a C string.
    lines: Vec<u8>,
    children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// The functions that are in the one with the path `path`.
    fn list(
        functions: impl IntoIterator<Item = &'a Function>,
        source: &'a [u8],
        path: &mut FunctionPath,
        packed: &PackedLines,
    ) -> Vec<Node<'a>> {
        let node = |(index, function): (u32, &'a Function)| {
            path.0.push(index);
            let node = Node::of(function, source, path, packed);
            path.0.pop();
            node
        };
        (0..).zip(functions).map(node).collect()
    }

    fn of(
        function: &'a Function,
        source: &'a [u8],
        path: &mut FunctionPath,
        packed: &PackedLines,
    ) -> Node<'a> {
        let source = function.source.as_ref().map_or(source, |name| name);
        let mut lines = packed_lines(Format::NodeMcu51, function, packed.get(path));
        // the 0 at its end is that of the string
        lines.pop();
        Node {
            function,
            source,
            lines,
            children: Node::list(&function.functions, source, path, packed),
        }
    }

    /// Calls `visit` with each string, in the order in which `luac.cross` gathers them.
    fn strings<'b>(&'b self, visitor: &mut impl FnMut(&'b [u8])) {
        visitor(self.source);
        if !self.lines.is_empty() {
            visitor(&self.lines);
        }
        visit(self.function, visitor);
        self.children
            .iter()
            .for_each(|child| child.strings(visitor));
    }
}

struct Writer<'a> {
    memory: Builder,
    /// Where each string is.
    strings: HashMap<&'a [u8], usize>,
    value: (usize, usize),
}

impl<'a> Writer<'a> {
    fn strings(&mut self, texts: &[&'a [u8]]) {
        let size = table_size(texts.len());
        let table = self.memory.reserve(size);
        for &text in texts {
            let hash = hash(0, text);
            let slot = table + (hash as usize & (size - 1));
            let next = self.memory.address(slot);
            let at = self.memory.end();
            self.memory.set_address(slot, Some(at));
            self.memory.push_address(next);
            self.memory.push(STRING_MARK);
            self.memory.push(hash);
            self.memory.push(text.len() as u32);
            self.memory.push_text(text);
            self.strings.insert(text, at);
        }
    }

    /// Where the function is; `done` is called with where each function in it ends.
    fn function(&mut self, node: &Node, done: &mut dyn FnMut(usize)) -> Result<usize, WriteError> {
        let mut functions = Vec::new();
        for child in &node.children {
            functions.push(self.function(child, &mut |_| {})?);
            done(self.memory.end());
        }
        let function = node.function;
        // names of none or of all; one that is missing is NULL
        let named = function.upvalues.iter().any(|u| u.name.is_some());
        let names: Vec<_> = function
            .upvalues
            .iter()
            .filter(|_| named)
            .map(|u| u.name.as_ref())
            .collect();
        let functions_at = self.place(functions.len());
        functions
            .iter()
            .for_each(|at| self.memory.push_address(Some(*at)));
        let constants = self.place(function.constants.len());
        function.constants.iter().for_each(|c| self.constant(c));
        let code = self.place(function.code.len());
        function
            .code
            .iter()
            .for_each(|word| self.memory.push(*word));
        let locals = self.place(function.locals.len());
        for local in &function.locals {
            let name = local.name.as_ref().and_then(|name| self.string(name));
            self.memory.push_address(name);
            self.memory.push(local.start_pc);
            self.memory.push(local.end_pc);
        }
        let upvalues = self.place(names.len());
        for name in &names {
            let name = name.and_then(|name| self.string(name));
            self.memory.push_address(name);
        }
        let at = self.memory.reserve(FUNCTION);
        let lines = self.string(&node.lines).map(|at| at + STRING);
        let lines = lines.filter(|_| !node.lines.is_empty());
        let source = self.string(node.source);
        let addresses = [
            (2, constants),
            (3, code),
            (4, functions_at),
            (5, lines),
            (6, locals),
        ];
        for (word, to) in addresses.into_iter().chain([(7, upvalues), (8, source)]) {
            self.memory.set_address(at + word, to);
        }
        let counts = [
            names.len(),
            function.constants.len(),
            function.code.len(),
            functions.len(),
            function.locals.len(),
        ];
        for (word, count) in (9..).zip(counts) {
            self.memory.set(at + word, count as u32);
        }
        self.memory.set(at + 14, function.line_defined);
        self.memory.set(at + 15, function.last_line_defined);
        let upvalues = function.upvalues.len() as u8;
        let bytes = [
            upvalues,
            function.params,
            function.vararg,
            function.max_stack,
        ];
        self.memory.set(at + 17, u32::from_le_bytes(bytes));
        Ok(at)
    }

    /// The place of a list that comes next; none where it is empty.
    fn place(&self, count: usize) -> Option<usize> {
        (count > 0).then_some(self.memory.end())
    }

    fn string(&self, text: &[u8]) -> Option<usize> {
        self.strings.get(text).copied()
    }

    fn constant(&mut self, constant: &Constant) {
        let (words, kind_at) = self.value;
        let at = self.memory.reserve(words);
        let kind = match constant {
            Constant::Nil => NIL,
            Constant::Boolean(value) => {
                self.memory.set(at, (*value).into());
                BOOLEAN
            }
            Constant::Integer(value) => {
                self.memory.set(at, *value as u32);
                NUMBER
            }
            Constant::Float(value) => {
                let bits = value.to_bits();
                self.memory.set(at, bits as u32);
                self.memory.set(at + 1, (bits >> 32) as u32);
                NUMBER
            }
            Constant::String(text) => {
                let text = self.string(text);
                self.memory.set_address(at, text);
                TEXT
            }
        };
        self.memory.set(at + kind_at, kind);
    }
}
