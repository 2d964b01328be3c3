//! The command `fastlua`: one file per subcommand.

mod args;
mod commands;
mod io;
mod plans;
mod report;

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use fastlua::{is_obeyed, printable};
use mimalloc::MiMalloc;

use args::verbosity::{self, Verbosity};
use commands::Command;
use commands::bench::TooMuch;
use report::print;

/// Builds allocate and free many small blocks between few lasting ones, which is slow in other allocators.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Puts Lua modules into a NodeMCU firmware image as bytecode that loads straight from flash.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    verbosity: Verbosity,
}

/// Whether an argument has control characters.
fn is_harmful(argument: &OsStr) -> bool {
    argument.to_string_lossy().contains(is_obeyed)
}

/// Handles a command line that is wrong, or that asks for help.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let is_bench = arguments.next().is_some_and(|name| name == "bench");
    let arguments: Vec<_> = arguments.collect();
    // in `bench`, --json takes a file
    let is_json = match is_bench {
        true => {
            arguments.iter().any(|argument| argument == "--json=-")
                || arguments.windows(2).any(|two| two == ["--json", "-"])
        }
        false => arguments.iter().any(|argument| argument == "--json"),
    };
    if error.use_stderr() && is_json {
        let _ = print::json_usage(error);
    }
    // perhaps file names that the shell expanded from a glob
    if env::args_os().any(|argument| is_harmful(&argument)) {
        let text = error.render().to_string();
        let _ = write!(std::io::stderr(), "{}", printable(&text));
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    error.exit()
}

fn main() -> ExitCode {
    verbosity::take_color();
    let Cli { command, verbosity } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    verbosity.take();
    let is_json = command.is_json();
    let outcome = command.run(Cli::command);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // the reader closed our output
        Err(error) if print::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&format!("error: {error:#}"));
            if is_json {
                let _ = print::json_error(&error);
            }
            if error.is::<print::Usage>() {
                ExitCode::from(2)
            } else if error.is::<TooMuch>() {
                ExitCode::from(3)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
