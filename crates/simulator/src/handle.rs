//! Asks the event loop to return, on the word of another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;

/// Makes [`run`](crate::Simulator::run) and [`prompt`](crate::Simulator::prompt) return [`Ended::Asked`](crate::Ended::Asked)
/// once the present callback has returned.
#[derive(Clone)]
pub struct Handle {
    is_asked: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl Handle {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self {
            is_asked: Arc::default(),
            waker,
        }
    }

    /// Asks for it, from any thread.
    pub fn stop(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        let _ = self.waker.wake(); // where it fails, the loop is gone
    }

    /// Whether it was asked for; that is then forgotten.
    pub(crate) fn take(&self) -> bool {
        self.is_asked.swap(false, Ordering::SeqCst)
    }
}
