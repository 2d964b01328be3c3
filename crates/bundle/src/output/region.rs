//! A variant's chunks as one region of flash: their index, names, dumps, sources and frozen objects,
//! byte for byte as the chip reads them. [`fill`](super::fill) puts it into firmware that is built,
//! [`object_file`](super::object_file) gives it to a linker.

use crate::slot::{About, Heap, RECORD, check};

use super::packed::state;
use crate::model::{BundledChunk, Dump, Form, window};
use crate::objects::{ALIGN, Memory, Objects};
use crate::structures::{CoreLayout, Tags};

/// Bytes of a `fast_inflate`, without its window, on a chip.
pub(super) const INFLATE: usize = 1076;

/// Bytes of a `fast_frozen`.
const FROZEN: usize = 16;

/// The core that reads a region: what is as many bytes in its memory, and what loading takes of its
/// heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The core's structures.
    pub core: CoreLayout,
    /// Its tags.
    pub tags: Tags,
    /// The overhead of a heap block.
    pub heap: Heap,
}

/// The bytes. What names a place in them holds its distance from their start.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) bytes: Vec<u8>,
    /// The offset of the index.
    pub(super) index: usize,
    /// The words of the index with an offset.
    pub(super) names: Vec<usize>,
    /// The frozen chunks, if there are any.
    pub(super) frozen: Option<Frozen>,
    /// The offset of the data that packed chunks share, if any is packed.
    pub(super) shared: Option<usize>,
    /// The bytes of each part.
    pub(super) parts: Vec<(String, usize)>,
}

/// Facts about the frozen chunks for the loader.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The offset of the table of frozen pointers: the frozen form of each chunk, or 0.
    pub(super) table: usize,
    /// The offset of the table of strings.
    pub(super) pool: usize,
    /// Its chains.
    pub(super) pool_size: usize,
    /// The strings in it.
    pub(super) pool_used: usize,
    /// Bytes of flash that it takes with all strings.
    pub(super) pool_bytes: usize,
    /// The seed of 5.3's hashes.
    pub(super) seed: u32,
    /// The number of functions.
    pub(super) functions: usize,
    /// The words with an offset.
    pub(super) pointers: Vec<usize>,
}

/// The input of a region.
pub(super) struct Plan<'a> {
    pub(super) chunks: &'a [(&'a BundledChunk, &'a Dump)],
    pub(super) machine: &'a Machine,
    /// The frozen chunks as objects, if the machine runs them.
    pub(super) frozen: Option<Objects<'a>>,
    /// The data that packed chunks share, in words, if any is packed.
    pub(super) shared: Option<Vec<u32>>,
    /// Whether frozen chunks have no bytecode.
    pub(super) alone: bool,
    /// Free bytes at the start.
    pub(super) head: usize,
}

