//! Memory to modules.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString};
use fastlua_bytecode::stream::{Cursor, FULL_51, read_lines};
use fastlua_bytecode::{Chunk, Constant, Function, Layout, Local, MAX_NESTING, Upvalue};

use super::memory::Memory;
use super::write::table_sizes;
use super::{
    BOOLEAN, FUNCTION, HEADER, LOCAL, NIL, NUMBER, STRING, STRING_MARK, TEXT, value_words,
};
use crate::size::{Part, Sizes};
use crate::strings::hash;
use crate::{Damage, Found, Image, Module, Place, ReadError, index, is_place};

type Result<T> = std::result::Result<T, ReadError>;

/// Bytes that all strings may come to once each function has its own.
const MOST_COPIED: usize = 16 << 20;

/// Reads the contents of an image.
pub(crate) fn read(contents: &[u8]) -> Result<Found> {
    let mut memory = Memory::new(contents)?;
    let Some((layout, aligned)) = super::layout(memory.word(0)) else {
        return Err(ReadError::at(0, "not a signature that luac.cross writes"));
    };
    if memory.word(24) != 0 || memory.word(28) != 0 {
        return Err(ReadError::at(24, "the last words of the header are not 0"));
    }
    let (strings, start) = Strings::read(&mut memory)?;
    let main_at = memory.address(8)?;
    let place = match memory.address_of_all() {
        Some(address) if is_place(address) => Place::At(address),
        Some(_) => {
            return Err(ReadError::at(
                12,
                "the image is for an address where no flash is mapped",
            ));
        }
        None => Place::Anywhere,
    };
    if main_at != memory.len().checked_sub(4 * FUNCTION) {
        return Err(ReadError::at(8, "the main function is not at the end"));
    }
    let mut reader = Reader {
        memory,
        layout,
        aligned,
        strings,
        next: start,
        copied: 0,
        ends: Vec::new(),
    };
    let main_at = reader.memory.len() - 4 * FUNCTION;
    let mut main = reader.function(main_at, None, 0)?;
    reader.memory.check_tags()?;
    reader.strings.check_used()?;
    let chunks = std::mem::take(&mut main.functions);
    let (names, timestamp) = indexed(&main, chunks.len()).ok_or_else(|| {
        ReadError::at(
            main_at,
            "the main function is not the module lookup that luac.cross writes",
        )
    })?;
    let modules = modules(names, chunks, layout)?;
    let parts = parts(&modules, start, &reader.ends);
    Ok(Found {
        sizes: Sizes {
            parts,
            strings: start - 4 * HEADER,
            total: reader.memory.len(),
        },
        has_checksum: false,
        strings: reader.strings.texts.len(),
        index: Some(main),
        image: Image {
            layout,
            place,
            aligned,
            timestamp,
            seed: None,
            modules,
        },
    })
}

/// What each module takes, by where it ends.
fn parts(modules: &[Module], start: usize, ends: &[usize]) -> Vec<Part> {
    let starts = [start].into_iter().chain(ends.iter().copied());
    let lengths = starts.zip(ends).map(|(start, end)| end - start);
    let part = |(module, bytes): (&Module, usize)| Part {
        name: module.name.clone(),
        bytes,
    };
    modules.iter().zip(lengths).map(part).collect()
}

/// The modules of these names, if dumps could hold them.
fn modules(names: Vec<BString>, functions: Vec<Function>, layout: Layout) -> Result<Vec<Module>> {
    let modules = names.into_iter().zip(functions).map(|(name, main)| {
        if !main.upvalues.is_empty() {
            return Err(ReadError::at(
                0,
                "a module has upvalues, which the chip does not create",
            ));
        }
        let chunk = Chunk { layout, main };
        match fastlua_bytecode::write(&chunk) {
            Ok(_) => Ok(Module { name, chunk }),
            Err(reason) => Err(ReadError::damaged(0, Damage::Module { name, reason })),
        }
    });
    modules.collect()
}

