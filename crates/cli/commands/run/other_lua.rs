//! The command with the other Lua. A program links one; `--lua` starts the one beside this command.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report::print;

/// Runs this same command line in `fastlua-lua53` or `fastlua-lua51`, in the folder of this command.
///
/// # Errors
/// When it isn't there or can't be run.
pub fn run(lua: &str) -> Result<()> {
    let this = env::current_exe().context("can't find the folder of this command")?;
    let other = beside(&this, lua);
    if !other.is_file() {
        bail!(
            "this fastlua has the other Lua, and {} does not exist: build it in fastlua's sources with `cargo build \
             --release --no-default-features --features lua{lua}`, and copy target/release/fastlua there",
            print::path(&other)
        );
    }
    let mut command = Command::new(&other);
    command.args(env::args_os().skip(1));
    let failed = || format!("{} can't be run", print::path(&other));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(command.exec()).with_context(failed)
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(failed)?;
        std::process::exit(status.code().unwrap_or(1));
    }
}

fn beside(this: &Path, lua: &str) -> PathBuf {
    let name = format!("fastlua-lua{lua}{}", env::consts::EXE_SUFFIX);
    this.with_file_name(name)
}
