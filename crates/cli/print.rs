//! Standard output and standard error.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::builder::styling::{AnsiColor, Style};
use fastlua_bundle::printable;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::manner::{Level, says};

/// Whether anything went to standard output.
static HAS_WRITTEN: AtomicBool = AtomicBool::new(false);

/// Writes to standard output.
pub fn out(bytes: impl AsRef<[u8]>) -> Result<()> {
    HAS_WRITTEN.store(true, Ordering::Relaxed);
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes.as_ref())?;
    Ok(stdout.flush()?)
}

/// Writes to standard output what is said of the work, not its result, unless `--quiet` is given.
pub fn report(text: impl AsRef<[u8]>) -> Result<()> {
    match says(Level::Usual) {
        true => out(text),
        false => Ok(()),
    }
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
pub fn error(line: &str) {
    let line = printable(line);
    let colored = [
        ("error:", AnsiColor::Red),
        ("warning:", AnsiColor::Yellow),
        ("note:", AnsiColor::Cyan),
    ];
    let found = colored
        .iter()
        .find_map(|(word, color)| Some((word, color, line.strip_prefix(word)?)));
    let mut stream = anstream::stderr();
    let _ = match found {
        Some((word, color, rest)) => {
            let style = Style::new().bold().fg_color(Some((*color).into()));
            writeln!(stream, "{style}{word}{style:#}{rest}")
        }
        None => writeln!(stream, "{line}"),
    };
}

/// The same for what is no error, unless `--quiet` is given.
pub fn note(line: &str) {
    if says(Level::Usual) {
        error(line);
    }
}

/// The same for what only `--verbose` tells.
pub fn detail(line: impl FnOnce() -> String) {
    if says(Level::Verbose) {
        error(&line());
    }
}

/// A bar on standard error, where that is a terminal, unless `--quiet` is given.
pub fn bar(steps: usize, style: ProgressStyle) -> ProgressBar {
    match says(Level::Usual) {
        true => ProgressBar::new(steps as u64).with_style(style),
        false => ProgressBar::hidden(),
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A path as messages show it, on one line.
pub fn path(path: &Path) -> String {
    printable(&path.to_string_lossy()).replace('\n', "\\n")
}

/// A mistake on the command line: exit status 2.
#[derive(Debug)]
pub struct Usage(anyhow::Error);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Usage {}

/// An error of the library about a name that stands on the command line.
pub fn usage(error: fastlua::Error) -> anyhow::Error {
    Usage(explained(error)).into()
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
