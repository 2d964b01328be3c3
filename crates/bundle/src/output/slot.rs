//! A bundle in a slot: what the firmware's compiler is told of one, and the bytes that are put into it
//! once it is built. `fastlua-slot` has the format.

use std::fmt::{self, Display, Formatter, Write};

use fastlua_firmware::fast_slot_h;
use fastlua_slot::{About, Contents, HEAD, Head, RECORD, check, core_factor, text_sum};
use fastlua_variants::Variant;
use sha2::{Digest, Sha256};

use crate::bundle::{Bundle, BundledChunk, Dump};
use crate::form::Form;
use crate::objects::{ALIGN, CoreLayout, Memory, Objects, Tags, expressions};

/// Bytes of a `fast_frozen`.
const FROZEN: usize = 16;

/// Why a bundle can't be put into a slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// It is too large.
    #[error("{0}")]
    TooLarge(TooLargeForSlot),
    /// A chunk has no bytecode, and the firmware's core runs no frozen chunks.
    #[error("{0} is frozen without bytecode, and this firmware's core can't run frozen chunks")]
    NoFrozen(String),
    /// More chunks than the firmware has room for in RAM.
    #[error("{have} chunks are too many: this slot is for {most}")]
    Chunks {
        /// How many there are.
        have: usize,
        /// How many there may be.
        most: u32,
    },
    /// More functions in frozen chunks than the firmware has room for in RAM.
    #[error("{have} functions of frozen chunks are too many: this slot is for {most}")]
    Functions {
        /// How many there are.
        have: usize,
        /// How many there may be.
        most: u32,
    },
    /// The header tells sizes and places that no core has.
    #[error("what the slot says of the firmware's core can't be: build the firmware again")]
    Core,
}

/// A bundle that does not fit, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLargeForSlot {
    /// Bytes of the slot.
    pub capacity: usize,
    /// Bytes that it would take, with its header.
    pub need: usize,
    /// What takes how many bytes.
    pub parts: Vec<(String, usize)>,
}

impl Display for TooLargeForSlot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let over = self.need - self.capacity;
        write!(
            f,
            "the slot has {} bytes, and {} are needed: {over} too many",
            self.capacity, self.need
        )?;
        let width = self.parts.iter().map(|(name, _)| name.len()).max();
        for (name, bytes) in &self.parts {
            write!(
                f,
                "\n  {name:width$} {bytes:>8}",
                width = width.unwrap_or(0)
            )?;
        }
        Ok(())
    }
}

/// What the text of a header with a slot has for a variant: the core's layout as its compiler sees it.
pub(super) fn core(text: &mut String, variant: &Variant, version: &str) {
    let expressions = expressions(&variant.layout);
    let list = expressions.join(", \\\n  ");
    let sum = expressions.iter().enumerate();
    let sum: Vec<String> = sum
        .map(|(i, e)| format!("({e}) * {}u", core_factor(i)))
        .collect();
    let _ = write!(
        text,
        "#define FAST_SLOT_TEXTS\t0x{:08x}u\n\
         #define FAST_SLOT_CORE\t{{ \\\n  {list}}}\n\
         #define FAST_SLOT_CORE_SUM\t(uint32_t)( \\\n  {})\n\n",
        text_sum(&variant.name, version),
        sum.join(" \\\n  + ")
    );
}

/// What follows all variants: the slot itself, of so many bytes.
pub(super) fn slot(capacity: u32) -> String {
    format!("#define FAST_SLOT\t{capacity}u\n\n{}\n", fast_slot_h())
}

impl Bundle {
    /// Puts the chunks of a variant into a slot; `slot` is all of its bytes, and `head` what its header
    /// says. What was there is gone.
    ///
    /// # Errors
    /// [`SlotError`]; then the slot is as it was.
    pub fn put(&self, v: usize, head: &Head, slot: &mut [u8]) -> Result<Contents, SlotError> {
        let mut writer = Writer::new(self, v, head)?;
        let contents = writer.write()?;
        slot[HEAD..writer.bytes.len()].copy_from_slice(&writer.bytes[HEAD..]);
        contents.write(slot);
        Ok(contents)
    }

