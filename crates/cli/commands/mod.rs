//! The commands, a file each: options, then `run`, which reads, calls the library and prints.

pub mod bench;
mod build;
mod check;
mod compile;
mod completions;
mod inspect;
mod lfs;
mod list;
mod needs;
mod patch;
mod run;
mod serve;
mod split;
mod squash;
mod variants;

use anyhow::Result;
use clap::Subcommand;

/// A command with its options.
#[derive(Subcommand)]
pub enum Command {
    Bench(bench::Args),
    Build(build::Args),
    Compile(compile::Args),
    Check(check::Args),
    Completions(completions::Args),
    Inspect(inspect::Args),
    Lfs(lfs::Args),
    List(list::Args),
    Needs(needs::Args),
    Patch(patch::Args),
    Run(run::Args),
    Serve(serve::Args),
    Split(split::Args),
    Squash(squash::Args),
    Variants(variants::Args),
}

impl Command {
    /// Whether standard output must be one JSON object.
    pub fn is_json(&self) -> bool {
        match self {
            Command::Build(args) => args.json.json,
            Command::Check(args) => args.json.json,
            Command::Inspect(args) => args.json.json,
            Command::Lfs(args) => args.json.json,
            Command::Needs(args) => args.json.json,
            Command::Patch(args) => args.json.json,
            Command::Variants(args) => args.json.json,
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

    /// Runs it; `whole` is the whole command line.
    pub fn run(self, whole: fn() -> clap::Command) -> Result<()> {
        match self {
            Command::Bench(args) => bench::run(&args),
            Command::Build(args) => build::run(&args),
            Command::Compile(args) => compile::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Completions(args) => completions::run(&args, whole()),
            Command::Inspect(args) => inspect::run(&args),
            Command::Lfs(args) => lfs::run(&args),
            Command::List(args) => list::run(&args),
            Command::Needs(args) => needs::run(&args),
            Command::Patch(args) => patch::run(&args),
            Command::Run(args) => run::run(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Split(args) => split::run(&args),
            Command::Squash(args) => squash::run(&args),
            Command::Variants(args) => variants::run(&args),
        }
    }
}
