//! What figures are for, and what they are measured on.

use fastlua_emulator::stock_layout;
use fastlua_variants::{Variant, Variants};

use crate::On;

/// A variant, and the one of stock Lua that is measured in its place.
#[derive(Debug, Clone)]
pub struct Target {
    /// What the firmware has.
    pub variant: Variant,
    /// Of the same number model, for the machine that measures.
    pub core: Variant,
}

impl Target {
    /// Finds the stock variant; none where `known` has it not.
    pub fn new(variant: &Variant, known: &Variants, on: On) -> Option<Target> {
        let mut layout = stock_layout(variant.layout.numbers());
        if on == On::Host {
            layout.size_t = size_of::<usize>() as u8;
        }
        let core = known
            .iter()
            .find(|v| v.layout == layout && !v.is_nodemcu())?;
        Some(Target {
            variant: variant.clone(),
            core: core.clone(),
        })
    }
}
