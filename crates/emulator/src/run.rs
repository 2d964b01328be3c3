//! Runs an image under emulation.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::toolchain::Toolchain;

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What the program printed.
    pub stdout: Vec<u8>,
    /// What it, or the emulator, printed as errors.
    pub stderr: Vec<u8>,
    /// Its exit status; 70 where the runtime itself ended it.
    pub status: i32,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not end in time.
    #[error("the emulated program did not end within {} s; its output was:\n{}", .0.as_secs_f32(), String::from_utf8_lossy(.1))]
    Timeout(Duration, Vec<u8>),
    /// A signal ended the emulator.
    #[error("the emulator was ended by a signal ({0})")]
    Signal(ExitStatus),
    /// The emulator could not be run, or its output not be read.
    #[error("can't run the emulator: {0}")]
    Io(io::Error),
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Io(error)
    }
}

const POLL: Duration = Duration::from_millis(2);

/// Runs the ELF file, for `timeout` of real time at most.
pub(crate) fn run(tools: &Toolchain, elf: &Path, timeout: Duration) -> Result<Output, RunError> {
    let mut stdout = tempfile::tempfile()?;
    let mut stderr = tempfile::tempfile()?;
    let mut child = Command::new(&tools.qemu)
        .args(tools.chip.facts().machine)
        .arg(elf)
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let ended = wait(&mut child, timeout)?;
    let stdout = content(&mut stdout)?;
    let status = ended.ok_or_else(|| RunError::Timeout(timeout, stdout.clone()))?;
    Ok(Output {
        stdout,
        stderr: content(&mut stderr)?,
        status: status.code().ok_or(RunError::Signal(status))?,
    })
}

/// The exit status, or none where the time is over; then the child is ended.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + timeout;
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if Instant::now() < end => thread::sleep(POLL),
            None => {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
        }
    }
}

fn content(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
