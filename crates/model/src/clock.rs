//! Time, and the one clock that a program injects.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment in UTC: nanoseconds since 1970-01-01T00:00:00Z, from the year 1678 to 2262.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds and the nanoseconds after them, as `stat` tells them; `None` outside of what 64 bits hold.
    pub fn from_seconds(seconds: i64, nanoseconds: u32) -> Option<Self> {
        seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(nanoseconds)).map(Self)
    }

    /// This moment moved by so many seconds, held at the ends of the range.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000_000)))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The nanoseconds after [`Self::seconds`].
    pub fn subsecond_nanoseconds(self) -> u32 {
        self.0.rem_euclid(1_000_000_000) as u32
    }
}

impl fmt::Display for Timestamp {
    /// As RFC 3339 in UTC: `2026-11-23T22:30:00.5Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl std::str::FromStr for Timestamp {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError { what: "time as in RFC 3339", text: text.to_owned() };
        let moment: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        i64::try_from(moment.as_nanosecond()).map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> String {
        moment.to_string()
    }
}

/// Where the time comes from. A program makes a [`SystemClock`] in its `main` and hands it down; tests use a fake.
pub trait Clock: Send + Sync {
    /// The present moment; may be wrong, jump, or go backwards, as clocks do.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the system's time is read")]
    fn now(&self) -> Timestamp {
        let nanoseconds = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
        };
        Timestamp(nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_its_text_to_the_nanosecond() {
        for moment in [0, -1, 1_795_000_000_123_456_789, i64::MIN, i64::MAX] {
            assert_eq!(Timestamp(moment).to_string().parse::<Timestamp>().unwrap(), Timestamp(moment));
        }
    }

    #[test]
    fn seconds_round_down() {
        assert_eq!((Timestamp(-1).seconds(), Timestamp(-1).subsecond_nanoseconds()), (-1, 999_999_999));
    }
}
