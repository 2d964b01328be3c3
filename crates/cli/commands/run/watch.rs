//! `--watch`: whether files have changed, asked of the file system again and again. That works in containers and on network
//! drives too, where no system tells of changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// How often it is asked. A file that has changed must stay the same for as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Size and time of the last change of each file; nothing of those that are not there.
#[derive(Clone, PartialEq, Eq)]
pub struct State(BTreeMap<PathBuf, Option<(u64, SystemTime)>>);

impl State {
    /// That of these files, and of these folders for what is new in them.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> State {
        let state = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        };
        let paths = paths.into_iter();
        State(paths.map(|path| (path.clone(), state(path))).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn now(&self) -> State {
        State::of(self.0.keys())
    }

    /// The same files, in the state that was seen before where it was.
    pub fn seen(mut self, before: &State) -> State {
        for (path, state) in &before.0 {
            if let Some(place) = self.0.get_mut(path) {
                *place = *state;
            }
        }
        self
    }

    /// Watches until the files are no longer in this state, then says so, once, in both ways.
    pub fn watch(self, changed: impl FnOnce() + Send + 'static) -> Result<Receiver<()>> {
        let (sender, receiver) = channel();
        let work = move || {
            let mut seen = self.clone();
            loop {
                thread::sleep(PAUSE);
                let now = seen.now();
                if now == seen && now != self {
                    changed();
                    let _ = sender.send(()); // nobody has to wait for it
                    return;
                }
                seen = now;
            }
        };
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(work);
        thread.context("can't watch the files")?;
        Ok(receiver)
    }
}
