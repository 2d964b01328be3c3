//! Frozen objects in the chip's flash: the output of a C compiler for the text that
//! [`output`](crate::output) prints, byte for byte.

use fastlua_bytecode::{Dialect, Format};

use super::{FrozenFunction, Objects, Value};
use crate::structures::{CoreLayout, Structure, Tags, Text};

/// The objects of a graph, one after the other. A pointer holds the distance of what it points to from
/// the start of these bytes; [`Memory::at`] adds an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// All bytes, at a multiple of `ALIGN`.
    pub bytes: Vec<u8>,
    /// Offsets of pointers, without null pointers.
    pub pointers: Vec<usize>,
    /// The offset of each string, by its number.
    pub strings: Vec<usize>,
    /// The offset of each function, by its number.
    pub functions: Vec<usize>,
    /// The offset of the table of strings.
    pub pool: usize,
}

/// The alignment of the bytes.
pub const ALIGN: usize = 8;

const POINTER: usize = 4;

impl Memory {
    /// The bytes for this address.
    pub fn at(&self, address: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for &place in &self.pointers {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[place..place + 4]);
            let word = u32::from_le_bytes(word).wrapping_add(address);
            bytes[place..place + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Room for an object, all zero; where it begins.
    fn room(&mut self, size: usize, align: usize) -> usize {
        let start = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(start + size, 0);
        start
    }

    fn pointer(&mut self, place: usize, to: Option<usize>) {
        if let Some(to) = to {
            self.pointers.push(place);
            self.put(place, to as u64, POINTER);
        }
    }

    fn put(&mut self, place: usize, value: u64, width: usize) {
        self.bytes[place..place + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }

    /// Sets a field of the structure that begins at `start`, if it has such a field.
    fn set(&mut self, start: usize, structure: &Structure, name: &str, value: u64) {
        if let Some(field) = structure.field(name) {
            self.put(start + field.place, value, field.width);
        }
    }

    fn set_pointer(&mut self, start: usize, structure: &Structure, name: &str, to: Option<usize>) {
        if let Some(field) = structure.field(name) {
            self.pointer(start + field.place, to);
        }
    }
}

impl Objects<'_> {
    /// The objects as this core has them.
    pub fn memory(&self, core: &CoreLayout, tags: &Tags) -> Memory {
        let mut writer = Writer {
            objects: self,
            core,
            tags,
            memory: Memory {
                functions: vec![0; self.functions.len()],
                ..Memory::default()
            },
        };
        writer.strings();
        for chunk in &self.chunks {
            writer.function(chunk.main);
        }
        writer.memory
    }
}

struct Writer<'a> {
    objects: &'a Objects<'a>,
    core: &'a CoreLayout,
    tags: &'a Tags,
    memory: Memory,
}

impl Writer<'_> {
    /// The strings, then their table.
    fn strings(&mut self) {
        let strings = &self.objects.strings;
        for text in &strings.texts {
            let size = self.core.string_bytes(text.bytes.len());
            let start = self.memory.room(size, self.core.string_align);
            self.memory.strings.push(start);
        }
        for (number, text) in strings.texts.iter().enumerate() {
            self.string(self.memory.strings[number], text);
        }
        self.memory.pool = self.memory.room(strings.table.len() * POINTER, POINTER);
        for (i, head) in strings.table.iter().enumerate() {
            let to = head.map(|number| self.memory.strings[number]);
            self.memory.pointer(self.memory.pool + i * POINTER, to);
        }
    }

    fn string(&mut self, start: usize, text: &Text) {
        let (core, tags, memory) = (self.core, self.tags, &mut self.memory);
        let next = text.next.map(|number| memory.strings[number]);
        let length = text.bytes.len() as u64;
        let (tag, extra) = match text.interned {
            true => (tags.string_object, text.reserved as u64),
            false => (tags.long_string_object, 1),
        };
        let header = &core.string;
        memory.set(start, header, "tsv.tt", tag.into());
        memory.set(start, header, "tsv.marked", tags.string_mark.into());
        memory.set(start, header, "tsv.hash", text.hash.into());
        match self.objects.dialect() {
            Dialect::Lua51 => {
                memory.set_pointer(start, header, "tsv.next", next);
                memory.set(start, header, "tsv.reserved", extra);
                memory.set(start, header, "tsv.len", length);
            }
            Dialect::Lua53 => {
                memory.set(start, header, "tsv.extra", extra);
                match text.interned {
                    true => {
                        memory.set(start, header, "tsv.shrlen", length);
                        memory.set_pointer(start, header, "tsv.u", next);
                    }
                    false => memory.set(start, header, "tsv.u", length),
                }
            }
        }
        let bytes = start + header.size;
        memory.bytes[bytes..bytes + text.bytes.len()].copy_from_slice(text.bytes);
    }

