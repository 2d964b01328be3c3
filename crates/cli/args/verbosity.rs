//! `--color`, `--quiet`, `--verbose`

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

use anstream::ColorChoice;
use clap::ValueEnum;

/// Options that every command takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Verbosity {
    /// Colours: auto has them on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: Color,
    /// Say nothing but errors and what was asked for
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say what is read and how long it takes
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Quiet,
    Usual,
    Verbose,
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Usual as u8);

impl Verbosity {
    /// Makes it hold from now on.
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

/// Whether so much is to be said.
pub fn says(level: Level) -> bool {
    LEVEL.load(Ordering::Relaxed) >= level as u8
}

/// Has `--color` hold for messages about the command line too, which come before it is understood.
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
