//! The PC's standard input, read in a thread of its own, since the event loop cannot wait for a file.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mio::Waker;

use crate::error::Error;

/// What was typed; nothing where standard input has ended.
type Typed = Option<Vec<u8>>;

/// Standard input once the prompt was given there.
pub(crate) struct Stdin {
    typed: Receiver<Typed>,
    has_ended: bool,
}

impl Stdin {
    pub fn attach(waker: Arc<Waker>) -> Result<Self, Error> {
        let (sender, typed) = channel();
        thread::Builder::new()
            .name("standard input".to_owned())
            .spawn(move || read(&sender, &waker))
            .map_err(|source| Error::Io {
                what: "cannot read standard input".to_owned(),
                source,
            })?;
        Ok(Self {
            typed,
            has_ended: false,
        })
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What has been typed, if anything; no bytes where it has just ended.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        match self.typed.try_recv().ok()? {
            Some(bytes) => Some(bytes),
            None => {
                self.has_ended = true;
                Some(Vec::new())
            }
        }
    }
}

fn read(sender: &Sender<Typed>, waker: &Waker) {
    let mut buffer = [0; 1024];
    loop {
        let typed = match io::stdin().lock().read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(count) => Some(buffer[..count].to_vec()),
        };
        let is_last = typed.is_none();
        if sender.send(typed).is_err() || waker.wake().is_err() || is_last {
            return;
        }
    }
}
