//! Options with few values.

use std::sync::LazyLock;

use fastlua::{LineInfo, Options, Strip, Variant, Variants, find_variant};

use crate::error::Failure;

/// The variants that fastlua has.
pub(crate) static KNOWN: LazyLock<Variants> = LazyLock::new(Variants::built_in);

pub(crate) fn variant(name: &str) -> Result<&'static Variant, Failure> {
    Ok(find_variant(&KNOWN, name)?)
}

/// Options of a plan for these variants.
pub(crate) fn plan(variants: Option<Vec<String>>, heap_limit: i64) -> Result<Options, Failure> {
    Ok(Options {
        known: KNOWN.clone(),
        variants,
        heap_limit: heap(heap_limit)?,
    })
}

pub(crate) fn strip(level: i64) -> Result<Strip, Failure> {
    let strip = u8::try_from(level).ok().and_then(Strip::from_level);
    strip.ok_or_else(|| Failure::option(format!("strip={level}, not 0, 1 or 2")))
}

pub(crate) fn line_info(name: &str) -> Result<LineInfo, Failure> {
    match name {
        "shortest" => Ok(LineInfo::Shortest),
        "reference" => Ok(LineInfo::Reference),
        name => Err(Failure::option(format!(
            "line_info={name:?}, not \"shortest\" or \"reference\""
        ))),
    }
}

/// A limit of a heap, in bytes.
pub(crate) fn heap(bytes: i64) -> Result<usize, Failure> {
    let limit = usize::try_from(bytes).ok().filter(|bytes| *bytes > 0);
    limit.ok_or_else(|| Failure::option(format!("heap_limit={bytes}: bytes from 1 on")))
}

/// A number of threads.
pub(crate) fn jobs(count: i64) -> Result<usize, Failure> {
    let jobs = usize::try_from(count)
        .ok()
        .filter(|count| (1..=1024).contains(count));
    jobs.ok_or_else(|| Failure::option(format!("jobs={count}: from 1 to 1024")))
}

/// The number of a slot, from 1 on.
pub(crate) fn slot(number: Option<i64>) -> Result<Option<usize>, Failure> {
    let wrong = |number| Failure::option(format!("slot={number}: from 1 on"));
    let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
    let checked = number.map(|number| positive(number).ok_or_else(|| wrong(number)));
    checked.transpose()
}

/// A number of bytes or an address, of 32 bits.
pub(crate) fn word(name: &str, value: i64) -> Result<u32, Failure> {
    u32::try_from(value)
        .map_err(|_| Failure::option(format!("{name}={value}: from 0 to 4294967295")))
}
