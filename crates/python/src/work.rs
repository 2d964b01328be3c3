//! Work without the interpreter's lock.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{mem, ops};

use fastlua::Progress;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::Failure;

/// Pools that no call uses. A call takes one and gives it back, so there are as many as there were calls at once.
struct Pools {
    /// The process that made them. After a fork their threads are missing.
    process: u32,
    idle: Vec<ThreadPool>,
}

static POOLS: Mutex<Pools> = Mutex::new(Pools {
    process: 0,
    idle: Vec::new(),
});

/// Changes the pools. The caller holds the interpreter's lock, so no fork happens meanwhile.
fn with_pools<T>(change: impl FnOnce(&mut Pools) -> T) -> T {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::id();
    if pools.process != process {
        // to drop them would wait for their threads
        mem::forget(mem::take(&mut pools.idle));
        pools.process = process;
    }
    change(&mut pools)
}

/// A pool, until it is given back.
struct Pool(Option<ThreadPool>);

impl Pool {
    fn take(threads: usize) -> Result<Pool, Failure> {
        let found = with_pools(|pools| {
            let is_it = |pool: &ThreadPool| pool.current_num_threads() == threads;
            let at = pools.idle.iter().position(is_it)?;
            Some(pools.idle.swap_remove(at))
        });
        let made = match found {
            Some(pool) => Ok(pool),
            None => ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|_| "fastlua".into())
                .build(),
        };
        let failed = |error| Failure::other(format!("no thread can be started: {error}"));
        Ok(Pool(Some(made.map_err(failed)?)))
    }
}

impl ops::Deref for Pool {
    type Target = ThreadPool;

    fn deref(&self) -> &ThreadPool {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        with_pools(|pools| pools.idle.extend(self.0.take()));
    }
}

/// Whether the user has interrupted the work.
#[derive(Default)]
pub(crate) struct Stop(AtomicBool);

impl Progress for Stop {
    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often a signal is looked for, such as Ctrl-C's.
const PAUSE: Duration = Duration::from_millis(100);

/// Does work in threads of our own, whose stacks are large enough, while other threads of Python run.
pub(crate) fn run<T: Send>(
    py: Python,
    threads: usize,
    work: impl FnOnce(&Stop) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let pool = Pool::take(threads)?;
    let stop = Stop::default();
    let waited = py.detach(|| {
        let (sender, receiver) = channel();
        pool.in_place_scope(|scope| {
            scope.spawn(|_| {
                // the receiver waits
                let _ = sender.send(work(&stop));
            });
            wait(&receiver, &stop)
        })
    });
    Ok(waited??)
}

/// Waits for the result, or for an interruption and the end of the work.
fn wait<T>(receiver: &Receiver<Result<T, Failure>>, stop: &Stop) -> PyResult<Result<T, Failure>> {
    let mut interrupted = None;
    loop {
        let done = match receiver.recv_timeout(PAUSE) {
            Ok(done) => done,
            Err(RecvTimeoutError::Timeout) => {
                if interrupted.is_none() {
                    interrupted = Python::attach(|py| py.check_signals()).err();
                    stop.0.store(interrupted.is_some(), Ordering::Relaxed);
                }
                continue;
            }
            // a panic, which goes on at the end of the scope
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::other("the work has no result".into()))
            }
        };
        return match interrupted {
            Some(error) => Err(error),
            None => Ok(done),
        };
    }
}
