//! Options that several commands have, each described once: help, man pages and completions come from here.

pub mod line_info;
pub mod modules;
pub mod takers;
pub mod values;
pub mod variants;
pub mod verbosity;

/// The text after the options of `--help`: the example that `-h` shows too, and more about the command.
pub fn with_details(example: &str, details: &str) -> String {
    format!("{example}\n\n{details}")
}

/// `--json`
#[derive(clap::Args)]
pub struct Json {
    /// Print the report as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
}
