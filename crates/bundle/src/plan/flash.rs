//! Whether a bundle fits into a chip's flash.

use std::fmt;

use fastlua_variants::Variant;

use crate::model::Bundle;

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
    /// Whether this is a lower bound, since nothing was compiled yet.
    pub at_least: bool,
    /// Bytes of flash and name of each chunk, the largest first, with all its own strings.
    pub chunks: Vec<(usize, String)>,
}

impl TooLarge {
    pub(super) fn new(
        variant: &Variant,
        flash: usize,
        mut chunks: Vec<(usize, String)>,
    ) -> TooLarge {
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

/// Whether the ESP8266 can hold the chunks of its variants.
///
/// # Errors
/// The first variant that is too large.
pub fn check_flash(bundle: &Bundle) -> Result<(), TooLarge> {
    match (0..bundle.variants.len()).find_map(|v| too_large(bundle, v)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Why the ESP8266 can't hold the chunks of a variant; none if it can, or if the variant is for other chips only.
pub fn too_large(bundle: &Bundle, v: usize) -> Option<TooLarge> {
    let variant = &bundle.variants[v];
    if !is_for_esp8266(variant) {
        return None;
    }
    let flash = bundle.flash(v);
    if flash <= ESP8266_FLASH {
        return None;
    }
    let own = |i: usize| {
        let chunk = &bundle.chunks[i];
        let strings = chunk
            .frozen(v)
            .map_or(0, |(_, compiled)| compiled.costs.frozen_strings);
        (
            bundle.chunk_flash(v, i, chunk.form) + strings,
            chunk.name.clone(),
        )
    };
    let carried = (0..bundle.chunks.len()).filter(|&i| bundle.chunks[i].dumps[v].is_some());
    Some(TooLarge::new(variant, flash, carried.map(own).collect()))
}

pub(super) fn is_for_esp8266(variant: &Variant) -> bool {
    variant.select.contains_key("esp8266")
}
