//! Standard output and standard error.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::builder::styling::{AnsiColor, Style};
use fastlua::{
    Diagnostic, DumpError, ErrorReport, FirmwareError, ImageError, NoVariant, is_obeyed, printable,
    printable_name,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::verbosity::{Level, says};

/// Whether anything went to standard output.
static HAS_WRITTEN: AtomicBool = AtomicBool::new(false);

/// Whether the result goes to standard output.
static IS_RESULT: AtomicBool = AtomicBool::new(false);

/// From now on standard output is for the result alone.
pub fn result_goes_out() {
    IS_RESULT.store(true, Ordering::Relaxed);
}

/// Writes a result to standard output, as it is.
pub fn bytes(bytes: &[u8]) -> Result<()> {
    HAS_WRITTEN.store(true, Ordering::Relaxed);
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Writes text to standard output. Names in it may come from others.
pub fn out(text: impl AsRef<str>) -> Result<()> {
    bytes(printable(text.as_ref()).as_bytes())
}

/// Writes to standard output what is said of the work, not its result, unless `--quiet` is given. Where the result itself goes
/// there, it is for standard error.
pub fn report(text: impl AsRef<str>) -> Result<()> {
    match (says(Level::Usual), IS_RESULT.load(Ordering::Relaxed)) {
        (false, _) => Ok(()),
        (true, true) => {
            error(text.as_ref().trim_end());
            Ok(())
        }
        (true, false) => out(text),
    }
}

/// Writes a value as indented JSON and a newline to standard output.
pub fn json(value: &impl Serialize) -> Result<()> {
    json_text(&serde_json::to_string_pretty(value)?)
}

/// Writes JSON and a newline to standard output. What a terminal would obey can stand in strings only, where it is written as JSON
/// writes it: whoever reads it has the same strings.
pub fn json_text(json: &str) -> Result<()> {
    let mut text = String::with_capacity(json.len() + 1);
    for char in json.chars() {
        match is_obeyed(char) {
            false => text.push(char),
            true => {
                let units = &mut [0; 2];
                let units = char.encode_utf16(units).iter();
                units.for_each(|unit| text += &format!("\\u{unit:04x}"));
            }
        }
    }
    text.push('\n');
    bytes(text.as_bytes())
}

/// Writes what is wrong with the command line as JSON.
pub fn json_usage(error: &clap::Error) -> Result<()> {
    let text = error.render().to_string();
    let (message, help) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.trim_start_matches("error: ").trim_end();
    let help = Some(help.trim_end().to_owned());
    let help = help.filter(|help| !help.is_empty());
    json(&ErrorReport::new(vec![Diagnostic::error(message)], help))
}

/// Writes an error as JSON, unless there is JSON of it already.
pub fn json_error(error: &anyhow::Error) -> Result<()> {
    if HAS_WRITTEN.load(Ordering::Relaxed) {
        return Ok(());
    }
    let error = error.downcast_ref().map_or(error, |Usage(inner)| inner);
    let said = error.chain().find_map(|cause| cause.downcast_ref::<Said>());
    let help = said.and_then(|said| said.help.clone());
    json(&ErrorReport::new(entries(error), help))
}

/// An error whose parts are known. Displays the parts and what to do.
#[derive(Debug)]
pub struct Said {
    text: String,
    entries: Vec<Diagnostic>,
    help: Option<String>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Said {}

/// An error about a file, with which the text begins or which it names.
pub fn of_file(file: &Path, text: impl Into<String>) -> anyhow::Error {
    let text = text.into();
    let shown = path(file);
    let entry = Diagnostic::of_file(&shown, None, &text);
    let file = Some(file.display().to_string());
    said(text, vec![Diagnostic { file, ..entry }], None)
}

/// Several errors as one.
pub fn all(errors: Vec<anyhow::Error>) -> anyhow::Error {
    let texts: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
    let entries = errors.iter().flat_map(entries).collect();
    said(texts.join("\n"), entries, None)
}

/// The parts of an error.
fn entries(error: &anyhow::Error) -> Vec<Diagnostic> {
    let said = error.chain().find_map(|cause| cause.downcast_ref::<Said>());
    let library = || {
        error
            .chain()
            .find_map(|cause| cause.downcast_ref::<fastlua::Error>())
    };
    match said {
        Some(said) => said.entries.clone(),
        None => match library() {
            Some(error) => error.diagnostics(),
            None => vec![Diagnostic::error(format!("{error:#}"))],
        },
    }
}

/// An error of these parts. The text has all of them and what to do.
pub fn said(text: String, entries: Vec<Diagnostic>, help: Option<String>) -> anyhow::Error {
    let said = Said {
        text,
        entries,
        help,
    };
    said.into()
}

/// Writes a line to standard error; ignores errors. Names in it may come from others.
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

/// The same for messages other than errors, unless `--quiet` is given.
pub fn note(line: &str) {
    if says(Level::Usual) {
        error(line);
    }
}

/// The same for details, which need `--verbose`.
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

/// A path as messages show it, on one line.
pub fn path(path: &Path) -> String {
    printable_name(&path.to_string_lossy())
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

/// A mistake on the command line that this says.
pub fn misused(reason: &str) -> anyhow::Error {
    Usage(anyhow::anyhow!("{reason}")).into()
}

/// An error that a mistake on the command line has led to.
pub fn by_misuse(error: anyhow::Error) -> anyhow::Error {
    Usage(error).into()
}

/// An error of the library about a name on the command line.
pub fn usage(error: impl Into<fastlua::Error>) -> anyhow::Error {
    Usage(explained(error)).into()
}

/// An error of the library, with what to do on the command line.
pub fn explained(error: impl Into<fastlua::Error>) -> anyhow::Error {
    let error = error.into();
    let hint = match &error {
        fastlua::Error::NoVariant(_) | fastlua::Error::Variant { .. } => {
            " (`fastlua variants` lists them)"
        }
        fastlua::Error::NotShipped { .. } => " (with --with)",
        fastlua::Error::Shipped { .. } => {
            "; rename yours, or replace the shipped one with --replace"
        }
        fastlua::Error::Tree { reason, .. } if reason.ends_with("choose a variant") => {
            " with --variant"
        }
        _ => "",
    };
    hinted(&error.to_string(), hint, error.diagnostics())
}

/// Advice on the command line about a file that is not bytecode, or for another variant. `verb` is the command's name.
pub fn about_bytecode(error: &DumpError, verb: &str) -> String {
    match error {
        DumpError::NoDump => "; if it is source, compile it with `fastlua compile`".into(),
        DumpError::Ambiguous(_) => "; choose one with --variant".into(),
        DumpError::OtherVariant { is, asked, .. } => {
            format!("; {verb} it with --variant {is}, or compile its source with --variant {asked}")
        }
        DumpError::OtherImage { asked, .. } => {
            format!("; {verb} it without --variant, or make an image with --variant {asked}")
        }
        _ => String::new(),
    }
}

/// An error whose text ends with advice, which is also its help.
pub fn hinted(text: &str, hint: &str, entries: Vec<Diagnostic>) -> anyhow::Error {
    let help = hint.trim_start_matches([';', ',', '.', ' ']);
    let help = help.trim_matches(['(', ')']).to_owned();
    let help = Some(help).filter(|help| !help.is_empty());
    said(format!("{text}{hint}"), entries, help)
}

/// Whether the error is a closed standard output.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}

/// An error of firmware, with what to do on the command line.
pub fn of_firmware(image: &str, error: &FirmwareError) -> anyhow::Error {
    if let FirmwareError::Variant(error) = error {
        return explained(NoVariant::clone(error));
    }
    let hint = match error {
        FirmwareError::NoSlot(_) => " (fastlua build --slot)",
        FirmwareError::WhichSlot(_) => " (--slot N)",
        FirmwareError::Image(ImageError::Damaged(_)) => {
            "; use an undamaged file, or --fix-checksums to set them anyway"
        }
        FirmwareError::Elsewhere(_) => "; use --keep-damaged to leave that image as it is",
        FirmwareError::Uncovered(_) => ", or use --uncovered if you set its checksums yourself",
        _ => "",
    };
    let entry = Diagnostic::of_file(image, None, &error.to_string());
    hinted(&format!("{image}: {error}"), hint, vec![entry])
}