    /// The bundle's name in a slot: it depends on the variant, and on each chunk's name, form, source
    /// and bytes.
    fn slot_name(&self, v: usize) -> [u8; 8] {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(self.variants[v].name.as_bytes());
        for (chunk, dump) in self.of_variant(v) {
            field(chunk.name.as_bytes());
            field(chunk.module.as_bytes());
            field(&[number(chunk.form), chunk.strip as u8]);
            field(&chunk.sha256);
            field(&dump.bytes);
        }
        let mut name = [0; 8];
        name.copy_from_slice(&hash.finalize()[..8]);
        name
    }
}

/// The forms, each at the place of its number in a slot. A new one goes behind these.
const FORMS: [Form; 5] = [
    Form::Bytecode,
    Form::Squashed,
    Form::Plain,
    Form::Frozen { fallback: true },
    Form::Frozen { fallback: false },
];

fn number(form: Form) -> u8 {
    let place = FORMS.iter().position(|known| *known == form);
    place.map_or(u8::MAX, |place| place as u8) // what is open still is in no bundle
}

/// The form with this number in a slot; none where there is none.
pub fn form_of_number(number: u8) -> Option<Form> {
    FORMS.get(usize::from(number)).copied()
}

struct Writer<'a> {
    head: &'a Head,
    bundle: &'a Bundle,
    v: usize,
    chunks: Vec<(&'a BundledChunk, &'a Dump)>,
    core: CoreLayout,
    /// The frozen chunks, if the firmware can run them.
    frozen: Option<(Objects<'a>, Memory)>,
    bytes: Vec<u8>,
    parts: Vec<(String, usize)>,
}

