//! Checks that file names are valid on every system.

use std::collections::HashMap;

use anyhow::{Result, bail};

/// Names that Windows reserves for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Checks the names of files that go into one folder.
///
/// # Errors
/// One is a device on Windows, or two are equal if case is ignored.
pub fn check<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in names {
        let plain = name.to_ascii_lowercase();
        if is_device(plain.split('.').next().unwrap_or("")) {
            bail!("{name} is not a valid file name on Windows");
        }
        if let Some(other) = seen.insert(plain, name) {
            bail!("{other} and {name} are the same file where case is ignored");
        }
    }
    Ok(())
}

fn is_device(stem: &str) -> bool {
    let numbered = |kind: &str| {
        matches!(
            stem.strip_prefix(kind).map(str::as_bytes),
            Some([b'0'..=b'9'])
        )
    };
    DEVICES.contains(&stem) || numbered("com") || numbered("lpt")
}
