//! `--color`, `--quiet`, `--verbose`

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

use anstream::ColorChoice;
use clap::ValueEnum;

/// Options that every command takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Verbosity {
    /// Colours: auto uses them on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: Color,
    /// Print only errors and requested output
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the files that are read, and times
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// How much is printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Quiet,
    Usual,
    Verbose,
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Usual as u8);

impl Verbosity {
    /// Applies it from now on.
    pub fn take(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Usual,
        };
        LEVEL.store(level as u8, Ordering::Relaxed);
        self.color.take();
    }
}

impl Color {
    fn take(self) {
        let choice = match self {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Whether messages of this level are printed.
pub fn says(level: Level) -> bool {
    LEVEL.load(Ordering::Relaxed) >= level as u8
}

/// Applies `--color` to messages about the command line too, which are printed before it is parsed.
pub fn take_color() {
    let mut given = Color::Auto;
    let mut is_next = false;
    for argument in env::args_os().take_while(|argument| argument != "--") {
        let text = argument.to_string_lossy();
        let value = match is_next {
            true => Some(&*text),
            false => text.strip_prefix("--color="),
        };
        given = value
            .and_then(|value| Color::from_str(value, false).ok())
            .unwrap_or(given);
        is_next = !is_next && text == "--color";
    }
    given.take();
}
