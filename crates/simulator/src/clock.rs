//! The device's clock: the PC's, further on by the waits that were skipped.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The calendar time that was set, in microseconds, and when; the rate that is reported with it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calendar {
    pub set: Option<(Instant, i64)>,
    pub rate: i64,
}

pub(crate) struct Clock {
    /// Goes on over a restart.
    pub calendar: Cell<Calendar>,
    started: Cell<Instant>,
    ahead: Cell<Duration>,
    /// The longest wait that may be skipped, where one was asked for.
    skip: Cell<Option<Duration>>,
}

impl Clock {
    pub fn new() -> Self {
        Self {
            calendar: Cell::default(),
            started: Cell::new(Instant::now()),
            ahead: Cell::default(),
            skip: Cell::default(),
        }
    }

    pub fn restart(&self) {
        self.started.set(self.now());
        self.skip.take();
    }

    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead.get()
    }

    pub fn since_start(&self) -> Duration {
        self.now() - self.started.get()
    }

    /// How long the PC has to wait until the device's time is `due`.
    pub fn until(&self, due: Instant) -> Duration {
        due.saturating_duration_since(self.now())
    }

    /// Asks for the next wait to be skipped, if it is not longer than `most`.
    pub fn ask_to_skip(&self, most: Duration) {
        self.skip.set(Some(most));
    }

    pub fn is_asked_to_skip(&self) -> bool {
        self.skip.get().is_some()
    }

    /// Skips the wait until `due` if that was asked for. What was asked for is then forgotten.
    pub fn skip(&self, due: Option<Instant>) {
        if let (Some(most), Some(due)) = (self.skip.take(), due) {
            let wait = self.until(due);
            if wait <= most {
                self.ahead.set(self.ahead.get() + wait);
            }
        }
    }
}