/// The names and the time stamp of the function that finds so many modules; none where it does something else.
fn indexed(main: &Function, count: usize) -> Option<(Vec<BString>, u32)> {
    let (stamp, names) = main.constants.split_last()?;
    let name = |constant: &Constant| match constant {
        Constant::String(name) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<BString> = names.iter().map(name).collect::<Option<_>>()?;
    let timestamp = match *stamp {
        Constant::Integer(seconds) => seconds as u32,
        Constant::Float(seconds) => seconds as u32,
        _ => return None,
    };
    // two may have one name: the chip finds the first, and luac.cross says nothing
    if names
        .iter()
        .any(|name| name.is_empty() || name.contains(&0))
    {
        return None;
    }
    let same = index::function(&names, stamp.clone()).ok()? == *main;
    let whole = match *stamp {
        Constant::Float(seconds) => f64::from(timestamp).to_bits() == seconds.to_bits(),
        _ => true,
    };
    (same && whole && names.len() == count && count > 0).then_some((names, timestamp))
}

/// The strings by where they are, and which of them were named.
struct Strings<'a> {
    texts: HashMap<usize, &'a [u8]>,
    used: HashSet<usize>,
    first: usize,
}

impl<'a> Strings<'a> {
    /// Reads them and walks the chains of their table. Gives where they end, too.
    fn read(memory: &mut Memory<'a>) -> Result<(Strings<'a>, usize)> {
        let (count, size) = (memory.word(16) as usize, memory.word(20) as usize);
        if memory.address(12)? != Some(4 * HEADER) {
            return Err(ReadError::at(
                12,
                "the string table does not follow the header",
            ));
        }
        let first = 4 * HEADER + 4 * size.min(memory.len());
        if count == 0 || !table_sizes(count).contains(&size) || first > memory.len() {
            return Err(ReadError::at(16, "not a valid size of a string table"));
        }
        let mut at = first;
        let mut texts = HashMap::new();
        let mut heads: HashMap<usize, Option<usize>> = HashMap::new();
        let mut different: HashSet<&BStr> = HashSet::new();
        for _ in 0..count {
            let text = string(memory, at)?;
            if !different.insert(text.into()) {
                return Err(ReadError::at(at, "duplicate string"));
            }
            // a new string goes in front of its chain
            let slot = memory.word(at + 8) as usize & (size - 1);
            let before = heads.insert(slot, Some(at)).flatten();
            if memory.address(at)? != before {
                return Err(ReadError::at(at, "a string is not in its hash chain"));
            }
            texts.insert(at, text);
            at += 4 * STRING + (text.len() + 1).next_multiple_of(4);
        }
        for slot in 0..size {
            let head = heads.get(&slot).copied().flatten();
            if memory.address(4 * (HEADER + slot))? != head {
                let at = 4 * (HEADER + slot);
                return Err(ReadError::at(
                    at,
                    "a hash chain begins with the wrong string",
                ));
            }
        }
        let used = HashSet::new();
        Ok((Strings { texts, used, first }, at))
    }

    /// The string at an offset that `from` leads to.
    fn get(&mut self, from: usize, at: usize) -> Result<&'a [u8]> {
        self.used.insert(at);
        match self.texts.get(&at) {
            Some(text) => Ok(text),
            None => Err(ReadError::at(from, "not the address of a string")),
        }
    }

    fn check_used(&self) -> Result<()> {
        match self.used.len() == self.texts.len() {
            true => Ok(()),
            false => Err(ReadError::at(self.first, "unused strings")),
        }
    }
}

/// The string at an offset.
fn string<'a>(memory: &Memory<'a>, at: usize) -> Result<&'a [u8]> {
    let wrong = |what| Err(ReadError::at(at, what));
    if memory.bytes(at, 4 * STRING).is_none() {
        return wrong("a string extends beyond the image");
    }
    let length = memory.word(at + 12) as usize;
    let padded = length.saturating_add(1).next_multiple_of(4);
    let Some(text) = memory.bytes(at + 4 * STRING, padded) else {
        return wrong("a string extends beyond the image");
    };
    let (text, zeros) = text.split_at(length);
    if memory.word(at + 4) != STRING_MARK || zeros.iter().any(|b| *b != 0) {
        return wrong("not a string");
    }
    match memory.word(at + 8) == hash(0, text) {
        true => Ok(text),
        false => wrong("wrong hash of a string"),
    }
}