    /// A function after those in it.
    fn function(&mut self, number: usize) {
        let frozen = &self.objects.functions[number];
        for &child in &frozen.functions {
            self.function(child);
        }
        let code: Vec<u8> = frozen
            .function
            .code
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        let code = self.bytes(&code);
        let constants = self.constants(frozen);
        let functions = self.functions(frozen);
        let locals = self.locals(frozen);
        let upvalues = self.upvalues(frozen);
        let lines = match frozen.lines.is_empty() {
            true => None,
            false => Some(self.bytes(&frozen.lines)),
        };
        let proto = &self.core.proto;
        let start = self.memory.room(proto.size, POINTER);
        self.memory.functions[number] = start;
        let source = frozen.source.map(|s| self.memory.strings[s]);
        let function = frozen.function;
        let dump = self.objects.dump.format;
        let line_count = match dump {
            Format::NodeMcu51 | Format::NodeMcu53 => frozen.lines.len(),
            Format::Puc51 | Format::Puc53 => function.lines.len(),
        };
        let numbers = [
            ("tt", self.tags.proto.into()),
            ("marked", self.tags.mark.into()),
            ("numparams", function.params.into()),
            ("is_vararg", function.vararg.into()),
            ("maxstacksize", function.max_stack.into()),
            ("nups", function.upvalues.len() as u64),
            ("linedefined", function.line_defined.into()),
            ("lastlinedefined", function.last_line_defined.into()),
            ("sizek", frozen.constants.len() as u64),
            ("sizep", frozen.functions.len() as u64),
            ("sizecode", function.code.len() as u64),
            ("sizelocvars", frozen.locals.len() as u64),
            ("sizeupvalues", frozen.upvalues.len() as u64),
            ("sizelineinfo", line_count as u64),
        ];
        for (name, value) in numbers {
            self.memory.set(start, proto, name, value);
        }
        let line_field = match dump {
            Format::NodeMcu51 => "packedlineinfo",
            _ => "lineinfo",
        };
        let pointers = [
            ("code", Some(code)),
            ("k", constants),
            ("p", functions),
            ("locvars", locals),
            ("upvalues", upvalues),
            (line_field, lines),
            ("source", source),
        ];
        for (name, to) in pointers {
            self.memory.set_pointer(start, proto, name, to);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> usize {
        let start = self
            .memory
            .room(bytes.len().next_multiple_of(POINTER), POINTER);
        self.memory.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        start
    }

    /// Room for an array; none where it has no element.
    fn array(&mut self, count: usize, size: usize) -> Option<usize> {
        (count > 0).then(|| self.memory.room(count * size, POINTER))
    }

    fn constants(&mut self, frozen: &FrozenFunction) -> Option<usize> {
        let value = &self.core.value;
        let start = self.array(frozen.constants.len(), value.size)?;
        let [bits, tag] = [value.fields[0], value.fields[1]];
        for (i, constant) in frozen.constants.iter().enumerate() {
            let at = start + i * value.size;
            let (kind, word) = match *constant {
                Value::Nil => (self.tags.nil, 0),
                Value::Boolean(b) => (self.tags.boolean, b.into()),
                Value::Integer(n) => (self.tags.integer, self.integer(n)),
                Value::Float(x) => (self.tags.float, self.float(x)),
                Value::String(number) => {
                    self.memory
                        .pointer(at + bits.place, Some(self.memory.strings[number]));
                    let interned = self.objects.strings.texts[number].interned;
                    let kind = if interned {
                        self.tags.string
                    } else {
                        self.tags.long_string
                    };
                    self.memory.put(at + tag.place, kind.into(), tag.width);
                    continue;
                }
            };
            self.memory.put(at + bits.place, word, bits.width);
            self.memory.put(at + tag.place, kind.into(), tag.width);
        }
        Some(start)
    }

    /// What an integer has in a value. In 5.1 it is the core's number, whatever that is.
    fn integer(&self, n: i64) -> u64 {
        match self.objects.dump.integer {
            0 => self.float(n as f64),
            4 => u64::from(n as u32),
            _ => n as u64,
        }
    }

    fn float(&self, x: f64) -> u64 {
        let x = if x.is_nan() { f64::NAN } else { x };
        match self.objects.dump.float {
            4 => u64::from((x as f32).to_bits()),
            _ => x.to_bits(),
        }
    }

    fn functions(&mut self, frozen: &FrozenFunction) -> Option<usize> {
        let start = self.array(frozen.functions.len(), POINTER)?;
        for (i, &child) in frozen.functions.iter().enumerate() {
            let to = self.memory.functions[child];
            self.memory.pointer(start + i * POINTER, Some(to));
        }
        Some(start)
    }

    fn locals(&mut self, frozen: &FrozenFunction) -> Option<usize> {
        let local = &self.core.local;
        let start = self.array(frozen.locals.len(), local.size)?;
        for (i, &(name, first, last)) in frozen.locals.iter().enumerate() {
            let at = start + i * local.size;
            let name = name.map(|number| self.memory.strings[number]);
            self.memory.set_pointer(at, local, "varname", name);
            self.memory.set(at, local, "startpc", first.into());
            self.memory.set(at, local, "endpc", last.into());
        }
        Some(start)
    }

    fn upvalues(&mut self, frozen: &FrozenFunction) -> Option<usize> {
        let upvalue = &self.core.upvalue;
        let start = self.array(frozen.upvalues.len(), upvalue.size)?;
        for (i, &(name, in_stack, index)) in frozen.upvalues.iter().enumerate() {
            let at = start + i * upvalue.size;
            let name = name.map(|number| self.memory.strings[number]);
            match self.objects.dialect() {
                Dialect::Lua51 => self.memory.pointer(at, name),
                Dialect::Lua53 => {
                    self.memory.set_pointer(at, upvalue, "name", name);
                    self.memory.set(at, upvalue, "instack", in_stack.into());
                    self.memory.set(at, upvalue, "idx", index.into());
                }
            }
        }
        Some(start)
    }
}
