//! How far a job is: counts, rate, and how long it will still take.

use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;
use std::collections::VecDeque;

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Files and other entries done.
    pub files: u64,
    /// Bytes of content done, whether they had to be moved or not.
    pub bytes: u64,
    /// Bytes moved to or from the vault.
    pub moved_bytes: u64,
    /// How many files there are in all, as far as it is known.
    pub files_expected: Option<u64>,
    /// How many bytes there are in all, as far as it is known.
    pub bytes_expected: Option<u64>,
    /// Bytes of content in a second, over the last while.
    pub rate: Option<u64>,
    /// Seconds until the end, at this rate.
    pub eta_seconds: Option<u64>,
}

/// The rate is told over this long, in nanoseconds.
const WINDOW: i64 = 10_000_000_000;

/// A rate is told once it spans this long, in nanoseconds.
const WINDOW_LEAST: i64 = 1_000_000_000;

/// Tells a rate from a count that is looked at now and then.
#[derive(Debug, Default)]
pub struct Meter {
    looks: VecDeque<(Timestamp, u64)>,
}

impl Meter {
    /// Looks at the count; gives its growth in a second.
    pub fn look(&mut self, now: Timestamp, count: u64) -> Option<u64> {
        // A clock that was set back makes all that was seen worthless.
        if self.looks.back().is_some_and(|(last, _)| *last > now) {
            self.looks.clear();
        }
        self.looks.push_back((now, count));
        while self.looks.len() > 2 && now.0.saturating_sub(self.looks[1].0.0) >= WINDOW {
            self.looks.pop_front();
        }
        let (begin, before) = *self.looks.front()?;
        let passed = now.0.saturating_sub(begin.0);
        if passed < WINDOW_LEAST {
            return None;
        }
        let rate = u128::from(count.saturating_sub(before)) * 1_000_000_000 / passed.unsigned_abs() as u128;
        u64::try_from(rate).ok()
    }
}

/// Seconds until `expected` is reached at that rate.
pub fn remaining_seconds(done: u64, expected: Option<u64>, rate: Option<u64>) -> Option<u64> {
    let left = expected?.saturating_sub(done);
    Some(left.div_ceil(rate.filter(|rate| *rate > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds * 1_000_000)
    }

    #[test]
    fn the_rate_is_that_of_the_last_while() {
        let mut meter = Meter::default();
        assert_eq!(meter.look(at(0), 0), None);
        assert_eq!(meter.look(at(500), 50), None);
        assert_eq!(meter.look(at(1000), 100), Some(100));
        for second in 2..=60 {
            meter.look(at(second * 1000), 100);
        }
        assert_eq!(meter.look(at(61_000), 100), Some(0));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_rate_and_no_failure() {
        let mut meter = Meter::default();
        meter.look(at(100_000), 10);
        assert_eq!(meter.look(at(0), 20), None);
        assert_eq!(meter.look(at(2000), 40), Some(10));
    }

    #[test]
    fn the_time_left_is_known_only_with_an_aim_and_a_rate() {
        assert_eq!(remaining_seconds(50, Some(100), Some(20)), Some(3));
        assert_eq!(remaining_seconds(100, Some(50), Some(20)), Some(0));
        assert_eq!(remaining_seconds(0, None, Some(20)), None);
        assert_eq!(remaining_seconds(0, Some(5), Some(0)), None);
    }
}