impl<'a> Writer<'a> {
    fn new(bundle: &'a Bundle, v: usize, head: &'a Head) -> Result<Writer<'a>, SlotError> {
        let chunks: Vec<_> = bundle.of_variant(v).collect();
        if chunks.len() > head.most_chunks as usize {
            return Err(SlotError::Chunks {
                have: chunks.len(),
                most: head.most_chunks,
            });
        }
        let layout = &bundle.variants[v].layout;
        let recorded = CoreLayout::recorded(layout, &head.core);
        let (core, tags) = recorded.ok_or(SlotError::Core)?;
        let frozen = match head.freezes {
            true => frozen(bundle, v, head, &core, &tags)?,
            false => {
                if let Some((chunk, _)) = chunks.iter().find(|(c, _)| !c.form.carries_bytes()) {
                    return Err(SlotError::NoFrozen(chunk.name.clone()));
                }
                None
            }
        };
        Ok(Writer {
            head,
            bundle,
            v,
            chunks,
            core,
            frozen,
            bytes: vec![0; HEAD],
            parts: vec![("header".into(), HEAD)],
        })
    }

    fn write(&mut self) -> Result<Contents, SlotError> {
        let count = self.chunks.len();
        let index = self.room(count * RECORD, 4);
        let about = self.room(count * About::BYTES, 4);
        let names: Vec<usize> = (0..count)
            .map(|i| self.name(&self.chunks[i].0.name))
            .collect();
        let modules: Vec<usize> = (0..count)
            .map(|i| match self.chunks[i].0 {
                chunk if chunk.module == chunk.name => names[i],
                chunk => self.name(&chunk.module),
            })
            .collect();
        self.part("index");
        let mut contents = Contents {
            count: count as u32,
            index: index as u32,
            about: about as u32,
            bundle: self.bundle.slot_name(self.v),
            ..Contents::default()
        };
        self.freeze(&mut contents);
        for i in 0..count {
            let (chunk, dump) = self.chunks[i];
            self.chunk(index + i * RECORD, names[i], chunk, dump);
            let record = About {
                module: chunk.module.clone(),
                sha256: chunk.sha256,
                source_len: chunk.source_len as u32,
                form: number(chunk.form),
                strip: chunk.strip as u8,
            };
            let at = about + i * About::BYTES;
            let record = record.to_bytes(modules[i] as u32);
            self.bytes[at..at + record.len()].copy_from_slice(&record);
        }
        contents.used = self.bytes.len() as u32;
        let (need, capacity) = (self.bytes.len(), self.head.capacity as usize);
        match need > capacity {
            false => Ok(contents),
            true => Err(SlotError::TooLarge(TooLargeForSlot {
                capacity,
                need,
                parts: std::mem::take(&mut self.parts),
            })),
        }
    }

    /// The record of a chunk, and its dump or source.
    fn chunk(&mut self, record: usize, name: usize, chunk: &BundledChunk, dump: &Dump) {
        // with the hook what is frozen never needs the dump
        let is_carried = !chunk.form.is_frozen() || self.frozen.is_none() || !self.head.hook;
        let carried = chunk.form.carries_bytes() && is_carried;
        let (words, size, hash) = match carried {
            false => (0, 0, 0),
            true => {
                let start = self.room(dump.bytes.len().next_multiple_of(4), 4);
                self.bytes[start..start + dump.bytes.len()].copy_from_slice(&dump.bytes);
                self.part(&chunk.name);
                (start as u32, dump.bytes.len() as u32, dump.xxh32)
            }
        };
        let (kind, heap, strings, depth) = match &dump.compiled {
            None => (1, 0, 0, 0),
            Some(compiled) => {
                let need = &compiled.need;
                let heap = need.heap(&self.core, &self.head.heap);
                (0, heap as u32, need.short_strings as u32, need.depth as u32)
            }
        };
        let fields = [size, hash, kind, heap, strings, depth];
        let pointers = [name as u32, words];
        let all = pointers.iter().chain(&fields).copied();
        for (i, word) in all.chain([check(fields)]).enumerate() {
            self.put(record + 4 * i, word);
        }
    }

    /// The frozen chunks: for each chunk an address, their descriptions, the objects.
    fn freeze(&mut self, contents: &mut Contents) {
        let Some((objects, memory)) = self.frozen.take() else {
            return;
        };
        let table = self.room(self.chunks.len() * 4, 4);
        let records = self.room(objects.chunks.len() * FROZEN, 4);
        let start = self.room(memory.bytes.len(), ALIGN);
        let address = |place: usize| self.head.address.wrapping_add(place as u32);
        let bytes = memory.at(address(start));
        let mut words = Vec::new();
        for (i, frozen) in objects.chunks.iter().enumerate() {
            let record = records + i * FROZEN;
            // they are sorted by name
            let by_name = |(c, _): &(&BundledChunk, &Dump)| c.name.as_str().cmp(frozen.name);
            let place = self.chunks.binary_search_by(by_name).ok();
            words.extend(place.map(|place| (table + place * 4, address(record))));
            let main = start + memory.functions[frozen.main];
            let fields = [
                address(main),
                frozen.main as u32,
                frozen.need.frozen_flash(&self.core) as u32,
                frozen.need.shadows(&self.core, &self.head.heap) as u32,
            ];
            let fields = fields.into_iter().enumerate();
            words.extend(fields.map(|(i, word)| (record + 4 * i, word)));
        }
        self.bytes[start..].copy_from_slice(&bytes);
        words.into_iter().for_each(|(at, word)| self.put(at, word));
        contents.frozen = table as u32;
        contents.pool = (start + memory.pool) as u32;
        contents.pool_size = objects.strings.table.len() as u32;
        contents.pool_used = objects.strings.interned() as u32;
        contents.pool_bytes = objects.strings.flash(&self.core) as u32;
        contents.seed = objects.strings.seed;
        contents.functions = objects.functions.len() as u32;
        self.part("frozen objects");
        self.frozen = Some((objects, memory));
    }

    /// A name with its zeros, at least one.
    fn name(&mut self, name: &str) -> usize {
        let start = self.room((name.len() + 1).next_multiple_of(4), 4);
        self.bytes[start..start + name.len()].copy_from_slice(name.as_bytes());
        start
    }

    fn room(&mut self, size: usize, align: usize) -> usize {
        let start = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(start + size, 0);
        start
    }

    fn put(&mut self, at: usize, word: u32) {
        self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }

    /// Counts what came since the last part.
    fn part(&mut self, name: &str) {
        let before: usize = self.parts.iter().map(|(_, bytes)| bytes).sum();
        self.parts.push((name.into(), self.bytes.len() - before));
    }
}

/// The frozen chunks of a variant for the firmware of a slot; none where there are none.
fn frozen<'a>(
    bundle: &'a Bundle,
    v: usize,
    head: &Head,
    core: &CoreLayout,
    tags: &Tags,
) -> Result<Option<(Objects<'a>, Memory)>, SlotError> {
    let Some(objects) = bundle.objects(v) else {
        return Ok(None);
    };
    if objects.functions.len() > head.most_functions as usize {
        return Err(SlotError::Functions {
            have: objects.functions.len(),
            most: head.most_functions,
        });
    }
    let memory = objects.memory(core, tags);
    Ok(Some((objects, memory)))
}
