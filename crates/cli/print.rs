//! Standard output and standard error.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Result;
use fastlua_bundle::printable;
use serde::Serialize;

/// Writes to standard output.
pub fn out(bytes: impl AsRef<[u8]>) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes.as_ref())?;
    Ok(stdout.flush()?)
}

/// Writes a value as indented JSON and a newline to standard output.
pub fn json(value: &impl Serialize) -> Result<()> {
    out(serde_json::to_string_pretty(value)? + "\n")
}

/// Writes a line to standard error, as well as it can. Names in it may come from others.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A path as messages show it, on one line.
pub fn path(path: &Path) -> String {
    printable(&path.to_string_lossy()).replace('\n', "\\n")
}

/// An error of the library, with what to do on the command line.
pub fn explained(error: fastlua::Error) -> anyhow::Error {
    let hint = match &error {
        fastlua::Error::NoVariant { .. } => " (`fastlua variants` lists them)",
        fastlua::Error::NotShipped { .. } => " (with --with)",
        _ => "",
    };
    anyhow::anyhow!("{error}{hint}")
}

/// Whether an error is that nobody reads standard output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}
