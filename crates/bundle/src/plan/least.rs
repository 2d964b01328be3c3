//! The least flash that a bundle takes, before it is built.

use fastlua_bytecode::{Strip, write};
use fastlua_compiler::{compile, loaded_text};
use fastlua_variants::Variant;

use super::flash::{ESP8266_FLASH, TooLarge, is_for_esp8266};
use crate::model::{Form, Input};
use crate::produce::Build;

impl Build<'_> {
    /// Whether the ESP8266 can hold what its variants carry, before anything is compiled, as far as the sources tell it: text and data take what they have, and no dump is
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

    /// Bytes of the dump of an empty text; 0 if there is none.
    fn empty_dump(&self, variant: &Variant) -> usize {
        let Ok(mut chunk) = compile(&variant.layout, b"", b"", self.heap_limit) else {
            return 0;
        };
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        write(&chunk).map_or(0, |dump| dump.len().next_multiple_of(4))
    }
}

/// The least bytes of flash of a chunk.
fn least(input: &Input, empty_dump: usize) -> usize {
    match input.form {
        Form::Plain => loaded_text(&input.text).len().next_multiple_of(4),
        Form::Data { frozen: false } => input.text.len().next_multiple_of(4),
        Form::Bytecode | Form::Frozen { fallback: true } => empty_dump,
        _ => 0,
    }
}
