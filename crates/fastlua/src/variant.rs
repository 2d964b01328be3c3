//! Variants by name.

use fastlua_bundle::closest;
use fastlua_bytecode::Dialect;
use fastlua_variants::{Variant, Variants};

/// No variant has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown variant {name}{}", meant(.closest))]
pub struct NoVariant {
    /// The name.
    pub name: String,
    /// The names of which one was probably meant.
    pub closest: Vec<String>,
}

/// Asks whether one of these names was meant.
fn meant(names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", names.join(" or ")),
    }
}

/// The variant of that name.
///
/// # Errors
/// There is none; the error has the closest name.
pub fn find_variant<'a>(known: &'a Variants, name: &str) -> Result<&'a Variant, NoVariant> {
    known.get(name).ok_or_else(|| {
        let names = || known.iter().map(|v| v.name.as_str());
        let mut meant: Vec<&str> = names().filter(|known| known.starts_with(name)).collect();
        if meant.is_empty() {
            meant.extend(closest(name, names()));
        }
        NoVariant {
            name: name.into(),
            closest: meant.into_iter().map(str::to_owned).collect(),
        }
    })
}

/// The variant that is stock Lua of this version, `5.1` or `5.3`, as it is built on this machine.
pub fn host_variant<'a>(known: &'a Variants, lua: &str) -> Option<&'a Variant> {
    let is_it = |variant: &&Variant| {
        let layout = &variant.layout;
        let numbers = match layout.dialect() {
            Dialect::Lua51 => (0, 8),
            Dialect::Lua53 => (8, 8),
        };
        !variant.is_nodemcu()
            && layout.dialect().to_string() == lua
            && (layout.integer, layout.float) == numbers
            && usize::from(layout.size_t) == size_of::<usize>()
    };
    known.iter().find(is_it)
}