struct Reader<'a> {
    memory: Memory<'a>,
    layout: Layout,
    aligned: bool,
    strings: Strings<'a>,
    /// Where the next object must be.
    next: usize,
    copied: usize,
    /// Where each module ends.
    ends: Vec<usize>,
}

impl Reader<'_> {
    /// The function at an offset, with those in it, which lie before it.
    fn function(&mut self, at: usize, parent: Option<usize>, depth: usize) -> Result<Function> {
        let wrong = |at, what| Err(ReadError::at(at, what));
        let field = |word: usize| at + 4 * word;
        if at < self.next || self.memory.bytes(at, 4 * FUNCTION).is_none() {
            return wrong(at, "a function at the wrong offset");
        }
        // modules are one level down
        if depth > MAX_NESTING + 1 {
            return wrong(at, "functions are nested too deeply");
        }
        for zero in [0, 1, 16] {
            if self.memory.word(field(zero)) != 0 {
                return wrong(field(zero), "a word of a function is not 0");
            }
        }
        let count = |word: usize| self.memory.word(field(word)) as usize;
        let [names, constants, code, functions, locals] = [9, 10, 11, 12, 13].map(count);
        let functions_at = self.memory.address(field(4))?;
        let source = self.memory.address(field(8))?;
        let Some(source_at) = source else {
            return wrong(
                field(8),
                "a function has no source name, which the chip needs",
            );
        };
        let source = self.text(field(8), source_at)?;
        let functions = self.functions(field(4), functions_at, functions, source_at, depth)?;
        let constants = self.constants(field(2), constants)?;
        let code = self.code(field(3), code)?;
        let locals = self.locals(field(6), locals)?;
        let [upvalues, params, vararg, max_stack] = self.memory.word(field(17)).to_le_bytes();
        let upvalues = self.upvalues(field(7), names, upvalues.into())?;
        if self.next != at {
            return wrong(at, "a function does not follow its parts");
        }
        self.next = at + 4 * FUNCTION;
        let lines = self.lines(field(5), code.len())?;
        Ok(Function {
            source: (parent != Some(source_at) || depth < 2).then_some(source),
            line_defined: self.memory.word(field(14)),
            last_line_defined: self.memory.word(field(15)),
            params,
            vararg,
            max_stack,
            code,
            constants,
            functions,
            upvalues,
            lines,
            locals,
        })
    }

    fn functions(
        &mut self,
        from: usize,
        vector: Option<usize>,
        count: usize,
        source: usize,
        depth: usize,
    ) -> Result<Vec<Function>> {
        let start = vector.unwrap_or(0);
        let room = count
            .checked_mul(4)
            .and_then(|n| self.memory.bytes(start, n));
        if room.is_none() || vector.is_some() != (count > 0) {
            return Err(ReadError::at(from, "a list extends beyond the image"));
        }
        let mut functions = Vec::new();
        for i in 0..count {
            let from = start + 4 * i;
            let Some(at) = self.memory.address(from)? else {
                return Err(ReadError::at(from, "the address of a function is 0"));
            };
            functions.push(self.function(at, Some(source), depth + 1)?);
            if depth == 0 {
                self.ends.push(self.next);
            }
        }
        let place = self.vector(from, count, 1)?;
        debug_assert!(place == start || count == 0);
        Ok(functions)
    }

    /// The place of a vector of `count` things of so many words, which must be the next object.
    fn vector(&mut self, from: usize, count: usize, words: usize) -> Result<usize> {
        let at = self.memory.address(from)?;
        let expected = (count > 0).then_some(self.next);
        let length = count.checked_mul(4 * words);
        match length.filter(|length| self.memory.bytes(self.next, *length).is_some()) {
            Some(length) if at == expected => {
                let place = self.next;
                self.next += length;
                Ok(place)
            }
            Some(_) => Err(ReadError::at(from, "a list at the wrong offset")),
            None => Err(ReadError::at(from, "a list extends beyond the image")),
        }
    }

    fn constants(&mut self, from: usize, count: usize) -> Result<Vec<Constant>> {
        let (words, _) = value_words(&self.layout, self.aligned);
        let place = self.vector(from, count, words)?;
        let each = (0..count).map(|i| self.constant(place + 4 * words * i));
        each.collect()
    }

    fn constant(&mut self, at: usize) -> Result<Constant> {
        let (words, kind_at) = value_words(&self.layout, self.aligned);
        let value = self.memory.word(at);
        let kind = self.memory.word(at + 4 * kind_at);
        let high = match self.layout.float {
            0 => 0,
            _ => self.memory.word(at + 4),
        };
        let zeros = (kind_at + 1..words).all(|i| self.memory.word(at + 4 * i) == 0);
        let narrow = high == 0 && zeros;
        match kind {
            NIL if value == 0 && narrow => Ok(Constant::Nil),
            BOOLEAN if value <= 1 && narrow => Ok(Constant::Boolean(value == 1)),
            NUMBER if self.layout.float == 0 => Ok(Constant::Integer((value as i32).into())),
            NUMBER if zeros => {
                let bits = u64::from(high) << 32 | u64::from(value);
                Ok(Constant::Float(f64::from_bits(bits)))
            }
            TEXT if narrow => match self.memory.address(at)? {
                Some(text) => Ok(Constant::String(self.text(at, text)?)),
                None => Err(ReadError::at(at, "string constant without a string")),
            },
            _ => Err(ReadError::at(at, "not a constant")),
        }
    }

    fn code(&mut self, from: usize, count: usize) -> Result<Vec<u32>> {
        let place = self.vector(from, count, 1)?;
        let word = |i| self.memory.word(place + 4 * i);
        Ok((0..count).map(word).collect())
    }

    fn locals(&mut self, from: usize, count: usize) -> Result<Vec<Local>> {
        let place = self.vector(from, count, LOCAL)?;
        let local = |i| {
            let at = place + 4 * LOCAL * i;
            Ok(Local {
                name: self.name(at)?,
                start_pc: self.memory.word(at + 4),
                end_pc: self.memory.word(at + 8),
            })
        };
        (0..count).map(local).collect()
    }

    fn upvalues(&mut self, from: usize, names: usize, count: usize) -> Result<Vec<Upvalue>> {
        let place = self.vector(from, names, 1)?;
        if names != 0 && names != count {
            return Err(ReadError::at(from, "only some upvalues have names"));
        }
        let upvalue = |i| {
            let name = match names {
                0 => None,
                _ => self.name(place + 4 * i)?,
            };
            Ok(Upvalue {
                name,
                ..Upvalue::default()
            })
        };
        (0..count).map(upvalue).collect()
    }

    fn lines(&mut self, from: usize, code: usize) -> Result<Vec<i32>> {
        let Some(at) = self.memory.address(from)? else {
            return Ok(Vec::new());
        };
        let header = 4 * STRING;
        let text = self.strings.get(from, at.wrapping_sub(header))?;
        let Some(packed) = self.memory.bytes(at, text.len() + 1) else {
            return Err(ReadError::at(from, "line info extends beyond the image"));
        };
        // read twice: the first time nothing is kept
        let read = |mut cursor: Cursor| read_lines(&mut cursor, packed.len(), code, FULL_51);
        read(Cursor::checking(packed))
            .and_then(|_| read(Cursor::keeping(packed)))
            .map_err(|error| ReadError::damaged(at + error.offset, Damage::Bytecode(error.kind)))
    }

    fn name(&mut self, from: usize) -> Result<Option<BString>> {
        let at = self.memory.address(from)?;
        at.map(|at| self.text(from, at)).transpose()
    }

    fn text(&mut self, from: usize, at: usize) -> Result<BString> {
        let text = self.strings.get(from, at)?;
        self.copied += text.len();
        match self.copied > MOST_COPIED {
            true => Err(ReadError::at(from, "copies of its strings exceed 16 MiB")),
            false => Ok(text.into()),
        }
    }
}
