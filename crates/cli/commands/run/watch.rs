//! `--watch`: polls the file system for changes. This also works in containers and on network drives, where there are
//! no change events.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// Time between two polls. A changed file counts once it has stayed the same for this long.
const PAUSE: Duration = Duration::from_millis(200);

/// Size and modification time of each file; none for missing files.
#[derive(Clone, PartialEq, Eq)]
pub struct State(BTreeMap<PathBuf, Option<(u64, SystemTime)>>);

impl State {
    /// The state of these files and folders. A folder's state shows new files in it.
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

    /// The same files, with the earlier state where it is known.
    pub fn seen(mut self, before: &State) -> State {
        for (path, state) in &before.0 {
            if let Some(place) = self.0.get_mut(path) {
                *place = *state;
            }
        }
        self
    }

    /// Watches until the files differ from this state, then calls `changed` and sends one message.
    pub fn watch(self, changed: impl FnOnce() + Send + 'static) -> Result<Receiver<()>> {
        let (sender, receiver) = channel();
        let work = move || {
            let mut seen = self.clone();
            loop {
                thread::sleep(PAUSE);
                let now = seen.now();
                if now == seen && now != self {
                    changed();
                    let _ = sender.send(()); // the receiver may be gone
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
