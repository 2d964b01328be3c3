//! Whether a bundle fits into the flash that a chip has for it.

use std::fmt;

use fastlua_bytecode::{Strip, write};
use fastlua_compiler::{compile, loaded_text};
use fastlua_variants::Variant;

use crate::bundle::Bundle;
use crate::form::Form;
use crate::{Build, Input};

/// Bytes of the segment that holds all of an ESP8266 firmware's constants and most of its code
/// (`irom0_0_seg` in NodeMCU's linker script).
pub const ESP8266_FLASH: usize = 0xe0000;

/// Chunks shown of a bundle that is too large.
const SHOWN: usize = 10;

/// A bundle that an ESP8266 can't hold by itself. Displays with a table of the largest chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// The variant.
    pub variant: String,
    /// Bytes of flash of all chunks, with each string of frozen chunks once.
    pub flash: usize,
    /// Whether that is the least that they may take, since none was compiled yet.
    pub at_least: bool,
    /// Bytes of flash and name of each chunk, the largest first, with all its own strings.
    pub chunks: Vec<(usize, String)>,
}

impl TooLarge {
    fn new(variant: &Variant, flash: usize, mut chunks: Vec<(usize, String)>) -> TooLarge {
        chunks.sort_by(|a, b| b.cmp(a));
        TooLarge {
            variant: variant.name.clone(),
            flash,
            at_least: false,
            chunks,
        }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        write!(
            f,
            "{}: {least}{} bytes, but an ESP8266's flash segment has {ESP8266_FLASH}; the largest chunks:",
            self.variant, self.flash
        )?;
        let mut largest = self.chunks.iter().take(SHOWN);
        largest.try_for_each(|(size, name)| write!(f, "\n{size:10} {name}"))
    }
}

impl std::error::Error for TooLarge {}

impl Bundle {
    /// Bytes of flash that a variant's chunks take, each in its form: dumps and texts in whole words,
    /// frozen functions, the strings of all frozen chunks once, and what packed chunks have in common. The index is not
    /// counted, nor is what loads chunks.
    pub fn flash(&self, v: usize) -> usize {
        let chunks = (0..self.chunks.len()).map(|i| self.chunk_flash(v, i, self.chunks[i].form));
        chunks.sum::<usize>() + self.pool(v).1 + self.shared_flash(v)
    }

    /// Bytes of flash of what a variant's packed chunks have in common: tables and strings.
    pub fn shared_flash(&self, v: usize) -> usize {
        self.shared(v).map_or(0, |words| 4 * words.len())
    }

    /// The same of one chunk in this form, without strings of frozen chunks.
    pub(super) fn chunk_flash(&self, v: usize, i: usize, form: Form) -> usize {
        let Some(dump) = &self.chunks[i].dumps[v] else {
            return 0;
        };
        let is_string = form == Form::Data { frozen: true };
        let bytes = match form.carries_bytes() && !is_string {
            true => dump.words(),
            false => 0,
        };
        let functions = dump.costs().filter(|_| form.is_frozen());
        bytes + functions.map_or(0, |costs| costs.frozen_flash)
    }

    /// Whether the ESP8266 can hold what its variants carry.
    ///
    /// # Errors
    /// The first variant that is too large.
    pub fn check_flash(&self) -> Result<(), TooLarge> {
        for (v, variant) in self.variants.iter().enumerate() {
            let flash = self.flash(v);
            if flash <= ESP8266_FLASH || !is_for_esp8266(variant) {
                continue;
            }
            let own = |i: usize| {
                let chunk = &self.chunks[i];
                let strings = chunk
                    .frozen(v)
                    .map_or(0, |(_, compiled)| compiled.costs.frozen_strings);
                (
                    self.chunk_flash(v, i, chunk.form) + strings,
                    chunk.name.clone(),
                )
            };
            let carried = (0..self.chunks.len()).filter(|&i| self.chunks[i].dumps[v].is_some());
            return Err(TooLarge::new(variant, flash, carried.map(own).collect()));
        }
        Ok(())
    }
}

impl Build<'_> {
    /// The same before anything is compiled, as far as the sources tell it: text and data take what they have, and no dump is
    /// smaller than that of an empty text.
    ///
    /// # Errors
    /// The first variant that is too large.
    pub fn check_flash(&self) -> Result<(), TooLarge> {
        for variant in self.variants.iter().filter(|v| is_for_esp8266(v)) {
            let empty = self.empty_dump(variant);
            let carried = self.inputs.iter().filter(|input| input.is_for(variant));
            let chunks: Vec<(usize, String)> = carried
                .map(|input| (least(input, empty), input.name.clone()))
                .collect();
            let flash = chunks.iter().map(|(bytes, _)| bytes).sum();
            if flash > ESP8266_FLASH {
                return Err(TooLarge {
                    at_least: true,
                    ..TooLarge::new(variant, flash, chunks)
                });
            }
        }
        Ok(())
    }

    /// Bytes of the dump of an empty text; 0 where there is none.
    fn empty_dump(&self, variant: &Variant) -> usize {
        let Ok(mut chunk) = compile(&variant.layout, b"", b"", self.heap_limit) else {
            return 0;
        };
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        write(&chunk).map_or(0, |dump| dump.len().next_multiple_of(4))
    }
}

/// Bytes of flash that a chunk takes at the least.
fn least(input: &Input, empty_dump: usize) -> usize {
    match input.form {
        Form::Plain => loaded_text(&input.text).len().next_multiple_of(4),
        Form::Data { frozen: false } => input.text.len().next_multiple_of(4),
        Form::Bytecode | Form::Frozen { fallback: true } => empty_dump,
        _ => 0,
    }
}

fn is_for_esp8266(variant: &Variant) -> bool {
    variant.select.contains_key("esp8266")
}
