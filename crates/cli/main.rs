//! The command `fastlua`: one file per subcommand.

mod bench;
mod build;
mod build_report;
mod cache;
mod changed;
mod check;
mod compile;
mod completions;
mod depfile;
mod extract;
mod folder;
mod inputs;
mod inspect;
mod lfs;
mod list;
mod manner;
mod other_lua;
mod output;
mod patch;
mod portable;
mod print;
mod replace;
mod run;
mod run_image;
mod serve;
mod sources;
mod split;
mod squash;
mod table;
mod takers;
mod target;
mod temporary;
mod variant_args;
mod variants;
mod watch;

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use fastlua_bundle::{is_obeyed, printable};
use mimalloc::MiMalloc;

/// Builds make and drop many small things between few that stay, which leaves other allocators searching.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Puts Lua modules into a NodeMCU firmware image as bytecode that loads straight from flash.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    manner: manner::Manner,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    Build(build::Args),
    Compile(compile::Args),
    Check(check::Args),
    Completions(completions::Args),
    Inspect(inspect::Args),
    Lfs(lfs::Args),
    List(list::Args),
    Patch(patch::Args),
    Run(run::Args),
    Serve(serve::Args),
    Split(split::Args),
    Squash(squash::Args),
    Variants(variants::Args),
}

impl Command {
    /// Whether standard output is to be one JSON object.
    fn is_json(&self) -> bool {
        match self {
            Command::Build(args) => args.json,
            Command::Check(args) => args.json,
            Command::Inspect(args) => args.json,
            Command::Lfs(args) => args.json,
            Command::Patch(args) => args.json,
            Command::Variants(args) => args.json,
            Command::Bench(args) => args.is_json(),
            Command::Compile(_)
            | Command::Completions(_)
            | Command::List(_)
            | Command::Run(_)
            | Command::Serve(_)
            | Command::Split(_)
            | Command::Squash(_) => false,
        }
    }
}

/// Whether a terminal would obey a part of an argument.
fn is_harmful(argument: &OsStr) -> bool {
    argument.to_string_lossy().contains(is_obeyed)
}

/// What comes of a command line that can't be understood, or that asks for help.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    // of `bench` it is a file's name
    let is_json = arguments.next().is_some_and(|name| name != "bench")
        && arguments.any(|argument| argument == "--json");
    if error.use_stderr() && is_json {
        let _ = print::json_usage(error);
    }
    // the names of files that a shell found for a glob, perhaps
    if env::args_os().any(|argument| is_harmful(&argument)) {
        let text = error.render().to_string();
        let _ = write!(io::stderr(), "{}", printable(&text));
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    error.exit()
}

fn main() -> ExitCode {
    manner::take_color();
    let Cli { command, manner } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    manner.take();
    let is_json = command.is_json();
    let outcome = match command {
        Command::Bench(args) => bench::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Inspect(args) => inspect::run(&args),
        Command::Lfs(args) => lfs::run(&args),
        Command::List(args) => list::run(&args),
        Command::Patch(args) => patch::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Squash(args) => squash::run(&args),
        Command::Variants(args) => variants::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // the reader of our output has enough
        Err(error) if print::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&format!("error: {error:#}"));
            if is_json {
                let _ = print::json_error(&error);
            }
            if error.is::<print::Usage>() {
                ExitCode::from(2)
            } else if error.is::<bench::TooMuch>() {
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
