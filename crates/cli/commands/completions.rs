//! `fastlua completions`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::io::output::{Outputs, make_folder};
use crate::report::print;

/// Print completions for a shell, or write the man pages
#[derive(clap::Args)]
#[command(after_help = "Examples:
  fastlua completions bash > ~/.local/share/bash-completion/completions/fastlua
  fastlua completions zsh > ~/.zfunc/_fastlua
  fastlua completions --man ~/.local/share/man/man1")]
pub struct Args {
    /// The shell that reads them
    #[arg(value_name = "SHELL", required_unless_present = "man")]
    shell: Option<Shell>,
    /// Write a man page for each command into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "shell")]
    man: Option<PathBuf>,
}

pub fn run(args: &Args, mut command: Command) -> Result<()> {
    if let Some(shell) = args.shell {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, "fastlua", &mut text);
        return print::bytes(&text);
    }
    let Some(folder) = &args.man else {
        return Ok(());
    };
    make_folder("--man", folder)?;
    // Its own list of commands, not the one that clap adds.
    command = command.disable_help_subcommand(true);
    command.build();
    let mut outputs = Outputs::default();
    outputs.add(folder.join("fastlua.1"), page(command.clone(), "fastlua")?);
    for part in command.get_subcommands() {
        let name = format!("fastlua-{}", part.get_name());
        outputs.add(folder.join(format!("{name}.1")), page(part.clone(), &name)?);
    }
    for file in outputs.commit()? {
        print::report(format!("{file}\n"))?;
    }
    Ok(())
}

/// A page of the manual, without a date.
fn page(command: Command, name: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let man = Man::new(command).title(name.to_uppercase());
    man.render(&mut text)
        .with_context(|| format!("{name}.1 can't be made"))?;
    Ok(text)
}
