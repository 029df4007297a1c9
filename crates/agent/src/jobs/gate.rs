//! Where a job's own threads wait while a person has paused it: between two files, or two packs.
//!
//! Its connections and its session at the vault stay open meanwhile, so that it goes on as if nothing had been. A pause is
//! over when the job is stopped.

use stateward_engine::Cancellation;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often one who waits looks whether the job is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Lets pass, or keeps waiting.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// What those who pass look at first: it costs them nothing.
    is_closed: AtomicBool,
    waiting: Mutex<()>,
    opened: Condvar,
}

impl Gate {
    /// Closes or opens it; whether that was a change.
    pub(super) fn set_closed(&self, is_closed: bool) -> bool {
        let _waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let was_closed = self.is_closed.swap(is_closed, Relaxed);
        if !is_closed {
            self.opened.notify_all();
        }
        was_closed != is_closed
    }

    /// Whether it keeps waiting.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Relaxed)
    }

    /// Returns once it is open, or the job is to stop.
    pub(super) fn pass(&self, cancellation: &Cancellation) {
        if !self.is_closed() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while self.is_closed() && !cancellation.is_cancelled() {
            waiting = self.opened.wait_timeout(waiting, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
