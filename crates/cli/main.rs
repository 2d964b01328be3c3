//! The command `fastlua`: one file per subcommand.

mod bench;
mod build;
mod build_report;
mod check;
mod compile;
mod depfile;
mod folder;
mod inputs;
mod inspect;
mod list;
mod output;
mod patch;
mod portable;
mod print;
mod run;
mod split;
mod squash;
mod temporary;
mod variant_args;
mod variants;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Puts Lua modules into a NodeMCU firmware image as bytecode that loads straight from flash.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    Build(build::Args),
    Compile(compile::Args),
    Check(check::Args),
    Inspect(inspect::Args),
    List(list::Args),
    Patch(patch::Args),
    Run(run::Args),
    Split(split::Args),
    Squash(squash::Args),
    Variants(variants::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::List(args) => list::run(&args),
        Command::Patch(args) => patch::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Squash(args) => squash::run(&args),
        Command::Variants(args) => variants::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // the reader of our output has enough
        Err(error) if print::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print::note(&format!("error: {error:#}"));
            match error.is::<bench::TooMuch>() {
                true => ExitCode::from(3),
                false => ExitCode::FAILURE,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
