//! The costs of a bundle: forms, budgets, the flash of a chip.

mod auto;
mod budget;
#[cfg(feature = "compile")]
mod fit;
mod flash;
#[cfg(feature = "compile")]
mod least;

pub use auto::choose_forms;
pub use budget::{Amount, Budget, BudgetError, Loads};
pub use flash::{ESP8266_FLASH, TooLarge, check_flash, too_large};
