//! What a bundle is to cost: forms, budgets, the flash of a chip.

mod auto;
mod budget;
mod cost;
mod fit;
mod fits;

pub use budget::{Amount, Budget, BudgetError};
pub use cost::Costs;
pub use fit::Loads;
pub use fits::{ESP8266_FLASH, TooLarge};