impl Plan<'_> {
    /// Lays all out. `about` is given the region with the index in it, for more to follow.
    pub(super) fn region(&self, about: impl FnOnce(&mut Region, &[usize])) -> Region {
        let mut region = Region {
            bytes: vec![0; self.head],
            ..Region::default()
        };
        if self.head > 0 {
            region.part("header");
        }
        region.index = region.room(self.chunks.len() * RECORD, 4);
        let names = self
            .chunks
            .iter()
            .map(|(chunk, _)| region.text(&chunk.name));
        let names: Vec<usize> = names.collect();
        about(&mut region, &names);
        region.part("index");
        self.freeze(&mut region);
        if let Some(words) = &self.shared {
            let start = region.room(4 * words.len(), 4);
            for (i, word) in words.iter().enumerate() {
                region.put(start + 4 * i, *word);
            }
            region.shared = Some(start);
            region.part("shared data of packed chunks");
        }
        for (i, name) in names.into_iter().enumerate() {
            self.chunk(&mut region, i, name);
        }
        region
    }

    /// The record of a chunk, and its dump or source.
    fn chunk(&self, region: &mut Region, i: usize, name: usize) {
        let (chunk, dump) = self.chunks[i];
        let machine = self.machine;
        let is_frozen = chunk.form.is_frozen() && self.frozen.is_some();
        let is_alone = is_frozen && self.alone;
        let (words, size, hash) = match chunk.form.carries_bytes() && !is_alone {
            _ if is_frozen && chunk.form.is_data() => (0, dump.bytes.len() as u32, dump.xxh32),
            false => (0, 0, 0),
            true => {
                let start = region.room(dump.bytes.len().next_multiple_of(4), 4);
                region.bytes[start..start + dump.bytes.len()].copy_from_slice(&dump.bytes);
                region.part(&chunk.name);
                (start as u32, dump.bytes.len() as u32, dump.xxh32)
            }
        };
        let (heap, strings, depth) = match &dump.compiled {
            None if chunk.form == Form::Deflated => {
                let heap = machine.heap.block(INFLATE + window(&dump.bytes));
                (heap as u32, 0, 0)
            }
            None => (0, 0, 0),
            Some(compiled) => {
                let need = &compiled.need;
                let heap = need.heap(&machine.core, &machine.heap);
                let packed = dump.chunk().filter(|_| chunk.form == Form::Packed);
                let state = packed.map_or(0, |packed| {
                    machine.heap.block(state(packed.layout.dialect()))
                });
                let (strings, depth) = (need.short_strings as u32, need.depth as u32);
                ((state + heap) as u32, strings, depth)
            }
        };
        let record = region.index + i * RECORD;
        region.names.push(record);
        if words != 0 {
            region.names.push(record + 4);
        }
        let kind = chunk.form.chunk_kind().number();
        let fields = [size, hash, kind, heap, strings, depth];
        let pointers = [name as u32, words];
        let all = pointers.iter().chain(&fields).copied();
        for (i, word) in all.chain([check(fields)]).enumerate() {
            region.put(record + 4 * i, word);
        }
    }

    /// The frozen chunks: for each chunk where it is, their descriptions, the objects.
    fn freeze(&self, region: &mut Region) {
        let Some(objects) = &self.frozen else {
            return;
        };
        let machine = self.machine;
        let memory: Memory = objects.memory(&machine.core, &machine.tags);
        let table = region.room(self.chunks.len() * 4, 4);
        let count = objects.chunks.len() + objects.data.len();
        let records = region.room(count * FROZEN, 4);
        let start = region.room(memory.bytes.len(), ALIGN);
        region.bytes[start..].copy_from_slice(&memory.at(start as u32));
        let mut pointers: Vec<usize> = memory.pointers.iter().map(|at| start + at).collect();
        let chunks = objects.chunks.iter().map(|frozen| {
            let fields = [
                start + memory.functions[frozen.main],
                frozen.main,
                frozen.need.frozen_flash(&machine.core),
                frozen.need.shadows(&machine.core, &machine.heap),
            ];
            (frozen.name, fields)
        });
        let data = objects.data.iter();
        let data = data.map(|(name, string)| (*name, [start + memory.strings[*string], 0, 0, 0]));
        for (i, (name, fields)) in chunks.chain(data).enumerate() {
            let record = records + i * FROZEN;
            // they are sorted by name
            let by_name = |(c, _): &(&BundledChunk, &Dump)| c.name.as_str().cmp(name);
            if let Ok(place) = self.chunks.binary_search_by(by_name) {
                pointers.push(table + place * 4);
                region.put(table + place * 4, record as u32);
            }
            pointers.push(record);
            for (i, word) in fields.into_iter().enumerate() {
                region.put(record + 4 * i, word as u32);
            }
        }
        region.frozen = Some(Frozen {
            table,
            pool: start + memory.pool,
            pool_size: objects.strings.table.len(),
            pool_used: objects.strings.interned(),
            pool_bytes: objects.strings.flash(&machine.core),
            seed: objects.strings.seed,
            functions: objects.functions.len(),
            pointers,
        });
        region.part("frozen objects");
    }
}

impl Region {
    /// A text with its zeros, at least one.
    pub(super) fn text(&mut self, text: &str) -> usize {
        let start = self.room((text.len() + 1).next_multiple_of(4), 4);
        self.bytes[start..start + text.len()].copy_from_slice(text.as_bytes());
        start
    }

    pub(super) fn room(&mut self, size: usize, align: usize) -> usize {
        let start = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(start + size, 0);
        start
    }

    pub(super) fn put(&mut self, at: usize, word: u32) {
        self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }

    /// Adds an address to the place that a word names.
    pub(super) fn move_by(&mut self, at: usize, address: u32) {
        let mut word = [0; 4];
        word.copy_from_slice(&self.bytes[at..at + 4]);
        self.put(at, u32::from_le_bytes(word).wrapping_add(address));
    }

    /// Counts what came since the last part.
    fn part(&mut self, name: &str) {
        let before: usize = self.parts.iter().map(|(_, bytes)| bytes).sum();
        self.parts.push((name.into(), self.bytes.len() - before));
    }
}

/// Facts about a chunk's source.
pub(super) fn about(chunk: &BundledChunk) -> About {
    About {
        module: chunk.module.clone(),
        sha256: chunk.sha256,
        source_len: chunk.source_len as u32,
        form: number(chunk.form),
        strip: chunk.strip as u8,
    }
}

/// The forms, each at the place of its number in a region. A new one goes behind these.
const FORMS: [Form; 9] = [
    Form::Bytecode,
    Form::Squashed,
    Form::Plain,
    Form::Frozen { fallback: true },
    Form::Frozen { fallback: false },
    Form::Data { frozen: false },
    Form::Data { frozen: true },
    Form::Deflated,
    Form::Packed,
];

pub(super) fn number(form: Form) -> u8 {
    let place = FORMS.iter().position(|known| *known == form);
    place.map_or(u8::MAX, |place| place as u8) // a bundle has no open forms
}

/// The form with this number in a region; none where there is none.
pub fn form_of_number(number: u8) -> Option<Form> {
    FORMS.get(usize::from(number)).copied()
}
