//! The PC's standard input, read in a thread of its own, since the event loop cannot wait for a file.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mio::Waker;

use crate::error::Error;

/// What came from standard input.
pub(crate) enum Typed {
    Bytes(Vec<u8>),
    /// Ctrl-C at the prompt.
    Abandoned,
    End,
}

/// Standard input once the prompt was given there.
pub(crate) struct Stdin {
    typed: Receiver<Typed>,
    has_ended: bool,
}

impl Stdin {
    /// Reads from anything but a terminal, or from one that can't edit.
    pub fn attach(waker: Arc<Waker>) -> Result<Self, Error> {
        let (sender, typed) = channel();
        in_thread("standard input", move || read(&sender, &waker))?;
        Ok(Self::new(typed))
    }

    pub fn new(typed: Receiver<Typed>) -> Self {
        Self {
            typed,
            has_ended: false,
        }
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What has been typed, if anything.
    pub fn next(&mut self) -> Option<Typed> {
        let typed = self.typed.try_recv().ok()?;
        self.has_ended |= matches!(typed, Typed::End);
        Some(typed)
    }
}

pub(crate) fn in_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|source| Error::Io {
        what: "cannot read standard input".to_owned(),
        source,
    })
}

fn read(sender: &Sender<Typed>, waker: &Waker) {
    let mut buffer = [0; 1024];
    loop {
        let typed = match io::stdin().lock().read(&mut buffer) {
            Ok(0) | Err(_) => Typed::End,
            Ok(count) => Typed::Bytes(buffer[..count].to_vec()),
        };
        let is_last = matches!(typed, Typed::End);
        if sender.send(typed).is_err() || waker.wake().is_err() || is_last {
            return;
        }
    }
}
