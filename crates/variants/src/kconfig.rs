//! `sdkconfig`, as Kconfig's own readers take it, and the table of partitions.
//!
//! The last line of a symbol counts. A line begins with `CONFIG_`, or with `# CONFIG_` and ends with `is not set`; others are comments. Of a
//! boolean only the first letter behind `=` counts. Values of a wrong type for the symbol are ignored. Sources: kconfiglib's
//! `_load_config`, ESP-IDF's `gen_esp32part.py`.

use std::collections::BTreeMap;

/// What a file sets.
pub(crate) struct Config<'a> {
    /// None for a line `is not set`. In the order of the file.
    lines: BTreeMap<&'a str, Vec<Option<&'a str>>>,
}

impl<'a> Config<'a> {
    pub fn read(text: &'a str) -> Config<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for line in text.lines() {
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("# CONFIG_") {
                if let Some((name, behind)) = rest.split_once(' ')
                    && behind.starts_with("is not set")
                {
                    lines.entry(name).or_default().push(None);
                }
            } else if let Some(rest) = line.strip_prefix("CONFIG_")
                && let Some((name, value)) = rest.split_once('=')
            {
                lines.entry(name).or_default().push(Some(value));
            }
        }
        Config { lines }
    }

    /// The value of the last line whose value can be read.
    fn last<T>(&self, name: &str, read: impl Fn(Option<&'a str>) -> Option<T>) -> Option<T> {
        let lines = self.lines.get(name)?;
        lines.iter().rev().find_map(|value| read(*value))
    }

    /// A boolean; none where no line sets it.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.last(name, |value| {
            match value.map(|value| value.as_bytes().first()) {
                Some(Some(b'y')) => Some(true),
                Some(Some(b'n')) | None => Some(false),
                Some(_) => None,
            }
        })
    }

    /// A string.
    pub fn string(&self, name: &str) -> Option<String> {
        self.last(name, |value| unquoted(value?))
    }

    /// A number of a hexadecimal symbol.
    pub fn hexadecimal(&self, name: &str) -> Option<u64> {
        self.last(name, |value| {
            let value = value?.trim();
            let digits = value
                .strip_prefix("0x")
                .or_else(|| value.strip_prefix("0X"));
            u64::from_str_radix(digits.unwrap_or(value), 16).ok()
        })
    }

    /// The names of booleans that are set, with `CONFIG_`.
    pub fn flags(&self) -> impl Iterator<Item = String> {
        let set = self
            .lines
            .keys()
            .filter(|name| self.flag(name) == Some(true));
        set.map(|name| format!("CONFIG_{name}"))
    }
}

/// What stands in quotes at the start of a value.
fn unquoted(value: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = value.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

/// The size of the first partition of NodeMCU's type for LFS, with its line; none where there is none.
pub(crate) fn lfs_partition(text: &str) -> Result<Option<(usize, u32)>, (usize, String)> {
    const TYPE: u64 = 0xc2;
    const SUBTYPE: u64 = 1;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let mut fields = text.split(',').map(str::trim).skip(1);
        let mut field = || fields.next().unwrap_or("");
        let [kind, subtype, _, size] = [field(), field(), field(), field()];
        if amount(kind) != Some(TYPE) || amount(subtype) != Some(SUBTYPE) {
            continue;
        }
        let bytes = amount(size).and_then(|size| u32::try_from(size).ok());
        return match bytes.filter(|bytes| *bytes > 0) {
            Some(bytes) => Ok(Some((line, bytes))),
            None => Err((
                line,
                format!("{size:?} is not a valid size of the LFS partition"),
            )),
        };
    }
    Ok(None)
}

/// A number as `gen_esp32part.py` reads it: with K or M behind it, if it likes.
fn amount(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    for (letter, factor) in [("k", 1024), ("m", 1024 * 1024)] {
        if let Some(number) = lower.strip_suffix(letter) {
            return amount(number)?.checked_mul(factor);
        }
    }
    let digits = |prefix: &str, radix| {
        let digits = lower.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok()
    };
    let other = digits("0x", 16)
        .or_else(|| digits("0o", 8))
        .or_else(|| digits("0b", 2));
    let is_plain =
        lower.bytes().all(|b| b.is_ascii_digit()) && (lower == "0" || !lower.starts_with('0'));
    other.or_else(|| lower.parse().ok().filter(|_| is_plain))
}
