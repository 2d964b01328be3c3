//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use fastlua_bundle::printable;
use serde::Serialize;

/// Whether anything went to standard output.
static HAS_WRITTEN: AtomicBool = AtomicBool::new(false);

/// Writes to standard output.
pub fn out(bytes: impl AsRef<[u8]>) -> Result<()> {
    HAS_WRITTEN.store(true, Ordering::Relaxed);
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes.as_ref())?;
    Ok(stdout.flush()?)
}

/// Writes a value as indented JSON and a newline to standard output.
pub fn json(value: &impl Serialize) -> Result<()> {
    out(serde_json::to_string_pretty(value)? + "\n")
}

/// Writes a text to standard output; its last line ends on a terminal, whatever it is.
pub fn text(text: &[u8]) -> Result<()> {
    out(text)?;
    match io::stdout().is_terminal() && !text.ends_with(b"\n") {
        true => out("\n"),
        false => Ok(()),
    }
}

/// Writes an error as JSON, unless there is JSON of it already.
pub fn json_error(error: &str) -> Result<()> {
    #[derive(Serialize)]
    struct Failed<'a> {
        schema: &'static str,
        error: &'a str,
    }
    match HAS_WRITTEN.load(Ordering::Relaxed) {
        true => Ok(()),
        false => json(&Failed {
            schema: "fastlua-error/1",
            error,
        }),
    }
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
        fastlua::Error::Shipped { .. } => {
            "; give yours another name, or let it take the place of that one with --replace"
        }
        _ => "",
    };
    anyhow::anyhow!("{error}{hint}")
}

/// Whether an error is that nobody reads standard output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}
