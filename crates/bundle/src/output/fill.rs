//! A bundle in a slot: the text of an empty slot for the firmware's compiler, and the bytes that fill it
//! in finished firmware. `slot` has the format.

use std::fmt::{self, Display, Formatter, Write};

use crate::slot::{About, Contents, HEAD, Head, core_factor, text_sum};
use fastlua_bytecode::Layout;
use fastlua_firmware::fast_slot_h;
use fastlua_variants::Variant;
use sha2::{Digest, Sha256};

use super::region::{self, Machine, Plan};
use super::text::Text;
use crate::model::Form;
use crate::model::{Bundle, Dump};
use crate::objects::Objects;
use crate::structures::{CoreLayout, expressions};

/// Why a bundle can't be put into a slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// It was not built for the slot's variant.
    #[error("the slot is for {slot}, but the modules are built for {}", .built.join(", "))]
    Variant {
        /// The slot's variant.
        slot: String,
        /// Those that the bundle is for.
        built: Vec<String>,
    },
    /// It is too large.
    #[error("{0}")]
    TooLarge(TooLargeForSlot),
    /// A chunk has no bytecode, and the firmware's core runs no frozen chunks.
    #[error("{0} is frozen without bytecode, and this firmware's core can't run frozen chunks")]
    NoFrozen(String),
    /// A chunk is deflated, and the firmware is older than deflated chunks.
    #[error("{0} is deflated, which this firmware can't load: rebuild the firmware")]
    NoInflate(String),
    /// A chunk is packed, and the firmware is older than packed chunks.
    #[error("{0} is packed, which this firmware can't load: rebuild the firmware")]
    NoUnpack(String),
    /// 5.1: a chunk's main function has upvalues, and the firmware is too old to load it.
    #[error(
        "{0} has upvalues (made by string.dump), which this firmware can't load: rebuild the firmware"
    )]
    NoUpvalues(String),
    /// Too many chunks for the firmware's RAM.
    #[error("{have} chunks are too many: this slot holds at most {most}")]
    Chunks {
        /// Their number.
        have: usize,
        /// The limit.
        most: u32,
    },
    /// Too many functions in frozen chunks for the firmware's RAM.
    #[error("{have} functions of frozen chunks are too many: this slot holds at most {most}")]
    Functions {
        /// Their number.
        have: usize,
        /// The limit.
        most: u32,
    },
    /// The header has sizes and offsets that no core can have.
    #[error("the slot describes an impossible Lua core: rebuild the firmware")]
    Core,
}

/// A bundle that does not fit, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLargeForSlot {
    /// Bytes of the slot.
    pub capacity: usize,
    /// Bytes that it would take, with its header.
    pub need: usize,
    /// The bytes of each part.
    pub parts: Vec<(String, usize)>,
}

