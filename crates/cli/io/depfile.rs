//! `-M`: the files that were read, as a rule for GNU Make.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Characters that Make escapes with a backslash; backslashes in front of them must be doubled.
const SPECIAL: &[u8] = b" \t#:%";

/// A rule by which the targets depend on the sources. Make does not fail if a source is deleted later. A name that Make
/// can't read back is an error.
pub fn rule(targets: &[&Path], sources: &[PathBuf]) -> Result<Vec<u8>> {
    let sources: BTreeSet<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let mut text = Vec::new();
    for target in targets {
        if !text.is_empty() {
            text.push(b' ');
        }
        text.extend(word(target, true)?);
    }
    text.push(b':');
    for source in &sources {
        text.extend(b" \\\n  ");
        text.extend(word(source, false)?);
    }
    if text.ends_with(b"\\") {
        text.extend(b" \\\n  |"); // Make keeps doubled backslashes at the end of a line
    }
    text.push(b'\n');
    for source in sources {
        // Some names are valid as a prerequisite, but not as a target.
        if no_word(&bytes(source), true).is_none() {
            text.push(b'\n');
            text.extend(word(source, true)?);
            text.extend(b":\n");
        }
    }
    Ok(text)
}

/// The name as Make reads it on any system, with `/` as separator.
fn bytes(path: &Path) -> Vec<u8> {
    let mut name = path.as_os_str().as_encoded_bytes().to_vec();
    if cfg!(windows) {
        let separators = name.iter_mut().filter(|b| **b == b'\\');
        separators.for_each(|b| *b = b'/');
    }
    name
}

/// A name as a target or as a prerequisite.
fn word(path: &Path, is_target: bool) -> Result<Vec<u8>> {
    let name = bytes(path);
    if let Some(reason) = no_word(&name, is_target) {
        bail!("-M: {path:?} can't be written in a Makefile: {reason}");
    }
    let mut text = Vec::new();
    let mut backslashes = 0;
    for (at, &byte) in name.iter().enumerate() {
        let is_drive = cfg!(windows) && at == 1 && byte == b':';
        match byte {
            b'$' => text.push(b'$'),
            b'%' if !is_target => {}
            _ if SPECIAL.contains(&byte) && !is_drive => {
                text.extend(vec![b'\\'; backslashes + 1]);
            }
            _ => {}
        }
        text.push(byte);
        backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
    }
    text.extend(vec![b'\\'; backslashes]);
    Ok(text)
}

/// Why a name can't be written so that Make reads it as one file.
fn no_word(name: &[u8], is_target: bool) -> Option<&'static str> {
    if name.iter().any(|&b| b.is_ascii_control() && b != b'\t') {
        Some("it has a line break or other control character")
    } else if name.iter().any(|b| b";|=*?[".contains(b)) {
        Some("; | = * ? and [ are special in Make")
    } else if name.starts_with(b"~") {
        Some("Make expands ~ to a home folder; write ./~")
    } else if name.ends_with(b" ") || name.ends_with(b"\t") {
        Some("it ends with a blank")
    } else if name.contains(&b'(') && name.ends_with(b")") {
        Some("Make reads it as a member of an archive")
    } else if is_target && (name.contains(&b'\t') || name.ends_with(b"&")) {
        Some("a target can't have a tab, or & at its end")
    } else {
        None
    }
}
