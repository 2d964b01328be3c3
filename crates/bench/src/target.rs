//! What figures are for, and what they are measured on.

use fastlua_bytecode::{Dialect, NumberModel};
use fastlua_emulator::{Chip, stock_layout};
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

/// Why a variant is not measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// It is for other chips.
    #[error("{variant}: not for the {} (no condition for {})", .chip.title(), .chip.target())]
    Chip {
        /// Its name.
        variant: String,
        /// The chip.
        chip: Chip,
    },
    /// There is nothing to load its chunks.
    #[error(
        "{0}: can't be measured on this machine, because no variant is stock Lua with its number model"
    )]
    Core(String),
}

impl Target {
    /// Whether its allocator has modes in which it collects by itself: that of 5.1.
    pub fn has_modes(&self) -> bool {
        self.variant.layout.dialect() == Dialect::Lua51
    }

    /// Finds the stock variant.
    ///
    /// # Errors
    /// No firmware of the variant runs on the chip, or `known` has no such stock variant.
    pub fn new(variant: &Variant, known: &Variants, on: On) -> Result<Target, NoTarget> {
        // the lx106 stands in for the chips of any other variant
        if let Some(chip @ Chip::Esp32c3) = on.chip()
            && !variant.select.contains_key(chip.target())
        {
            return Err(NoTarget::Chip {
                variant: variant.name.clone(),
                chip,
            });
        }
        let mut layout = stock_layout(variant.layout.numbers());
        if on == On::Host {
            layout.size_t = size_of::<usize>() as u8;
        }
        let core = known
            .iter()
            .find(|v| v.layout == layout && !v.is_nodemcu())
            .ok_or_else(|| NoTarget::Core(variant.name.clone()))?;
        Ok(Target {
            variant: variant.clone(),
            core: core.clone(),
        })
    }
}
/// NodeMCU's variants with the number models that fit an ESP8266 best.
pub fn usual(known: &Variants) -> Vec<&Variant> {
    let of = |model: &NumberModel| {
        let mut nodemcu = known.iter().filter(|v| v.is_nodemcu());
        nodemcu.find(|v| v.layout.numbers() == *model)
    };
    NumberModel::ALL[..3].iter().filter_map(of).collect()
}
