//! Budgets: limits of the costs of chunks.

use std::fmt::{self, Formatter};
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::closest;

/// Limits of the costs of chunks; without a limit a cost is not checked. In text:
/// `heap-peak=12k,flash=64k,load=50000`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// Bytes of flash of all chunks together.
    pub flash: Option<Amount>,
    /// Instructions to load one chunk.
    pub load: Option<Amount>,
    /// Bytes of heap while one chunk is loaded.
    pub heap_peak: Option<Amount>,
    /// Bytes of heap that one chunk takes once it is loaded.
    pub heap_kept: Option<Amount>,
    /// Blocks that the load of one chunk allocates.
    pub allocations: Option<Amount>,
    /// Reads of one or two bytes from flash while one chunk is loaded.
    pub narrow_reads: Option<Amount>,
}

/// A number, or a text such as `12k`: `k` is 1024, `M` its square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub u64);

/// What the firmware loads besides dumps and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loads {
    /// Packed chunks.
    pub packed: bool,
    /// Deflated source.
    pub deflated: bool,
}

/// A budget or amount that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BudgetError(String);

const NAMES: [&str; 6] = [
    "flash",
    "load",
    "heap-peak",
    "heap-kept",
    "allocations",
    "narrow-reads",
];

impl Budget {
    fn get_mut(&mut self, name: &str) -> Option<&mut Option<Amount>> {
        match name {
            "flash" => Some(&mut self.flash),
            "load" => Some(&mut self.load),
            "heap-peak" => Some(&mut self.heap_peak),
            "heap-kept" => Some(&mut self.heap_kept),
            "allocations" => Some(&mut self.allocations),
            "narrow-reads" => Some(&mut self.narrow_reads),
            _ => None,
        }
    }

    /// This budget, completed from `other`.
    pub fn or(self, other: Budget) -> Budget {
        Budget {
            flash: self.flash.or(other.flash),
            load: self.load.or(other.load),
            heap_peak: self.heap_peak.or(other.heap_peak),
            heap_kept: self.heap_kept.or(other.heap_kept),
            allocations: self.allocations.or(other.allocations),
            narrow_reads: self.narrow_reads.or(other.narrow_reads),
        }
    }
}

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Budget, BudgetError> {
        let mut budget = Budget::default();
        for item in text.split(',') {
            let (name, amount) = item.split_once('=').ok_or_else(|| {
                BudgetError(format!(
                    "invalid budget {item:?}: write it like heap-peak=12k"
                ))
            })?;
            let name = name.trim();
            let Some(place) = budget.get_mut(name) else {
                let hint =
                    closest(name, NAMES).map_or(String::new(), |n| format!("; did you mean {n}?"));
                let known = NAMES.join(", ");
                return Err(BudgetError(format!(
                    "unknown figure {name:?}{hint} (figures: {known})"
                )));
            };
            if place.replace(amount.parse()?).is_some() {
                return Err(BudgetError(format!("{name} is given twice")));
            }
        }
        Ok(budget)
    }
}

impl FromStr for Amount {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Amount, BudgetError> {
        let text = text.trim();
        let (digits, unit) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1 << 10),
            None => match text.strip_suffix('M') {
                Some(digits) => (digits, 1 << 20),
                None => (text, 1),
            },
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| digits.parse::<u64>().ok()).flatten();
        let amount = number.and_then(|n| n.checked_mul(unit));
        amount.map(Amount).ok_or_else(|| {
            BudgetError(format!(
                "{text:?} is not an amount such as 50000, 12k or 1M"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Amount;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as 50000, \"12k\" or \"1M\"")
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Amount, E> {
                let unsigned = u64::try_from(n).map(Amount);
                unsigned.map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Amount, E> {
                Ok(Amount(n))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_in_text() {
        let budget: Budget = "heap-peak=12k, flash=1M,load=50000".parse().unwrap();
        assert_eq!(budget.heap_peak, Some(Amount(12288)));
        assert_eq!(budget.flash, Some(Amount(1 << 20)));
        assert_eq!(budget.load, Some(Amount(50000)));
        assert_eq!(budget.or(Budget::default()), budget);
        assert_eq!(Budget::default().or(budget), budget);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "heap-peak=12k"),
            ("flash", "heap-peak=12k"),
            ("flash=1,", "heap-peak=12k"),
            ("flash=k", "amount"),
            ("flash=-1", "amount"),
            ("flash=1.5k", "amount"),
            ("flash=20000000000000000M", "amount"),
            ("flash=1,flash=2", "twice"),
            ("heap-peek=1", "did you mean heap-peak?"),
            ("colour=1", "figures: flash"),
        ] {
            let error = text.parse::<Budget>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
