//! A clock that stands still until a test moves it.

use stateward_model::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// Shared by reference or in an `Arc`; moves only when told to, forwards or backwards.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// Stands at this moment.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Jumps to a moment.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves by so many seconds; backwards if negative.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance_nanoseconds(seconds * 1_000_000_000);
    }

    /// Moves by so many nanoseconds; backwards if negative.
    pub fn advance_nanoseconds(&self, nanoseconds: i64) {
        self.0.fetch_add(nanoseconds, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    /// Stands at 2026-11-23T00:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp(1_795_392_000_000_000_000))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told() {
        let clock = FakeClock::default();
        assert_eq!(clock.now().to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(clock.now(), clock.now());
        clock.advance_seconds(-60);
        clock.advance_nanoseconds(1);
        assert_eq!(clock.now().to_string(), "2026-11-22T23:59:00.000000001Z");
    }
}