impl Display for TooLargeForSlot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let over = self.need - self.capacity;
        write!(
            f,
            "the slot has {} bytes, but {} are needed: {over} too many",
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

/// The text for a variant in a header with a slot: the core's layout as its compiler sees it.
pub(super) fn core(text: &mut Text, variant: &Variant, version: &str) {
    let expressions = expressions(&variant.layout);
    let list = expressions.join(", \\\n  ");
    let sum = expressions.iter().enumerate();
    let sum: Vec<String> = sum
        .map(|(i, e)| format!("({e}) * {}u", core_factor(i)))
        .collect();
    let _ = write!(
        text,
        "#define FAST_SLOT_TEXT_SUM\t0x{:08x}u\n\
         #define FAST_SLOT_CORE\t{{ \\\n  {list}}}\n\
         #define FAST_SLOT_CORE_SUM\t(uint32_t)( \\\n  {})\n\n",
        text_sum(&variant.name, version),
        sum.join(" \\\n  + ")
    );
}

/// The text after all variants: the slot itself, of this many bytes.
pub(super) fn slot(capacity: u32) -> String {
    format!("#define FAST_SLOT\t{capacity}u\n\n{}\n", fast_slot_h())
}

/// Puts the chunks of the slot's variant into a slot; `slot` is all of its bytes, and `head` what its header
/// says. What was there is gone.
///
/// # Errors
/// [`SlotError`]; then the slot is as it was.
pub fn fill_slot(bundle: &Bundle, head: &Head, slot: &mut [u8]) -> Result<Contents, SlotError> {
    let is_for = |variant: &Variant| variant.name == head.variant;
    let Some(v) = bundle.variants.iter().position(is_for) else {
        let names = bundle.variants.iter().map(|variant| variant.name.clone());
        return Err(SlotError::Variant {
            slot: head.variant.clone(),
            built: names.collect(),
        });
    };
    let chunks: Vec<_> = bundle.of_variant(v).collect();
    if chunks.len() > head.most_chunks as usize {
        return Err(SlotError::Chunks {
            have: chunks.len(),
            most: head.most_chunks,
        });
    }
    let of_form = |form: Form| {
        let found = chunks.iter().find(|(chunk, _)| chunk.form == form);
        found.map(|(chunk, _)| chunk.name.clone())
    };
    if let Some(name) = of_form(Form::Deflated).filter(|_| !head.inflates) {
        return Err(SlotError::NoInflate(name));
    }
    if let Some(name) = of_form(Form::Packed).filter(|_| !head.unpacks) {
        return Err(SlotError::NoUnpack(name));
    }
    let machine = machine(&bundle.variants[v].layout, head)?;
    let upvalues = |dump: &Dump| dump.compiled.as_ref().map_or(0, |c| c.need.main_upvalues);
    let has_upvalues = chunks.iter().find(|(_, dump)| upvalues(dump) > 0);
    if let Some((chunk, _)) = has_upvalues.filter(|_| machine.core.upvalues == [0, 0]) {
        return Err(SlotError::NoUpvalues(chunk.name.clone()));
    }
    let plan = Plan {
        chunks: &chunks,
        machine: &machine,
        frozen: frozen(bundle, v, head)?,
        shared: bundle.shared(v),
        alone: head.hook, // with the hook what is frozen never needs the dump
        head: HEAD,
    };
    let mut about = 0;
    let mut region = plan.region(|region, names| {
        about = region.room(chunks.len() * About::BYTES, 4);
        for (i, (chunk, _)) in chunks.iter().enumerate() {
            let module = match chunk.module == chunk.name {
                true => names[i],
                false => region.text(&chunk.module),
            };
            let record = region::about(chunk).to_bytes(module as u32);
            let at = about + i * About::BYTES;
            region.bytes[at..at + record.len()].copy_from_slice(&record);
        }
    });
    let (need, capacity) = (region.bytes.len(), head.capacity as usize);
    if need > capacity {
        return Err(SlotError::TooLarge(TooLargeForSlot {
            capacity,
            need,
            parts: region.parts,
        }));
    }
    let mut contents = Contents {
        used: need as u32,
        count: chunks.len() as u32,
        index: region.index as u32,
        about: about as u32,
        shared: region.shared.unwrap_or(0) as u32,
        bundle: slot_name(bundle, v),
        ..Contents::default()
    };
    if let Some(frozen) = region.frozen.take() {
        contents.frozen = frozen.table as u32;
        contents.pool = frozen.pool as u32;
        contents.pool_size = frozen.pool_size as u32;
        contents.pool_used = frozen.pool_used as u32;
        contents.pool_bytes = frozen.pool_bytes as u32;
        contents.seed = frozen.seed;
        contents.functions = frozen.functions as u32;
        for at in frozen.pointers {
            region.move_by(at, head.address);
        }
    }
    slot[HEAD..need].copy_from_slice(&region.bytes[HEAD..]);
    contents.write(slot);
    Ok(contents)
}

/// The bundle's name in a slot: it depends on the variant, and on each chunk's name, form, source
/// and bytes.
fn slot_name(bundle: &Bundle, v: usize) -> [u8; 8] {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(bundle.variants[v].name.as_bytes());
    for (chunk, dump) in bundle.of_variant(v) {
        field(chunk.name.as_bytes());
        field(chunk.module.as_bytes());
        field(&[region::number(chunk.form), chunk.strip as u8]);
        field(&chunk.sha256);
        field(&dump.bytes);
    }
    let mut name = [0; 8];
    name.copy_from_slice(&hash.finalize()[..8]);
    name
}

/// The data for a slot's firmware.
fn machine(layout: &Layout, head: &Head) -> Result<Machine, SlotError> {
    let recorded = CoreLayout::recorded(layout, &head.core);
    let (core, tags) = recorded.ok_or(SlotError::Core)?;
    let heap = head.heap;
    Ok(Machine { core, tags, heap })
}

/// The frozen chunks of a variant for the firmware of a slot; none where there are none.
fn frozen<'a>(bundle: &'a Bundle, v: usize, head: &Head) -> Result<Option<Objects<'a>>, SlotError> {
    if !head.freezes {
        let alone = bundle
            .of_variant(v)
            .find(|(chunk, _)| !chunk.form.carries_bytes());
        return match alone {
            Some((chunk, _)) => Err(SlotError::NoFrozen(chunk.name.clone())),
            None => Ok(None),
        };
    }
    let objects = Objects::of(bundle, v);
    match objects
        .as_ref()
        .map_or(0, |objects| objects.functions.len())
    {
        have if have > head.most_functions as usize => Err(SlotError::Functions {
            have,
            most: head.most_functions,
        }),
        _ => Ok(objects),
    }
}
