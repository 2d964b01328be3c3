use std::io;
use std::path::{Path, PathBuf};

/// Why a simulated device could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a folder or the network of the PC refused.
    #[error("{what}")]
    Io {
        /// What was being done, and with which path.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The settings file is not one that the simulator wrote.
    #[error("{path}: {message}")]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with line and column.
        message: String,
    },
    /// A chunk given to [`exec`](crate::Simulator::exec) did not load or raised an error.
    #[error("{0}")]
    Lua(String),
    /// [`open_fast`](crate::Simulator::open_fast) was called before in this process.
    #[error("the image of `fast` is already set")]
    Image,
    /// The process has frozen chunks of its own, to which none can be added.
    #[error("this build has built-in frozen chunks and accepts no others")]
    Frozen,
    /// A callback of `net` raised an error. NodeMCU calls these unprotected, so the device prints `PANIC` and restarts.
    #[error("PANIC: unprotected error in call to Lua API ({0})")]
    Panic(String),
    /// A task, a timer or another protected callback raised an error, and there was no `node.setonerror` function.
    /// The device prints the message and restarts after two seconds.
    #[error("{0}")]
    Callback(String),
}

impl Error {
    pub(crate) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            what: format!("{what} {}", path.display()),
            source,
        }
    }
}

/// Lua's own message, with its traceback where there is one.
pub(crate) fn message(error: &mlua::Error) -> String {
    use mlua::Error::*;
    match error {
        RuntimeError(text) | MemoryError(text) => text.clone(),
        SyntaxError { message, .. } => message.clone(),
        CallbackError { traceback, cause } => format!("{}\n{traceback}", message(cause)),
        other => other.to_string(),
    }
}

/// Lua's own message as the code that catches it sees it.
pub(crate) fn caught(error: &mlua::Error) -> String {
    let text = message(error);
    match text.split_once("\nstack traceback:\n") {
        Some((first, _)) => first.to_owned(),
        None => text,
    }
}

/// An error that Lua code gets as a string.
pub(crate) enum Raise {
    Text(String),
    /// What is wrong with an argument, which is counted from 1.
    Argument(usize, String),
    /// An error of Lua's core within a C function, whose message names no place.
    Core(&'static str),
}

pub(crate) fn raise<T>(text: impl Into<String>) -> Result<T, Raise> {
    Err(Raise::Text(text.into()))
}

impl From<mlua::Error> for Raise {
    fn from(error: mlua::Error) -> Self {
        Self::Text(caught(&error))
    }
}

impl From<Raise> for mlua::Error {
    fn from(raise: Raise) -> Self {
        match raise {
            Raise::Text(text) | Raise::Argument(_, text) => Self::RuntimeError(text),
            Raise::Core(text) => Self::RuntimeError(text.to_owned()),
        }
    }
}

impl From<mlua::Error> for Error {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(message(&error))
    }
}
